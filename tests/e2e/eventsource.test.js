/* A browser's EventSource, by its npm twin: it reconnects by itself and sends
 * Last-Event-ID, and that must be all that a page needs. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { EventSource } from 'eventsource';
import { attach, messagesOf, newSession } from '../lib/client.js';
import { replyEvents, replyWire, SSE_HEAD } from '../lib/openai_bytes.js';
import { hold, paced, startReplay, whole } from '../lib/replay.js';
import { tearingProxy } from '../lib/raw.js';
import { startParley } from '../lib/server.js';
import { assertGapless, assertWholeTurn, checkedEvent, isLast, textOf }
    from '../lib/sse.js';
import { until } from '../lib/wait.js';

const TYPES = ['response_start', 'context', 'reasoning_chunk',
    'response_chunk', 'response_complete', 'response_cancelled', 'error'];

/* An EventSource that keeps what it gets. `errors` counts the losses of the
 * connection; an event of ours named error has data, a loss has none. */
function follow(url) {
    const source = new EventSource(url);
    const seen = { source, events: [], errors: 0, opened: 0 };
    source.addEventListener('open', () => { seen.opened++; });
    for (const type of TYPES)
        source.addEventListener(type, (e) => {
            if (e.data === undefined)
                seen.errors++;
            else
                seen.events.push(checkedEvent(
                    { event: e.type, data: e.data, id: e.lastEventId }));
        });
    seen.end = () => until('the end of the turn',
        () => seen.events.find(isLast));
    seen.closed = () => until('EventSource to stop by itself',
        () => source.readyState === EventSource.CLOSED);
    return seen;
}

describe('EventSource', () => {
    let replay;
    let parley;

    before(async () => {
        replay = await startReplay(whole(replyWire(['Hi ', 'there'])));
        parley = await startParley({ env: replay.env() });
    });
    after(async () => {
        await parley?.stop();
        await replay?.stop();
    });

    const url = (session, message) => `${parley.url}/chat/stream?` +
        new URLSearchParams({ session_id: session, message });

    test('streams a turn, and 204 ends it without a second one', async () => {
        const session = newSession();
        const seen = follow(url(session, 'streams'));
        await seen.end();
        await seen.closed();
        assertWholeTurn(seen.events);
        assert.equal(textOf(seen.events), 'Hi there');
        assert.equal((await messagesOf(parley, session)).length, 2);
        assert.equal(replay.about('streams').length, 1);
    });

    test('a connection that breaks in the middle is picked up without loss',
        async () => {
            const session = newSession();
            const pieces = Array.from({ length: 30 }, (_, i) => `piece ${i} `);
            replay.on('broken line', paced(replyEvents(pieces), 100));
            const proxy = await tearingProxy(parley.port);
            const seen = follow(url(session, 'broken line').replace(
                `:${parley.port}/`, `:${proxy.port}/`));
            for (const n of [4, 12, 20]) {
                await until('more events', () => seen.events.length > n);
                proxy.tear();
            }
            await seen.end();
            await seen.closed();
            await proxy.stop();
            assert.ok(proxy.connections >= 4, `${proxy.connections}`);
            assertWholeTurn(seen.events);
            assert.equal(textOf(seen.events), pieces.join(''));
            assert.equal(replay.about('broken line').length, 1);
        });

    test('a server killed in the middle of an answer tells so, once',
        async () => {
            const session = newSession();
            const script = hold(SSE_HEAD +
                replyEvents(['Before the ', 'crash']).slice(0, 3).join(''));
            replay.on('killed', script);
            const seen = follow(url(session, 'killed'));
            await until('the text', () => textOf(seen.events) ===
                'Before the crash');
            await parley.kill9();
            const last = await seen.end();
            await seen.closed();
            assert.ok(seen.errors >= 1, 'the connection was lost');
            assert.equal(last.type, 'error');
            assert.equal(last.data.code, 'interrupted');
            assert.equal(last.data.retryable, true);
            assert.equal(last.data.content, 'Before the crash');
            assertGapless(seen.events);
            const [user, answer, ...more] = await messagesOf(parley, session);
            assert.equal(more.length, 0);
            assert.equal(user.content, 'killed');
            assert.equal(answer.content, 'Before the crash');
            assert.equal(answer.finish_reason, 'interrupted');
        });

    test('two pages on one turn see the same', async () => {
        const session = newSession();
        replay.on('two pages', paced(replyEvents(['a', 'b', 'c', 'd']), 30));
        const first = follow(url(session, 'two pages'));
        const start = await until('the start', () => first.events[0]);
        const second = follow(
            `${parley.url}/chat/stream?turn_id=${start.turn}`);
        await Promise.all([first.end(), second.end()]);
        await Promise.all([first.closed(), second.closed()]);
        assert.deepEqual(second.events, first.events);
    });
});

describe('a silent provider', () => {
    test('pings keep the connection alive', async () => {
        const replay = await startReplay();
        const parley = await startParley({
            env: { ...replay.env(), PING_MS: '1000' } });
        try {
            const script = hold(SSE_HEAD);
            replay.on('wait for it', script);
            const r = await fetch(`${parley.url}/chat`, {
                method: 'POST', body: JSON.stringify(
                    { message: 'wait for it', detach: true }),
                headers: { 'content-type': 'application/json' } });
            const { turn_id } = await r.json();
            const s = await attach(parley, turn_id);
            await until('two pings', () =>
                s.comments.filter((c) => c.trim() === 'ping').length >= 2);
            script.release(replyEvents(['now']).join(''));
            await s.all();
            assert.equal(s.text(), 'now');
        } finally {
            await parley.stop();
            await replay.stop();
        }
    });
});
