/* Who has shown nothing of who they are: what is read of their requests, how
 * long their sockets stay open, and whose the keys of their questions are. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import WebSocket from 'ws';
import { after, before, describe, test } from 'node:test';
import { accounts, basic, signed } from '../lib/accounts.js';
import { ask, assertError, call, newSession, postJson } from '../lib/client.js';
import { startParley } from '../lib/server.js';
import { delay, until, within } from '../lib/wait.js';

const BIG = 4 * 1024 * 1024; /* bytes */

let folder;
before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-strangers-'));
});
after(() => fs.rmSync(folder, { recursive: true, force: true }));

describe('bodies of strangers', () => {
    for (const door of ['fastcgi', 'lighttpd-cgi', 'apache-cgi'])
        test(`are refused for who sends them, not for how long they are (${
            door})`, async () => {
            const parley = await startParley({ door,
                env: { ...accounts(folder).env, AUTH_REQUIRED: '1' } });
            const body = `{"message":"${'x'.repeat(BIG)}"}`;
            try {
                for (const to of ['/chat', '/import', '/v1/chat/completions',
                    '/sessions', '/keys']) {
                    const r = await postJson(parley, to, body);
                    assert.equal(r.status, 401, `${to} ${r.text}`);
                    assert.ok(r.headers.get('www-authenticate'));
                }
                /* Nobody signs in by so much. */
                assertError(await postJson(parley, '/auth/login', body), 413);
                /* Who shows something is read. */
                assertError(await postJson(parley, '/chat', body,
                    basic('ann')), 413, 'message_too_big');
                assertError(await postJson(parley, '/chat', body,
                    basic('ann', 'wrong')), 401, 'invalid_login');
                assert.equal((await postJson(parley, '/chat',
                    { message: 'hi' }, basic('ann'))).status, 200);
            } finally {
                await parley.stop();
            }
        });

    /* Is a body being put into a file of the data folder? */
    function spools(parley) {
        const folder = fs.realpathSync(parley.dataDir);
        return parley.pids().some((pid) => {
            try {
                return fs.readdirSync(`/proc/${pid}/fd`).some((fd) =>
                    new RegExp(`^${folder}/#\\d+ \\(deleted\\)$`).test(
                        fs.readlinkSync(`/proc/${pid}/fd/${fd}`)));
            } catch {
                return false; /* it has ended */
            }
        });
    }

    test('take no room on the disk', async () => {
        const parley = await startParley({ door: 'apache-cgi',
            env: { ...accounts(folder).env, AUTH_REQUIRED: '1' } });
        /* Half a file; Apache passes it on as it comes. */
        const half = async (headers, looks) => {
            const socket = net.connect(parley.port, '127.0.0.1');
            let said = '';
            socket.on('data', (d) => { said += d; });
            const closed = new Promise((resolve) =>
                socket.on('close', resolve));
            socket.write('POST /import HTTP/1.1\r\nHost: 127.0.0.1\r\n' +
                `${headers}Connection: close\r\n` +
                `Content-Type: application/json\r\nContent-Length: ${BIG}` +
                `\r\n\r\n${' '.repeat(BIG / 2)}`);
            await looks();
            socket.write(' '.repeat(BIG / 2));
            await within('an answer', closed);
            return said;
        };
        const { authorization } = basic('ann');
        try {
            assert.match(await half(`Authorization: ${authorization}\r\n`,
                () => until('a file', () => spools(parley))),
            /^HTTP\/1\.1 400 /);
            assert.match(await half('', async () => {
                for (let i = 0; i < 10; i++) {
                    await delay(50);
                    assert.ok(!spools(parley));
                }
            }), /^HTTP\/1\.1 401 /);
        } finally {
            await parley.stop();
        }
    });
});

describe('sockets of strangers', () => {
    const WAIT_S = 2;
    let parley;
    let token;

    before(async () => {
        const a = accounts(folder);
        token = signed(a.secret, { sub: 'sue' });
        parley = await startParley({ env: { ...a.env, AUTH_REQUIRED: '1',
            WS_SIGN_IN_S: String(WAIT_S) } });
    });
    after(() => parley?.stop());

    async function open() {
        const socket = new WebSocket(
            `${parley.url.replace(/^http/, 'ws')}/ws/chat`);
        const began = Date.now();
        const frames = [];
        socket.on('message', (m) => frames.push(JSON.parse(m)));
        const closed = new Promise((resolve) => socket.on('close',
            (code, reason) => resolve({ code, reason: String(reason),
                ms: Date.now() - began })));
        await within('a handshake', new Promise((resolve, reject) => {
            socket.on('open', resolve);
            socket.on('error', reject);
        }));
        return { socket, frames, closed };
    }

    test('are closed when their time is over, whatever they say', async () => {
        const silent = await open();
        const busy = await open();
        const talk = setInterval(() => busy.socket.readyState === 1 &&
            busy.socket.send('{"type":"ping"}'), 100);
        try {
            for (const c of [silent, busy]) {
                const end = await within('the close', c.closed);
                assert.equal(end.code, 1008);
                assert.equal(end.reason, 'Not signed in');
                assert.ok(end.ms >= 1000 * WAIT_S - 50, `${end.ms} ms`);
                assert.ok(end.ms < 2000 * WAIT_S, `${end.ms} ms`);
            }
        } finally {
            clearInterval(talk);
        }
    });

    test('those of who signed in stay, until they sign out', async () => {
        const c = await open();
        c.socket.send(JSON.stringify({ type: 'auth',
            auth_type: 'bearer_token', token }));
        await until('the login', () => c.frames.some(
            (f) => f.type === 'auth_response' && f.success));
        assert.equal(await Promise.race([c.closed,
            delay(2500 * WAIT_S).then(() => 'open')]), 'open');
        const out = Date.now();
        c.socket.send('{"type":"logout"}');
        assert.equal((await within('the close', c.closed)).code, 1008);
        assert.ok(Date.now() - out >= 1000 * WAIT_S - 50);
    });
});

describe('what is said in a proxy\'s name', () => {
    /* Lines as they are, since a library would join or refuse some. */
    const me = (parley, ...lines) => new Promise((resolve, reject) => {
        http.get(`${parley.url}/auth/me`, { headers: ['host',
            `127.0.0.1:${parley.port}`, ...lines.flat()] }, async (r) => {
            let text = '';
            for await (const piece of r)
                text += piece;
            resolve({ status: r.statusCode, text, body: JSON.parse(text),
                headers: new Headers(r.headers) });
        }).on('error', reject);
    });
    const start = (name) => startParley({ env: { PROXY_USER_HEADER: name,
        TRUSTED_PROXIES: '127.0.0.1' } });

    test('twice is refused, in one line or two, however it is spelt',
        async () => {
            const parley = await start('X-Forwarded-User');
            const ann = ['X-Forwarded-User', 'ann'];
            try {
                assert.equal((await me(parley, ann)).body.user, 'proxy/ann');
                for (const lines of [[['X-Forwarded-User', 'eve, ann']],
                    [['X-Forwarded-User', 'eve'], ann],
                    [ann, ['X.Forwarded.User', 'eve']],
                    [['X~Forwarded-User', 'eve'], ann]])
                    assertError(await me(parley, ...lines), 400,
                        'ambiguous_user');
                for (const name of ['X.Forwarded.For', 'X-Forwarded~Proto'])
                    assertError(await me(parley, ann, [name, '6.6.6.6'],
                        ['X-Forwarded-For', '192.0.2.1'],
                        ['X-Forwarded-Proto', 'http']), 400,
                    'ambiguous_client');
            } finally {
                await parley.stop();
            }
        });

    test('a name without hyphens has no other spelling', async () => {
        const parley = await start('RemoteUser');
        try {
            assert.equal((await me(parley, ['remoteuser', 'ann'])).body.user,
                'proxy/ann');
            for (const name of ['Remote-User', 'Remote_User', 'Remote.User'])
                assert.equal((await me(parley, [name, 'eve'])).body.signed_in,
                    false, name);
        } finally {
            await parley.stop();
        }
    });
});

describe('keys of questions', () => {
    let parley;
    const KEY = 'a key that is chosen twice';
    const from = (addr, key = KEY) => ({ 'idempotency-key': key,
        'x-forwarded-for': addr });

    before(async () => {
        parley = await startParley({ env: { ...accounts(folder).env,
            TRUSTED_PROXIES: '127.0.0.1' } });
    });
    after(() => parley?.stop());

    test('belong to their session', async () => {
        const a = newSession();
        const b = newSession();
        const first = await ask(parley, { message: 'mine', session_id: a },
            from('192.0.2.1'));
        const other = await ask(parley, { message: 'yours', session_id: b },
            from('192.0.2.1'));
        assert.notEqual(first.turn_id, other.turn_id);
        assert.equal(other.session_id, b);
        const again = await ask(parley, { message: 'mine', session_id: a },
            from('192.0.2.9'));
        assert.equal(again.turn_id, first.turn_id);
    });

    test('without a session, to the address of who is nobody', async () => {
        const first = await ask(parley, { message: 'mine' },
            from('192.0.2.1'));
        const other = await ask(parley, { message: 'yours' },
            from('192.0.2.2'));
        assert.notEqual(first.session_id, other.session_id);
        assert.notEqual(first.turn_id, other.turn_id);
        const again = await ask(parley, { message: 'mine' },
            from('192.0.2.1'));
        assert.equal(again.turn_id, first.turn_id);
        const command = await ask(parley, { message: '/help' },
            from('192.0.2.1', 'the key of a command'));
        const theirs = await ask(parley, { message: '/help' },
            from('192.0.2.2', 'the key of a command'));
        assert.notEqual(command.turn_id, theirs.turn_id);
        assert.equal((await ask(parley, { message: '/help' },
            from('192.0.2.2', 'the key of a command'))).turn_id,
        theirs.turn_id);
    });

    test('and to a user, wherever they are', async () => {
        const mine = (addr) => ask(parley, { message: 'mine' },
            { ...from(addr), ...basic('ann') });
        const first = await mine('192.0.2.1');
        assert.equal((await mine('192.0.2.2')).turn_id, first.turn_id);
        const bob = await ask(parley, { message: 'mine' },
            { ...from('192.0.2.1'), ...basic('bob') });
        assert.notEqual(bob.turn_id, first.turn_id);
        assertError(await call(parley, `/sessions/${first.session_id}`,
            { headers: basic('bob') }), 404);
    });
});
