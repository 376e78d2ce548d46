/* How often somebody may ask: by user, by key and by address, counted by all
 * processes together. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { accounts, basic, bearer, signed } from '../lib/accounts.js';
import { assertError, call, newSession, postJson } from '../lib/client.js';
import { startParley } from '../lib/server.js';

const RATE = 4;

describe('how often somebody may ask', () => {
    let folder;
    let doors;
    let secret;

    async function start(env) {
        folder = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-rate-'));
        const a = accounts(folder);
        const all = { ...a.env, ...env };
        secret = a.secret;
        const one = await startParley({ env: all });
        const dataDir = path.join(folder, 'same');
        fs.symlinkSync(one.dataDir, dataDir);
        doors = [one, await startParley({ env: all, dataDir })];
    }
    async function stop() {
        for (const door of doors.toReversed())
            await door.stop();
        fs.rmSync(folder, { recursive: true, force: true });
    }
    const asks = (i, headers) => postJson(doors[i % 2], '/chat',
        { message: 'hi', session_id: newSession() }, headers);

    async function assertRate(headers) {
        const all = await Promise.all(Array.from({ length: 3 * RATE },
            (_, i) => asks(i, headers)));
        const refused = all.filter((r) => r.status !== 200);
        assert.equal(all.length - refused.length, RATE);
        for (const r of refused) {
            assertError(r, 429, 'rate_limited');
            assert.ok(Number(r.headers.get('retry-after')) > 0);
            assert.equal(r.headers.get('x-ratelimit-limit-requests'),
                String(RATE));
            assert.equal(r.headers.get('x-ratelimit-remaining-requests'), '0');
        }
    }

    describe('by user', () => {
        before(() => start({ RATE_USER: String(RATE) }));
        after(stop);

        test('each has so many and no more, in all processes', async () => {
            for (const user of ['ann', 'bob'])
                await assertRate(basic(user));
        });

        test('what is left is said with each answer', async () => {
            const token = bearer(signed(secret, { sub: 'sue' }));
            const left = (r) => ['limit', 'remaining'].map((what) =>
                Number(r.headers.get(`x-ratelimit-${what}-requests`)));
            assert.deepEqual(left(await asks(0, token)), [RATE, RATE - 1]);
            const stream = await fetch(`${doors[1].url}/chat/stream?message=x`,
                { headers: token });
            assert.deepEqual(left(stream), [RATE, RATE - 2]);
            assert.match(stream.headers.get('x-ratelimit-reset-requests'),
                /^\d+s$/);
            await stream.text();
            const bad = await postJson(doors[0], '/chat', {}, token);
            assert.equal(bad.status, 400);
            assert.deepEqual(left(bad), [RATE, RATE - 3]);
            const v1 = await postJson(doors[0], '/v1/chat/completions',
                { model: 'parley-offline', messages: [
                    { role: 'user', content: 'hi' }] }, token);
            assert.deepEqual(left(v1), [RATE, RATE - 4], v1.text);
            /* What begins an answer is a question, also by GET. */
            assertError(await call(doors[1], '/chat/stream?message=x',
                { headers: token }), 429, 'rate_limited');
            const list = await call(doors[0], '/sessions', { headers: token });
            assert.equal(list.status, 200);
            assert.equal(list.headers.get('x-ratelimit-limit-requests'), null);
        });

        test('what only reads is not counted', async () => {
            for (let i = 0; i < 3 * RATE; i++)
                assert.equal((await call(doors[i % 2], '/sessions',
                    { headers: basic('ann') })).status, 200);
        });
    });

    describe('by key and by address', () => {
        before(() => start({ RATE_KEY: String(RATE) }));
        after(stop);

        test('a key has its own', async () => {
            const keys = [];
            for (let i = 0; i < 2; i++)
                keys.push((await postJson(doors[0], '/keys', {}, basic('ann')))
                    .body.key);
            for (const key of keys)
                await assertRate(bearer(key));
            assert.equal((await asks(0, basic('ann'))).status, 200);
        });
    });

    describe('by address', () => {
        before(() => start({ RATE_IP: String(RATE),
            TRUSTED_PROXIES: '127.0.0.1' }));
        after(stop);

        test('whoever asks from there', async () => {
            await assertRate({ 'x-forwarded-for': '192.0.2.1' });
            await assertRate({ 'x-forwarded-for': '2001:db8::1' });
            const next = { 'x-forwarded-for': '2001:db8::2' };
            assert.equal((await asks(0, next)).status, 429, 'the same network');
        });
    });
});
