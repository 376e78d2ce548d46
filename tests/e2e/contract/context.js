/* What is known of an answer beside its text: what the model saw, what it
 * cost, what is to be noted. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import {
    UUID, ask, askEvents, assertError, attach, call, messagesOf, newSession,
} from '../../lib/client.js';
import { replyEvents, replyWire, SSE_HEAD } from '../../lib/openai_bytes.js';
import { hold, whole } from '../../lib/replay.js';
import { until } from '../../lib/wait.js';

function contextOf(parley, turn) {
    return call(parley, `/chat/turns/${turn}/context`);
}

/* The context event of a turn without what every event has. */
function contextEvent(events) {
    const { type, ...rest } = events.find((e) => e.type === 'context').data;
    assert.equal(type, 'context');
    return rest;
}

/* More than gpt-4 takes: some of it is not sent. */
function longPast() {
    return Array.from({ length: 40 }, (_, i) => [
        { role: 'user', content: `question ${i} ` + 'and so on '.repeat(60) },
        { role: 'assistant', content: 'an answer '.repeat(60) },
    ]).flat();
}

const MODELS = JSON.parse(fs.readFileSync(
    new URL('../../../etc/models.json', import.meta.url)));
const PRICE = MODELS.find(
    (m) => m.provider === 'openai' && m.id === 'gpt-4').price;

function seeing(world) {
    test('an ended turn tells who answered, and what was sent', async () => {
        const session = newSession();
        const body = await ask(world.parley,
            { message: 'See this', session_id: session });
        const r = await contextOf(world.parley, body.turn_id);
        assert.equal(r.status, 200, r.text);
        const { context, ...rest } = r.body;
        assert.deepEqual(rest, { turn_id: body.turn_id, session_id: session,
            provider: body.provider, model: body.model });
        assert.equal(context.dropped, 0);
        assert.equal(context.summarised, false);
        assert.ok(Array.isArray(context.files));
        assert.ok(context.estimated_tokens > 0);
        assert.equal(context.input_tokens, body.usage.input_tokens);
    });

    test('what is left out is streamed, and told while the turn runs and after',
        async () => {
            const word = `running ${randomUUID()}`;
            const script = hold(SSE_HEAD + replyEvents(['Once ']).slice(0, 2)
                .join(''));
            world.replay.on(word, script);
            const s = await askEvents(world.parley, { message: word,
                session_id: newSession(), provider: 'openai', model: 'gpt-4',
                history: longPast() });
            const start = (await s.event('response_start')).data;
            await s.event((e) => s.text() === 'Once ');
            const r = await contextOf(world.parley, start.turn_id);
            script.release(replyEvents(['a time.'],
                { usage: { prompt_tokens: 7777, completion_tokens: 3 } })
                .slice(1).join(''));
            const events = await s.all();
            assert.equal(events[1].type, 'context', 'before any text');

            assert.equal(r.status, 200, r.text);
            assert.equal(r.body.turn_id, start.turn_id);
            assert.equal(r.body.session_id, start.session_id);
            assert.equal(r.body.provider, 'openai');
            assert.match(r.body.turn_id, UUID);
            const told = contextEvent(events);
            assert.deepEqual(r.body.context, told);
            assert.ok(told.dropped > 0, JSON.stringify(told));
            /* And it stays so, but that the provider has counted. */
            const done = await contextOf(world.parley, start.turn_id);
            assert.deepEqual(done.body.context,
                { ...told, input_tokens: 7777 });
        });

    test('a running turn of which nothing is left out tells nothing yet',
        async () => {
            const word = `running ${randomUUID()}`;
            const script = hold(SSE_HEAD + replyEvents(['Once ']).slice(0, 2)
                .join(''));
            world.replay.on(word, script);
            const s = await askEvents(world.parley, { message: word,
                session_id: newSession(), provider: 'openai' });
            await s.event((e) => s.text() === 'Once ');
            const r = await contextOf(world.parley, s.events[0].turn);
            script.release(replyEvents(['a time.']).slice(1).join(''));
            assert.equal(r.status, 200, r.text);
            assert.equal(r.body.context, null);
            assert.equal(r.body.provider, 'openai');
            const events = await s.all();
            assert.ok(events.every((e) => e.type !== 'context'));
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

/* A question that gpt-4 answers, and what that is said to have used. */
function priced(world, prompt_tokens, completion_tokens) {
    const message = `priced ${randomUUID()}`;
    world.replay.on(message, whole(replyWire(['An ', 'answer.'], {
        model: 'gpt-4', usage: { prompt_tokens, completion_tokens },
    })));
    return { message, provider: 'openai', model: 'gpt-4' };
}

/* Dollars, from the prices that are shipped. */
function costOf(prompt_tokens, completion_tokens) {
    return Number(((prompt_tokens * PRICE.in + completion_tokens * PRICE.out) /
        1e6).toFixed(6));
}

function costing(world) {
    test('a message has the usage and notes that its answer had', async () => {
        const body = await ask(world.parley, priced(world, 1001, 10));
        const [user, answer] = await messagesOf(world.parley, body.session_id);
        assert.equal(user.usage, undefined);
        assert.equal(user.notes, undefined);
        assert.equal(body.usage.cost_usd, costOf(1001, 10));
        assert.deepEqual(answer.usage, body.usage);
        assert.deepEqual(answer.notes ?? [], body.notes);
        assert.deepEqual(answer.tool_calls ?? [], body.tool_calls);
    });

    test('an answer that is asked for again has them, too', async () => {
        const fields = { ...priced(world, 12, 34), session_id: newSession() };
        const key = { 'idempotency-key': randomUUID() };
        const first = await ask(world.parley, fields, key);
        const second = await ask(world.parley, fields, key);
        assert.equal(first.usage.cost_usd, costOf(12, 34));
        for (const member of ['usage', 'notes', 'tool_calls'])
            assert.deepEqual(second[member], first[member], member);
        const events = await (await attach(world.parley, first.turn_id)).all();
        assert.deepEqual(events.at(-1).data.usage, first.usage);
        assert.deepEqual(events.at(-1).data.notes, first.notes);
    });

    test('a session costs what its answers cost, as far as is known',
        async () => {
            const session = newSession();
            const cost = async () => {
                const r = await call(world.parley, `/sessions/${session}`);
                assert.equal(r.status, 200, r.text);
                return r.body.cost_usd;
            };
            await ask(world.parley, { message: 'unpriced',
                session_id: session, provider: 'openai' });
            assert.equal(await cost(), null);
            await ask(world.parley,
                { ...priced(world, 100, 1), session_id: session });
            assert.equal(await cost(), costOf(100, 1));
            await ask(world.parley,
                { ...priced(world, 1, 7), session_id: session });
            assert.equal(await cost(), costOf(101, 8));
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
