/* Turns on one session come one after the other, in whatever number they
 * arrive together. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ask, assertError, call, messagesOf, newSession, postJson }
    from '../lib/client.js';
import { replyEvents, replyWire, SSE_HEAD } from '../lib/openai_bytes.js';
import { echo, hold, lastMessage, startReplay } from '../lib/replay.js';
import { startParley } from '../lib/server.js';

const AT_ONCE = 50;
const QUEUE = 64; /* SESSION_QUEUE_MAX */

let replay;
let parley;

before(async () => {
    replay = await startReplay(echo((r) => `You said: ${lastMessage(r)}`));
    parley = await startParley({ env: {
        ...replay.env(), SESSION_QUEUE_MAX: String(QUEUE),
    } });
});
after(async () => {
    await parley?.stop();
    await replay?.stop();
});

async function assertOrderly(session, bodies) {
    assert.deepEqual(
        bodies.map((b) => b.conversation_length).sort((a, b) => a - b),
        bodies.map((_, i) => 2 * (i + 1)), 'each turn adds exactly two');
    const stored = await messagesOf(parley, session, '?limit=500');
    assert.equal(stored.length, 2 * bodies.length);
    for (let i = 0; i < stored.length; i += 2) {
        assert.equal(stored[i].role, 'user');
        assert.equal(stored[i + 1].role, 'assistant');
        assert.equal(stored[i + 1].content, `You said: ${stored[i].content}`);
    }
}

test(`${AT_ONCE} posts at once on one session are ${AT_ONCE} turns in a row`,
    async () => {
        const session_id = newSession();
        const bodies = await Promise.all(Array.from({ length: AT_ONCE },
            (_, i) => ask(parley, { message: `serial ${i}`, session_id })));
        await assertOrderly(session_id, bodies);
        /* Each was asked with all the earlier ones, whole. */
        const sizes = replay.about('serial ').map((r) => r.body.messages
            .filter((m) => m.role !== 'system').length);
        assert.deepEqual(sizes.sort((a, b) => a - b),
            Array.from({ length: AT_ONCE }, (_, i) => 2 * i + 1));
    });

test('many sessions at once do not disturb each other', async () => {
    const sessions = Array.from({ length: 20 }, newSession);
    const rounds = await Promise.all(sessions.map((session_id) =>
        Promise.all(Array.from({ length: 5 }, (_, i) =>
            ask(parley, { message: `crossed ${i}`, session_id })))));
    for (const [i, bodies] of rounds.entries())
        await assertOrderly(sessions[i], bodies);
});

test('a session that waits does not hold up the others', async () => {
    const session_id = newSession();
    const script = hold(SSE_HEAD + replyEvents(['slow']).slice(0, 2).join(''));
    replay.on('the slow one', script);
    const slow = ask(parley, { message: 'the slow one', session_id });
    await script.started;
    const queued = ask(parley, { message: 'behind it', session_id });
    const other = await ask(parley, { message: 'elsewhere' });
    assert.equal(other.conversation_length, 2);
    assert.equal(replay.about('behind it').length, 0, 'it still waits');
    script.release(replyEvents([]).slice(1).join(''));
    assert.equal((await slow).conversation_length, 2);
    assert.equal((await queued).conversation_length, 4);
});

test('a queue that is too long is refused, and the rest goes through',
    async () => {
        const session_id = newSession();
        const script = hold(SSE_HEAD);
        replay.on('the plug', script, async (peer) => peer.end(
            replyWire(['never used'])));
        const plug = ask(parley, { message: 'the plug', session_id });
        await script.started;
        const posts = Array.from({ length: QUEUE + 20 }, (_, i) =>
            postJson(parley, '/chat', { message: `queued ${i}`, session_id }));
        const refused = [];
        for (const p of posts)
            p.then((r) => r.status !== 200 && refused.push(r));
        /* The refusals come while the plug is in; only then is it pulled. */
        while (refused.length < 19)
            await call(parley, '/status');
        script.release(replyEvents(['open']).join(''));
        await plug;
        const replies = await Promise.all(posts);
        for (const r of refused) {
            assert.ok([429, 503].includes(r.status), r.text);
            assertError(r, r.status);
            assert.ok(Number(r.headers.get('retry-after')) > 0);
        }
        const taken = replies.filter((r) => r.status === 200).length;
        const stored = await messagesOf(parley, session_id, '?limit=500');
        assert.equal(stored.length, 2 * (taken + 1));
    });
