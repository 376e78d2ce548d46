/* The administrator's program behind each web server: off without an
 * administrator, shut to everybody else, and what it tells and does. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { accounts, basic, bearer, cookiesAfter, PASSWORD, signed }
    from '../lib/accounts.js';
import { ask, call, newSession, postJson, TIMESTAMP } from '../lib/client.js';
import { makeKey } from '../lib/parley_keys.js';
import { startParley } from '../lib/server.js';
import { until } from '../lib/wait.js';

const EVE = basic('eve');
const ROUTES = ['/admin', '/admin/', '/admin/usage', '/admin/audit',
    '/admin/users', '/admin/keys', '/admin/logins'];

const admin = (parley, to, init = {}) => call(parley, `/admin${to}`,
    { ...init, headers: { ...EVE, ...init.headers } });

/* Signs in by password; the Cookie header from then on. */
async function signIn(parley, username) {
    const r = await postJson(parley, '/auth/login',
        { username, password: PASSWORD });
    assert.equal(r.status, 200, r.text);
    return cookiesAfter(r);
}

for (const [door, basePath] of [['fastcgi', ''], ['fastcgi', '/below/this'],
    ['lighttpd-cgi', ''], ['lighttpd-cgi', '/parley'], ['apache-cgi', ''],
    ['apache-cgi', '/~me/chat']])
    describe(`/admin by ${door}${basePath}`, () => {
        let folder;
        let parley;
        let secret;

        before(async () => {
            folder = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-admin-'));
            const people = accounts(folder);
            secret = people.secret;
            parley = await startParley({ door, basePath, env: people.env });
        });
        after(async () => {
            await parley?.stop();
            fs.rmSync(folder, { recursive: true, force: true });
        });

        test('is shut to who is no administrator', async () => {
            for (const to of [...ROUTES, '/admin/nothing']) {
                const nobody = await call(parley, to);
                assert.equal(nobody.status, 401, to);
                assert.equal(nobody.body.code, 'sign_in');
                assert.ok(nobody.body.request_id);
                assert.match(nobody.headers.get('www-authenticate'), /Basic/);
                for (const headers of [basic('ann'), basic('carl'),
                    bearer(signed(secret, { sub: 'ann' })),
                    { cookie: 'parley_login=' + 'A'.repeat(43) }]) {
                    const r = await call(parley, to, { headers });
                    assert.equal(r.status, headers.cookie ? 401 : 403, to);
                }
            }
        });

        test('takes no wrong password', async () => {
            const r = await call(parley, '/admin/users',
                { headers: basic('eve', 'wrong') });
            assert.equal(r.status, 401);
            assert.ok(r.body.code);
            /* Nor the right one, for a moment. */
            await until('the right one to count again', async () =>
                (await admin(parley, '/users')).status === 200);
        });

        test('is open to one, by a login, a key or a password', async () => {
            const cookie = await signIn(parley, 'eve');
            const key = await makeKey(parley, '--owner', 'eve', '--scope',
                'admin');
            const less = await makeKey(parley, '--owner', 'eve');
            for (const headers of [EVE, { cookie }, bearer(key.secret),
                { 'x-api-key': key.secret }])
                for (const to of ROUTES) {
                    const r = await call(parley, to, { headers });
                    assert.equal(r.status, 200, `${to}: ${r.text}`);
                    assert.equal(r.headers.get('cache-control'), 'no-store');
                }
            const r = await call(parley, '/admin/keys',
                { headers: bearer(less.secret) });
            assert.equal(r.status, 403);
            assert.equal(r.body.code, 'not_admin');
            /* A body goes in, and each method arrives. */
            const made = await postJson(parley, '/admin/keys',
                { owner: 'ann', name: 'hers' }, bearer(key.secret));
            assert.equal(made.status, 201, made.text);
            assert.equal((await call(parley, '/auth/me',
                { headers: bearer(made.body.key) })).body.user, 'local/ann');
            const gone = await admin(parley, `/keys/${made.body.id}`,
                { method: 'DELETE' });
            assert.equal(gone.status, 204);
            assert.equal((await call(parley, '/sessions',
                { headers: bearer(made.body.key) })).status, 401);
        });

        /* The rest is the same program, however it is started. */
        if (door !== 'fastcgi' || basePath !== '')
            return;

        test('has the errors of the rest of the API', async () => {
            const none = await admin(parley, '/nothing');
            assert.equal(none.status, 404);
            assert.equal(none.body.code, 'not_found');
            const verb = await admin(parley, '/usage', { method: 'POST' });
            assert.equal(verb.status, 405);
            assert.match(verb.headers.get('allow'), /GET/);
            for (const to of ['/usage?from=yesterday', '/usage?by=color',
                '/audit?limit=0', '/audit?after=x', '/users?limit=100000',
                '/keys?limit=-1'])
                assert.equal((await admin(parley, to)).status, 400, to);
            const big = await admin(parley, '/keys', {
                method: 'POST', body: 'x'.repeat(100 * 1024),
            });
            assert.equal(big.status, 413);
        });

        test('changes nothing for another origin', async () => {
            const { id } = await makeKey(parley, '--owner', 'ann');
            for (const origin of ['https://evil.example', 'null'])
                for (const [method, to] of [['POST', '/keys'],
                    ['DELETE', `/keys/${id}`],
                    ['DELETE', '/logins?owner=local/ann']]) {
                    const r = await admin(parley, to,
                        { method, headers: { origin } });
                    assert.equal(r.status, 403, `${method} ${to}`);
                    assert.equal(r.body.code, 'foreign_origin');
                }
            const own = new URL(parley.url).origin;
            const r = await admin(parley, `/keys/${id}`,
                { method: 'DELETE', headers: { origin: own } });
            assert.equal(r.status, 204);
        });

        test('tells who uses it', async () => {
            const session_id = newSession();
            await ask(parley, { message: 'hi', session_id }, basic('bob'));
            await ask(parley, { message: 'hi' });
            await makeKey(parley, '--owner', 'bob');
            await signIn(parley, 'bob');
            const { body } = await admin(parley, '/users');
            const bob = body.users.find((u) => u.owner === 'local/bob');
            assert.equal(bob.sessions, 1);
            assert.equal(bob.keys, 1);
            assert.equal(bob.logins, 1);
            assert.equal(bob.role, 'user');
            assert.match(bob.last_used_at, TIMESTAMP);
            assert.ok(body.anonymous_sessions >= 1);
            assert.equal(body.total, body.users.length);
            assert.ok(!body.users.some((u) => u.owner.startsWith('anon/')));
            /* A page at a time it is the same. */
            const paged = [];
            for (let next = ''; next !== null;) {
                const page = (await admin(parley, '/users?limit=1' +
                    `&after=${encodeURIComponent(next)}`)).body;
                assert.ok(page.users.length <= 1);
                paged.push(...page.users.map((u) => u.owner));
                next = page.next;
            }
            assert.deepEqual(paged, body.users.map((u) => u.owner));
            const home = (await admin(parley, '')).body;
            assert.ok(home.sessions >= 2 && home.messages >= 4);
            assert.ok(home.bytes_used > 0);
            assert.deepEqual(home.open_turns, []);
        });

        test('makes, lists and revokes keys of others', async () => {
            const made = await postJson(parley, '/admin/keys',
                { owner: 'ann', name: 'hers', scope: 'read' }, EVE);
            assert.equal(made.status, 201, made.text);
            const key = bearer(made.body.key);
            assert.equal((await call(parley, '/auth/me', { headers: key }))
                .body.user, 'local/ann');
            const list = await admin(parley, '/keys?owner=local/ann');
            const row = list.body.keys.find((k) => k.id === made.body.id);
            assert.equal(row.owner, 'local/ann');
            assert.equal(row.scope, 'read');
            assert.ok(!list.text.includes(made.body.key.slice(15)));
            const paged = [];
            for (let next = ''; next !== null;) {
                const page = (await admin(parley,
                    `/keys?limit=1&after=${next}`)).body;
                paged.push(...page.keys.map((k) => k.id));
                next = page.next;
            }
            const all = (await admin(parley, '/keys')).body.keys;
            assert.deepEqual(paged, all.map((k) => k.id));

            const gone = await admin(parley, `/keys/${made.body.id}`,
                { method: 'DELETE' });
            assert.equal(gone.status, 204);
            assert.equal((await call(parley, '/sessions', { headers: key }))
                .status, 401);
            assert.equal((await admin(parley, `/keys/${made.body.id}`,
                { method: 'DELETE' })).status, 404);
            for (const body of [{ name: 'nobody' }, { owner: '' }, '{',
                { owner: 'anon/x' }, { owner: 'ann', scope: 'admin' },
                { owner: 'ann', name: 7 }]) {
                const r = await postJson(parley, '/admin/keys', body, EVE);
                assert.ok([400, 403].includes(r.status), r.text);
            }
        });

        test('ends all logins and tokens of somebody', async () => {
            const cookies = [await signIn(parley, 'ann'),
                await signIn(parley, 'ann')];
            const bob = await signIn(parley, 'bob');
            const signedIn = async (cookie) => (await call(parley, '/auth/me',
                { headers: { cookie } })).body.signed_in;
            const listed = (await admin(parley, '/logins?owner=local/ann'))
                .body.logins;
            assert.ok(listed.length >= 2);
            assert.equal(listed[0].owner, 'local/ann');
            assert.equal(listed[0].way, 'password');
            assert.match(listed[0].begun_at, TIMESTAMP);
            assert.equal((await admin(parley, '/logins', { method: 'DELETE' }))
                .status, 400);
            const r = await admin(parley, '/logins?owner=local/ann',
                { method: 'DELETE' });
            assert.equal(r.status, 200, r.text);
            assert.ok(r.body.ended >= 2);
            for (const cookie of cookies)
                assert.equal(await signedIn(cookie), false);
            assert.equal(await signedIn(bob), true);
            assert.deepEqual((await admin(parley, '/logins?owner=local/ann'))
                .body.logins, []);
            assert.equal(await signedIn(await signIn(parley, 'ann')), true);
        });

        test('tells the audit log', async () => {
            const { id } = await makeKey(parley, '--owner', 'ann');
            const all = (await admin(parley, '/audit?limit=1000')).body;
            const made = all.events.find((e) => e.event === 'key_made' &&
                e.key === id);
            assert.ok(made, JSON.stringify(all.events));
            assert.ok(all.events.some((e) => e.event === 'admin' &&
                e.who === 'local/eve' && e.of === 'local/ann'));
            assert.equal(all.last, all.events.at(-1).n);
            const paged = [];
            for (let after = 0; ;) {
                const page = (await admin(parley,
                    `/audit?limit=3&after=${after}`)).body;
                if (page.events.length === 0 || page.events[0].n > all.last)
                    break;
                paged.push(...page.events);
                after = page.last;
            }
            assert.deepEqual(paged.slice(0, all.events.length), all.events);
        });

        test('tells what was used', async () => {
            const before = (await admin(parley, '/usage?by=user')).body;
            await ask(parley, { message: 'one two three' }, basic('bob'));
            const by = async (name, more = '') => (await admin(parley,
                `/usage?by=${name}${more}`)).body;
            const users = await by('user');
            const turns = (u) => u.rows.find((x) => x.user === 'local/bob')
                ?.turns ?? 0;
            assert.equal(turns(users), turns(before) + 1);
            const row = users.rows.find((x) => x.user === 'local/bob');
            assert.ok(row.output_tokens > 0);
            for (const name of ['day', 'model']) {
                const body = await by(name);
                assert.deepEqual(body.total, users.total, name);
                const sum = body.rows.reduce((n, x) => n + x.turns, 0);
                assert.equal(sum, users.total.turns, name);
                assert.equal(typeof body.rows[0][name], 'string');
            }
            const his = await by('model', '&owner=local/bob');
            assert.equal(his.total.turns, row.turns);
            const old = await by('day', '&from=2020-01-01&to=2020-12-31');
            assert.deepEqual(old.rows, []);
            assert.equal(old.from, '2020-01-01');
        });
    });

describe('/admin without an administrator', () => {
    for (const door of ['fastcgi', 'lighttpd-cgi', 'apache-cgi'])
        test(`is not there, by ${door}`, async () => {
            const folder = fs.mkdtempSync(path.join(os.tmpdir(),
                'parley-admin-'));
            const { env } = accounts(folder);
            const parley = await startParley(
                { door, env: { ...env, ADMINS: '' } });
            try {
                for (const to of ROUTES)
                    for (const headers of [{}, EVE, basic('ann')]) {
                        const r = await call(parley, to, { headers });
                        assert.equal(r.status, 404, to);
                        assert.equal(r.body.code, 'not_found');
                    }
                const r = await call(parley, '/administrator');
                assert.equal(r.status, 404);
            } finally {
                await parley.stop();
                fs.rmSync(folder, { recursive: true, force: true });
            }
        });
});
