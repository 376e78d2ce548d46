/* Reading a turn that somebody started: attach, resume, poll. */

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import {
    ask, askEvents, assertError, attach, call, messagesOf, newSession, postJson,
} from '../../lib/client.js';
import { replyEvents, SSE_HEAD } from '../../lib/openai_bytes.js';
import { hold } from '../../lib/replay.js';
import { assertGapless, assertWholeTurn, openEvents } from '../../lib/sse.js';
import { until } from '../../lib/wait.js';

const EVENTS = replyEvents(['First ', 'part, ', 'second ', 'part.']);
const HALF = SSE_HEAD + EVENTS.slice(0, 3).join('');
const REST = EVENTS.slice(3).join('');

/* A turn that has said "First part, " and waits for release(). */
async function heldTurn(world, session = newSession()) {
    const word = `held ${randomUUID()}`;
    const script = hold(HALF);
    world.replay.on(word, script);
    const r = await postJson(world.parley, '/chat', {
        message: word, session_id: session, provider: 'openai', detach: true,
    });
    assert.equal(r.status, 202, r.text);
    await script.started;
    return { ...r.body, session, word, release: () => script.release(REST) };
}

function streamUrl(world, query) {
    return `${world.parley.url}/chat/stream?${new URLSearchParams(query)}`;
}

async function poll(world, turn, after, wait) {
    const r = await call(world.parley,
        `/chat/events?turn_id=${turn}&after=${after}&wait=${wait}`,
        { limitMs: 40000 });
    assert.equal(r.status, 200, r.text);
    assert.match(r.headers.get('content-type'), /^application\/json/);
    assert.ok(Array.isArray(r.body.events));
    assert.ok(Number.isInteger(r.body.next));
    assert.equal(typeof r.body.done, 'boolean');
    return r.body;
}

function attaching(world) {
    test('detach answers 202 at once with the turn and where to read it',
        async () => {
            const turn = await heldTurn(world);
            assert.ok(turn.turn_id);
            const url = new URL(turn.stream_url, `${world.parley.url}/chat`);
            assert.ok(url.href.startsWith(world.parley.url));
            const s = await openEvents(url);
            await s.event('response_chunk');
            turn.release();
            assertWholeTurn(await s.all());
            assert.equal(s.text(), 'First part, second part.');
        });

    test('a reader that attaches to a finished turn sees all of it',
        async () => {
            const first = await askEvents(world.parley, { message: 'Hello' });
            await first.all();
            const again = await attach(world.parley, first.events[0].turn);
            assert.deepEqual(await again.all(), first.events);
        });

    test('many readers of a running turn see the same events', async () => {
        const turn = await heldTurn(world);
        const readers = await Promise.all([1, 2, 3, 4, 5].map(
            () => attach(world.parley, turn.turn_id)));
        await Promise.all(readers.map((r) => r.event('response_chunk')));
        turn.release();
        const all = await Promise.all(readers.map((r) => r.all()));
        assertWholeTurn(all[0]);
        for (const events of all)
            assert.deepEqual(events, all[0]);
    });

    test('the reader who left does not take the turn with it', async () => {
        const turn = await heldTurn(world);
        const s = await attach(world.parley, turn.turn_id);
        await s.event('response_chunk');
        await s.close();
        turn.release();
        const other = await attach(world.parley, turn.turn_id);
        await other.event('response_complete');
        assert.equal(other.text(), 'First part, second part.');
    });

    test('the one who posted may leave and the answer is still stored',
        async () => {
            const session = newSession();
            const script = hold(HALF);
            const word = `leaver ${randomUUID()}`;
            world.replay.on(word, script);
            const s = await askEvents(world.parley,
                { message: word, session_id: session, provider: 'openai' });
            await s.event('response_chunk');
            await s.close();
            const peer = await script.started;
            assert.equal(peer.gone, false, 'the provider is still asked');
            script.release(REST);
            const stored = await until('the answer in the session',
                async () => (await messagesOf(world.parley, session))[1]);
            assert.equal(stored.content, 'First part, second part.');
        });

    test('no such turn is 404', async () => {
        const r = await call(world.parley,
            `/chat/stream?turn_id=${randomUUID()}`);
        assertError(r, 404);
    });

    test('a turn id that is none is refused', async () => {
        const r = await call(world.parley, '/chat/stream?turn_id=..%2Fx');
        assert.ok([400, 404].includes(r.status), r.text);
        assertError(r, r.status);
    });

    test('GET /chat/turns/{id} tells the state of a turn', async () => {
        const turn = await heldTurn(world);
        const running = await call(world.parley,
            `/chat/turns/${turn.turn_id}`);
        assert.equal(running.status, 200, running.text);
        assert.equal(running.body.turn_id, turn.turn_id);
        turn.release();
        await (await attach(world.parley, turn.turn_id)).all();
        const done = await call(world.parley, `/chat/turns/${turn.turn_id}`);
        assert.notEqual(done.body.state, running.body.state);
    });
}

function resuming(world) {
    test('Last-Event-ID as a header goes on behind that event', async () => {
        const turn = await heldTurn(world);
        const s = await attach(world.parley, turn.turn_id);
        const seen = await s.event('response_chunk');
        await s.close();
        turn.release();
        const rest = await attach(world.parley, turn.turn_id, seen.id);
        const events = await rest.all();
        assertGapless(events, seen.seq + 1);
        assert.equal(seen.data.content + rest.text(),
            'First part, second part.');
    });

    test('last_event_id in the query does the same', async () => {
        const first = await askEvents(world.parley, { message: 'Hello' });
        const [start] = await first.all();
        const s = await openEvents(streamUrl(world,
            { turn_id: start.turn, last_event_id: start.id }));
        assert.deepEqual(await s.all(), first.events.slice(1));
    });

    test('every event of a turn is a place to resume from', async () => {
        const first = await askEvents(world.parley, { message: 'Hello' });
        const events = (await first.all()).slice(0, 12);
        for (const [i, e] of events.slice(0, -1).entries()) {
            const s = await attach(world.parley, e.turn, e.id);
            const rest = await s.all();
            assert.deepEqual(rest.slice(0, 3),
                first.events.slice(i + 1, i + 4));
        }
    });

    test('a finished turn that was seen to the end is 204', async () => {
        const first = await askEvents(world.parley, { message: 'Hello' });
        const last = (await first.all()).at(-1);
        const s = await attach(world.parley, last.turn, last.id);
        assert.equal(s.status, 204);
        assert.deepEqual(await s.all(), []);
    });
}

function starting(world) {
    test('GET /chat/stream?message= starts a turn', async () => {
        const session = newSession();
        const s = await openEvents(streamUrl(world,
            { message: 'Hello', session_id: session }));
        assertWholeTurn(await s.all());
        assert.equal((await messagesOf(world.parley, session)).length, 2);
    });

    test('a reconnect with Last-Event-ID never starts a second turn',
        async () => {
            const session = newSession();
            const word = `once ${randomUUID()}`;
            const script = hold(HALF);
            world.replay.on(word, script);
            const url = streamUrl(world,
                { message: word, session_id: session, provider: 'openai' });
            const s = await openEvents(url);
            const seen = await s.event('response_chunk');
            await s.close();
            const again = await openEvents(url,
                { headers: { 'last-event-id': seen.id } });
            script.release(REST);
            const events = await again.all();
            assertGapless(events, seen.seq + 1);
            assert.equal(events[0].turn, seen.turn);
            const done = await openEvents(url,
                { headers: { 'last-event-id': events.at(-1).id } });
            assert.equal(done.status, 204);
            await done.close();
            assert.equal(world.replay.about(word).length, 1);
            assert.equal((await messagesOf(world.parley, session)).length, 2);
        });

    test('neither a turn nor a message is an error that says so', async () => {
        const r = await call(world.parley, '/chat/stream');
        assertError(r, 400);
    });
}

function polling(world) {
    test('GET /chat/events gives the same events as JSON, page after page',
        async () => {
            const first = await askEvents(world.parley, { message: 'Hello' });
            const events = await first.all();
            const page = await poll(world, events[0].turn, 0, 0);
            assert.equal(page.done, true);
            assert.deepEqual(page.events.map((e) => e.type),
                events.map((e) => e.type));
            assert.equal(page.next, events.at(-1).seq);
            const tail = await poll(world, events[0].turn, 2, 0);
            assert.deepEqual(tail.events, page.events.slice(2));
            const none = await poll(world, events[0].turn, page.next, 5);
            assert.deepEqual(none.events, []);
            assert.equal(none.done, true, 'nothing to wait for');
        });

    test('it waits for news of a running turn, and no longer', async () => {
        const turn = await heldTurn(world);
        let page = await poll(world, turn.turn_id, 0, 5);
        while (!page.events.some((e) => e.type === 'response_chunk'))
            page = await poll(world, turn.turn_id, page.next, 5);
        while (page.events.length > 0)
            page = await poll(world, turn.turn_id, page.next, 0);
        assert.equal(page.done, false);

        const waited = await poll(world, turn.turn_id, page.next, 1);
        assert.deepEqual(waited.events, []);
        assert.equal(waited.next, page.next);

        const coming = poll(world, turn.turn_id, page.next, 20);
        turn.release();
        page = await coming;
        assert.ok(page.events.length > 0, 'the news ended the wait');
        while (!page.done)
            page = await poll(world, turn.turn_id, page.next, 5);
    });

    test('no such turn is 404 here as well', async () => {
        const r = await call(world.parley,
            `/chat/events?turn_id=${randomUUID()}&after=0&wait=0`);
        assertError(r, 404);
    });

    test('numbers that are none are refused', async () => {
        const { turn_id } = await ask(world.parley, { message: 'Hello' });
        for (const q of ['after=x', 'after=-1', 'wait=-1', 'wait=26'])
            assertError(await call(world.parley,
                `/chat/events?turn_id=${turn_id}&${q}`), 400);
    });
}

export function streams(world) {
    describe('GET /chat/stream', () => {
        attaching(world);
        resuming(world);
        starting(world);
    });
    describe('GET /chat/events', () => polling(world));
}
