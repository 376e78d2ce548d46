/* A conversation is a tree: what was said can be said in other words, asked
 * again, or left for another way on, and nothing is lost by it. The model is
 * sent the line that it stands on, and nothing else. */

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { ask, askEvents, assertError, attach, call, messagesOf, newSession,
    postJson, serving } from '../lib/client.js';
import { replyEvents, SSE_HEAD } from '../lib/openai_bytes.js';
import { echo, hold, lastMessage, startReplay } from '../lib/replay.js';
import { startParley } from '../lib/server.js';
import { openEvents } from '../lib/sse.js';
import { inParallel, until } from '../lib/wait.js';

let parley;
let replay;
let answers = 0;

before(async () => {
    replay = await startReplay(
        echo((r) => `#${++answers} to ${lastMessage(r)}`));
    parley = await startParley({ env: replay.env() });
});
after(async () => {
    await parley?.stop();
    await replay?.stop();
});

/* A turn: {q, a: ids, said: the answer, length, sent: what the model saw}. */
async function turn(session_id, message, parent_message_id, headers) {
    const asked = replay.requests.length;
    const r = await ask(parley,
        { message, session_id, parent_message_id }, headers);
    const line = await messagesOf(parley, session_id);
    return {
        id: r.turn_id, q: line.at(-2).id, a: r.message_id, said: r.message,
        length: r.conversation_length,
        sent: replay.requests.length === asked ? null
            : replay.requests.at(-1).body.messages
                .filter((m) => m.role !== 'system').map((m) => m.content),
    };
}

const texts = async (session_id, query = '') =>
    (await messagesOf(parley, session_id, query)).map((m) => m.content);
const setLeaf = (session_id, leaf) => call(parley, `/sessions/${session_id}`, {
    method: 'PATCH', headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ leaf }) });

/* Two whole turns: "one" and "two". */
async function conversation() {
    const id = newSession();
    return { id, one: await turn(id, 'one'), two: await turn(id, 'two') };
}

describe('another way on', () => {
    test('behind an answer, from which it goes on', async () => {
        const { id, one, two } = await conversation();
        const alt = await turn(id, 'three', one.a);
        assert.deepEqual(alt.sent, ['one', one.said, 'three']);
        assert.equal(alt.length, 4);
        assert.deepEqual(await texts(id),
            ['one', one.said, 'three', alt.said]);
        assert.deepEqual(await texts(id, `?leaf=${two.a}`),
            ['one', one.said, 'two', two.said]);
        const next = await turn(id, 'four');
        assert.deepEqual(next.sent,
            ['one', one.said, 'three', alt.said, 'four']);
        assert.equal(next.length, 6);
        const { body } = await call(parley, `/sessions/${id}`);
        assert.equal(body.conversation_length, 6);
    });

    test('from a question: the same or other words beside it', async () => {
        const { id, one, two } = await conversation();
        const again = await turn(id, 'two', two.q);
        assert.deepEqual(again.sent, ['one', one.said, 'two']);
        assert.notEqual(again.said, two.said);
        const other = await turn(id, 'too', again.q);
        assert.deepEqual(other.sent, ['one', one.said, 'too']);
        const line = await messagesOf(parley, id);
        assert.deepEqual(line.map((m) => m.content),
            ['one', one.said, 'too', other.said]);
        assert.deepEqual(line[2].siblings, [two.q, again.q, other.q]);
        for (const [of, text] of [[two, two.said], [again, again.said]]) {
            const beside = await messagesOf(parley, id, `?leaf=${of.a}`);
            assert.deepEqual(beside[2].siblings, [two.q, again.q, other.q]);
            assert.equal(beside[2].id, of.q);
            assert.equal(beside[3].content, text);
        }
    });

    test('from the first question: a line of its own', async () => {
        const { id, one, two } = await conversation();
        const fresh = await turn(id, 'uno', one.q);
        assert.deepEqual(fresh.sent, ['uno']);
        assert.equal(fresh.length, 2);
        const line = await messagesOf(parley, id);
        assert.deepEqual(line.map((m) => m.content), ['uno', fresh.said]);
        assert.equal(line[0].parent_id, null);
        assert.deepEqual(line[0].siblings, [one.q, fresh.q]);
        assert.deepEqual(await texts(id, `?leaf=${two.a}`),
            ['one', one.said, 'two', two.said]);
    });

    test('chosen by a message in the middle, it ends at the newest behind it',
        async () => {
            const { id, one } = await conversation();
            const alt = await turn(id, 'three', one.a);
            const end = await turn(id, 'four');
            await turn(id, 'uno', one.q);
            assert.equal((await setLeaf(id, one.q)).status, 200);
            assert.deepEqual(await texts(id),
                ['one', one.said, 'three', alt.said, 'four', end.said]);
        });

    test('each message says what it follows and stands beside', async () => {
        const { id, one, two } = await conversation();
        for (const m of await messagesOf(parley, id))
            assert.equal(m.siblings, undefined, 'there is no branch yet');
        const alt = await turn(id, 'three', one.a);
        const line = await messagesOf(parley, id);
        assert.deepEqual(line.map((m) => m.parent_id),
            [null, one.q, one.a, alt.q]);
        assert.deepEqual(line.map((m) => m.siblings),
            [undefined, undefined, [two.q, alt.q], undefined]);
    });

    test('from the last answer: just the next message', async () => {
        const { id, one, two } = await conversation();
        const three = await turn(id, 'three', two.a);
        assert.deepEqual(three.sent,
            ['one', one.said, 'two', two.said, 'three']);
        assert.equal(three.length, 6);
        for (const m of await messagesOf(parley, id))
            assert.equal(m.siblings, undefined);
    });

    test('as a form and by GET /chat/stream too', async () => {
        const { id, one } = await conversation();
        const form = await call(parley, '/chat', { method: 'POST',
            body: new URLSearchParams({ message: 'form', session_id: id,
                parent_message_id: one.a }) });
        assert.equal(form.status, 200, form.text);
        assert.equal(form.body.conversation_length, 4);
        const query = new URLSearchParams({ message: 'query', session_id: id,
            parent_message_id: one.q });
        const s = await openEvents(`${parley.url}/chat/stream?${query}`);
        const events = await s.all();
        assert.equal(events.at(-1).data.conversation_length, 2);
        assert.deepEqual((await texts(id))[0], 'query');
    });

    test('many at once from one answer: all beside each other', async () => {
        const { id, one, two } = await conversation();
        const got = await inParallel(Array.from({ length: 12 }), 12, (_, i) =>
            ask(parley, { message: `way ${i}`, session_id: id,
                parent_message_id: one.a }));
        assert.ok(got.every((r) => r.conversation_length === 4));
        for (const r of got) {
            const line = await messagesOf(parley, id, `?leaf=${r.message_id}`);
            assert.equal(line.length, 4);
            assert.equal(line[3].content, r.message);
            assert.equal(line[2].siblings.length, 13);
            assert.equal(line[2].siblings[0], two.q);
        }
        for (let i = 0; i < 12; i++)
            assert.deepEqual(replay.about(`way ${i}`).at(-1).body.messages
                .filter((m) => m.role !== 'system').map((m) => m.content)
                .slice(0, -1), ['one', one.said]);
    });

    test('the same request twice is one branch', async () => {
        const { id, one, two } = await conversation();
        const key = { 'idempotency-key': 'branch' };
        const fields = { message: 'three', session_id: id,
            parent_message_id: one.a };
        const first = await ask(parley, fields, key);
        assert.deepEqual((await Promise.all([1, 2, 3].map(() =>
            ask(parley, fields, key)))).map((r) => r.message_id),
        Array(3).fill(first.message_id));
        const line = await messagesOf(parley, id);
        assert.equal(line[2].siblings.length, 2);
        assert.equal(line[2].siblings[0], two.q);
        /* And at once, before any of them is known. */
        const both = await Promise.all([1, 2, 3].map(() => ask(parley,
            { ...fields, message: 'four' }, { 'idempotency-key': 'once' })));
        assert.equal(new Set(both.map((r) => r.turn_id)).size, 1);
        assert.equal((await messagesOf(parley, id))[2].siblings.length, 3);
    });
});

describe('a message that is not there', () => {
    test('is not gone on from', async () => {
        const { id } = await conversation();
        const other = await conversation();
        const asked = replay.requests.length;
        for (const parent_message_id of [randomUUID(), other.one.a, 'x',
            `${other.one.a}0`])
            assertError(await postJson(parley, '/chat',
                { message: 'lost', session_id: id, parent_message_id }), 404,
            'message_not_found');
        for (const session_id of [undefined, newSession()])
            assertError(await postJson(parley, '/chat', { message: 'lost',
                session_id, parent_message_id: other.one.a }), 404,
            'message_not_found');
        assertError(await postJson(parley, '/chat', { message: 'lost',
            session_id: id, parent_message_id: 7 }), 400);
        assert.equal(replay.requests.length, asked, 'nobody was asked');
        assert.equal((await texts(id)).length, 4);
    });

    test('has no line', async () => {
        const { id } = await conversation();
        const other = await conversation();
        for (const leaf of [randomUUID(), other.one.a, 'x']) {
            assertError(await call(parley,
                `/sessions/${id}/messages?leaf=${leaf}`), 404,
            'message_not_found');
            assertError(await setLeaf(id, leaf), 404, 'message_not_found');
        }
        assertError(await setLeaf(id, 7), 400, 'invalid_leaf');
        assert.equal((await texts(id)).length, 4);
    });
});

describe('going from one line to another', () => {
    test('and back, and on from there', async () => {
        const { id, one, two } = await conversation();
        const alt = await turn(id, 'three', one.a);
        await turn(id, 'four');
        const r = await setLeaf(id, two.a);
        assert.equal(r.status, 200, r.text);
        assert.equal(r.body.conversation_length, 4);
        assert.deepEqual(await texts(id),
            ['one', one.said, 'two', two.said]);
        const five = await turn(id, 'five');
        assert.deepEqual(five.sent,
            ['one', one.said, 'two', two.said, 'five']);
        /* A message within a line stands for all of it. */
        const back = await setLeaf(id, alt.q);
        assert.equal(back.body.conversation_length, 6);
        assert.deepEqual((await texts(id)).slice(2, 5),
            ['three', alt.said, 'four']);
        await setLeaf(id, two.q);
        assert.deepEqual((await texts(id)).slice(4), ['five', five.said]);
    });

    test('shows it in the list, and null changes nothing', async () => {
        const { id, one } = await conversation();
        await turn(id, 'uno', one.q);
        await setLeaf(id, null);
        const { body } = await call(parley, '/sessions?limit=500');
        assert.equal(body.sessions.find((s) => s.session_id === id)
            .conversation_length, 2);
    });

    test('pages follow the line, whatever lies between', async () => {
        const { id, one, two } = await conversation();
        for (const word of ['a', 'b', 'c'])
            await turn(id, word, one.a);
        await setLeaf(id, two.a);
        for (const word of ['three', 'four'])
            await turn(id, word);
        await turn(id, 'aside', one.q);
        await setLeaf(id, two.a);
        const want = await texts(id, '?limit=500');
        assert.deepEqual(want.filter((_, i) => i % 2 === 0),
            ['one', 'two', 'three', 'four']);
        for (const limit of [1, 2, 3, 5]) {
            let all = [];
            let before = '';
            for (;;) {
                const { body } = await call(parley,
                    `/sessions/${id}/messages?limit=${limit}${before}`);
                all = [...body.messages.map((m) => m.content), ...all];
                if (body.next_before === null)
                    break;
                before = `&before=${body.next_before}`;
                assert.ok(all.length <= want.length);
            }
            assert.deepEqual(all, want, `limit ${limit}`);
        }
    });
});

describe('what becomes of branches', () => {
    test('all of them go with their session', async () => {
        const { id, one, two } = await conversation();
        const alt = await turn(id, 'three', one.a);
        const r = await call(parley, `/sessions/${id}`, { method: 'DELETE' });
        assert.equal(r.status, 200, r.text);
        for (const t of [one, two, alt])
            for (const path of [`/chat/turns/${t.id}`,
                `/chat/stream?turn_id=${t.id}`,
                `/sessions/${id}/messages?leaf=${t.a}`])
                assertError(await call(parley, path), 404);
        const fresh = await turn(id, 'anew');
        assert.deepEqual(fresh.sent, ['anew']);
        assert.equal(fresh.length, 2);
    });

    test('an answer that is stopped stays on its own', async () => {
        const { id, one, two } = await conversation();
        const script = hold(SSE_HEAD + replyEvents(['Half ', 'of'])
            .slice(0, 3).join(''));
        replay.on('stopped way', script);
        const s = await askEvents(parley, { message: 'stopped way',
            session_id: id, parent_message_id: one.a });
        await s.event((e) => e.type === 'response_chunk');
        await postJson(parley, '/chat/stop', { turn_id: s.events[0].turn });
        await s.all();
        const line = await messagesOf(parley, id);
        assert.equal(line.length, 4);
        assert.equal(line[3].finish_reason, 'cancelled');
        assert.deepEqual(await texts(id, `?leaf=${two.a}`),
            ['one', one.said, 'two', two.said]);
    });

    test('an answer whose process is killed is closed on its own',
        async () => {
            const { id, one, two } = await conversation();
            const script = hold(SSE_HEAD +
                replyEvents(['Seen ', 'text ']).slice(0, 3).join(''));
            replay.on('killed way', script);
            const s = await askEvents(parley, { message: 'killed way',
                session_id: id, parent_message_id: one.a });
            await s.event(() => s.text() === 'Seen text ');
            await script.started;
            await parley.kill9();
            await s.done;
            await serving(parley);
            const back = await attach(parley, s.events[0].turn,
                s.events.at(-1).id);
            assert.equal((await back.all()).at(-1).data.code, 'interrupted');
            const line = await until('the answer to be closed', async () => {
                const all = await messagesOf(parley, id);
                return all.length === 4 && all;
            });
            assert.deepEqual(line.map((m) => m.content),
                ['one', one.said, 'killed way', 'Seen text ']);
            assert.equal(line[3].finish_reason, 'interrupted');
            assert.equal(line[3].parent_id, line[2].id);
            assert.deepEqual(line[2].siblings, [two.q, line[2].id]);
            assert.deepEqual(await texts(id, `?leaf=${two.a}`),
                ['one', one.said, 'two', two.said]);
            const next = await turn(id, 'on from two', two.a);
            assert.deepEqual(next.sent,
                ['one', one.said, 'two', two.said, 'on from two']);
        });
});
