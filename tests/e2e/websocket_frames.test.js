/* RFC 6455 as a client sees it, through lighttpd: handshakes that are refused,
 * fragments, control frames, closes, and everything that breaks the protocol,
 * by sockets that are written by hand. */

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { startParley } from '../lib/server.js';
import {
    BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, closeFrame, frame,
    handshake, openRaw, upgrade,
} from '../lib/websocket.js';

const CHAT = JSON.stringify({ type: 'ping' });
let parley;

before(async () => {
    parley = await startParley({
        env: { WS_MESSAGE_MAX_KIB: '64', WS_LISTEN: '127.0.0.1:0' } });
});
after(() => parley.stop());

test('a message in one frame is answered', async () => {
    const raw = await openRaw(parley, '/ws/chat');
    assert.equal(raw.greeting.type, 'connection_established');
    raw.send(frame(TEXT, CHAT));
    assert.equal((await raw.message()).type, 'pong');
    raw.send(frame(BINARY, CHAT));
    assert.equal((await raw.message()).type, 'pong');
    raw.destroy();
});

test('fragments, and control frames between them', async () => {
    const raw = await openRaw(parley, '/ws/chat');
    raw.send(frame(TEXT, '{"ty', { fin: false }));
    raw.send(frame(PING, 'in between'));
    const pong = await raw.next();
    assert.equal(pong.opcode, PONG);
    assert.equal(pong.text, 'in between');
    raw.send(frame(CONTINUATION, 'pe":"pi', { fin: false }),
        frame(PONG, 'nobody asked'),
        frame(CONTINUATION, '', { fin: false }),
        frame(CONTINUATION, 'ng"}'));
    assert.equal((await raw.message()).type, 'pong');
    raw.destroy();
});

test('a character may be cut by a fragment', async () => {
    const raw = await openRaw(parley, '/ws/chat');
    const bytes = Buffer.from('{"type":"ping","x":"h\u00e9"}');
    const cut = bytes.indexOf(0xc3) + 1;
    raw.send(frame(TEXT, bytes.subarray(0, cut), { fin: false }));
    raw.send(frame(CONTINUATION, bytes.subarray(cut)));
    assert.equal((await raw.message()).type, 'pong');
    raw.destroy();
});

test('a message may come byte by byte', async () => {
    const raw = await openRaw(parley, '/ws/chat');
    for (const byte of frame(TEXT, CHAT)) {
        raw.send(Buffer.from([byte]));
        await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal((await raw.message()).type, 'pong');
    raw.destroy();
});

for (const [what, code, ...frames] of [
    ['an unmasked frame', 1002, frame(TEXT, CHAT, { masked: false })],
    ['reserved bit 1', 1002, frame(TEXT, CHAT, { rsv: 4 })],
    ['reserved bit 2', 1002, frame(TEXT, CHAT, { rsv: 2 })],
    ['reserved bit 3', 1002, frame(TEXT, CHAT, { rsv: 1 })],
    ['opcode 3', 1002, frame(3, CHAT)],
    ['opcode 11', 1002, frame(11, '')],
    ['a continuation of nothing', 1002, frame(CONTINUATION, CHAT)],
    ['a message within a message', 1002, frame(TEXT, 'a', { fin: false }),
        frame(TEXT, 'b')],
    ['a ping in fragments', 1002, frame(PING, 'a', { fin: false })],
    ['a ping that is too long', 1002, frame(PING, 'x'.repeat(126))],
    ['a close of one byte', 1002, frame(CLOSE, 'x')],
    ['a close with a code that none may send', 1002, closeFrame(1005)],
    ['a reason that is no UTF-8', 1007,
        frame(CLOSE, Buffer.from([3, 232, 255]))],
    ['bytes that are no UTF-8', 1007, frame(TEXT, Buffer.from([0xc0, 0x80]))],
    ['half a surrogate', 1007, frame(TEXT, Buffer.from([0xed, 0xa0, 0x80]))],
    ['a character that does not end', 1007, frame(TEXT, Buffer.from([0xe2]))],
    ['a message that is too big', 1009, frame(TEXT, 'x'.repeat(65537))],
    ['fragments that are too big', 1009,
        frame(TEXT, 'x'.repeat(60000), { fin: false }),
        frame(CONTINUATION, 'x'.repeat(6000))],
]) {
    test(`${what} closes with ${code}`, async () => {
        const raw = await openRaw(parley, '/ws/chat');
        raw.send(...frames);
        assert.equal(await raw.closed(), code);
        await raw.end();
        raw.destroy();
    });
}

test('1009 is delivered while the client still sends', async () => {
    const raw = await openRaw(parley, '/ws/chat');
    raw.send(frame(TEXT, 'x'.repeat(8 * 1024 * 1024)));
    assert.equal(await raw.closed(), 1009);
    assert.equal(raw.error, null);
    raw.destroy();
});

test('a message of the limit is not too big', async () => {
    const raw = await openRaw(parley, '/ws/chat');
    const filler = 'x'.repeat(64 * 1024 - CHAT.length - 7);
    raw.send(frame(TEXT, `{"type":"ping","x":"${filler}"}`));
    assert.equal((await raw.message()).type, 'pong');
    raw.destroy();
});

test('a close is answered with its code, then the connection ends',
    async () => {
        for (const code of [1000, 1001, 3000, 4999]) {
            const raw = await openRaw(parley, '/ws/chat');
            raw.send(closeFrame(code, 'done'));
            const f = await raw.next();
            assert.equal(f.opcode, CLOSE);
            assert.equal(f.code, code);
            await raw.end();
        }
        const raw = await openRaw(parley, '/ws/chat');
        raw.send(frame(CLOSE));
        const f = await raw.next();
        assert.equal(f.opcode, CLOSE);
        assert.equal(f.data.length, 0);
        await raw.end();
    });

test('what follows a close is not heard', async () => {
    const raw = await openRaw(parley, '/ws/chat');
    raw.send(closeFrame(1000), frame(TEXT, CHAT));
    assert.equal((await raw.next()).opcode, CLOSE);
    assert.equal(await raw.next(), null);
});

/* --- handshakes ----------------------------------------------------------- */

const code = (reply) => JSON.parse(reply.body).code;

test('addresses that are none are 404', async () => {
    for (const at of ['/ws', '/ws/', '/ws/a/b', '/nowhere', '/chat']) {
        const r = await upgrade(parley, at);
        assert.equal(r.status, 404, at);
        assert.equal(code(r), 'not_found');
        assert.ok(JSON.parse(r.body).request_id);
    }
});

test('another site is refused, its own and those listed are not', async () => {
    const own = { Origin: parley.url };
    const foreign = { Origin: 'https://evil.example' };
    assert.equal((await upgrade(parley, '/ws/chat', { headers: foreign }))
        .status, 403);
    assert.equal((await upgrade(parley, '/ws/chat',
        { headers: { Origin: 'null' } })).status, 403);
    (await openRaw(parley, '/ws/chat', { headers: own })).destroy();
});

test('a session id must be one, and a token must be there', async () => {
    assert.equal((await upgrade(parley, '/ws/chat?session_id=a%20b')).status,
        400);
    const r = await upgrade(parley, '/ws/chat/auth');
    assert.equal(r.status, 401);
    const raw = await openRaw(parley, '/ws/chat/auth?token=secret-7');
    raw.destroy();
    assert.ok(!parley.log().includes('secret-7'));
});

/* These do not pass a web server, which answers some of them itself. */
test('handshakes that break the rules', async () => {
    const unix = path.join(parley.dataDir, 'ws.sock');
    const rows = [
        [426, { 'Upgrade': null }],
        [426, { 'Connection': 'close' }],
        [426, { 'Sec-WebSocket-Version': '8' }],
        [426, { 'Sec-WebSocket-Version': null }],
        [400, { 'Sec-WebSocket-Key': null }],
        [400, { 'Sec-WebSocket-Key': 'short' }],
        [400, { 'Host': null }],
        [400, { 'Content-Length': '3' }],
        [101, { 'Connection': 'keep-alive, UPGRADE' }],
        [101, { 'Upgrade': 'WebSocket' }],
    ];
    for (const [status, headers] of rows) {
        const r = await upgrade(parley, '/ws/chat', { unix, headers });
        assert.equal(r.status, status, JSON.stringify(headers));
        if (status === 426)
            assert.equal(r.headers['sec-websocket-version'], '13');
        r.raw?.destroy();
    }
    const post = await upgrade(parley, '/ws/chat', { unix,
        head: handshake('/ws/chat', 'h').replace('GET', 'POST') });
    assert.equal(post.status, 405);
    assert.equal(post.headers.allow, 'GET');
    const huge = await upgrade(parley, '/ws/chat', { unix,
        head: `GET /ws/chat HTTP/1.1\r\nX: ${'x'.repeat(16 * 1024)}` });
    assert.equal(huge.status, 431);
});

test('the TCP port of the loopback speaks it, too', async () => {
    const [, port] = /websocket\.port port=(\d+)/.exec(parley.log());
    const raw = await openRaw(parley, '/ws/chat', { port: Number(port) });
    raw.send(frame(TEXT, CHAT));
    assert.equal((await raw.message()).type, 'pong');
    raw.destroy();
});
