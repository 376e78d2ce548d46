/* Whose a session is: anonymous owners and their cookies, logins, and what a
 * proxy says. Who may do what at which address is in matrix.test.js. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { PASSWORD, accounts, basic, bearer, cookiesAfter, signed } from
    '../lib/accounts.js';
import { ask, askEvents, call, newSession, postJson } from
    '../lib/client.js';
import { replyEvents } from '../lib/openai_bytes.js';
import { paced, startReplay } from '../lib/replay.js';
import { startParley } from '../lib/server.js';
import { until } from '../lib/wait.js';

const cookieLine = (reply, name) =>
    reply.headers.getSetCookie().find((c) => c.startsWith(`${name}=`));

describe('whose a session is', () => {
    let folder;
    let parley;
    let other; /* another process on the same data folder */
    let secret;

    before(async () => {
        folder = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-accounts-'));
        const a = accounts(folder);
        secret = a.secret;
        const env = { ...a.env, LIST_ANONYMOUS: 'none' };
        parley = await startParley({ env });
        const dataDir = path.join(folder, 'same');
        fs.symlinkSync(parley.dataDir, dataDir);
        other = await startParley({ env, dataDir });
    });
    after(async () => {
        await other?.stop();
        await parley?.stop();
        fs.rmSync(folder, { recursive: true, force: true });
    });

    const me = async (headers, at = parley) =>
        (await call(at, '/auth/me', { headers })).body;
    const listed = async (headers, at = parley) =>
        (await call(at, '/sessions', { headers })).body.sessions
            .map((s) => s.session_id);
    const signIn = (json, cookie = '') => postJson(parley, '/auth/login',
        { password: PASSWORD, ...json }, cookie ? { cookie } : {});

    test('an id alone takes nothing over where signing in is required',
        async () => {
            const dataDir = path.join(folder, 'required');
            fs.symlinkSync(parley.dataDir, dataDir);
            const session_id = newSession();
            await ask(parley, { message: 'open', session_id });
            const required = await startParley(
                { env: { ...parley.settings, AUTH_REQUIRED: '1' }, dataDir });
            const cookie = `parley_owner=${'c'.repeat(32)}~${session_id}`;
            try {
                await call(required, '/auth/me', { headers: { cookie } });
                await call(required, '/status', { headers: { cookie } });
                const r = await postJson(required, '/auth/login',
                    { username: 'bob', password: PASSWORD }, { cookie });
                assert.equal(r.body.claimed_sessions, 0);
            } finally {
                await required.stop();
            }
            /* It is still nobody's. */
            assert.deepEqual((await listed({ cookie })), [session_id]);
        });

    describe('of nobody who signed in', () => {
        test('a browser gets a cookie that tells nothing', async () => {
            const r = await call(parley, '/sessions');
            const line = cookieLine(r, 'parley_owner');
            assert.match(line, /^parley_owner=[0-9a-f]{32}; Path=\/;/);
            assert.match(line, /; HttpOnly/);
            assert.match(line, /; SameSite=Lax/);
            assert.doesNotMatch(line, /Secure/, 'plain http');
            const again = await call(parley, '/sessions',
                { headers: { cookie: line.split(';')[0] } });
            assert.equal(again.headers.getSetCookie().length, 0);
        });

        test('and sees only what is its own', async () => {
            const jars = [];
            for (let i = 0; i < 2; i++) {
                const cookie = cookiesAfter(await call(parley, '/sessions'));
                const session_id = newSession();
                await ask(parley, { message: 'mine', session_id }, { cookie });
                jars.push([cookie, session_id]);
            }
            for (const [cookie, id] of jars)
                assert.deepEqual(await listed({ cookie }), [id]);
            assert.deepEqual(await listed({}), []);
        });

        test('a session that was begun without one waits for it', async () => {
            const session_id = newSession();
            const r = await postJson(parley, '/chat',
                { message: 'first', session_id });
            const cookie = cookiesAfter(r);
            assert.match(cookie, new RegExp(`~${session_id}$`));
            /* Without it the session stays open to its id. */
            await ask(parley, { message: 'second', session_id });
            const list = await call(parley, '/sessions',
                { headers: { cookie } });
            assert.deepEqual(list.body.sessions.map((s) => s.session_id),
                [session_id]);
            const bare = cookiesAfter(list, cookie);
            assert.equal(bare, cookie.replace(/~.*/, ''));
            assert.deepEqual(await listed({ cookie: bare }), [session_id]);
        });

        test('its id alone goes on with it, and reads it', async () => {
            const cookie = cookiesAfter(await call(parley, '/sessions'));
            const session_id = newSession();
            const turn = await ask(parley, { message: 'a', session_id },
                { cookie });
            for (const headers of [{}, basic('ann'), bearer('sk-dummy')]) {
                await ask(parley, { message: 'b', session_id }, headers);
                const r = await call(parley, `/chat/turns/${turn.turn_id}`,
                    { headers });
                assert.equal(r.status, 200);
            }
            assert.deepEqual(await listed({ cookie }), [session_id]);
            assert.deepEqual(await listed(basic('ann')), []);
        });

        test('a cookie of another form is none', async () => {
            for (const bad of ['x', 'a'.repeat(31), 'A'.repeat(32),
                `${'a'.repeat(32)}~`, `${'a'.repeat(32)}~../x`]) {
                const r = await call(parley, '/sessions',
                    { headers: { cookie: `parley_owner=${bad}` } });
                assert.match(cookieLine(r, 'parley_owner'),
                    /^parley_owner=[0-9a-f]{32};/, bad);
            }
        });

        test('nobody takes what is another\'s by a cookie that names it',
            async () => {
                const session_id = newSession();
                await ask(parley, { message: 'mine', session_id },
                    basic('bob'));
                const cookie = `parley_owner=${'b'.repeat(32)}~${session_id}`;
                assert.deepEqual(await listed({ cookie }), []);
                assert.ok((await listed(basic('bob'))).includes(session_id));
            });
    });

    describe('of who signs in', () => {
        test('what came before is taken over', async () => {
            const begun = newSession();
            let cookie = cookiesAfter(await call(parley, '/sessions'));
            await ask(parley, { message: 'a', session_id: begun }, { cookie });
            const r = await signIn({ username: 'ann' }, cookie);
            assert.equal(r.body.claimed_sessions, 1);
            cookie = cookiesAfter(r, cookie);
            assert.match(cookie, /^parley_login=[\w-]{43}$/);
            assert.ok((await listed({ cookie })).includes(begun));
            const found = await call(parley, '/sessions?q=a', {
                headers: { cookie } });
            assert.equal(found.status, 200);
            assert.equal((await call(parley, `/sessions/${begun}`)).status,
                404, 'and is theirs alone');
        });

        test('or not, if they say so', async () => {
            const begun = newSession();
            const cookie = cookiesAfter(await postJson(parley, '/chat',
                { message: 'a', session_id: begun }));
            const r = await signIn({ username: 'bob', claim: false }, cookie);
            assert.equal(r.body.claimed_sessions, 0);
            assert.ok(!(await listed(basic('bob'))).includes(begun));
            assert.ok((await listed({ cookie })).includes(begun));
        });

        test('a login is another one each time, and the old one ends',
            async () => {
                const first = cookiesAfter(await signIn({ username: 'ann' }));
                const second = cookiesAfter(
                    await signIn({ username: 'ann' }, first), first);
                assert.notEqual(first, second);
                assert.equal((await me({ cookie: first })).signed_in, false);
                assert.equal((await me({ cookie: second })).user, 'local/ann');
            });

        test('it holds in every process, and so does its end', async () => {
            const cookie = cookiesAfter(await signIn({ username: 'ann' }));
            assert.equal((await me({ cookie }, other)).user, 'local/ann');
            const r = await postJson(parley, '/auth/logout', {}, { cookie });
            assert.match(cookieLine(r, 'parley_login'), /Max-Age=0/);
            for (const at of [other, parley])
                assert.equal((await me({ cookie }, at)).signed_in, false);
        });

        test('everywhere is every login and every token', async () => {
            const a = cookiesAfter(await signIn({ username: 'eve' }));
            const b = cookiesAfter(await signIn({ username: 'eve' }));
            await postJson(parley, '/auth/logout', { all: true },
                { cookie: a });
            for (const at of [other, parley])
                for (const cookie of [a, b])
                    assert.equal((await me({ cookie }, at)).signed_in, false);
            const old = signed(secret, { sub: 'tim',
                iat: Math.floor(Date.now() / 1000) - 10 });
            assert.equal((await me(bearer(old), other)).user, 'jwt/tim');
            await postJson(parley, '/auth/logout', { all: true }, bearer(old));
            const r = await call(other, '/auth/me', { headers: bearer(old) });
            assert.equal(r.status, 401);
            assert.equal(r.body.code, 'token_revoked');
            assert.match(r.headers.get('www-authenticate'), /^Bearer/);
        });

        test('one is ended by itself, in every process', async () => {
            const begin = async (agent) => cookiesAfter(await postJson(parley,
                '/auth/login', { username: 'bob', password: PASSWORD },
                { 'user-agent': agent }));
            await postJson(parley, '/auth/logout', { all: true }, basic('bob'));
            const here = await begin('Here/1');
            const there = await begin('There/1');
            const list = async (cookie) => (await call(other, '/auth/logins',
                { headers: { cookie } })).body.logins;
            const logins = await list(here);
            assert.deepEqual(logins.map((l) => l.user_agent).sort(),
                ['Here/1', 'There/1']);
            for (const l of logins) {
                assert.equal(l.owner, 'local/bob');
                assert.equal(l.way, 'password');
                assert.equal(l.current, l.user_agent === 'Here/1');
            }
            const [mine, its] = [true, false].map((current) =>
                logins.find((l) => l.current === current).id);
            const end = (id, headers) => call(parley, `/auth/logins/${id}`,
                { method: 'DELETE', headers });
            for (const [id, headers] of [[its, basic('ann')],
                ['x', { cookie: here }], ['0'.repeat(16), { cookie: here }]]) {
                const r = await end(id, headers);
                assert.equal(r.status, 404, r.text);
                assert.equal(r.body.code, 'login_not_found');
            }
            assert.equal((await me({ cookie: there })).signed_in, true);
            assert.equal((await end(its, { cookie: here })).status, 204);
            assert.equal((await end(its, { cookie: here })).status, 404);
            for (const at of [other, parley]) {
                assert.equal((await me({ cookie: there }, at)).signed_in,
                    false);
                assert.equal((await me({ cookie: here }, at)).user,
                    'local/bob');
            }
            /* Who asks with a password has none that is this one. */
            const all = (await call(other, '/auth/logins',
                { headers: basic('bob') })).body.logins;
            assert.deepEqual(all.map((l) => [l.id, l.current]),
                [[mine, false]]);
            const r = await end(mine, { cookie: here });
            assert.equal(r.status, 204);
            assert.match(cookieLine(r, 'parley_login'), /Max-Age=0/);
            assert.equal((await me({ cookie: here })).signed_in, false);
            assert.deepEqual(await list(here), undefined, 'signed out');
            await until('the trace of it', () => fs.readFileSync(
                path.join(parley.dataDir, 'audit.log'), 'utf8')
                .includes(its));
        });

        test('an account that is taken away is signed out', async () => {
            const cookie = cookiesAfter(await signIn({ username: 'carl' }));
            const file = path.join(folder, 'htpasswd');
            const all = fs.readFileSync(file, 'utf8');
            fs.writeFileSync(file, all.replace(/^carl:.*\n/m, ''));
            try {
                const deadline = Date.now() + 20000;
                while ((await me({ cookie })).signed_in)
                    assert.ok(Date.now() < deadline, 'the file is read again');
            } finally {
                fs.writeFileSync(file, all);
            }
        });

        test('a key of another service is none where it may be so',
            async () => {
                for (const headers of [bearer('sk-abc'),
                    { 'x-api-key': 'abc' }, { authorization: 'Digest a=b' }])
                    assert.equal((await me(headers)).way, 'anonymous');
                for (const headers of [bearer('prly_abc'),
                    { 'x-api-key': 'prly_abc' },
                    { authorization: 'Basic !!!' }]) {
                    const r = await call(parley, '/auth/me', { headers });
                    assert.equal(r.status, 401, JSON.stringify(headers));
                }
            });

        test('the first way that knows decides', async () => {
            const cookie = cookiesAfter(await signIn({ username: 'ann' }));
            const token = signed(secret, { sub: 'tom' });
            assert.equal((await me({ cookie, ...bearer(token) })).user,
                'local/ann');
            assert.equal((await me({ ...bearer(token), 'x-api-key': 'x' }))
                .user, 'jwt/tom');
            /* A token in the query is for streams alone. */
            assert.equal((await call(parley, `/auth/me?token=${token}`))
                .body.way, 'anonymous');
            const turn = await ask(parley, { message: 'a' }, bearer(token));
            const at = `/chat/events?turn_id=${turn.turn_id}`;
            assert.equal((await call(parley, at)).status, 404);
            assert.equal((await call(parley, `${at}&token=${token}`)).status,
                200);
        });
    });
});

describe('an answer that is under way', () => {
    const PIECES = 25;

    test('is heard no more by who signs out, and is stored', async () => {
        const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-out-'));
        const { env, secret } = accounts(folder);
        const replay = await startReplay(paced(replyEvents(
            Array.from({ length: PIECES }, (_, i) => `piece ${i} `)), 200));
        const parley = await startParley({ env: { ...replay.env(), ...env } });
        const tokenOf = (after) => bearer(signed(secret, { sub: 'ida',
            iat: Math.floor(Date.now() / 1000) + after }));
        try {
            const session_id = newSession();
            const near = await askEvents(parley,
                { message: 'at length', session_id }, tokenOf(-10));
            await near.event('response_chunk');
            await postJson(parley, '/auth/logout', { all: true },
                tokenOf(-10));
            const events = await near.all();
            assert.notEqual(events.at(-1).type, 'response_complete');
            await until('the answer to be stored', async () => {
                const r = await call(parley, `/sessions/${session_id}/messages`,
                    { headers: tokenOf(30) });
                return r.body.messages?.at(-1).content
                    ?.includes(`piece ${PIECES - 1}`);
            });
        } finally {
            await parley.stop();
            await replay.stop();
            fs.rmSync(folder, { recursive: true, force: true });
        }
    });
});

describe('behind a proxy', () => {
    const USER = 'x-forwarded-user';
    const start = (env) => startParley({ env: {
        PROXY_USER_HEADER: 'X-Forwarded-User', ...env } });
    const me = (parley, headers) => call(parley, '/auth/me', { headers });

    test('the word of one that is trusted counts', async () => {
        const parley = await start({ TRUSTED_PROXIES: '127.0.0.1' });
        try {
            const r = await me(parley, { [USER]: 'ann' });
            assert.equal(r.body.user, 'proxy/ann');
            assert.equal((await me(parley, {})).body.signed_in, false);
            const s = await call(parley, '/sessions',
                { headers: { 'x-forwarded-proto': 'https' } });
            assert.match(cookieLine(s, '__Host-parley_owner'),
                /; Path=\/; .*; Secure/);
            const cookie = cookiesAfter(s);
            const again = await call(parley, '/sessions',
                { headers: { 'x-forwarded-proto': 'https', cookie } });
            assert.deepEqual(again.headers.getSetCookie(), []);
            /* Under TLS one without the prefix may be anybody's. */
            const plain = await call(parley, '/sessions', {
                headers: {
                    'x-forwarded-proto': 'https',
                    cookie: cookie.replace('__Host-', ''),
                },
            });
            assert.equal(plain.headers.getSetCookie().length, 1);
        } finally {
            await parley.stop();
        }
    });

    test('a client says nothing in its name', async () => {
        const parley = await start({ TRUSTED_PROXIES: '127.0.0.1' });
        const lines = (...names) => new Promise((resolve, reject) => {
            http.get(`${parley.url}/auth/me`, {
                headers: ['host', `127.0.0.1:${parley.port}`, ...names
                    .flatMap((n) => [n, n.includes('_') ? 'eve' : 'ann'])],
            }, (r) => {
                let text = '';
                r.on('data', (b) => { text += b; });
                r.on('end', () => resolve(JSON.parse(text)));
            }).on('error', reject);
        });
        const underscored = USER.replaceAll('-', '_');
        try {
            for (const names of [[underscored, USER], [USER, underscored]]) {
                const said = await lines(...names);
                assert.ok(said.code === 'ambiguous_user' ||
                    said.user === 'proxy/ann', JSON.stringify(said));
            }
            assert.equal((await lines(underscored)).signed_in, false);
            assert.equal((await lines(USER)).user, 'proxy/ann');
        } finally {
            await parley.stop();
        }
    });

    test('that of anybody else does not', async () => {
        const parley = await start({ TRUSTED_PROXIES: '192.0.2.1' });
        try {
            assert.equal((await me(parley, { [USER]: 'ann' })).body.signed_in,
                false);
            const s = await call(parley, '/sessions',
                { headers: { 'x-forwarded-proto': 'https' } });
            assert.doesNotMatch(cookieLine(s, 'parley_owner'), /Secure/);
        } finally {
            await parley.stop();
        }
    });
});
