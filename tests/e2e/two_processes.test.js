/* Two chat programs, each behind a web server of its own, on one data folder:
 * each serves what the other stores, both write while the store outgrows its
 * map and the command line looks at it, and one takes over when the other
 * dies. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ask, askEvents, attach, messagesOf, metric, newSession, serving }
    from '../lib/client.js';
import { replyEvents, replyWire, SSE_HEAD } from '../lib/openai_bytes.js';
import { PARLEY } from '../lib/programs.js';
import { echo, hold, lastMessage, startReplay } from '../lib/replay.js';
import { startParley } from '../lib/server.js';
import { assertGapless, assertWholeTurn } from '../lib/sse.js';
import { inParallel, until } from '../lib/wait.js';

const MAP_MIB = 1; /* to begin with */
const GROWN_MIB = 12; /* how far the store is driven past it */
const BIG = 'x'.repeat(60000);

/* A command of bin/parley that must succeed. */
function succeed(dataDir, ...args) {
    return new Promise((resolve, reject) => {
        execFile(PARLEY, args, {
            env: { PATH: process.env.PATH, DATA_DIR: dataDir }, timeout: 60000,
        }, (error, out, err) => (error === null ? resolve(out)
            : reject(new Error(`${args.join(' ')}: ${out}${err}`))));
    });
}

/* How often this process moved its map of the store. */
function mapMoves(parley) {
    return parley.log().split('\n')
        .filter((line) => /\bstore\.map\b/.test(line)).length;
}

describe('two processes on one data folder', () => {
    let replay;
    let one;
    let two;

    before(async () => {
        replay = await startReplay(echo((r) => `You said ` +
            `${lastMessage(r).length}: ${lastMessage(r).slice(0, 40)}`));
        const env = { ...replay.env(), STORE_MAP_MIB: String(MAP_MIB) };
        one = await startParley({ env });
        /* Under another name, by which its processes are known here. */
        const dataDir = path.join(one.folder, 'same');
        fs.symlinkSync(one.dataDir, dataDir);
        two = await startParley({ env, dataDir });
        assert.notEqual(one.chatPid(), two.chatPid());
    });
    after(async () => {
        await two?.stop();
        await one?.stop();
        await replay?.stop();
    });

    test('each goes on where the other left off', async () => {
        const session_id = newSession();
        for (let i = 0; i < 6; i++) {
            const body = await ask([one, two][i % 2],
                { message: `by turns ${i}`, session_id });
            assert.equal(body.conversation_length, 2 * (i + 1));
        }
        const stored = await messagesOf(one, session_id);
        assert.deepEqual(await messagesOf(two, session_id), stored);
        assert.equal(stored.length, 12);
        /* Each turn was asked with all before it, whoever stored that. */
        assert.deepEqual(replay.about('by turns ').map((r) => r.body.messages
            .filter((m) => m.role !== 'system').length), [1, 3, 5, 7, 9, 11]);
    });

    test('turns of one session come one after the other', async () => {
        const session_id = newSession();
        const bodies = await Promise.all(Array.from({ length: 20 }, (_, i) =>
            ask([one, two][i % 2], { message: `both ${i}`, session_id })));
        assert.deepEqual(
            bodies.map((b) => b.conversation_length).sort((a, b) => a - b),
            bodies.map((_, i) => 2 * (i + 1)), 'each adds exactly two');
        assert.equal((await messagesOf(two, session_id)).length, 40);
    });

    test('an answer is read at the one that does not make it', async () => {
        const script = hold(SSE_HEAD +
            replyEvents(['Half ', 'of it']).slice(0, 2).join(''));
        replay.on('followed', script);
        const near = await askEvents(one, { message: 'followed' });
        await near.event('response_chunk');
        const far = await attach(two, near.events[0].turn);
        await far.event('response_chunk');
        script.release(replyEvents(['Half ', 'of it']).slice(2).join(''));
        const events = await near.all();
        assertWholeTurn(events);
        assert.deepEqual(await far.all(), events);
    });

    test('a store that outgrows its map fails no request of either',
        async () => {
            const used = await metric(one, 'parley_store_used_bytes');
            const moves = [one, two].map(mapMoves);
            const goal = used + GROWN_MIB * 1024 * 1024;
            const known = []; /* [session, who wrote it] */
            let growing = true;
            const writers = Array.from({ length: 8 }, async (_, i) => {
                while (growing) {
                    const session_id = newSession();
                    const body = await ask([one, two][i % 2],
                        { message: BIG, session_id });
                    assert.equal(body.conversation_length, 2);
                    known.push([session_id, i % 2]);
                }
            });
            const readAtOther = async ([session, writer]) => assert.equal(
                (await messagesOf([two, one][writer], session)).length, 2);
            /* The newest, and any. */
            const readers = Array.from({ length: 4 }, async () => {
                while (growing) {
                    await until('something to read', () => known.length > 0);
                    await readAtOther(known.at(-1));
                    await readAtOther(
                        known[Math.floor(Math.random() * known.length)]);
                }
            });
            const beside = (async () => {
                const copy = path.join(one.folder, 'copy');
                while (growing) {
                    await succeed(one.dataDir, 'fsck');
                    await succeed(one.dataDir, 'backup', copy);
                    fs.rmSync(copy, { recursive: true });
                }
            })();
            const grown = until('the store to grow', async () =>
                await metric(two, 'parley_store_used_bytes') > goal, 60000);
            try {
                await Promise.race([grown, Promise.all(writers),
                    Promise.all(readers), beside]);
            } finally {
                growing = false;
            }
            await Promise.all([grown, ...writers, ...readers, beside]);
            for (const [i, parley] of [one, two].entries())
                assert.ok(mapMoves(parley) > moves[i], 'both had to follow');
            await inParallel(known, 8, readAtOther);
        });

    test('the one that stays closes what the other was writing', async () => {
        const session_id = newSession();
        const script = hold(SSE_HEAD +
            replyEvents(['Seen ', 'text ']).slice(0, 3).join(''),
        async (peer) => peer.end(replyWire(['never used'])));
        replay.on('orphan', script);
        const s = await askEvents(one, { message: 'orphan', session_id });
        await s.event(() => s.text() === 'Seen text ');
        await one.kill9();
        await s.done;
        const far = await attach(two, s.events[0].turn, s.events.at(-1).id);
        const rest = await far.all();
        assertGapless(rest, s.events.at(-1).seq + 1);
        assert.equal(rest.at(-1).data.code, 'interrupted');
        assert.equal(rest.at(-1).data.content, 'Seen text ');
        const body = await ask(two, { message: 'And you?', session_id });
        assert.equal(body.conversation_length, 4);
        await serving(one);
        const stored = await messagesOf(one, session_id);
        assert.equal(stored[1].finish_reason, 'interrupted');
        assert.equal(stored[1].content, 'Seen text ');
        assert.equal(stored.length, 4);
    });
});
