/* Accounts over WebSocket: who comes in at the handshake, who signs in by an
 * auth frame, and what happens when a login ends while its socket is open. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import WebSocket from 'ws';
import { after, before, describe, test } from 'node:test';
import { PASSWORD, accounts, basic, bearer, signed } from '../lib/accounts.js';
import { call, newSession, postJson } from '../lib/client.js';
import { startParley } from '../lib/server.js';
import { until, within } from '../lib/wait.js';

/* A socket of `ws`: frames as they come, and how it ended. */
class Client {
    constructor(parley, at, headers = {}) {
        this.frames = [];
        this.wanted = [];
        this.socket = new WebSocket(parley.url.replace(/^http/, 'ws') + at,
            { headers });
        this.socket.on('message', (data) => {
            this.frames.push(JSON.parse(data));
            this.look();
        });
        this.closed = new Promise((resolve) =>
            this.socket.on('close', (code) => {
                resolve(code);
                this.look();
            }));
        this.opened = new Promise((resolve) => {
            this.socket.on('open', () => resolve(101));
            this.socket.on('unexpected-response', (_, r) => {
                resolve(r.statusCode);
                this.socket.terminate();
            });
            this.socket.on('error', () => resolve(0));
        });
    }

    look() {
        for (const want of [...this.wanted]) {
            const at = this.frames.findIndex(want.fits);
            if (at < 0)
                continue;
            this.wanted.splice(this.wanted.indexOf(want), 1);
            want.resolve(this.frames.splice(at, 1)[0]);
        }
    }

    /* The next frame of one of these types. */
    next(...types) {
        return within(`a frame ${types}`, new Promise((resolve) => {
            this.wanted.push({ fits: (f) => types.includes(f.type), resolve });
            this.look();
        }));
    }

    say(frame) {
        this.socket.send(JSON.stringify(frame));
    }

    async asks(message, session_id) {
        this.say({ type: 'chat', message, session_id });
        return this.next('ai_response', 'error');
    }

    async signsIn(auth_data) {
        this.say({ type: 'auth', ...auth_data });
        return this.next('auth_response');
    }

    async leaves() {
        this.socket.close();
        await within('the close', this.closed);
    }
}

describe('accounts over WebSocket', () => {
    let folder;
    let parley;
    let secret;
    let token;

    async function start(env) {
        const a = accounts(folder);
        secret = a.secret;
        token = signed(secret, { sub: 'sue' });
        return startParley({ env: { ...a.env, ...env } });
    }
    async function enter(at, headers) {
        const c = new Client(parley, at, headers);
        const status = await within('a handshake', c.opened);
        return { c, status };
    }
    async function whoseSessions(headers) {
        const r = await call(parley, '/sessions', { headers });
        return r.body.sessions.map((s) => s.session_id);
    }

    before(() => {
        folder = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-ws-'));
    });
    after(() => fs.rmSync(folder, { recursive: true, force: true }));

    test('who has not signed in takes no place of who has', async () => {
        parley = await start({ AUTH_REQUIRED: '1', WS_MAX: '8' });
        const strangers = [];
        try {
            let last;
            while ((last = await enter('/ws/chat')).status === 101)
                strangers.push(last.c);
            assert.equal(last.status, 503);
            assert.equal(strangers.length, 3);
            const { c } = await enter('/ws/chat', bearer(token));
            assert.equal((await c.asks('hi')).type, 'ai_response');
            /* Signing in makes room for another one. */
            assert.equal((await strangers[0].signsIn({
                auth_type: 'bearer_token', token })).success, true);
            const another = await enter('/ws/chat');
            assert.equal(another.status, 101);
            strangers.push(another.c);
            await c.leaves();
        } finally {
            for (const c of strangers)
                await c.leaves();
            await parley.stop();
        }
    });

    describe('where signing in is required', () => {
        before(async () => {
            parley = await start({ AUTH_REQUIRED: '1' });
        });
        after(() => parley?.stop());

        test('a handshake without a login is refused, where no frame signs in',
            async () => {
                for (const at of ['/ws/me', '/api/cloud-chat', '/api/chat',
                    '/ws/chat/auth'])
                    assert.equal((await enter(at)).status, 401, at);
            });

        test('a handshake with a wrong login is refused', async () => {
            const wrong = signed('y'.repeat(40), { sub: 'sue' });
            const old = signed(secret, { sub: 'sue', exp: 1000 });
            for (const bad of [wrong, old, 'a.b.c', 'nonsense'])
                assert.equal((await enter(`/ws/chat/auth?token=${bad}`)).status,
                    401, bad);
            assert.equal((await enter('/ws/chat', bearer(wrong))).status, 401);
        });

        test('each way in opens a session of one\'s own', async () => {
            const key = (await postJson(parley, '/keys', {}, basic('ann')))
                .body.key;
            const login = await postJson(parley, '/auth/login',
                { username: 'bob', password: PASSWORD });
            const cookie = login.headers.getSetCookie()
                .find((c) => c.startsWith('parley_login')).split(';')[0];
            for (const [at, headers, same] of [
                [`/ws/chat/auth?token=${token}`, {}, bearer(token)],
                ['/ws/chat', bearer(token), bearer(token)],
                [`/ws/chat?token=${key}`, {}, basic('ann')],
                ['/ws/chat', { 'x-api-key': key }, bearer(key)],
                ['/ws/chat', basic('ann'), basic('ann')],
                ['/ws/chat', { cookie }, basic('bob')],
            ]) {
                const { c, status } = await enter(at, headers);
                assert.equal(status, 101, at);
                const session = newSession();
                assert.equal((await c.asks('hi', session)).type, 'ai_response');
                assert.ok((await whoseSessions(same)).includes(session), at);
                await c.leaves();
            }
        });

        test('a password that has to be looked at first ends what is wrong',
            async () => {
                const { c, status } = await enter('/ws/chat',
                    basic('eve', 'wrong'));
                assert.equal(status, 101, 'it takes time to know');
                assert.equal(await within('the close', c.closed), 1008);
                await until('the failure in the audit log', () =>
                    fs.readFileSync(path.join(parley.dataDir, 'audit.log'),
                        'utf8').split('\n').filter(Boolean).map(JSON.parse)
                        .some((line) => line.event === 'login_failed' &&
                            line.user === 'eve' && line.addr === '127.0.0.1'));
                const right = await enter('/ws/chat', basic('eve'));
                assert.equal((await right.c.asks('hi')).type, 'ai_response');
                await right.c.leaves();
            });

        test('an auth frame signs in, and a logout out', async () => {
            const key = (await postJson(parley, '/keys', {}, basic('ann')))
                .body.key;
            for (const [good, bad, same] of [
                [{ auth_type: 'bearer_token', token },
                    { auth_type: 'bearer_token', token: `${token}x` },
                    bearer(token)],
                [{ auth_type: 'api_key', api_key: key },
                    { auth_type: 'api_key', api_key: `${key.slice(0, -1)}~` },
                    bearer(key)],
                [{ auth_type: 'basic_auth', username: 'bob',
                    password: PASSWORD },
                { auth_type: 'basic_auth', username: 'bob', password: 'no' },
                basic('bob')],
            ]) {
                const { c } = await enter('/ws/chat');
                const session = newSession();
                assert.equal((await c.asks('hi', session)).type, 'error');
                assert.equal((await c.signsIn(bad)).success, false);
                assert.equal((await c.asks('hi', session)).type, 'error');
                assert.equal((await c.signsIn(good)).success, true);
                assert.equal((await c.asks('hi', session)).type, 'ai_response');
                assert.ok((await whoseSessions(same)).includes(session));
                c.say({ type: 'logout' });
                await c.next('logout_success');
                assert.equal((await c.asks('again', session)).type, 'error');
                await c.leaves();
            }
        });

        test('credentials that are none of ours sign nobody in', async () => {
            const { c } = await enter('/ws/chat');
            assert.equal((await c.signsIn({ auth_type: 'api_key',
                api_key: 'of-something-else' })).success, false);
            assert.equal((await c.asks('hi')).type, 'error');
            await c.leaves();
        });

        test('a session of another is not found', async () => {
            const session = newSession();
            const ann = await enter('/ws/chat', basic('ann'));
            await ann.c.asks('hi', session);
            const bob = await enter('/ws/chat', basic('bob'));
            const r = await bob.c.asks('mine now', session);
            assert.equal(r.type, 'error');
            bob.c.say({ type: 'history' });
            assert.deepEqual((await bob.c.next('history')).messages, []);
            await ann.c.leaves();
            await bob.c.leaves();
        });

        test('who may only read asks nothing', async () => {
            const { c } = await enter('/ws/chat', basic('carl'));
            assert.equal((await c.asks('hi')).type, 'error');
            await c.leaves();
        });

        test('a key that is revoked ends its connection', async () => {
            const key = (await postJson(parley, '/keys', {}, basic('ann')))
                .body;
            const { c } = await enter('/ws/chat', { 'x-api-key': key.key });
            assert.equal((await c.asks('hi')).type, 'ai_response');
            await call(parley, `/keys/${key.id}`,
                { method: 'DELETE', headers: basic('ann') });
            assert.equal((await c.asks('hi')).type, 'error');
            assert.equal(await within('the close', c.closed), 1008);
        });

        test('so does a login that ends everywhere', async () => {
            const { c } = await enter('/ws/chat', bearer(token));
            assert.equal((await c.asks('hi')).type, 'ai_response');
            await postJson(parley, '/auth/logout', { all: true },
                bearer(token));
            assert.equal((await c.asks('hi')).type, 'error');
            assert.equal(await within('the close', c.closed), 1008);
            assert.equal((await enter('/ws/chat', bearer(token))).status, 401);
        });
    });

    describe('where it is not', () => {
        before(async () => {
            parley = await start({ LIST_ANONYMOUS: 'none' });
        });
        after(() => parley?.stop());

        test('a session of nobody is gone on with, one of somebody is not',
            async () => {
                const open = newSession();
                const { c } = await enter('/ws/chat');
                assert.equal((await c.asks('hi', open)).type, 'ai_response');
                await c.leaves();
                const { c: ann } = await enter('/ws/chat', basic('ann'));
                assert.equal((await ann.asks('hi', open)).type, 'ai_response');
                const own = newSession();
                assert.equal((await ann.asks('hi', own)).type, 'ai_response');
                await ann.leaves();
                assert.deepEqual(await whoseSessions(basic('ann')), [own]);
                const { c: nobody } = await enter('/ws/chat');
                assert.equal((await nobody.asks('hi', own)).type, 'error');
                await nobody.leaves();
            });

        test('credentials of other services are kept all the same', async () => {
            const { c } = await enter('/ws/chat');
            assert.equal((await c.signsIn({ auth_type: 'api_key',
                api_key: 'of-something-else' })).success, true);
            assert.equal((await c.asks('hi')).type, 'ai_response');
            await c.leaves();
        });
    });
});
