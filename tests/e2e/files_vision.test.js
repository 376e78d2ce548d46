/* Images of the index that a message names: a model that sees has their bytes,
 * another their words; what must stay stays, whoever answers in the end. Seen
 * from the providers, which note all that they are sent. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { accounts, basic } from '../lib/accounts.js';
import { ask, askEvents, call, messagesOf, newSession, postJson }
    from '../lib/client.js';
import { readFile, sendFile, upload } from '../lib/files.js';
import { IMAGES, imagesIn } from '../lib/images.js';
import { echo, startReplay, status, whole } from '../lib/replay.js';
import { ROOT, startParley } from '../lib/server.js';
import { until, within } from '../lib/wait.js';
import { allWires, WIRES } from '../lib/wires.js';

const SUNSET = fs.readFileSync(path.join(ROOT, 'etc/demo/beach-sunset.png'));
const SUNSET_WORDS = JSON.stringify({ tags: ['beach'],
    description: 'A vermilion sun over the pier' });
const MIB = 1024 * 1024;

/* A provider that is not on this machine, as far as its address says. */
const AWAY = '127.0.0.2';
const away = (env) => Object.fromEntries(Object.entries(env).map(([k, v]) =>
    [k, v.replace('127.0.0.1', AWAY)]));

/* A PNG of so many bytes: behind its end nobody looks. */
const pngOf = (n) => Buffer.concat([IMAGES['dot.png'],
    Buffer.alloc(n - IMAGES['dot.png'].length, 'x')]);
const base64 = (b) => b.toString('base64');
const codes = (reply) => reply.notes.map((n) => n.code);

/* What the audit log says was sent to a provider, once it says so of n calls.
 */
function filesSent(parley, provider, n) {
    return until('the audit log', () => {
        const calls = fs.readFileSync(path.join(parley.dataDir, 'audit.log'),
            'utf8').trim().split('\n').map((line) => JSON.parse(line))
            .filter((l) => l.event === 'provider_call' &&
                l.provider === provider);
        return calls.length === n && calls.map((l) => l.files);
    });
}

describe('a model that sees', () => {
    let replay;
    let parley;
    let folder;
    const MODELS = { openai: 'gpt-4o', anthropic: 'claude-sonnet-5-5',
        gemini: 'gemini-3.5-flash', bedrock: 'amazon.nova-lite-v1:0',
        huggingface: 'someone/sees', ollama: 'llava' };

    before(async () => {
        replay = await startReplay(whole(WIRES.openai.answer('I see.')));
        folder = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-vision-'));
        parley = await startParley({ env: { ...allWires(replay.port),
            ...accounts(folder).env, AI_PROVIDER: 'openai', AI_MODEL: 'gpt-4o',
            AI_FALLBACK: 'none', UPSTREAM_RETRIES: '0' } });
        await upload(parley, { 'anns.png': SUNSET }, { headers: basic('ann') });
        await upload(parley, { ...IMAGES, 'sunset.png': SUNSET,
            'sunset.json': SUNSET_WORDS });
        await upload(parley, { 'note.txt': 'No picture at all.' });
    });
    after(async () => {
        await parley?.stop();
        await replay?.stop();
        fs.rmSync(folder, { recursive: true, force: true });
    });

    for (const [provider, model] of Object.entries(MODELS))
        test(`has their bytes, on the wire of ${provider}`, async () => {
            const names = [...Object.keys(IMAGES), 'sunset.png'];
            const message = `see ${provider}`;
            replay.on(message, whole(WIRES[provider].answer('I see.')));
            const reply = await ask(parley, { message, provider, model,
                files: [...names, 'note.txt'] });
            assert.equal(reply.message, 'I see.');
            assert.deepEqual(reply.notes, []);
            const [request, ...more] = replay.about(message);
            assert.deepEqual(more, []);
            assert.deepEqual(imagesIn(request), names.map((n) =>
                base64(IMAGES[n] ?? SUNSET)));
            for (const name of names)
                assert.ok(request.text.includes(`Image ${name}:`));
            assert.match(request.text, /vermilion/);
            assert.match(request.text, /No picture at all/);
        });

    test('whichever way they are named, and each once', async () => {
        for (const [i, fields] of [{ files: ['dot.png'] },
            { attachments: [{ name: 'dot.png' }] }, { image_name: 'dot.png' },
            { image_name: 'dot.png', files: ['dot.png'] }].entries()) {
            const message = `way ${i}`;
            const reply = await ask(parley, { message, ...fields });
            assert.deepEqual(reply.notes, []);
            const [request] = replay.about(message);
            assert.deepEqual(imagesIn(request), [base64(IMAGES['dot.png'])]);
            assert.ok(request.body.messages.at(-1).content.some(
                (p) => p.text === message), 'the message as it is');
        }
    });

    test('over a WebSocket as well', async () => {
        const ws = new WebSocket(
            `${parley.url.replace('http', 'ws')}/ws/chat`,
            { headers: basic('ann') });
        const done = new Promise((resolve, reject) => {
            ws.on('error', reject);
            ws.on('open', () => ws.send(JSON.stringify({ message: 'by socket',
                files: ['anns.png'] })));
            ws.on('message', (b) => {
                const frame = JSON.parse(b);
                if (frame.type === 'message' || frame.type === 'error')
                    resolve(frame);
            });
        });
        const frame = await within('an answer', done).finally(() => ws.close());
        assert.equal(frame.type, 'message', JSON.stringify(frame));
        assert.deepEqual(imagesIn(replay.about('by socket')[0]),
            [base64(SUNSET)]);
    });

    test('beside one that the client sends', async () => {
        const data = base64(IMAGES['dot.gif']);
        await ask(parley, { message: 'both kinds', attachments: [
            { media_type: 'image/gif', data }, { name: 'sunset.png' }] });
        assert.deepEqual(imagesIn(replay.about('both kinds')[0]),
            [data, base64(SUNSET)]);
    });

    test('with the message that names it, and no later one', async () => {
        const session_id = newSession();
        const s = await askEvents(parley, { message: 'look once', session_id,
            files: ['sunset.png'] });
        const events = await s.all();
        const context = events.find((e) => e.data.type === 'context').data;
        assert.deepEqual(context.images, ['sunset.png']);
        assert.deepEqual(context.files, ['sunset.png']);
        await ask(parley, { message: 'and then', session_id, files: false });
        const [request] = replay.about('and then');
        assert.deepEqual(imagesIn(request), []);
        assert.match(JSON.stringify(request.body.messages), /look once/);
        const stored = await messagesOf(parley, session_id);
        assert.equal(stored[0].content, 'look once');
        assert.ok(!JSON.stringify(stored).includes(base64(SUNSET)));
        const told = await call(parley,
            `/chat/turns/${events[0].data.turn_id}/context`);
        assert.deepEqual(told.body.context.images, ['sunset.png']);
        assert.ok(!parley.log().includes(base64(SUNSET).slice(0, 40)));
    });

    test('has words where the file is too large, and bytes at the limit',
        async () => {
            const n = 12 * MIB;
            for (const [name, size] of [['whole.png', n],
                ['over.png', n + 1]]) {
                await sendFile(parley, name, pngOf(size));
                await readFile(parley, name);
            }
            const fits = await ask(parley, { message: 'it fits',
                files: ['whole.png'] });
            assert.deepEqual(fits.notes, []);
            assert.ok(imagesIn(replay.about('it fits')[0])[0] ===
                base64(pngOf(n)));
            const over = await ask(parley, { message: 'too much',
                files: ['over.png', 'dot.png'] });
            assert.deepEqual(codes(over), ['image_in_words']);
            assert.match(over.notes[0].message,
                /^over\.png was given .*words only: the image is too large/);
            assert.deepEqual(imagesIn(replay.about('too much')[0]),
                [base64(IMAGES['dot.png'])]);
            assert.match(replay.about('too much')[0].text, /Image over\.png/);
            /* All of a message: two of the largest, and nothing beside. */
            await sendFile(parley, 'more.png', pngOf(n));
            await readFile(parley, 'more.png');
            const all = await ask(parley, { message: 'all of it',
                files: ['whole.png', 'more.png', 'dot.png'] });
            assert.deepEqual(codes(all), ['image_in_words']);
            assert.match(all.notes[0].message, /^dot\.png /);
            assert.equal(imagesIn(replay.about('all of it')[0]).length, 2);
        });

    test('has words where its provider refuses the image', async () => {
        replay.on('try me', status(400, { 'Content-Type': 'application/json' },
            JSON.stringify({ error: { message: 'this model does not support ' +
                'image input', type: 'invalid_request_error' } })),
        whole(WIRES.openai.answer('In words.')));
        const reply = await ask(parley, { message: 'try me',
            files: ['sunset.png'] });
        assert.equal(reply.message, 'In words.');
        assert.deepEqual(codes(reply), ['image_in_words']);
        assert.match(reply.notes[0].message, /did not take/);
        assert.deepEqual(replay.about('try me').map((r) =>
            imagesIn(r).length), [1, 0]);
        assert.match(replay.about('try me')[1].text, /vermilion/);
    });

    test('has words where the file is gone', async () => {
        await upload(parley, { 'lost.png': SUNSET });
        const folder = path.join(parley.dataDir, 'files/uploads');
        const [lost] = fs.readdirSync(folder, { recursive: true })
            .filter((f) => f.endsWith('lost.png'));
        fs.rmSync(path.join(folder, lost));
        const reply = await ask(parley, { message: 'where is it',
            files: ['lost.png'] });
        assert.deepEqual(codes(reply), ['image_in_words']);
        assert.deepEqual(imagesIn(replay.about('where is it')[0]), []);
    });

    test('a command reads no files, and says so', async () => {
        const reply = await ask(parley, { message: '/help',
            files: ['sunset.png'] });
        assert.deepEqual(codes(reply), ['file_ignored']);
    });
});

describe('a model that sees none', () => {
    let replay;
    let parley;
    before(async () => {
        replay = await startReplay(echo(() => 'In words.'));
        parley = await startParley({ env: { ...replay.env(),
            AI_MODEL: 'gpt-4', AI_FALLBACK: 'openai/gpt-4o',
            UPSTREAM_RETRIES: '0' } });
        await upload(parley, { 'sunset.png': SUNSET,
            'sunset.json': SUNSET_WORDS });
    });
    after(async () => {
        await parley?.stop();
        await replay?.stop();
    });

    for (const [who, fields] of [['gpt-4', {}],
        ['offline', { provider: 'offline' }]])
        test(`has the words: ${who}`, async () => {
            const message = 'What colour has the sun?';
            const n = replay.requests.length;
            const reply = await ask(parley, { message, files: ['sunset.png'],
                ...fields });
            assert.deepEqual(codes(reply), ['image_in_words']);
            assert.match(reply.notes[0].message,
                /^sunset\.png .*: this model does not see images\.$/);
            if (who === 'offline') {
                assert.match(reply.message, /vermilion/);
                assert.equal(replay.requests.length, n);
                return;
            }
            const [request] = replay.requests.slice(n);
            assert.equal(request.body.model, 'gpt-4');
            assert.match(request.text, /vermilion/);
            assert.deepEqual(imagesIn(request), []);
        });

    test('and the one of the chain that does has the image', async () => {
        replay.on('who sees', status(500), echo(() => 'I see.'));
        const reply = await ask(parley, { message: 'who sees',
            files: ['sunset.png'] });
        assert.equal(reply.message, 'I see.');
        assert.deepEqual(codes(reply), ['image_in_words', 'fallback']);
        assert.deepEqual(replay.about('who sees').map((r) =>
            [r.body.model, imagesIn(r).length]), [['gpt-4', 0], ['gpt-4o', 1]]);
    });
});

describe('what must stay here', () => {
    let here;
    let there;
    let parley;
    before(async () => {
        here = await startReplay(whole(WIRES.ollama.answer('Here.')));
        there = await startReplay(echo(() => 'Elsewhere.'), AWAY);
        parley = await startParley({ env: { ...WIRES.ollama.env(here.port),
            ...away(WIRES.openai.env(there.port)), AI_PROVIDER: 'ollama',
            OLLAMA_MODEL: 'llava', AI_MODEL: 'gpt-4o',
            AI_FALLBACK: 'openai/gpt-4o', UPSTREAM_RETRIES: '0' } });
        await upload(parley, { 'open.png': IMAGES['dot.png'] });
        await upload(parley, { 'local.png': SUNSET },
            { fields: { label: 'local-only' } });
        await upload(parley, { 'half.gif': IMAGES['dot.gif'] },
            { fields: { label: 'redact' } });
    });
    after(async () => {
        await parley?.stop();
        await here?.stop();
        await there?.stop();
    });
    const files = ['open.png', 'local.png', 'half.gif'];

    test('is seen by a model of this machine', async () => {
        const reply = await ask(parley, { message: 'at home', files });
        assert.equal(reply.message, 'Here.');
        assert.deepEqual(reply.notes, []);
        assert.deepEqual(imagesIn(here.about('at home')[0]),
            [IMAGES['dot.png'], SUNSET, IMAGES['dot.gif']].map(base64));
    });

    test('and by the one that /api/chat asks', async () => {
        const r = await postJson(parley, '/api/chat',
            { message: 'api at home', image_name: 'local.png' });
        assert.equal(r.status, 200, r.text);
        assert.deepEqual(imagesIn(here.about('api at home')[0]),
            [base64(SUNSET)]);
    });

    for (const [how, fields] of [['chosen', { provider: 'openai' }],
        ['a fallback', {}]])
        test(`never leaves, to one that is ${how}`, async () => {
            const message = `away ${how}`;
            here.on(message, status(500));
            const reply = await ask(parley, { message, files, ...fields });
            assert.equal(reply.message, 'Elsewhere.');
            const held = reply.notes.find((n) => n.code === 'files_held_back');
            assert.match(held.message, /^2 files .*local\.png/);
            assert.match(held.message, /half\.gif/);
            const [request] = there.about(message);
            assert.deepEqual(imagesIn(request), [base64(IMAGES['dot.png'])]);
            assert.ok(!request.text.includes('local.png'), request.text);
            if (how === 'a fallback')
                assert.equal(imagesIn(here.about(message)[0]).length, 3);
            const sent = await filesSent(parley, 'openai',
                there.requests.length);
            assert.deepEqual(sent.at(-1), ['open.png']);
        });

    test('an answer about it is not shown elsewhere later', async () => {
        const session_id = newSession();
        here.on('remember', whole(WIRES.ollama.answer('A zircon sun.')));
        await ask(parley, { message: 'remember', session_id,
            files: ['local.png'] });
        await ask(parley, { message: 'go on', session_id, provider: 'openai',
            files: false });
        const [request] = there.about('go on');
        assert.ok(!request.text.includes('zircon'), request.text);
    });
});
