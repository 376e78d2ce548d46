/* A full disk, on a small tmpfs of its own, behind each door: a clear 503,
 * reads go on, and when there is room again the service recovers by itself. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ask, askEvents, assertError, attach, call, messagesOf, newSession,
    postJson, serving } from '../lib/client.js';
import { replyEvents, SSE_HEAD } from '../lib/openai_bytes.js';
import { hold, startReplay } from '../lib/replay.js';
import { startParley } from '../lib/server.js';
import { until } from '../lib/wait.js';

const SIZE_MIB = 24;

/* An empty folder becomes a small file system; or the reason why not. */
function mountSmall(folder) {
    const r = spawnSync('mount', ['-t', 'tmpfs', '-o',
        `size=${SIZE_MIB}m,mode=755`, 'parley-test', folder],
        { encoding: 'utf8' });
    return r.status === 0 ? null
        : `no tmpfs here: ${r.error?.message ?? r.stderr.trim()}`;
}

function newFolder() {
    return fs.mkdtempSync(path.join(os.tmpdir(), 'parley-disk-'));
}

function drop(folder) {
    spawnSync('umount', ['-l', folder]);
    fs.rmSync(folder, { recursive: true, force: true });
}

/* Is this allowed here? Usually only to root. */
function whyNot() {
    const folder = newFolder();
    const why = mountSmall(folder);
    drop(folder);
    return why ?? false;
}

/* Take all the room that is left. */
function fill(folder) {
    const fd = fs.openSync(path.join(folder, 'filler'), 'a');
    try {
        for (const size of [1 << 20, 1 << 12])
            for (const block = Buffer.alloc(size); ;)
                try {
                    if (fs.writeSync(fd, block) < size)
                        break;
                } catch (e) {
                    assert.equal(e.code, 'ENOSPC');
                    break;
                }
    } finally {
        fs.closeSync(fd);
    }
}

function makeRoom(folder) {
    fs.rmSync(path.join(folder, 'filler'), { force: true });
}

const why = whyNot();
for (const door of ['fastcgi', 'lighttpd-cgi', 'apache-cgi'])
    describe(`a full disk behind ${door}`, { skip: why }, () => {
        let folder;
        let parley;
        let replay;

        before(async () => {
            folder = newFolder();
            assert.equal(mountSmall(folder), null);
            replay = await startReplay();
            parley = await startParley({
                door, dataDir: path.join(folder, 'data'),
                env: { ...replay.env(), AI_PROVIDER: 'offline' } });
        });
        after(async () => {
            try {
                await parley?.stop();
                await replay?.stop();
            } finally {
                drop(folder);
            }
        });

        const post = (session_id) => postJson(parley, '/chat',
            { message: `more ${'x'.repeat(20000)}`, session_id });

        /* Free pages inside the store are used up first: it may take a few,
         * and what is short may fit where what is long does not. */
        const untilFull = (session) => until('a refusal for want of room',
            async () => {
                const r = await post(session);
                return r.status !== 200 && r;
            });
        const untilNothingFits = () => until('bad health', async () => {
            await postJson(parley, '/chat',
                { message: 'short', session_id: newSession() });
            const r = await call(parley, '/health');
            return r.status === 503 && r;
        });

        test('is 503 store_full with Retry-After; reads go on', async () => {
            const session = newSession();
            const first = await ask(parley,
                { message: 'while there is room', session_id: session });
            /* The search index is made in the background. */
            await until('the message to be found', async () =>
                (await call(parley, '/sessions?q=room')).body
                    .sessions?.length > 0);
            fill(folder);
            const r = await untilFull(newSession());
            assertError(r, 503, 'store_full');
            assert.ok(Number(r.headers.get('retry-after')) > 0);

            const stored = await messagesOf(parley, session);
            assert.equal(stored[1].content, first.message);
            const s = await attach(parley, first.turn_id);
            assert.equal((await s.all()).at(-1).data.content, first.message);
            for (const url of ['/status', '/metrics', '/sessions',
                `/sessions/${session}`, '/sessions?q=room',
                `/sessions/${session}/export`, '/export'])
                assert.equal((await call(parley, url)).status, 200, url);
            await untilNothingFits();
        });

        test('takes turns again once there is room, without a restart',
            async () => {
                const pid = parley.chatPid();
                makeRoom(folder);
                const session = newSession();
                const body = await until('a turn', async () => {
                    const r = await post(session);
                    return r.status === 200 && r.body;
                });
                assert.ok(body.conversation_length >= 2);
                const stored = await messagesOf(parley, session);
                assert.equal(stored.at(-1).content, body.message);
                assert.equal(parley.chatPid(), pid);
                await until('good health', async () =>
                    (await call(parley, '/health')).status === 200);
            });

        test('an answer that ends meanwhile is stored when there is room',
            async () => {
                const session_id = newSession();
                const script = hold(SSE_HEAD +
                    replyEvents(['All ', 'of it']).slice(0, 2).join(''));
                replay.on('too late', script);
                const s = await askEvents(parley,
                    { message: 'too late', session_id, provider: 'openai' });
                await s.event('response_chunk');
                const pid = parley.chatPid();
                fill(folder);
                await untilFull(newSession());
                script.release(
                    replyEvents(['All ', 'of it']).slice(2).join(''));
                const last = (await s.all()).at(-1);
                if (last.type === 'error')
                    assert.equal(last.data.code, 'store_full');
                else /* a few pages were left */
                    assert.equal(last.type, 'response_complete');
                makeRoom(folder);
                const answer = await until('the answer to be stored',
                    async () => (await messagesOf(parley, session_id))[1]);
                assert.equal(answer.content, 'All of it');
                assert.equal(parley.chatPid(), pid);
                await until('a turn', async () =>
                    (await post(session_id)).status === 200);
            });

        test('holds for a program that starts on a full disk', async () => {
            const session = newSession();
            const first = await ask(parley,
                { message: 'before', session_id: session });
            fill(folder);
            await untilFull(newSession());
            const old = await parley.kill9();
            await serving(parley);
            const stored = await messagesOf(parley, session);
            assert.equal(stored[1].content, first.message);
            assertError(await untilFull(newSession()), 503, 'store_full');
            const pid = parley.chatPid();
            assert.notEqual(pid, old);
            makeRoom(folder);
            await until('a turn', async () =>
                (await post(session)).status === 200);
            assert.equal(parley.chatPid(), pid, 'recovers by itself');
        });

        test('loses nothing that was acknowledged, over and over', async () => {
            const session = newSession();
            const promised = [];
            for (let round = 0; round < 3; round++) {
                fill(folder);
                /* A question may have had room where its answer has none, and
                 * then waits for it. */
                const late = setTimeout(() => makeRoom(folder), 5000);
                for (let i = 0; i < 40; i++) {
                    const r = await post(session);
                    if (r.status === 200)
                        promised.push(r.body);
                    else
                        assertError(r, 503);
                }
                clearTimeout(late);
                makeRoom(folder);
                await until('a turn', async () => {
                    const r = await post(session);
                    if (r.status === 200)
                        promised.push(r.body);
                    return r.status === 200;
                });
            }
            const stored = await messagesOf(parley, session, '?limit=500');
            for (const body of promised)
                assert.equal(stored.filter(
                    (m) => m.id === body.message_id).length, 1);
        });
    });
