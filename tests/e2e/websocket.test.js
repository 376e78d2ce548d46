/* Chats over WebSocket through lighttpd, by the clients that people use: npm's
 * ws, Python's websockets, Chromium. What a connection loses, the session
 * keeps. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';
import { startBrowser } from '../lib/browser.js';
import { startParley } from '../lib/server.js';
import { until, within } from '../lib/wait.js';
import { TEXT, frame, openRaw, upgrade } from '../lib/websocket.js';

let parley;

before(async () => {
    parley = await startParley({ env: { OFFLINE_DELAY_MS: '5' } });
});
after(() => parley.stop());

const address = (at, server = parley) =>
    server.url.replace('http:', 'ws:') + at;

/* A client with the messages that came, as objects. */
async function connect(at, server = parley) {
    const ws = new WebSocket(address(at, server));
    const c = { ws, got: [], code: 0 };
    ws.on('message', (m) => c.got.push(JSON.parse(m)));
    ws.on('close', (code) => { c.code = code; });
    ws.on('error', (e) => { c.error = e; });
    c.say = (o) => ws.send(JSON.stringify(o));
    c.next = async (type) => {
        await until(`a frame ${type}`, () =>
            c.code || c.got.some((m) => !type || m.type === type));
        const i = c.got.findIndex((m) => !type || m.type === type);
        assert.ok(i >= 0, `closed with ${c.code} before ${type}`);
        return c.got.splice(0, i + 1).pop();
    };
    c.close = async () => {
        ws.close();
        await until('the close', () => c.code);
        return c.code;
    };
    await within('the handshake', new Promise((resolve, reject) => {
        ws.once('open', resolve);
        ws.once('error', reject);
    }));
    return c;
}

const status = async () => (await fetch(`${parley.url}/status`)).json();
const messages = async (id) => (await (await fetch(
    `${parley.url}/sessions/${id}/messages`)).json()).messages ?? [];

test('status offers it and counts what is open', async () => {
    assert.ok((await status()).transports.includes('websocket'));
    await until('none', async () =>
        (await status()).active_connections === 0);
    const five = await Promise.all(Array.from({ length: 5 },
        (_, i) => connect(`/ws/client-${i}`)));
    assert.equal((await status()).active_connections, 5);
    five[0].say({ type: 'chat_message', message: { content: 'Settings?' } });
    await five[0].next('response_start');
    assert.equal((await status()).active_connections, 5);
    await five[0].next('response_complete');
    for (const c of five)
        assert.equal(await c.close(), 1005);
    await until('none again', async () =>
        (await status()).active_connections === 0);
});

test('a chat, its history, and the session over HTTP', async () => {
    const c = await connect('/ws/chat');
    const { session_id: id } = await c.next('connection_established');
    c.say({ type: 'chat', message: 'What is Parley?' });
    await c.next('typing');
    const answer = await c.next('ai_response');
    assert.ok(answer.message.length > 0);
    assert.deepEqual((await messages(id)).map((m) => m.role),
        ['user', 'assistant']);
    c.say({ type: 'history' });
    assert.equal((await c.next('history')).messages.length, 2);
    await c.close();

    const again = await connect(`/ws/chat?session_id=${id}`);
    assert.equal((await again.next('connection_established')).session_id, id);
    again.say({ type: 'history' });
    assert.equal((await again.next('history')).messages[1].content,
        answer.message);
    again.say({ type: 'clear' });
    await again.next('history_cleared');
    again.say({ type: 'history' });
    assert.deepEqual((await again.next('history')).messages, []);
    await again.close();
});

test('an answer is the pieces that were streamed', async () => {
    const c = await connect('/ws/pieces');
    c.say({ type: 'chat_message',
        message: { content: 'Which settings are there?', role: 'user' },
        history: [{ role: 'user', content: 'hello' },
            { role: 'assistant', content: 'hi' }] });
    await c.next('response_start');
    await until('the end', () =>
        c.got.some((m) => m.type === 'response_complete'));
    const end = c.got.pop();
    assert.ok(c.got.length > 1);
    assert.equal(c.got.map((m) => m.content).join(''), end.content);
    await c.close();
});

test('messages during an answer wait, up to a few', async () => {
    const c = await connect('/ws/chat');
    for (let i = 0; i < 3; i++)
        c.say({ message: `/translate text="${i}" target_language="x"` });
    c.say({ message: '/help' });
    await until('four answers', () => c.got.length === 5);
    assert.equal(c.got[4].command, 'help');
    await c.close();

    const many = await connect('/ws/many');
    many.say({ type: 'chat_message', message: { content: 'Settings?' } });
    for (let i = 0; i < 20; i++)
        many.say({ type: 'chat_message', message: { content: `/title ${i}` } });
    const refused = await many.next('error');
    assert.match(refused.message, /too many/i);
    await until('all that were taken', () => many.got.filter(
        (m) => m.type === 'response_complete').length >= 8);
    many.say({ type: 'ping' });
    await many.next('pong');
    await many.close();
});

test('what cannot be read is told, and the connection stays', async () => {
    const c = await connect('/ws/chat');
    for (const bad of ['{', '[]', '{"type":"nonsense"}', '{"type":"chat"}'])
        c.ws.send(bad);
    await until('four errors', () =>
        c.got.filter((m) => m.type === 'error').length === 4);
    c.got.length = 0;
    c.say({ type: 'chat', message: 'hello', session_id: 'a b' });
    await c.next('error');
    c.say({ type: 'chat', message: 'hello' });
    await c.next('ai_response');
    await c.close();
});

test('an answer is stopped, and what came of it is kept', async () => {
    const slow = await startParley({ env: { OFFLINE_DELAY_MS: '200' } });
    try {
        const c = await connect('/ws/stopped', slow);
        c.say({ type: 'stop' });
        await c.next('error');
        c.say({ type: 'chat_message', message: { content: 'Settings?' } });
        const piece = await c.next('response_chunk');
        c.say({ type: 'stop' });
        const end = await c.next('response_complete');
        assert.ok(end.content.startsWith(piece.content));
        assert.equal(end.finish_reason, 'cancelled');
        await c.close();
    } finally {
        await slow.stop();
    }
});

test('a client that leaves finds the answer when it comes back', async () => {
    const c = await connect('/ws/me?session_id=leaver-1');
    c.say({ type: 'chat_message', message: { content: 'Which settings?' } });
    await c.next('response_chunk');
    c.ws.terminate();
    await until('the answer in the session', async () =>
        (await messages('leaver-1')).at(-1)?.finish_reason === 'stop');
    const back = await connect('/ws/me?session_id=leaver-1');
    back.say({ type: 'history' });
    assert.equal((await back.next('history')).messages.length, 2);
    await back.close();
});

test('a client has five connections at its name', async () => {
    const five = await Promise.all(Array.from({ length: 5 },
        () => connect('/ws/same')));
    const refused = await upgrade(parley, '/ws/same');
    assert.equal(refused.status, 429);
    assert.ok(refused.headers['retry-after']);
    const forged = { 'X-Forwarded-For': '192.0.2.1' };
    assert.equal((await upgrade(parley, '/ws/same', { headers: forged }))
        .status, 429);
    await (await connect('/ws/other')).close();
    await five[0].close();
    await until('a place', async () =>
        (await upgrade(parley, '/ws/same')).status === 101);
    for (const c of five.slice(1))
        await c.close();
});

test('below a folder of the site, and closed when the server stops',
    async () => {
        const below = await startParley({ basePath: '/some/where' });
        let c;
        try {
            c = await connect('/ws/chat', below);
            await c.next('connection_established');
            c.say({ message: 'hello' });
            assert.equal((await c.next('message')).type, 'message');
        } finally {
            await below.stop();
        }
        await until('the close', () => c.code);
        assert.equal(c.code, 1001);
    });

test('the next process listens after kill -9', async () => {
    const own = await startParley();
    try {
        const c = await connect('/ws/chat', own);
        await own.kill9();
        await until('the close', () => c.code);
        const next = await until('another listener',
            () => connect('/ws/chat', own).catch(() => null));
        await next.next('connection_established');
        await next.close();
    } finally {
        await own.stop();
    }
});

test('where it is not passed on, 501 says what to do instead', async () => {
    const cgi = await startParley({ door: 'lighttpd-cgi' });
    try {
        const r = await upgrade(cgi, '/ws/chat');
        assert.equal(r.status, 501);
        assert.equal(JSON.parse(r.body).code, 'websocket_unavailable');
    } finally {
        await cgi.stop();
    }
});

test('Python\'s websockets', () => {
    const r = spawnSync('/usr/bin/python3', ['-c', `
import asyncio, json, sys, websockets
async def main():
    async with websockets.connect(sys.argv[1], max_size=None) as ws:
        print(json.loads(await ws.recv())["type"])
        await ws.send(json.dumps({"type": "chat", "message": "hello"}))
        print(json.loads(await ws.recv())["type"])
        print(json.loads(await ws.recv())["type"])
        await (await ws.ping())
        print("pong")
    print(ws.close_code)
asyncio.run(main())
`, address('/ws/chat')], { encoding: 'utf8', timeout: 60000 });
    assert.equal(r.stderr, '');
    assert.equal(r.stdout, 'connection_established\ntyping\nai_response\n' +
        'pong\n1000\n');
});

test('Chromium, from the page\'s own origin', async () => {
    const browser = await startBrowser();
    try {
        const tab = await browser.open(parley);
        const types = await tab.page.evaluate((url) =>
            new Promise((resolve, reject) => {
                const ws = new WebSocket(url);
                const types = [];
                ws.onerror = () => reject(new Error('refused'));
                ws.onclose = (e) => resolve([...types, e.code]);
                ws.onmessage = (m) => {
                    const { type } = JSON.parse(m.data);
                    types.push(type);
                    if (type === 'connection_established')
                        ws.send('{"message":"hello"}');
                    else
                        ws.close(1000);
                };
            }), address('/ws/chat'));
        assert.deepEqual(types, ['connection_established', 'message', 1000]);
    } finally {
        await browser.stop();
    }
});
