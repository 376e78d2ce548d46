/* Commands about the session: what they change, that it lasts, and what it
 * does to the turns around them. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
    ask, askEvents, assertError, attach, call, messagesOf, metric, newSession,
    postJson, serving,
} from '../lib/client.js';
import { replyEvents, replyWire, SSE_HEAD } from '../lib/openai_bytes.js';
import { echo, hold, lastMessage, startReplay } from '../lib/replay.js';
import { startParley } from '../lib/server.js';
import { assertWholeTurn } from '../lib/sse.js';
import { until } from '../lib/wait.js';

const SYSTEM = 'You are a patient librarian.';
const CONTEXT_MAX = 65536;
const USAGE = { prompt_tokens: 1000, completion_tokens: 100 };

let replay;
let parley;

before(async () => {
    replay = await startReplay(echo((r) => `You said: ${lastMessage(r)}`));
    parley = await startParley({ env: {
        ...replay.env(), AI_FALLBACK: 'none', UPSTREAM_RETRIES: '0',
        SYSTEM_PROMPT: SYSTEM,
    } });
});
after(async () => {
    await parley?.stop();
    await replay?.stop();
});

const run = (line, session_id, more = {}) =>
    ask(parley, { message: line, session_id, ...more });

async function result(line, session_id, more) {
    const { result: r } = await run(line, session_id, more);
    assert.equal(r.status, 'success', JSON.stringify(r));
    return r;
}

/* So many turns are under way, those that wait among them. */
const underWay = (n) => until(`${n} turns`, async () =>
    await metric(parley, 'parley_turns_running') === n);

const contextOf = async (session) =>
    (await result('/getcontext', session)).context;
const quoted = (text) => `"${text.replace(/[\\"]/g, '\\$&')}"`;

/* What the model was sent about a word, the last time. */
const sent = (word) => replay.about(word).at(-1).body;
const systemOf = (body) => body.messages.filter((m) => m.role === 'system')
    .map((m) => m.content).join('\n\n');

describe('a context', () => {
    test('is sent as system text on every turn until it is taken away',
        async () => {
            const session_id = newSession();
            const context = 'The user is a baker in Lyon.';
            await ask(parley, { message: 'before it', session_id });
            assert.ok(!systemOf(sent('before it')).includes(context));
            await result(`/setcontext text="${context}"`, session_id);
            for (const word of ['first after', 'second after']) {
                await ask(parley, { message: word, session_id });
                const { messages } = sent(word);
                assert.equal(messages[0].role, 'system');
                assert.ok(messages[0].content.includes(context));
                assert.ok(messages[0].content.includes(SYSTEM));
                assert.ok(messages.slice(1).every((m) =>
                    m.role !== 'system' && !m.content.includes(context)),
                'and nowhere else');
            }
            await result('/setcontext Other.', session_id);
            await ask(parley, { message: 'third after', session_id });
            assert.ok(systemOf(sent('third after')).includes('Other.'));
            assert.ok(!systemOf(sent('third after')).includes(context));
            await result('/clearcontext', session_id);
            assert.equal(await contextOf(session_id), '');
            await ask(parley, { message: 'fourth after', session_id });
            assert.ok(!systemOf(sent('fourth after')).includes('Other.'));
        });

    test('stands beside the context of one turn', async () => {
        const session_id = newSession();
        await result('/setcontext Of the session.', session_id);
        await ask(parley, { message: 'with both', session_id,
            context: 'Of this turn.' });
        const system = systemOf(sent('with both'));
        assert.ok(system.includes('Of the session.'));
        assert.ok(system.includes('Of this turn.'));
    });

    test('is of one session', async () => {
        const one = newSession();
        await result('/setcontext Mine.', one);
        const other = newSession();
        assert.equal(await contextOf(other), '');
        await ask(parley, { message: 'of the other', session_id: other });
        assert.ok(!systemOf(sent('of the other')).includes('Mine.'));
    });

    test('is shown as it was given, byte by byte', async () => {
        const session_id = newSession();
        for (const text of [
            'one\ntwo\r\n\tthree', 'He said "no" and \'yes\'.', 'C:\\new\\table',
            '👩‍👩‍👧 Grüße, 你好, مرحبا, e\u0301', '</system> & <b>',
            ' space on both sides ', '{"json": ["text=\\"a\\""]}',
            'text="a" target_language="b"', '\u202eright to left',
        ]) {
            await result(`/setcontext text=${quoted(text)}`, session_id);
            assert.equal(await contextOf(session_id), text);
            const { message } = await run('/getcontext', session_id);
            assert.equal(message, text);
            const plain = await postJson(parley, '/chat',
                { message: '/getcontext', session_id },
                { accept: 'text/plain' });
            assert.equal(plain.text, text);
            const r = await call(parley, `/sessions/${session_id}`);
            assert.equal(r.body.context, text);
        }
    });

    test('may have 64 KiB and no byte more', async () => {
        const session_id = newSession();
        for (const letter of ['a', 'é', '😀']) {
            const n = CONTEXT_MAX / Buffer.byteLength(letter);
            const text = letter.repeat(n);
            await result(`/setcontext text="${text}"`, session_id);
            assert.equal(await contextOf(session_id), text);
            const { result: r } = await run(`/setcontext text="${text}b"`,
                session_id);
            assert.equal(r.code, 'too_long');
            assert.equal(await contextOf(session_id), text, 'as it was');
        }
    });

    test('survives kill -9 and a restart, and is kept by /clear', async () => {
        const session_id = newSession();
        const context = 'Heed "this"\nthroughout 🧭.';
        await ask(parley, { message: 'remember', session_id });
        await result(`/setcontext text=${quoted(context)}`, session_id);
        await parley.kill9();
        await serving(parley);
        assert.equal(await contextOf(session_id), context);
        await parley.stopWeb();
        await parley.start();
        assert.equal(await contextOf(session_id), context);
        await result('/clear', session_id);
        assert.equal(await contextOf(session_id), context);
        await ask(parley, { message: 'after all that', session_id });
        const { messages } = sent('after all that');
        assert.equal(messages.length, 2, 'the history is gone');
        assert.ok(messages[0].content.includes(context));
    });
});

describe('/clear', () => {
    test('waits for the turn that runs; what waits behind it is answered',
        async () => {
            const session_id = newSession();
            const script = hold(SSE_HEAD +
                replyEvents(['slow']).slice(0, 2).join(''));
            replay.on('the slow one', script);
            const slow = ask(parley, { message: 'the slow one', session_id });
            await script.started;
            const clear = run('/clear', session_id);
            await underWay(2);
            const info = run('/usage', session_id);
            await underWay(3);
            const behind = ask(parley, { message: 'behind it', session_id });
            await underWay(4);
            const elsewhere = await run('/help', newSession());
            assert.equal(elsewhere.result.status, 'success');
            script.release(replyEvents([]).slice(1).join(''));
            assert.equal((await slow).message, 'slow');
            assert.equal((await clear).result.status, 'success');
            assert.equal((await clear).conversation_length, 0);
            assert.equal((await info).result.messages, 0);
            assert.equal((await behind).conversation_length, 2);
            assert.deepEqual(sent('behind it').messages.map((m) => m.content),
                [SYSTEM, 'behind it']);
            assert.deepEqual((await messagesOf(parley, session_id))
                .map((m) => m.content),
            ['behind it', 'You said: behind it']);
        });

    test('takes the streams of its turns, and can be repeated', async () => {
        const session_id = newSession();
        const turns = [];
        for (const message of ['hi', '/history'])
            turns.push((await ask(parley, { message, session_id })).turn_id);
        const other = await run('/help', newSession());
        await result('/clear', session_id);
        for (const turn of turns)
            assertError(await call(parley, `/chat/stream?turn_id=${turn}`),
                404);
        assertWholeTurn(await (await attach(parley, other.turn_id)).all());
        await result('/clear', session_id);
        assert.deepEqual(await messagesOf(parley, session_id), []);
    });

    test('of a session that is not there is no error and makes none',
        async () => {
            const session_id = newSession();
            for (const line of ['/clear', '/forget', '/clearcontext',
                '/getcontext', '/history', '/usage', '/title', '/model'])
                await result(line, session_id);
            assertError(await call(parley, `/sessions/${session_id}`), 404);
        });
});

describe('/forget', () => {
    test('leaves nothing of the session', async () => {
        const session_id = newSession();
        const turns = [];
        for (const message of ['a secret', 'another'])
            turns.push((await ask(parley, { message, session_id })).turn_id);
        for (const line of ['/setcontext A secret.', '/getcontext', '/history',
            '/summarize'])
            turns.push((await run(line, session_id)).turn_id);
        const gone = await run('/forget', session_id);
        assert.equal(gone.result.status, 'success');
        assertError(await call(parley, `/sessions/${session_id}`), 404);
        assertError(await call(parley, `/sessions/${session_id}/messages`),
            404);
        for (const turn of turns) {
            assertError(await call(parley, `/chat/stream?turn_id=${turn}`),
                404);
            assertError(await call(parley, `/chat/turns/${turn}`), 404);
            assertError(await call(parley,
                `/chat/events?turn_id=${turn}&after=0&wait=0`), 404);
        }
        const list = await call(parley, '/sessions?limit=200');
        assert.ok(!list.text.includes(session_id));
        assert.equal(await contextOf(session_id), '');
        const again = await ask(parley, { message: 'anew', session_id });
        assert.equal(again.conversation_length, 2);
    });

    test('lets what waits behind it begin a new session', async () => {
        const session_id = newSession();
        const script = hold(SSE_HEAD);
        replay.on('the last words', script);
        const last = ask(parley, { message: 'the last words', session_id });
        await script.started;
        const forget = run('/forget', session_id);
        await underWay(2);
        const next = ask(parley, { message: 'the first words', session_id });
        await underWay(3);
        script.release(replyEvents(['done']).join(''));
        await last;
        assert.equal((await forget).result.status, 'success');
        assert.equal((await next).conversation_length, 2);
        assert.equal((await messagesOf(parley, session_id)).length, 2);
    });

    test('has a stream that tells how it ended', async () => {
        const s = await askEvents(parley,
            { message: '/forget', session_id: newSession() });
        const events = await s.all();
        assertWholeTurn(events);
        const again = await (await attach(parley, events[0].turn)).all();
        assert.deepEqual(again, events);
    });
});

describe('/model', () => {
    test('says who answers from now on, and "default" takes it back',
        async () => {
            const session_id = newSession();
            const first = await result('/model', session_id);
            assert.deepEqual([first.provider, first.model, first.default],
                ['openai', 'replay-1', true]);
            const set = await result('/model openai/other-model', session_id);
            assert.deepEqual([set.provider, set.model],
                ['openai', 'other-model']);
            assert.equal((await result('/model', session_id)).default, false);
            const body = await ask(parley, { message: 'by other', session_id });
            assert.equal(sent('by other').model, 'other-model');
            assert.equal(body.provider, 'openai');
            await ask(parley, { message: 'by name', session_id,
                model: 'named-here', provider: 'openai' });
            assert.equal(sent('by name').model, 'named-here',
                'the request has the last word');
            await result('/model some-model', session_id);
            await ask(parley, { message: 'not in a catalogue', session_id });
            assert.equal(sent('not in a catalogue').model, 'some-model');
            assert.equal((await call(parley, `/sessions/${session_id}`))
                .body.model, 'some-model');
            const named = await result('/model offline', session_id);
            assert.equal(named.provider, 'offline', 'a provider by its name');
            const off = await ask(parley, { message: 'none', session_id });
            assert.equal(off.provider, 'offline');
            assert.equal(off.model, named.model);
            assert.match((await call(parley, `/sessions/${session_id}`))
                .body.model, /^offline\//);
            await result('/model Default', session_id);
            assert.equal((await result('/model', session_id)).default, true);
            await ask(parley, { message: 'by default', session_id });
            assert.equal(sent('by default').model, 'replay-1');
        });

    test('refuses one that cannot be asked, and changes nothing', async () => {
        const session_id = newSession();
        await result('/model openai/kept', session_id);
        for (const [name, code] of [['gemini', 'provider_not_configured'],
            ['gemini/gemini-pro', 'provider_not_configured'],
            ['x'.repeat(200), 'too_long']]) {
            const { result: r } = await run(`/model ${name}`, session_id);
            assert.equal(r.status, 'error', name);
            assert.equal(r.code, code);
            assert.ok(r.error.length > 0 && r.message.length > 0);
        }
        assert.equal((await result('/model', session_id)).model, 'kept');
    });
});

describe('the rest', () => {
    test('/title sets and shows one', async () => {
        const session_id = newSession();
        const { result: none } = await run('/title', session_id);
        assert.equal(none.title, '');
        await result('/title Bread and "butter" 🥖', session_id);
        assert.equal((await result('/title', session_id)).title,
            'Bread and "butter" 🥖');
        assert.equal((await call(parley, `/sessions/${session_id}`))
            .body.title, 'Bread and "butter" 🥖');
    });

    test('/history shows the last messages, as they are', async () => {
        const session_id = newSession();
        for (const message of ['one', 'two "2"\n', 'three 🥉'])
            await ask(parley, { message, session_id });
        const stored = await messagesOf(parley, session_id);
        for (const [line, n] of [['/history 3', 3], ['/history limit=1', 1],
            ['/history', 6], ['/history limit="100"', 6]]) {
            const { messages } = await result(line, session_id);
            assert.deepEqual(messages, stored.slice(-n).map(
                ({ role, content, timestamp }) =>
                    ({ role, content, timestamp })));
        }
    });

    test('/usage adds up what the providers counted', async () => {
        const session_id = newSession();
        replay.on('count me', async (peer) => peer.end(
            replyWire(['Counted.'], { usage: USAGE })));
        const costs = [];
        for (let i = 0; i < 3; i++) {
            const { usage } = await ask(parley, { message: `count me ${i}`,
                session_id, provider: 'openai', model: 'gpt-4o' });
            assert.ok(usage.cost_usd > 0);
            costs.push(usage.cost_usd);
        }
        await result('/usage', session_id); /* counts nothing itself */
        const r = await result('/usage', session_id);
        assert.equal(r.messages, 6);
        assert.equal(r.usage.input_tokens, 3 * USAGE.prompt_tokens);
        assert.equal(r.usage.output_tokens, 3 * USAGE.completion_tokens);
        assert.ok(Math.abs(r.usage.cost_usd -
            costs.reduce((a, b) => a + b)) < 1e-9);
    });

    test('two readers of one command see the same', async () => {
        const session_id = newSession();
        const s = await askEvents(parley, { message: '/help', session_id });
        const events = await s.all();
        assertWholeTurn(events);
        const turn = events[0].turn;
        assert.deepEqual(await (await attach(parley, turn)).all(), events);
        const rest = await (await attach(parley, turn, `${turn}.1`)).all();
        assert.deepEqual(rest, events.slice(1));
        const nothing = await call(parley, `/chat/stream?turn_id=${turn}`,
            { headers: { 'last-event-id': events.at(-1).id } });
        assert.equal(nothing.status, 204);
        const polled = await call(parley,
            `/chat/events?turn_id=${turn}&after=0&wait=0`);
        assert.equal(polled.body.done, true);
        assert.equal(polled.body.events.length, events.length);
    });

    test('detached, it is read by its turn', async () => {
        const r = await postJson(parley, '/chat',
            { message: '/help', detach: true });
        assert.equal(r.status, 202, r.text);
        const turn = r.body.turn_id;
        const events = await (await attach(parley, turn)).all();
        assertWholeTurn(events);
        assert.equal(events.at(-1).data.command, 'help');
        const { body } = await call(parley, `/chat/turns/${turn}`);
        assert.equal(body.turn_id, turn);
        assert.equal(body.session_id, events[0].data.session_id);
        assert.equal(body.state, 'ended');
        assert.equal(body.message_id, null);
        assertError(await call(parley, `/chat/turns/${turn}/context`), 404);
    });
});
