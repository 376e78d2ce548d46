/* API keys from one end to the other: made on the command line or by the API,
 * sent in each of the ways, and of no use from the moment they are revoked or
 * over, in every process. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { accounts, basic, bearer } from '../lib/accounts.js';
import { ask, call, newSession, postJson } from '../lib/client.js';
import { keys, makeKey } from '../lib/parley_keys.js';
import { startParley } from '../lib/server.js';
import { until } from '../lib/wait.js';

const SECRET = /^prly_[0-9A-Za-z]{45}$/;

const me = async (parley, headers) =>
    (await call(parley, '/auth/me', { headers })).body;
const status = async (parley, headers) =>
    (await call(parley, '/sessions', { headers })).status;

describe('API keys', () => {
    let folder;
    let one;
    let two; /* another server with the same data */

    before(async () => {
        folder = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-keys-'));
        const { env } = accounts(folder);
        one = await startParley({ env });
        const dataDir = path.join(one.folder, 'same');
        fs.symlinkSync(one.dataDir, dataDir);
        two = await startParley({ env, dataDir });
    });
    after(async () => {
        await two?.stop();
        await one?.stop();
        fs.rmSync(folder, { recursive: true, force: true });
    });

    test('one that parley keys makes signs its owner in', async () => {
        const key = await makeKey(one, '--owner', 'ann', '--name', 'laptop');
        assert.match(key.secret, SECRET);
        assert.ok(key.secret.startsWith(`prly_${key.id}`));
        for (const headers of [bearer(key.secret),
            { 'x-api-key': key.secret }]) {
            const who = await me(one, headers);
            assert.equal(who.signed_in, true);
            assert.equal(who.user, 'local/ann');
            assert.equal(who.role, 'user');
            assert.equal(who.way, 'key');
        }
        const session_id = newSession();
        const said = await ask(one, { message: 'hi', session_id },
            bearer(key.secret));
        assert.equal(said.session_id, session_id);
        /* It is hers: seen with her password, and by nobody else. */
        const hers = await call(one, `/sessions/${session_id}`,
            { headers: basic('ann') });
        assert.equal(hers.status, 200);
        for (const headers of [{}, basic('bob')]) {
            const r = await call(one, `/sessions/${session_id}`, { headers });
            assert.equal(r.status, 404);
        }
    });

    test('one of scope read only reads', async () => {
        const key = await makeKey(one, '--owner', 'local/ann', '--scope',
            'read');
        assert.equal((await me(one, bearer(key.secret))).role, 'read-only');
        assert.equal(await status(one, bearer(key.secret)), 200);
        const before = (await call(one, '/sessions',
            { headers: basic('ann') })).text;
        for (const [to, body] of [['/chat', { message: 'hi' }],
            ['/sessions', {}], ['/keys', { name: 'more' }]]) {
            const r = await postJson(one, to, body, bearer(key.secret));
            assert.equal(r.status, 403, `${to}: ${r.text}`);
            assert.equal(r.body.code, 'read_only');
        }
        const r = await call(one, '/chat/stream?message=hi',
            { headers: bearer(key.secret) });
        assert.equal(r.status, 403, r.text);
        assert.equal((await call(one, '/sessions',
            { headers: basic('ann') })).text, before);
    });

    test('a revoked one is none at once, in every process', async () => {
        const key = await makeKey(one, '--owner', 'ann');
        assert.equal(await status(one, bearer(key.secret)), 200);
        assert.equal(await status(two, bearer(key.secret)), 200);
        const gone = await keys(one, 'revoke', key.id);
        assert.equal(gone.status, 0, gone.err);
        for (const parley of [one, two])
            for (const headers of [bearer(key.secret),
                { 'x-api-key': key.secret }]) {
                const r = await call(parley, '/sessions', { headers });
                assert.equal(r.status, 401);
                assert.equal(r.body.code, 'invalid_key');
                assert.match(r.headers.get('www-authenticate'), /Bearer/);
            }
        assert.equal((await keys(one, 'revoke', key.id)).status, 2);
    });

    test('by the API: made, listed without the secret, revoked', async () => {
        const made = await postJson(one, '/keys',
            { name: 'script', scope: 'chat', expires_in_days: 1,
                day_tokens: 5000, month_usd: 2.5 }, basic('bob'));
        assert.equal(made.status, 201, made.text);
        assert.match(made.body.key, SECRET);
        assert.equal(await status(two, bearer(made.body.key)), 200);
        const list = await call(two, '/keys', { headers: basic('bob') });
        assert.equal(list.body.keys.length, 1);
        const [row] = list.body.keys;
        assert.equal(row.id, made.body.id);
        assert.equal(row.name, 'script');
        assert.equal(row.scope, 'chat');
        assert.equal(row.day_tokens, 5000);
        assert.equal(row.month_usd, 2.5);
        assert.ok(Date.parse(row.expires_at) > Date.now());
        assert.ok(!list.text.includes(made.body.key));
        assert.ok(!list.text.includes(made.body.key.slice(15)));
        /* Another's is not there. */
        const others = await call(one, `/keys/${row.id}`,
            { method: 'DELETE', headers: basic('ann') });
        assert.equal(others.status, 404);
        const gone = await call(one, `/keys/${row.id}`,
            { method: 'DELETE', headers: basic('bob') });
        assert.equal(gone.status, 204);
        assert.equal(await status(two, bearer(made.body.key)), 401);
    });

    test('no key makes one that may more than itself', async () => {
        const key = await makeKey(one, '--owner', 'eve', '--scope', 'chat');
        const more = await postJson(one, '/keys', { scope: 'admin' },
            bearer(key.secret));
        assert.equal(more.status, 403, more.text);
        const same = await postJson(one, '/keys', { scope: 'chat' },
            bearer(key.secret));
        assert.equal(same.status, 201, same.text);
        /* Nor is anybody made an administrator by one. */
        const not = await keys(one, 'make', '--owner', 'ann', '--scope',
            'admin');
        assert.equal(not.status, 2);
        assert.equal(not.out, '');
        assert.match(not.err, /ADMINS/);
    });

    test('its own budget binds it, and nobody else', async () => {
        const poor = await makeKey(one, '--owner', 'bob', '--day-tokens', '1');
        const rich = await makeKey(one, '--owner', 'bob');
        const over = await postJson(two, '/chat', { message: 'hi' },
            bearer(poor.secret));
        assert.equal(over.status, 429, over.text);
        assert.equal(over.body.code, 'budget_exceeded');
        assert.equal(await status(one, bearer(poor.secret)), 200);
        await ask(one, { message: 'hi' }, bearer(rich.secret));
    });

    test('one that is over is refused', async () => {
        const key = await makeKey(one, '--owner', 'ann', '--until',
            new Date(Date.now() + 2000).toISOString());
        await until('the key to end',
            async () => await status(one, bearer(key.secret)) === 401);
        const r = await call(two, '/sessions', { headers: bearer(key.secret) });
        assert.equal(r.status, 401);
        assert.equal(r.body.code, 'key_expired');
        const past = await keys(one, 'make', '--owner', 'ann', '--until',
            '2020-01-01T00:00Z');
        assert.equal(past.status, 2);
    });

    test('a mistyped one, and one that never was, are refused', async () => {
        const { secret } = await makeKey(one, '--owner', 'ann');
        const other = secret[30] === 'a' ? 'b' : 'a';
        for (const wrong of ['prly_', 'prly_x', `${secret}A`,
            secret.slice(0, 30) + other + secret.slice(31), secret.slice(0, -1),
            'prly_' + 'A'.repeat(45), `prly_${'A'.repeat(3000)}`]) {
            const r = await call(one, '/sessions', { headers: bearer(wrong) });
            assert.equal(r.status, 401, wrong);
            assert.equal(r.body.code, 'invalid_key');
            assert.ok(!r.text.includes('prly_'));
        }
        assert.equal(await status(one, bearer(secret)), 200);
    });

    test('parley keys lists them', async () => {
        const key = await makeKey(one, '--owner', 'jwt/carl', '--name', 'café',
            '--days', '3', '--day-usd', '0.5', '--month-tokens', '70');
        const all = await keys(one, 'list');
        assert.equal(all.status, 0);
        assert.ok(all.out.split('\n').some((line) =>
            line.startsWith(key.id) && line.endsWith('jwt/carl café')));
        const json = await keys(one, 'list', '--owner', 'jwt/carl', '--json');
        const [row, ...more] = json.out.trim().split('\n')
            .map((line) => JSON.parse(line));
        assert.deepEqual(more, []);
        assert.equal(row.id, key.id);
        assert.equal(row.owner, 'jwt/carl');
        assert.equal(row.name, 'café');
        assert.equal(row.scope, 'chat');
        assert.equal(row.day_usd, 0.5);
        assert.equal(row.month_tokens, 70);
        assert.equal(row.last_used_at, null);
        assert.ok(!(all.out + json.out).includes(key.secret.slice(15)));
    });

    test('wrong arguments are told, and make nothing', async () => {
        const before = (await keys(one, 'list')).out;
        for (const args of [[], ['make'], ['make', '--owner'],
            ['make', '--owner', 'ann', '--scope', 'root'],
            ['make', '--owner', 'ann', '--days', '0'],
            ['make', '--owner', 'ann', '--day-usd', '-1'],
            ['make', '--owner', 'ann', '--day-tokens', '1e3'],
            ['make', '--owner', 'ann', 'more'], ['revoke'], ['list', 'x'],
            ['steal']]) {
            const r = await keys(one, ...args);
            assert.equal(r.status, 64, args.join(' '));
            assert.equal(r.out, '');
        }
        for (const args of [['make', '--owner', 'anon/1'],
            ['make', '--owner', 'ann', '--name', 'a\nb'],
            ['make', '--owner', 'ann', '--name', 'x'.repeat(65)],
            ['make', '--owner', 'ann', '--day-usd', '0'],
            ['revoke', 'nothing']]) {
            const r = await keys(one, ...args);
            assert.equal(r.status, 2, args.join(' '));
            assert.equal(r.out, '');
        }
        assert.equal((await keys(one, 'list')).out, before);
        assert.match((await keys(one, '--help')).out, /--owner NAME/);
    });

    test('no secret is in a log or in the data', async () => {
        const { secret } = await makeKey(one, '--owner', 'ann');
        await ask(one, { message: 'hi' }, bearer(secret));
        const random = secret.slice(15, 45);
        const files = fs.readdirSync(one.dataDir, { recursive: true })
            .map((name) => path.join(one.dataDir, name))
            .filter((name) => fs.statSync(name).isFile());
        for (const name of [one.logFile, two.logFile, ...files])
            assert.ok(!fs.readFileSync(name).includes(random), name);
        const audit = fs.readFileSync(path.join(one.dataDir, 'audit.log'),
            'utf8');
        assert.ok(audit.includes(secret.slice(5, 15)), 'its id is');
    });
});
