/* Stopping a turn, and asking for the same one twice. */

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import {
    ask, askEvents, assertError, attach, messagesOf, newSession, postJson,
} from '../../lib/client.js';
import { replyEvents, replyWire, SSE_HEAD } from '../../lib/openai_bytes.js';
import { hold, whole } from '../../lib/replay.js';
import { assertWholeTurn } from '../../lib/sse.js';
import { within } from '../../lib/wait.js';

const SAID = SSE_HEAD + replyEvents(['Once ', 'upon ']).slice(0, 3).join('');

/* A provider that says "Once upon " and then nothing until it is left. */
function unfinished(world) {
    const word = `unfinished ${randomUUID()}`;
    const script = hold(SAID);
    world.replay.on(word, script);
    return { script, fields: {
        message: word, session_id: newSession(), provider: 'openai',
    } };
}

function stop(world, turn_id) {
    return postJson(world.parley, '/chat/stop', { turn_id });
}

function stopping(world) {
    test('keeps what was said, tells the readers, leaves the provider',
        async () => {
            const { script, fields } = unfinished(world);
            const s = await askEvents(world.parley, fields);
            await s.event((e) => s.text() === 'Once upon ');
            const peer = await script.started;

            const asked = performance.now();
            const r = await stop(world, s.events[0].turn);
            assert.equal(r.status, 200, r.text);
            await within('the provider to be left', peer.closed);
            /* The goal is 100 ms; a busy machine may add its own. */
            const took = peer.goneAt - asked;
            assert.ok(took < 2000, `upstream closed after ${took} ms`);

            const events = await s.all();
            assertWholeTurn(events);
            assert.equal(events.at(-1).type, 'response_cancelled');
            assert.equal(events.at(-1).data.content, 'Once upon ');
            const stored = (await messagesOf(world.parley,
                fields.session_id)).at(-1);
            assert.equal(stored.role, 'assistant');
            assert.equal(stored.content, 'Once upon ');
            assert.equal(stored.finish_reason, 'cancelled');
        });

    test('ends the wait of one who asked for JSON', async () => {
        const { script, fields } = unfinished(world);
        const key = randomUUID();
        const asking = postJson(world.parley, '/chat', fields,
            { 'idempotency-key': key });
        await script.started;
        /* The same key joins the running turn and so names it. */
        const s = await askEvents(world.parley, fields,
            { 'idempotency-key': key });
        await s.event((e) => s.text() === 'Once upon ');
        await stop(world, s.events[0].turn);
        const r = await asking;
        assert.equal(r.status, 200, r.text);
        assert.equal(r.body.finish_reason, 'cancelled');
        assert.equal(r.body.message, 'Once upon ');
        await s.all();
    });

    test('of a finished turn changes nothing', async () => {
        const body = await ask(world.parley, { message: 'Hello' });
        const r = await stop(world, body.turn_id);
        assert.ok(r.status < 500, r.text);
        const stored = (await messagesOf(world.parley, body.session_id)).at(-1);
        assert.equal(stored.finish_reason ?? 'stop', 'stop');
        assert.equal(stored.content, body.message);
    });

    test('the session goes on afterwards', async () => {
        const { script, fields } = unfinished(world);
        const s = await askEvents(world.parley, fields);
        await script.started;
        await stop(world, (await s.event('response_start')).turn);
        await s.all();
        const next = await ask(world.parley,
            { message: 'And now?', session_id: fields.session_id });
        assert.equal(next.conversation_length, 4);
    });

    test('no such turn is 404, and no turn_id is 400', async () => {
        assertError(await stop(world, randomUUID()), 404);
        assertError(await postJson(world.parley, '/chat/stop', {}), 400);
        assertError(await stop(world, 17), 400);
    });
}

function idempotency(world) {
    test('the same key twice is one turn and one answer', async () => {
        const fields = { message: 'Only once', session_id: newSession() };
        const key = { 'idempotency-key': randomUUID() };
        const first = await ask(world.parley, fields, key);
        const second = await ask(world.parley, fields, key);
        for (const member of ['turn_id', 'message_id', 'message',
            'conversation_length', 'timestamp', 'finish_reason'])
            assert.deepEqual(second[member], first[member], member);
        assert.equal(
            (await messagesOf(world.parley, fields.session_id)).length, 2);
    });

    test('client_message_id in the body is such a key', async () => {
        const fields = { message: 'Only once', session_id: newSession(),
            client_message_id: 'mine-1' };
        const first = await ask(world.parley, fields);
        const second = await ask(world.parley, fields);
        assert.equal(second.turn_id, first.turn_id);
        assert.equal(second.conversation_length, 2);
    });

    test('the same key from many at once is one turn', async () => {
        const word = `together ${randomUUID()}`;
        world.replay.on(word, whole(replyWire(['One ', 'answer'])));
        const fields = { message: word, session_id: newSession(),
            provider: 'openai' };
        const key = { 'idempotency-key': randomUUID() };
        const all = await Promise.all(Array.from({ length: 8 },
            () => ask(world.parley, fields, key)));
        assert.equal(new Set(all.map((b) => b.turn_id)).size, 1);
        assert.deepEqual(new Set(all.map((b) => b.message)),
            new Set(['One answer']));
        assert.equal(world.replay.about(word).length, 1);
        assert.equal(
            (await messagesOf(world.parley, fields.session_id)).length, 2);
    });

    test('the same key while it streams joins the stream', async () => {
        const { script, fields } = unfinished(world);
        const key = { 'idempotency-key': randomUUID() };
        const first = await askEvents(world.parley, fields, key);
        await first.event((e) => first.text() === 'Once upon ');
        const second = await askEvents(world.parley, fields, key);
        await second.event((e) => second.text() === 'Once upon ');
        script.release(replyEvents(['a time.']).slice(1).join(''));
        assert.deepEqual(await second.all(), await first.all());
        assertWholeTurn(second.events);
        assert.equal(world.replay.about(fields.message).length, 1);
    });

    test('it joins from the first moment on', async () => {
        /* Also before anything of the turn is on disk, so many times. */
        await Promise.all(Array.from({ length: 8 }, async (_, i) => {
            const { script, fields } = unfinished(world);
            const key = { 'idempotency-key': randomUUID() };
            const asking = askEvents(world.parley, fields, key);
            if (i % 2)
                await script.started;
            const [first, second] = await Promise.all([asking,
                askEvents(world.parley, fields, key)]);
            try {
                await second.event('response_start', 8000);
                await first.event('response_start');
                assert.equal(second.events[0].turn, first.events[0].turn);
            } finally {
                script.release(replyEvents(['a time.']).slice(1).join(''));
            }
            assert.deepEqual(await second.all(), await first.all());
        }));
    });

    test('a long random key finds its turn without a session', async () => {
        const key = { 'idempotency-key': randomUUID() };
        const first = await ask(world.parley, { message: 'Hello' }, key);
        const second = await ask(world.parley, { message: 'Hello' }, key);
        assert.equal(second.turn_id, first.turn_id);
        assert.equal(second.session_id, first.session_id);
    });

    test('detach with a key that is known names the same turn', async () => {
        const fields = { message: 'Hello', session_id: newSession(),
            detach: true };
        const key = { 'idempotency-key': randomUUID() };
        const first = await postJson(world.parley, '/chat', fields, key);
        const second = await postJson(world.parley, '/chat', fields, key);
        assert.equal(first.status, 202, first.text);
        assert.equal(second.body.turn_id, first.body.turn_id);
        await (await attach(world.parley, first.body.turn_id)).all();
    });

    test('another key, or another session, is another turn', async () => {
        const fields = { message: 'Hello', session_id: newSession() };
        const key = { 'idempotency-key': randomUUID() };
        const a = await ask(world.parley, fields, key);
        const b = await ask(world.parley, fields,
            { 'idempotency-key': randomUUID() });
        const c = await ask(world.parley,
            { ...fields, session_id: newSession() }, key);
        assert.equal(new Set([a.turn_id, b.turn_id, c.turn_id]).size, 3);
        assert.equal(b.conversation_length, 4);
        assert.equal(c.conversation_length, 2);
    });
}

export function control(world) {
    describe('POST /chat/stop', () => stopping(world));
    describe('Idempotency-Key', () => idempotency(world));
}
