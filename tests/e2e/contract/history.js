/* What a session remembers: its messages, their pages, its end. */

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import {
    TIMESTAMP, UUID, allMessagesOf, ask, assertError, call, messagesOf,
    newSession, postJson,
} from '../../lib/client.js';

function remembering(world) {
    test('the provider is given what was said before, in order', async () => {
        const session = newSession();
        const tag = randomUUID();
        for (const text of ['first', 'second', 'third'])
            await ask(world.parley, { message: `${text} ${tag}`,
                session_id: session, provider: 'openai' });
        const { body } = await world.replay.request(`third ${tag}`);
        const talk = body.messages.filter(
            (m) => m.role === 'user' || m.role === 'assistant');
        assert.deepEqual(talk.map((m) => [m.role, m.content]), [
            ['user', `first ${tag}`], ['assistant', 'Replayed answer.'],
            ['user', `second ${tag}`], ['assistant', 'Replayed answer.'],
            ['user', `third ${tag}`],
        ]);
    });

    test('history in the request replaces what is stored, and is not stored',
        async () => {
            const session = newSession();
            const tag = randomUUID();
            await ask(world.parley, { message: 'stored before',
                session_id: session });
            await ask(world.parley, {
                message: `now ${tag}`, session_id: session, provider: 'openai',
                history: [
                    { role: 'user', content: 'my own past' },
                    { role: 'assistant', content: 'your own answer' },
                ],
            });
            const { body } = await world.replay.request(`now ${tag}`);
            const talk = body.messages.filter((m) => m.role !== 'system' &&
                m.role !== 'developer');
            assert.deepEqual(talk.map((m) => m.content),
                ['my own past', 'your own answer', `now ${tag}`]);
            const stored = await messagesOf(world.parley, session);
            assert.deepEqual(stored.filter((m) => m.role === 'user')
                .map((m) => m.content), ['stored before', `now ${tag}`]);
            assert.equal(stored.length, 4);
        });

    test('an empty history means none', async () => {
        const session = newSession();
        const tag = randomUUID();
        await ask(world.parley, { message: 'before', session_id: session });
        await ask(world.parley, { message: `alone ${tag}`, history: [],
            session_id: session, provider: 'openai' });
        const { body } = await world.replay.request(`alone ${tag}`);
        assert.doesNotMatch(JSON.stringify(body.messages), /before/);
    });

    test('a history of the wrong shape is refused', async () => {
        for (const history of ['x', {}, [1], [{ role: 'user' }],
            [{ role: 'wizard', content: 'x' }], [{ content: 'x' }],
            [{ role: 'user', content: 7 }]])
            assertError(await postJson(world.parley, '/chat',
                { message: 'x', history }), 400);
    });
}

function listing(world) {
    test('lists both messages of a turn with what belongs to them',
        async () => {
            const body = await ask(world.parley, { message: 'List me' });
            const [user, answer, ...more] =
                await messagesOf(world.parley, body.session_id);
            assert.equal(more.length, 0);
            assert.equal(user.role, 'user');
            assert.equal(user.content, 'List me');
            assert.equal(answer.role, 'assistant');
            assert.equal(answer.content, body.message);
            assert.equal(answer.id, body.message_id);
            assert.equal(answer.finish_reason, 'stop');
            assert.equal(answer.model, body.model);
            assert.equal(answer.usage?.output_tokens ?? null,
                body.usage.output_tokens);
            for (const m of [user, answer]) {
                assert.match(m.id, UUID);
                assert.match(m.timestamp, TIMESTAMP);
            }
            assert.ok(user.timestamp <= answer.timestamp);
        });

    test('gives the newest page first, oldest first within it', async () => {
        const session = newSession();
        for (let i = 0; i < 5; i++)
            await ask(world.parley, { message: `m${i}`, session_id: session });
        const whole = await messagesOf(world.parley, session);
        assert.equal(whole.length, 10);
        const users = whole.filter((m) => m.role === 'user')
            .map((m) => m.content);
        assert.deepEqual(users, ['m0', 'm1', 'm2', 'm3', 'm4']);

        const page = await call(world.parley,
            `/sessions/${session}/messages?limit=3`);
        assert.deepEqual(page.body.messages, whole.slice(7));
        assert.ok(page.body.next_before !== undefined);
        for (const limit of [1, 2, 3, 4, 9, 10, 11])
            assert.deepEqual(await allMessagesOf(world.parley, session, limit),
                whole, `pages of ${limit}`);
        const last = await call(world.parley,
            `/sessions/${session}/messages?limit=10`);
        assert.equal(last.body.next_before, null);
    });

    test('knows its limits: 500 is one, 501 and 0 are none', async () => {
        const { session_id } = await ask(world.parley, { message: 'Hello' });
        const at = (q) => call(world.parley,
            `/sessions/${session_id}/messages?${q}`);
        assert.equal((await at('limit=500')).status, 200);
        for (const q of ['limit=501', 'limit=0', 'limit=-1', 'limit=x'])
            assertError(await at(q), 400);
    });

    test('an unknown session is 404', async () => {
        assertError(await call(world.parley,
            `/sessions/${newSession()}/messages`), 404);
    });

    test('keeps text of every script, exactly', async () => {
        const message = 'ß→😀\u2028\u202e"\\/\u007f' +
            '\u{1F468}\u200d\u{1F469} \ufeff end';
        const body = await ask(world.parley, { message });
        const [user] = await messagesOf(world.parley, body.session_id);
        assert.equal(user.content, message);
    });
}

function forgetting(world) {
    test('DELETE takes the session and its messages', async () => {
        const session = newSession();
        await ask(world.parley, { message: 'Forget me', session_id: session });
        const r = await call(world.parley, `/sessions/${session}`,
            { method: 'DELETE' });
        assert.ok([200, 204].includes(r.status), r.text);
        assertError(await call(world.parley, `/sessions/${session}/messages`),
            404);
    });

    test('the id can be used again, and begins at nothing', async () => {
        const session = newSession();
        await ask(world.parley, { message: 'Old', session_id: session });
        await call(world.parley, `/sessions/${session}`, { method: 'DELETE' });
        const body = await ask(world.parley,
            { message: 'New', session_id: session });
        assert.equal(body.conversation_length, 2);
        assert.equal((await messagesOf(world.parley, session))[0].content,
            'New');
    });

    test('DELETE of an unknown session is 404', async () => {
        assertError(await call(world.parley, `/sessions/${newSession()}`,
            { method: 'DELETE' }), 404);
    });
}

export function history(world) {
    describe('a session remembers', () => remembering(world));
    describe('GET /sessions/{id}/messages', () => listing(world));
    describe('DELETE /sessions/{id}', () => forgetting(world));
}
