/* The six examples of the cloud-chat document, to the letter
 * (lib/python/examples/), against a server with a folder of images behind it
 * and an imitation of the vendors that notes what it is sent. The vendors'
 * Python clients are stood in for by lib/python/; their JavaScript clients take
 * the same context below. Then what the document says of names, errors and
 * settings, as far as no other suite has it (files_answers, ws_dialects). */

import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { spawn } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { LLMock } from '@copilotkit/aimock';
import { WebSocket } from 'ws';
import { assertError, call, postJson } from '../lib/client.js';
import { python } from '../lib/flows.js';
import { ROOT, freePort, startParley } from '../lib/server.js';
import { until, within } from '../lib/wait.js';

const PYTHON = path.join(ROOT, 'tests/lib/python');
const JPEG = fs.readFileSync(path.join(ROOT,
    'tests/fuzz/corpus/image/jpeg_exif_little'));
const IMAGES = {
    'beach_sunset.jpg': { date: '2024-07-13', tags: ['beach', 'sunset'],
        description: 'The sun sinks into the sea behind two palms.' },
    'beach_noon.jpg': { date: '2024-07-12', tags: ['beach', 'vacation'],
        description: 'Children dig a channel in the sand at noon.' },
    'summit.jpg': { date: '2023-02-01', tags: ['mountains', 'snow'],
        description: 'Three peaks over a frozen lake.' },
};
const SAID = 'You have a photo of that, in beach_sunset.jpg.';
const WAIT_MS = 60000;

let folder;
let mock;
let parley;

const wsUrl = (server = parley) => server.url.replace(/^http/, 'ws');

before(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-cloud-'));
    for (const [name, facts] of Object.entries(IMAGES)) {
        fs.writeFileSync(path.join(folder, name), JPEG);
        fs.writeFileSync(path.join(folder, name.replace('.jpg', '.json')),
            JSON.stringify(facts));
    }
    fs.writeFileSync(path.join(folder, 'outside.txt'), 'No image at all.');
    fs.symlinkSync('/etc/passwd', path.join(folder, 'link.jpg'));
    fs.symlinkSync('beach_noon.jpg', path.join(folder, 'alias.jpg'));
    mock = new LLMock({ port: 0, logLevel: 'silent' });
    mock.onMessage(/./, { content: SAID });
    await mock.start();
    parley = await startParley({ env: { FILES_DIR: folder } });
    await until('the folder to be indexed', async () =>
        (await call(parley, '/files')).body.files.length === 4);
});
after(async () => {
    await parley?.stop();
    await mock?.stop();
    fs.rmSync(folder, { recursive: true, force: true });
});

/* --- the examples --------------------------------------------------------- */

/* Run one; what it says, and the requests that the vendor was sent. edit
 * changes its text. */
async function runExample(name, { server = wsUrl(), edit } = {}) {
    let program = path.join(PYTHON, 'examples', `${name}.py`);
    if (edit) {
        const text = fs.readFileSync(program, 'utf8');
        program = path.join(folder, `${name}.py`);
        assert.notEqual(edit(text), text);
        fs.writeFileSync(program, edit(text));
    }
    mock.clearRequests();
    const child = spawn(python(), [path.join(PYTHON, 'example.py'), program,
        server], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env,
        PYTHONPATH: PYTHON, PYTHONDONTWRITEBYTECODE: '1',
        OPENAI_API_KEY: 'k', OPENAI_BASE_URL: `${mock.url}/v1`,
        ANTHROPIC_API_KEY: 'k', ANTHROPIC_BASE_URL: mock.url,
        GEMINI_BASE_URL: mock.url } });
    let out = '';
    let err = '';
    child.stdout.on('data', (data) => { out += data; });
    child.stderr.on('data', (data) => { err += data; });
    try {
        const code = await within(`the example ${name}`,
            new Promise((resolve, reject) => {
                child.once('error', reject);
                child.once('close', resolve);
            }), WAIT_MS);
        return { code, out, err, requests: mock.getRequests() };
    } finally {
        child.kill('SIGKILL');
    }
}

/* It left without a complaint; its requests in the order they came. */
async function finished(name, options) {
    const run = await runExample(name, options);
    assert.equal(run.code, 0, run.err);
    assert.ok(!/Failed|Traceback/.test(run.out + run.err), run.out + run.err);
    return run;
}

const systemOf = (body) => body.messages.filter((m) => m.role === 'system')
    .map((m) => m.content).join('\n');

describe('the examples, as they stand', () => {
    test('1: OpenAI, and a follow-up', async () => {
        const { out, requests } = await finished('gpt4');
        assert.equal(out, `GPT-4: ${SAID}\n\nGPT-4: ${SAID}\n`);
        const [first, next] = requests.map((r) => r.body);
        assert.equal(requests.length, 2);
        assert.equal(first.model, 'gpt-4-turbo-preview');
        for (const name of ['beach_sunset.jpg', 'beach_noon.jpg'])
            assert.ok(systemOf(first).includes(name), systemOf(first));
        assert.deepEqual(next.messages.map((m) => m.role),
            ['system', 'system', 'user', 'assistant', 'user']);
        assert.match(next.messages[1].content,
            /\n\[1\] image "beach_sunset\.jpg"\n.*\n.*sinks into the sea/);
    });

    test('2: Anthropic', async () => {
        const { out, requests } = await finished('claude');
        assert.equal(out, `Claude: ${SAID}\n`);
        assert.equal(requests.length, 1);
        assert.equal(requests[0].path, '/v1/messages');
        assert.ok(JSON.stringify(requests[0].body)
            .includes('beach_noon.jpg'));
    });

    test('3: Gemini', async () => {
        const { out, requests } = await finished('gemini');
        assert.equal(out, `Gemini: ${SAID}\n`);
        assert.equal(requests.length, 1);
        assert.match(requests[0].path, /gemini-pro:generateContent/);
        const sent = JSON.stringify(requests[0].body);
        assert.ok(sent.includes('summit.jpg'), sent);
        assert.ok(sent.includes('Three peaks over a frozen lake.'));
    });

    for (const vendor of ['openai', 'anthropic'])
        test(`4: several turns (${vendor})`, async () => {
            const { out, requests } = await finished('turns',
                vendor === 'openai' ? {} : { edit: (text) => text.replace(
                    'CloudChatBot(provider="openai")',
                    'CloudChatBot(provider="anthropic")') });
            assert.equal(out.split(`Bot: ${SAID}`).length, 4, out);
            assert.deepEqual(requests.map((r) => r.path), Array(3).fill(
                vendor === 'openai' ? '/v1/chat/completions'
                    : '/v1/messages'));
            assert.deepEqual(requests.map((r) => r.body.messages
                .filter((m) => m.role !== 'system').length), [1, 3, 5]);
            const [, beach, sunset] = requests.map((r) =>
                JSON.stringify(r.body));
            assert.ok(beach.includes('beach_noon.jpg'));
            assert.ok(sunset.includes('sinks into the sea'));
        });

    test('5: with an image', async () => {
        const { out, requests } = await finished('image');
        assert.equal(out, `${SAID}\n`);
        const context = systemOf(requests[0].body);
        assert.match(context, /^Image: beach_sunset\.jpg$/m);
        assert.match(context, /^Tags: beach, sunset$/m);
        assert.match(context, /^Description: The sun sinks into the sea/m);
    });

    test('6: with errors and further attempts', async () => {
        const { out, requests } = await finished('errors');
        assert.equal(out, `Response: ${SAID}\n`);
        for (const name of Object.keys(IMAGES))
            assert.ok(systemOf(requests[0].body).includes(name), name);
    });

    test('6: where nobody listens, it tries again', async () => {
        const { code, out, err } = await runExample('errors',
            { server: `ws://127.0.0.1:${await freePort()}` });
        assert.equal(code, 0, err);
        assert.match(out, /^Failed after retries: /);
        assert.equal(err.match(/Attempt \d failed/g).length, 3, err);
    });

    test('6: where there is no index, it says what the server said',
        async () => {
            const other = await startParley({ env: { FILES: 'off' } });
            try {
                const { out, err, requests } = await runExample('errors',
                    { server: wsUrl(other) });
                assert.equal(out, 'Failed after retries: ' +
                    'There is no index of files. The server was started with ' +
                    'FILES=off, or its index cannot be opened.\n');
                assert.match(err, /RAG error: There is no index of files/);
                assert.equal(requests.length, 0);
            } finally {
                await other.stop();
            }
        });
});

describe('the vendors\' own clients in JavaScript take the context', () => {
    const QUESTION = 'What beach photos do I have?';
    const clients = {
        openai: ({ system_prompt: system, rag_context: rag }) =>
            new OpenAI({ apiKey: 'k', baseURL: `${mock.url}/v1` }).chat
                .completions.create({ model: 'gpt-4', messages: [
                    { role: 'system', content: system },
                    { role: 'system', content: rag },
                    { role: 'user', content: QUESTION }] })
                .then((r) => r.choices[0].message.content),
        anthropic: ({ system_prompt: system, rag_context: rag }) =>
            new Anthropic({ apiKey: 'k', baseURL: mock.url }).messages
                .create({ model: 'claude', max_tokens: 100,
                    system: `${system}\n\n${rag}`,
                    messages: [{ role: 'user', content: QUESTION }] })
                .then((r) => r.content[0].text),
        gemini: ({ system_prompt: system, rag_context: rag }) =>
            new GoogleGenAI({ apiKey: 'k', httpOptions: { baseUrl: mock.url } })
                .models.generateContent({ model: 'gemini-pro',
                    contents: `${system}\n${rag}\n${QUESTION}` })
                .then((r) => r.text),
    };
    for (const [name, ask] of Object.entries(clients))
        test(name, async () => {
            const { data } = (await postJson(parley, '/api/cloud-chat',
                { message: QUESTION })).body;
            mock.clearRequests();
            assert.equal(await ask(data), SAID);
            const sent = JSON.stringify(mock.getRequests()[0].body);
            assert.ok(sent.includes('beach_noon.jpg') &&
                sent.includes('beach_sunset.jpg'), sent);
        });
});

/* --- names, errors, settings ---------------------------------------------- */

/* A socket that is ready; frames one by one. */
async function openSocket(server = parley) {
    const ws = new WebSocket(`${wsUrl(server)}/api/cloud-chat`);
    const frames = [];
    ws.on('message', (bytes) => frames.push(JSON.parse(bytes)));
    const next = async () => {
        await until('a frame', () => frames.length > 0);
        return frames.shift();
    };
    await within('the socket', new Promise((resolve, reject) => {
        ws.once('open', resolve);
        ws.once('error', reject);
    }));
    for (;;) {
        const frame = await next();
        assert.equal(frame.type, 'status');
        if (/ready/i.test(frame.message))
            break;
    }
    const ask = async (frame) => {
        ws.send(JSON.stringify(frame));
        for (;;) {
            const reply = await next();
            if (reply.type !== 'status')
                return reply;
        }
    };
    return { ws, ask };
}

const asEvents = (text) => [...text.matchAll(/event: (.+)\ndata: (.+)\n\n/g)]
    .map(([, name, data]) => ({ name, data: JSON.parse(data) }));

test('an image is a name in the index, and never a path', async () => {
    const { ws, ask } = await openSocket();
    for (const image_name of ['link.jpg', 'alias.jpg', 'outside.txt',
        '../beach_noon.jpg', `${folder}/beach_noon.jpg`, './beach_noon.jpg',
        'beach_noon.jpg/', 'beach_noon.jpg/../beach_sunset.jpg',
        'file://beach_noon.jpg', '..\\beach_noon.jpg', '~/beach_noon.jpg',
        'beach_noon.jpg%00', 'BEACH_NOON.JPG']) {
        const said = `File not found: ${image_name}`;
        assert.deepEqual(await ask({ message: 'a', image_name }),
            { type: 'error', message: said });
        const r = await postJson(parley, '/api/cloud-chat',
            { message: 'a', image_name }, { accept: 'text/event-stream' });
        assertError(r, 404, 'file_not_found');
        assert.equal(r.body.error, said);
    }
    const nul = await ask({ message: 'a', image_name: 'beach_noon.jpg\0x' });
    assert.equal(nul.type, 'error');
    const { data } = await ask({ message: 'a', image_name: 'beach_noon.jpg' });
    assert.ok(JPEG.equals(Buffer.from(data.image_context.image_base64,
        'base64')));
    ws.terminate();
});

test('an image that became a link after it was read shows nothing of what ' +
    'it points at', async () => {
    const file = path.join(folder, 'beach_noon.jpg');
    fs.rmSync(file);
    fs.symlinkSync('/etc/passwd', file);
    try {
        const { body } = await postJson(parley, '/api/cloud-chat',
            { message: 'a', image_name: 'beach_noon.jpg' });
        const bytes = Buffer.from(
            body.data?.image_context?.image_base64 ?? '', 'base64');
        assert.equal(bytes.length, 0, bytes.toString('latin1'));
    } finally {
        fs.rmSync(file);
        fs.writeFileSync(file, JPEG);
    }
});

test('errors are the document\'s, and the socket lives on', async () => {
    const { ws, ask } = await openSocket();
    for (const [request, message] of [
        [{}, 'No message provided'],
        [{ message: '  ' }, 'No message provided'],
        [{ message: null, history: [] }, 'No message provided'],
        [{ message: 7 }, 'Invalid message: it must be a string'],
        [{ message: 'a', image_name: 7 },
            'Invalid image_name: it must be a string'],
        [{ message: 'a', history: {} },
            'Invalid history: it must be a list of messages'],
        ...[[7], [{ role: 'robot', content: 'b' }], [{ role: 'user' }],
            [{ role: 'tool', content: 'b' }], [{ content: 'b' }]].map((h) => [
            { message: 'a', history: h }, 'Invalid history: each message ' +
            'has a content and a role, which is user, assistant or system'])]) {
        assert.deepEqual(await ask(request), { type: 'error', message });
        for (const headers of [{}, { accept: 'text/event-stream' }]) {
            const r = await postJson(parley, '/api/cloud-chat', request,
                headers);
            assertError(r, 400, r.body.code);
            assert.equal(r.body.error, message);
        }
    }
    assert.equal((await ask({ message: 'a beach' })).type, 'result');
    ws.terminate();
});

test('a socket, a POST and events bring the same', async () => {
    const request = { message: 'Show me the sunset ones', history: [
        { role: 'user', content: 'What beach photos do I have?' },
        { role: 'assistant', content: 'Two.' }],
    image_name: 'beach_sunset.jpg' };
    const { ws, ask } = await openSocket();
    const { data } = await ask(request);
    ws.terminate();
    assert.equal(data.relevant_files[0], 'beach_sunset.jpg');
    assert.deepEqual(data.history, request.history);
    const posted = await postJson(parley, '/api/cloud-chat', request);
    const streamed = await postJson(parley, '/api/cloud-chat', request,
        { accept: 'text/event-stream' });
    const events = asEvents(streamed.text);
    assert.equal(posted.body.type, 'result');
    assert.deepEqual(events.map((e) => e.name), ['status', 'result']);
    assert.deepEqual(posted.body.data, data);
    assert.deepEqual(events[1].data.data, data);
});

test('how many rounds of the history count is a setting', async () => {
    const history = [
        { role: 'user', content: 'What mountains are there?' },
        { role: 'assistant', content: 'Three peaks.' },
        { role: 'user', content: 'What beach photos do I have?' },
        { role: 'assistant', content: 'Two.' }];
    const files = async () => (await postJson(parley, '/api/cloud-chat',
        { message: 'show me the other ones', history })).body.data
        .relevant_files;
    const set = (chat_rounds) => postJson(parley, '/api/config',
        { chat_rounds });
    for (const [rounds, beach, mountains] of [[0, false, false],
        [1, true, false], [2, true, true]]) {
        assert.equal((await set(rounds)).body.chat_rounds, rounds);
        const found = await files();
        assert.equal(found.includes('beach_noon.jpg'), beach,
            `${rounds}: ${found}`);
        assert.equal(found.includes('summit.jpg'), mountains,
            `${rounds}: ${found}`);
    }
    await set(null);
    const before = (await call(parley, '/api/config')).body;
    assert.ok(before.chat_rounds > 2);
    assertError(await call(parley, '/api/config', { method: 'PUT' }), 405);
});
