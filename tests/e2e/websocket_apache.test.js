/* WebSocket through Apache, as apache/websocket.conf passes it on. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';
import { startApacheProxy } from '../lib/apache_proxy.js';
import { startParley } from '../lib/server.js';
import { until } from '../lib/wait.js';
import {
    CONTINUATION, PING, PONG, TEXT, closeFrame, frame, openRaw, upgrade,
} from '../lib/websocket.js';

let parley, apache;

before(async () => {
    parley = await startParley({ env: { WS_MESSAGE_MAX_KIB: '64' } });
    apache = await startApacheProxy(parley, '/talk');
});
after(async () => {
    await apache?.stop();
    await parley?.stop();
});

test('a chat by npm\'s ws', async () => {
    const ws = new WebSocket(
        `${apache.url.replace('http', 'ws')}/ws/chat?session_id=by-apache`);
    const got = [];
    ws.on('message', (m) => got.push(JSON.parse(m)));
    await until('the greeting', () => got.length === 1);
    assert.equal(got[0].session_id, 'by-apache');
    ws.send(JSON.stringify({ message: 'What is Parley?' }));
    await until('the answer', () => got.length === 2);
    assert.equal(got[1].type, 'message');
    const closed = new Promise((resolve) => ws.once('close', resolve));
    ws.close(1000);
    assert.equal(await closed, 1000);
});

test('pieces come one by one', async () => {
    const raw = await openRaw(apache, '/ws/pieces');
    raw.send(frame(TEXT,
        '{"type":"chat_message","message":{"content":"Settings?"}}'));
    const types = [];
    while (types.at(-1) !== 'response_complete')
        types.push((await raw.message()).type);
    assert.equal(types[0], 'response_start');
    assert.ok(types.length > 4);
    raw.destroy();
});

test('the addresses that take a POST, too', async () => {
    for (const at of ['/api/cloud-chat', '/api/chat']) {
        const raw = await openRaw(apache, at);
        assert.equal(raw.greeting.type, 'status');
        raw.send(frame(TEXT, '{"message":"What is Parley?"}'));
        let m;
        do
            m = await raw.message();
        while (m.type === 'status');
        assert.equal(m.type, 'result');
        assert.equal(await raw.closed(), 1000);
        raw.destroy();
    }
});

test('fragments and control frames', async () => {
    const raw = await openRaw(apache, '/ws/chat');
    raw.send(frame(TEXT, '{"type":', { fin: false }), frame(PING, 'p'));
    assert.equal((await raw.next()).opcode, PONG);
    raw.send(frame(CONTINUATION, '"ping"}'));
    assert.equal((await raw.message()).type, 'pong');
    raw.send(closeFrame(1000));
    assert.equal(await raw.closed(), 1000);
    raw.destroy();
});

test('what is refused says why', async () => {
    for (const [code, bytes] of [
        [1002, frame(TEXT, 'x', { masked: false })],
        [1007, frame(TEXT, Buffer.from([255]))],
        [1009, frame(TEXT, 'x'.repeat(1024 * 1024))]]) {
        const raw = await openRaw(apache, '/ws/chat');
        raw.send(bytes);
        assert.equal(await raw.closed(), code);
        raw.destroy();
    }
});

test('origins are compared with the host that the client asked', async () => {
    const own = { Origin: `http://127.0.0.1:${apache.port}` };
    const foreign = { Origin: 'http://localhost' };
    (await openRaw(apache, '/ws/chat', { headers: own })).destroy();
    assert.equal((await upgrade(apache, '/ws/chat', { headers: foreign }))
        .status, 403);
});
