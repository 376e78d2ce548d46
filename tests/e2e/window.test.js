/* A conversation that outgrows its model: what is left out, what the user is
 * told of it, what the provider's own count changes, and what it all costs.
 * The models are ones of our own, in a file over what is known. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ask, askEvents, assertError, call, messagesOf, newSession, postJson }
    from '../lib/client.js';
import { errorBody } from '../lib/openai_bytes.js';
import { startReplay, status, whole } from '../lib/replay.js';
import { startParley } from '../lib/server.js';
import { assertWholeTurn } from '../lib/sse.js';
import { allWires, WIRES } from '../lib/wires.js';

const WINDOW = 1000;
const RESERVE = 200;
const SYSTEM = 'You are a patient librarian. Answer in one sentence.';
const small = (provider, id, more) => ({ provider, id, context: WINDOW,
    output: RESERVE, ...more });
const MODELS = [
    small('openai', 'small'), small('openai', 'counted'),
    small('openai', 'priced',
        { price: { in: 1.5, cached: 0.375, out: 7 } }),
    small('openai', 'free', { price: { in: 0, cached: 0, out: 0 } }),
    small('openai', 'long', { price: { in: 1, out: 2 },
        price_long: { over: 500, in: 3, out: 5 } }),
    small('anthropic', 'priced-too', { price: { in: 9, out: 11 } }),
];

let folder;
let replay;
let parley;

before(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-models-'));
    const file = path.join(folder, 'models.json');
    fs.writeFileSync(file, JSON.stringify(MODELS, null, 1));
    replay = await startReplay(counting);
    parley = await startParley({ env: {
        ...allWires(replay.port), AI_PROVIDER: 'openai', AI_MODEL: 'small',
        AI_FALLBACK: 'none', MODELS_FILE: file, SYSTEM_PROMPT: SYSTEM,
        UPSTREAM_RETRIES: '1',
    } });
});
after(async () => {
    await parley?.stop();
    await replay?.stop();
    fs.rmSync(folder, { recursive: true, force: true });
});

const words = (n, word = 'book ') => word.repeat(n).trim();

async function contextOf(turn) {
    const r = await call(parley, `/chat/turns/${turn}/context`);
    assert.equal(r.status, 200, r.text);
    return r.body.context;
}

/* A provider that counts as Parley estimates: nothing is to be learnt. */
async function counting(peer, { body }) {
    const input = body.messages.reduce(
        (sum, m) => sum + 4 + Math.ceil(m.content.length / 4), 0);
    peer.end(WIRES.openai.answer('Yes, it is here.', { input, output: 5 }));
}

/* A streamed turn: {events, told: the context event's data or undefined,
 * kept: what can be read afterwards, sent: the messages of each request}. */
async function turn(fields) {
    const s = await askEvents(parley, fields);
    const events = await s.all();
    assertWholeTurn(events);
    const told = events.findLast((e) => e.type === 'context')?.data;
    const kept = await contextOf(events[0].turn);
    const sent = replay.about(fields.message.slice(0, 40))
        .map((r) => r.body.messages);
    return { events, told, kept, sent, end: events.at(-1).data };
}

/* The event says what can be read later, but for what was counted since. */
function assertAgree({ told, kept }) {
    const { type, input_tokens, ...early } = told;
    const { input_tokens: counted, ...late } = kept;
    assert.equal(type, 'context');
    assert.ok(input_tokens === null || input_tokens === counted);
    assert.deepEqual(late, early);
    assert.ok(counted > 0);
}

describe('a long conversation', () => {
    const session_id = newSession();
    const TURNS = 12;

    test('is sent whole as long as it fits, and nothing is said', async () => {
        const t = await turn({ message: 'turn 0: are you there?', session_id });
        assert.equal(t.told, undefined);
        assert.deepEqual({ dropped: t.kept.dropped, cut: t.kept.cut,
            sent: t.kept.sent, shortened: t.kept.shortened },
        { dropped: 0, cut: 0, sent: 1, shortened: false });
        assert.deepEqual(t.sent, [[{ role: 'system', content: SYSTEM },
            { role: 'user', content: 'turn 0: are you there?' }]]);
    });

    test('loses its oldest exchanges when it does not', async () => {
        let last;
        for (let i = 1; i <= TURNS; i++)
            last = await turn({ message: `turn ${i}: ${words(100)}`,
                session_id });
        assertAgree(last);
        const [[system, ...sent]] = last.sent;
        assert.deepEqual(system, { role: 'system', content: SYSTEM });
        assert.equal(sent[0].role, 'user', 'no half of an exchange');
        sent.forEach((m, i) => assert.equal(m.role,
            i % 2 === 0 ? 'user' : 'assistant'));
        assert.equal(sent.at(-1).content, `turn ${TURNS}: ${words(100)}`);
        assert.equal(last.kept.sent, sent.length);
        assert.equal(last.kept.sent + last.kept.dropped, 2 * TURNS + 1);
        assert.ok(sent.length >= 3 && last.kept.dropped >= 2);
        assert.equal(last.kept.window_tokens, WINDOW);
        assert.equal(last.kept.reserve_tokens, RESERVE);
        assert.ok(last.kept.estimated_tokens <= WINDOW - RESERVE);
        assert.equal(last.kept.summarised, false);
        /* What was left out is still there. */
        assert.equal((await messagesOf(parley, session_id)).length,
            2 * TURNS + 2);
    });

    test('a message alone too long keeps its head and its tail', async () => {
        const message = `begin ${words(2000)} end`;
        const t = await turn({ message, session_id });
        assertAgree(t);
        const sent = t.sent[0].at(-1).content;
        assert.match(sent, /^begin book/);
        assert.match(sent, /book end$/);
        assert.ok(sent.length < message.length / 2);
        assert.equal(t.kept.cut, 1);
        assert.equal(t.kept.sent, 1);
        assert.ok(t.kept.estimated_tokens <= WINDOW - RESERVE);
        assert.equal((await messagesOf(parley, session_id)).at(-2).content,
            message);
    });

    test('a system text that leaves no room is an honest error', async () => {
        const message = 'no room';
        const r = await postJson(parley, '/chat',
            { message, context: words(1000) });
        assertError(r, 413, 'context_too_long');
        assert.equal(replay.about(message).length, 0);
    });

    test('more room for the answer leaves less for the question', async () => {
        const t = await turn({ message: 'briefly, please', session_id,
            max_tokens: 30 });
        assert.equal(t.kept.reserve_tokens, 30);
        assert.ok(t.kept.estimated_tokens <= WINDOW - 30);
    });
});

describe('what the provider counts', () => {
    test('corrects the estimate for the model', async () => {
        const session_id = newSession();
        const ask1 = { message: `count 1 ${words(300)}`, model: 'counted',
            session_id };
        const plain = Math.round(ask1.message.length / 4);
        replay.on('count 1', whole(WIRES.openai.answer('Counted.',
            { input: plain * 2, output: 2 })));
        const one = await turn(ask1);
        assert.equal(one.kept.input_tokens, plain * 2);
        const two = await turn({ message: `count 2 ${words(300)}`,
            model: 'counted' });
        assert.ok(two.kept.estimated_tokens > one.kept.estimated_tokens * 1.5,
            `${one.kept.estimated_tokens} -> ${two.kept.estimated_tokens}`);
        /* So less fits: this conversation would, by the first estimate. */
        const three = await turn({ message: `count 3 ${words(240)}`,
            model: 'counted', session_id });
        assertAgree(three);
        assert.ok(three.kept.dropped + three.kept.cut > 0);
        /* And of another model nothing was learnt. */
        const other = await turn({ message: `count 2 ${words(300)}` });
        assert.equal(other.kept.estimated_tokens, one.kept.estimated_tokens);
    });
});

/* Each provider's way to say so. */
const TOO_LONG = {
    openai: [400, errorBody('This model\'s maximum context length is 1000 ' +
        'tokens.', 'invalid_request_error', 'context_length_exceeded')],
    huggingface: [422, { error: 'Input validation error: `inputs` must have ' +
        'less than 4096 tokens. Given: 4545', error_type: 'validation' }],
    anthropic: [400, { type: 'error', error: { type: 'invalid_request_error',
        message: 'prompt is too long: 210000 tokens > 200000 maximum' } }],
    gemini: [400, { error: { code: 400, status: 'INVALID_ARGUMENT', message:
        'The input token count (1200000) exceeds the maximum number of ' +
        'tokens allowed (1048576).' } }],
    bedrock: [400, { message: 'Input is too long for requested model.' }],
    ollama: [400, { error: 'the input length exceeds the context length' }],
};

describe('a provider that finds it too long', () => {
    const history = Array.from({ length: 10 }, (_, i) => [
        { role: 'user', content: `${i}: ${words(50)}` },
        { role: 'assistant', content: words(50, 'shelf ') }]).flat();
    const bytes = (r) => JSON.stringify(r.body).length;

    for (const [provider, [code, body]] of Object.entries(TOO_LONG))
        test(`${provider} is asked once more, with less`, async () => {
            const message = `too long for ${provider}`;
            replay.on(message, status(code, {}, body),
                whole(WIRES[provider].answer('Better.')));
            const s = await askEvents(parley, { message, provider, history,
                model: `long-${provider}` });
            const events = await s.all();
            assertWholeTurn(events);
            assert.equal(events.at(-1).type, 'response_complete');
            assert.equal(s.text(), 'Better.');
            const asked = replay.about(message);
            assert.equal(asked.length, 2);
            assert.ok(bytes(asked[1]) < bytes(asked[0]) * 0.8,
                `${bytes(asked[0])} -> ${bytes(asked[1])}`);
            const told = events.findLast((e) => e.type === 'context').data;
            const kept = await contextOf(events[0].turn);
            assertAgree({ told, kept });
            assert.equal(kept.shortened, true);
            assert.ok(kept.dropped > 0);
            assert.equal(kept.input_tokens, 7);
            assert.deepEqual(events.at(-1).data.notes, []);
        });

    test('twice is an error that says so', async () => {
        const message = 'too long for ever';
        replay.on(message, status(...[TOO_LONG.openai[0], {},
            TOO_LONG.openai[1]]));
        const r = await postJson(parley, '/chat', { message, history });
        assertError(r, 422, 'context_too_long');
        assert.equal(replay.about(message).length, 2);
        assert.doesNotMatch(r.text, /maximum context length/);
    });

    test('a message without a history is made shorter itself', async () => {
        const message = `too long alone ${words(150)} end`;
        replay.on('too long alone', status(TOO_LONG.openai[0], {},
            TOO_LONG.openai[1]), whole(WIRES.openai.answer('Better.')));
        const t = await turn({ message });
        assert.equal(t.end.message, 'Better.');
        const [one, two] = t.sent.map((m) => m.at(-1).content);
        assert.equal(one, message);
        assert.match(two, /^too long alone/);
        assert.match(two, /end$/);
        assert.ok(two.length < one.length * 0.8);
        assert.equal(t.kept.cut, 1);
    });
});

describe('another provider, asked instead', () => {
    test('is sent what fits its own window', async () => {
        const chain = await startParley({ env: {
            ...allWires(replay.port), AI_PROVIDER: 'openai', AI_MODEL: 'small',
            AI_FALLBACK: 'anthropic/claude-sonnet-4-5',
            MODELS_FILE: path.join(folder, 'models.json'),
        } });
        const message = 'who takes it all?';
        const history = Array.from({ length: 12 }, (_, i) => [
            { role: 'user', content: `${i}: ${words(60)}` },
            { role: 'assistant', content: words(60, 'shelf ') }]).flat();
        try {
            replay.on(message, status(401, {}, errorBody('no')),
                whole(WIRES.anthropic.answer('I do.',
                    { input: 4000, output: 2 })));
            const s = await askEvents(chain, { message, history });
            const events = await s.all();
            assertWholeTurn(events);
            assert.equal(s.text(), 'I do.');
            const [cut, all] = replay.about(message).map((r) =>
                r.body.messages.length);
            assert.ok(cut < history.length, `${cut}`);
            assert.equal(all, history.length + 1);
            const r = await call(chain,
                `/chat/turns/${events[0].turn}/context`);
            const { context } = r.body;
            assert.equal(context.provider, 'anthropic');
            assert.equal(context.sent, all);
            assert.equal(context.dropped, 0);
            assert.equal(context.window_tokens, 200000);
            assert.equal(context.input_tokens, 4000);
            for (const { data } of events.filter((e) => e.type === 'context'))
                assert.deepEqual({ provider: data.provider,
                    dropped: data.dropped },
                { provider: 'anthropic', dropped: 0 });
        } finally {
            await chain.stop();
        }
    });
});

describe('what it costs, in millionths of a dollar', () => {
    const micro = (usd) => Math.round(usd * 1e6);
    const counted = (message, usage) => replay.on(message, whole(
        WIRES.openai.answer('Paid.', usage)));
    const sessionCost = async (id) => {
        const r = await call(parley, `/sessions/${id}`);
        assert.equal(r.status, 200, r.text);
        return r.body.cost_usd;
    };

    test('is that of its tokens, added up for the session', async () => {
        const session_id = newSession();
        counted('pay 1', { input: 1000, output: 100 });
        counted('pay 2', { input: 1, output: 0 });
        const one = await ask(parley,
            { message: 'pay 1', session_id, model: 'priced' });
        assert.equal(micro(one.usage.cost_usd), 1000 * 1.5 + 100 * 7);
        const two = await ask(parley,
            { message: 'pay 2', session_id, model: 'priced' });
        assert.equal(micro(two.usage.cost_usd), 2); /* 1.5, rounded */
        assert.equal(micro(await sessionCost(session_id)), 2202);
        const costs = (await messagesOf(parley, session_id))
            .map((m) => m.usage?.cost_usd);
        assert.deepEqual(costs, [undefined, one.usage.cost_usd,
            undefined, two.usage.cost_usd]);
    });

    test('what came from the provider\'s cache costs less', async () => {
        counted('pay less', { input: 1000, output: 10, cached: 800 });
        const { usage } = await ask(parley,
            { message: 'pay less', model: 'priced' });
        assert.equal(usage.cached_tokens, 800);
        assert.equal(micro(usage.cost_usd), 200 * 1.5 + 800 * 0.375 + 70);
    });

    test('a long prompt has a price of its own', async () => {
        counted('pay short', { input: 500, output: 10 });
        counted('pay long', { input: 501, output: 10 });
        const costs = [];
        for (const message of ['pay short', 'pay long'])
            costs.push(micro((await ask(parley, { message, model: 'long' }))
                .usage.cost_usd));
        assert.deepEqual(costs, [520, 1553]);
    });

    test('nothing is nothing, and not known is not known', async () => {
        counted('pay nothing', { input: 1000, output: 10 });
        const free = await ask(parley,
            { message: 'pay nothing', model: 'free' });
        assert.equal(free.usage.cost_usd, 0);
        const unknown = await ask(parley,
            { message: 'pay nothing', model: 'never-heard-of' });
        assert.equal(unknown.usage.cost_usd, null);
    });

    test('whoever answered is paid', async () => {
        const chain = await startParley({ env: {
            ...allWires(replay.port), AI_PROVIDER: 'openai',
            AI_MODEL: 'priced', AI_FALLBACK: 'anthropic/priced-too',
            MODELS_FILE: path.join(folder, 'models.json'),
        } });
        try {
            replay.on('pay who', status(401, {}, errorBody('no')),
                whole(WIRES.anthropic.answer('Paid.',
                    { input: 1000, output: 100 })));
            const body = await ask(chain, { message: 'pay who' });
            assert.equal(body.provider, 'anthropic');
            assert.equal(micro(body.usage.cost_usd), 1000 * 9 + 100 * 11);
        } finally {
            await chain.stop();
        }
    });
});
