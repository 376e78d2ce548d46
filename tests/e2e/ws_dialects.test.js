/* The clients of four documents, unchanged, on one server behind lighttpd:
 * each speaks its own dialect over WebSocket, and none is sent a frame of
 * another. Beside them what these documents have over HTTP. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import WebSocket from 'ws';
import {
    UUID, TIMESTAMP, ask, assertError, call, messagesOf, newSession, postJson,
} from '../lib/client.js';
import { runFlow } from '../lib/flows.js';
import { startParley } from '../lib/server.js';
import { until, within } from '../lib/wait.js';

/* Where each client connects, and every type of frame that it knows. */
const FLOWS = {
    commands: ['/ws/chat', ['connection_established', 'message',
        'command_response', 'system', 'error']],
    client: ['/ws/chat', ['connection_established', 'typing', 'ai_response',
        'history', 'history_cleared', 'pong', 'auth_response',
        'logout_success', 'error']],
    streaming: ['/ws/unique-client-id', ['response_start', 'response_chunk',
        'response_complete', 'pong', 'error']],
    cloud: ['/api/cloud-chat', ['status', 'result', 'error']],
};
const SECRETS = ['your-token', 'your-key', 'dXNlcjpwYXNz'];

let parley;

before(async () => { parley = await startParley(); });
after(() => parley.stop());

const wsUrl = (path) => parley.url.replace(/^http/, 'ws') + path;

function flow(name, rounds, path = FLOWS[name][0]) {
    return runFlow(name, wsUrl(path), rounds);
}

function assertOnly(name, frames) {
    assert.ok(frames.length > 0);
    for (const frame of frames)
        assert.ok(FLOWS[name][1].includes(frame.type),
            `${frame.type} is no frame of ${name}`);
}

/* A socket that keeps its frames until they are asked for. */
class Socket {
    constructor(path) {
        this.ws = new WebSocket(wsUrl(path));
        this.frames = [];
        this.opened = new Promise((resolve, reject) => {
            this.ws.once('open', resolve);
            this.ws.once('error', reject);
        });
        this.ws.on('message', (data, isBinary) => {
            assert.equal(isBinary, false);
            this.frames.push(JSON.parse(data));
        });
        this.closed = new Promise((resolve) =>
            this.ws.once('close', (code) => resolve(code)));
    }

    async send(frame) {
        await within('the socket to open', this.opened);
        this.ws.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
    }

    /* The next frame; of this type. */
    async next(type) {
        await until(`a frame (${type})`, () => this.frames.length > 0);
        const frame = this.frames.shift();
        assert.equal(frame.type, type, JSON.stringify(frame));
        return frame;
    }

    async close() {
        this.ws.close();
        await within('the socket to close', this.closed);
        assert.deepEqual(this.frames, [], 'no frame that nobody asked for');
    }
}

describe('each document\'s client', () => {
    for (const name of Object.keys(FLOWS))
        test(`${name}`, async () => {
            assertOnly(name, await flow(name, 2));
        });

    test('commands, at the address for those who sign in', async () => {
        const token = 'eyJhbGciOiJub25lIn0.e30.never-in-a-log';
        assertOnly('commands',
            await flow('commands', 1, `/ws/chat/auth?token=${token}`));
        assert.ok(!parley.log().includes('never-in-a-log'));
    });
});

test('five at once in a loop, each in its own dialect', async () => {
    const names = [...Object.keys(FLOWS), 'streaming'];
    const all = await Promise.all(names.map((name) => flow(name, 5)));

    all.forEach((frames, i) => assertOnly(names[i], frames));
});

test('below a folder of a site as at its root', async () => {
    const other = await startParley({ basePath: '/~user/chat' });
    try {
        const url = other.url.replace(/^http/, 'ws');
        for (const name of Object.keys(FLOWS))
            assertOnly(name, await runFlow(name, url + FLOWS[name][0]));
    } finally {
        await other.stop();
    }
});

/* A provider that refuses every connection. */
test('an answer that fails is one error, and the next may not', async () => {
    const other = await startParley({ env: {
        AI_PROVIDER: 'openai', AI_FALLBACK: 'none', UPSTREAM_RETRIES: '0',
    } });
    const url = other.url.replace(/^http/, 'ws');
    try {
        for (const [path, frame, types] of [
            ['/ws/chat', { message: 'Hello' },
                ['connection_established', 'error']],
            ['/ws/chat', { type: 'chat', message: 'Hello' },
                ['connection_established', 'typing', 'error']],
            ['/ws/one', { type: 'chat_message', message: { content: 'Hello' } },
                ['response_start', 'error']],
        ]) {
            const ws = new WebSocket(url + path);
            const frames = [];
            ws.on('message', (data) => frames.push(JSON.parse(data)));
            await within('the socket to open', new Promise((resolve) =>
                ws.once('open', resolve)));
            ws.send(JSON.stringify(frame));
            await until('the error', () => frames.at(-1)?.type === 'error');
            assert.deepEqual(frames.map((f) => f.type), types);
            assert.match(frames.at(-1).message, /^[A-Z].*\.$/);
            frame.provider = 'offline';
            ws.send(JSON.stringify(frame));
            await until('an answer', () => ['message', 'ai_response',
                'response_complete'].includes(frames.at(-1).type));
            ws.terminate();
        }
    } finally {
        await other.stop();
    }
});

test('credentials are in no log', () => {
    for (const secret of SECRETS)
        assert.ok(!parley.log().includes(secret), secret);
});

describe('the streaming service\'s client in JavaScript', () => {
    /* As the document has it: one handler, a switch over the types. */
    function chat(content, history) {
        const ws = new WebSocket(wsUrl('/ws/unique-client-id'));
        const seen = { started: 0, text: '', complete: null };
        const done = new Promise((resolve, reject) => {
            ws.onopen = () => ws.send(JSON.stringify({
                type: 'chat_message', message: { content, role: 'user' },
                history,
            }));
            ws.onerror = reject;
            ws.onmessage = (event) => {
                const data = JSON.parse(event.data);

                switch (data.type) {
                case 'response_start': seen.started++; break;
                case 'response_chunk': seen.text += data.content; break;
                case 'response_complete':
                    seen.complete = data.content;
                    resolve(seen);
                    break;
                default: reject(new Error(event.data));
                }
            };
        });
        return within('the answer', done).finally(() => ws.terminate());
    }

    test('an answer in pieces', async () => {
        const seen = await chat('Hello, AI!', []);
        assert.equal(seen.started, 1);
        assert.ok(seen.text.length > 0);
        assert.equal(seen.complete, seen.text);
    });

    test('many clients under one name do not see each other', async () => {
        const questions = ['What is Parley?', 'How do I back up?'];
        const all = await Promise.all(questions.map((q) => chat(q, [])));
        const texts = all.map((seen) => seen.text);

        assert.equal(new Set(texts).size, texts.length);
        const again = await Promise.all(questions.map((q) => chat(q, [])));
        assert.deepEqual(again.map((seen) => seen.text), texts);
    });
});

describe('what Parley adds for its own clients', () => {
    test('the client\'s dialect in pieces', async () => {
        const s = new Socket('/ws/chat');
        await s.next('connection_established');
        await s.send({ type: 'chat', message: 'What is Parley?',
            stream: true });
        const { turn_id } = await s.next('response_start');
        assert.match(turn_id, UUID);
        let text = '';
        await until('the answer', () => s.frames.at(-1)?.type === 'ai_response');
        while (s.frames.length > 1)
            text += (await s.next('response_chunk')).content;
        assert.equal((await s.next('ai_response')).message, text);
        await s.close();
    });

    test('stop ends the answer that runs, in every dialect', async () => {
        const slow = await startParley({ env: { OFFLINE_DELAY_MS: '2000' } });
        try {
            for (const [path, frame, first, last] of [
                ['/ws/chat', { type: 'chat', message: 'What is Parley?' },
                    'typing', 'ai_response'],
                ['/ws/one', { content: 'What is Parley?' },
                    'response_start', 'response_complete'],
            ]) {
                const ws = new WebSocket(
                    slow.url.replace(/^http/, 'ws') + path);
                const frames = [];
                ws.on('message', (data) => frames.push(JSON.parse(data)));
                await within('the socket to open', new Promise((resolve) =>
                    ws.once('open', resolve)));
                ws.send(JSON.stringify(frame));
                await until(first, () => frames.some((f) => f.type === first));
                ws.send(JSON.stringify({ type: 'stop' }));
                await until(last, () => frames.at(-1)?.type === last);
                assert.equal(frames.at(-1).finish_reason, 'cancelled');
                ws.terminate();
            }
        } finally {
            await slow.stop();
        }
    });

    test('an answer whose client left is in the session', async () => {
        const s = new Socket('/ws/chat');
        const { session_id } = await s.next('connection_established');
        await s.send({ type: 'chat', message: 'How do I back up?' });
        await s.next('typing');
        s.ws.terminate();
        await until('the answer to be stored', async () => {
            const r = await call(parley, `/sessions/${session_id}/messages`);
            return r.status === 200 && r.body.messages.length === 2 &&
                r.body.messages[1].finish_reason === 'stop';
        });
        const again = new Socket(`/ws/chat?session_id=${session_id}`);
        assert.equal((await again.next('connection_established')).session_id,
            session_id);
        await again.send({ type: 'history' });
        const { messages } = await again.next('history');
        assert.deepEqual(messages.map((m) => m.role), ['user', 'assistant']);
        assert.deepEqual(messages.map((m) => m.content),
            (await messagesOf(parley, session_id)).map((m) => m.content));
        await again.close();
    });

    test('what a session is cleared of is gone for everybody', async () => {
        const s = new Socket('/ws/chat');
        const { session_id } = await s.next('connection_established');
        await s.send({ message: 'What is Parley?' });
        await s.next('message');
        await s.send({ message: '/clear' });
        await s.next('command_response');
        assert.deepEqual(await messagesOf(parley, session_id), []);
        await s.close();
    });
});

describe('the same over HTTP', () => {
    const QUESTION = 'What beach photos do I have?';

    test('POST /chat as the guide has it', async () => {
        const first = await ask(parley, { message: 'Hello, how are you?' });
        assert.match(first.session_id, UUID);
        assert.match(first.timestamp, TIMESTAMP);
        assert.equal(first.conversation_length, 2);
        const next = await ask(parley, { message: 'Tell me more about that',
            session_id: first.session_id });
        assert.equal(next.session_id, first.session_id);
        assert.equal(next.conversation_length, 4);
        const r = await postJson(parley, '/chat', {});
        assert.equal(r.status, 400);
        assert.equal(r.body.error, 'Missing required parameter: message');
        assert.equal(r.body.message, 'Please provide a \'message\' field');
    });

    test('POST /api/cloud-chat', async () => {
        const history = [{ role: 'user', content: 'a' },
            { role: 'assistant', content: 'b' }];
        const r = await postJson(parley, '/api/cloud-chat',
            { message: QUESTION, history });
        assert.equal(r.status, 200, r.text);
        assert.equal(r.body.type, 'result');
        const { system_prompt, ...data } = r.body.data;
        assert.ok(system_prompt.length > 0);
        assert.deepEqual(data, {
            rag_context: '', relevant_files: [], file_details: [],
            image_context: null, user_message: QUESTION, history,
        });
    });

    test('POST /api/cloud-chat as events', async () => {
        const r = await postJson(parley, '/api/cloud-chat',
            { message: QUESTION }, { accept: 'text/event-stream' });
        assert.match(r.headers.get('content-type'), /^text\/event-stream/);
        const events = [...r.text.matchAll(/event: (.+)\ndata: (.+)\n\n/g)]
            .map(([, name, data]) => ({ name, data: JSON.parse(data) }));
        assert.deepEqual(events.map((e) => e.name), ['status', 'result']);
        assert.deepEqual(events.map((e) => e.data.type), ['status', 'result']);
        assert.equal(events[1].data.data.user_message, QUESTION);
    });

    test('what is wrong is said', async () => {
        for (const path of ['/api/cloud-chat', '/api/chat']) {
            for (const [body, status, error] of [
                [{}, 400, 'No message provided'],
                [{ message: ' ' }, 400, 'No message provided'],
                [{ message: 'a', image_name: 'b.jpg' }, 404,
                    'File not found: b.jpg'],
                [{ message: 'a', history: 'b' }, 400,
                    'Invalid history: it must be a list of messages'],
                ['[]', 400, 'The body is not a JSON object'],
            ]) {
                const r = await postJson(parley, path, body);
                assertError(r, status, r.body.code);
                assert.equal(r.body.error, error);
            }
            assertError(await call(parley, path, { method: 'POST',
                body: 'a=b', headers: { 'content-type':
                    'application/x-www-form-urlencoded' } }), 415);
        }
    });

    test('POST /api/chat is answered here', async () => {
        const key = newSession();
        const send = () => postJson(parley, '/api/chat',
            { message: 'What is Parley?', provider: 'openai' },
            { 'idempotency-key': key });
        const r = await send();
        assert.equal(r.status, 200, r.text);
        assert.equal(r.body.provider, 'offline');
        assert.match(r.body.message, /Parley/);
        assert.equal((await send()).body.turn_id, r.body.turn_id);
        const later = await postJson(parley, '/api/chat',
            { message: 'And now?', detach: true });
        assert.equal(later.status, 202, later.text);
        /* a member is known by its own name alone */
        const now = await postJson(parley, '/api/chat',
            { message: 'And now?', DETACH: true });
        assert.equal(now.status, 200, now.text);
    });
});
