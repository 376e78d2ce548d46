/* What is known of an answer beside its text: what the model saw, what it
 * cost, what is to be noted. */

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import {
    UUID, ask, askEvents, assertError, attach, call, messagesOf, newSession,
} from '../../lib/client.js';
import { replyEvents, SSE_HEAD } from '../../lib/openai_bytes.js';
import { hold } from '../../lib/replay.js';
import { until } from '../../lib/wait.js';

function contextOf(parley, turn) {
    return call(parley, `/chat/turns/${turn}/context`);
}

/* The last context event of a turn without what every event has; null if
 * there was none. */
function contextEvent(events) {
    const event = events.findLast((e) => e.type === 'context');
    if (!event)
        return null;
    const { type, ...rest } = event.data;
    assert.equal(type, 'context');
    return rest;
}

function assertCost(cost) {
    assert.ok(cost === null || (typeof cost === 'number' && cost >= 0),
        String(cost));
}

function seeing(world) {
    test('an ended turn tells who answered, and the context it streamed',
        async () => {
            const session = newSession();
            const s = await askEvents(world.parley,
                { message: 'See this', session_id: session });
            const events = await s.all();
            const end = events.at(-1).data;
            const r = await contextOf(world.parley, end.turn_id);
            assert.equal(r.status, 200, r.text);
            assert.deepEqual(r.body, {
                turn_id: end.turn_id, session_id: session,
                provider: end.provider, model: end.model,
                context: contextEvent(events),
            });
        });

    test('a running turn tells it, too', async () => {
        const word = `running ${randomUUID()}`;
        const script = hold(SSE_HEAD + replyEvents(['Once ']).slice(0, 2)
            .join(''));
        world.replay.on(word, script);
        const s = await askEvents(world.parley,
            { message: word, session_id: newSession(), provider: 'openai' });
        const start = (await s.event('response_start')).data;
        await s.event((e) => s.text() === 'Once ');
        const r = await contextOf(world.parley, start.turn_id);
        script.release(replyEvents(['a time.']).slice(1).join(''));
        assert.equal(r.status, 200, r.text);
        assert.equal(r.body.turn_id, start.turn_id);
        assert.equal(r.body.session_id, start.session_id);
        assert.equal(r.body.provider, 'openai');
        assert.match(r.body.turn_id, UUID);
        const events = await s.all();
        assert.deepEqual(r.body.context, contextEvent(events));
        /* And it stays so. */
        const done = await contextOf(world.parley, start.turn_id);
        assert.deepEqual(done.body.context, r.body.context);
    });

    test('a turn that is not there is 404, as is one of a deleted session',
        async () => {
            assertError(await contextOf(world.parley, randomUUID()), 404);
            assertError(await contextOf(world.parley, 'no-id'), 404);
            const body = await ask(world.parley, { message: 'Forget this' });
            const r = await call(world.parley, `/sessions/${body.session_id}`,
                { method: 'DELETE' });
            assert.equal(r.status, 200, r.text);
            assertError(await contextOf(world.parley, body.turn_id), 404);
        });

    test('it is only to be read', async () => {
        const r = await call(world.parley,
            `/chat/turns/${randomUUID()}/context`, { method: 'POST' });
        assertError(r, 405);
        assert.match(r.headers.get('allow'), /GET/);
    });
}

function costing(world) {
    test('a message has the usage and notes that its answer had', async () => {
        const body = await ask(world.parley,
            { message: 'How much?', provider: 'openai' });
        const [user, answer] = await messagesOf(world.parley, body.session_id);
        assert.equal(user.usage, undefined);
        assert.equal(user.notes, undefined);
        assertCost(body.usage.cost_usd);
        assert.deepEqual(answer.usage, body.usage);
        assert.deepEqual(answer.notes ?? [], body.notes);
        assert.deepEqual(answer.tool_calls ?? [], body.tool_calls);
    });

    test('an answer that is asked for again has them, too', async () => {
        const fields = { message: 'Again', session_id: newSession(),
            provider: 'openai' };
        const key = { 'idempotency-key': randomUUID() };
        const first = await ask(world.parley, fields, key);
        const second = await ask(world.parley, fields, key);
        for (const member of ['usage', 'notes', 'tool_calls'])
            assert.deepEqual(second[member], first[member], member);
        const events = await (await attach(world.parley, first.turn_id)).all();
        assert.deepEqual(events.at(-1).data.usage, first.usage);
        assert.deepEqual(events.at(-1).data.notes, first.notes);
    });

    test('a session costs what its answers cost', async () => {
        const session = newSession();
        const costs = [];
        for (const message of ['one', 'two', 'three']) {
            const body = await ask(world.parley, { message,
                session_id: session, provider: 'openai' });
            costs.push(body.usage.cost_usd);
        }
        const known = costs.filter((c) => c !== null);
        const r = await call(world.parley, `/sessions/${session}`);
        assert.equal(r.status, 200, r.text);
        assertCost(r.body.cost_usd);
        if (known.length === 0)
            assert.equal(r.body.cost_usd, null);
        else
            assert.equal(r.body.cost_usd, Number(known
                .reduce((sum, c) => sum + c, 0).toFixed(6)));
    });

    test('a session without an answer has no cost', async () => {
        const word = `unanswered ${randomUUID()}`;
        const script = hold(SSE_HEAD);
        world.replay.on(word, script);
        const session = newSession();
        const s = await askEvents(world.parley,
            { message: word, session_id: session, provider: 'openai' });
        await s.event('response_start');
        const r = await until('the session', async () => {
            const found = await call(world.parley, `/sessions/${session}`);
            return found.status === 200 ? found : null;
        });
        script.release(replyEvents(['Done.']).join(''));
        assert.equal(r.body.cost_usd, null);
        await s.all();
    });
}

export function context(world) {
    describe('GET /chat/turns/{id}/context', () => seeing(world));
    describe('what answers cost', () => costing(world));
}
