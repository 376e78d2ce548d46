/* When a provider stumbles: the next one of the chain is asked, and the reply
 * says so; one that fails again and again is left alone for a while; nobody is
 * asked again before it wants to be; and all of it takes no longer than one
 * answer may. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ask, askEvents, assertError, call, messagesOf, metric, newSession,
    postJson } from '../lib/client.js';
import { errorBody, replyEvents, SSE_HEAD, statusWire, textEvent }
    from '../lib/openai_bytes.js';
import { drip, hold, silence, startReplay, status, whole }
    from '../lib/replay.js';
import { startParley } from '../lib/server.js';
import { assertWholeTurn } from '../lib/sse.js';
import { inParallel, until } from '../lib/wait.js';
import { WIRES } from '../lib/wires.js';

const FIRST = whole(WIRES.openai.answer('from the first'));
const SECOND = whole(WIRES.anthropic.answer('from the second'));
const fails = (code, headers = {}, ...body) =>
    status(code, headers, errorBody('no', ...body));

let first; /* plays OpenAI */
let second; /* plays Anthropic, Gemini and Hugging Face */

before(async () => {
    first = await startReplay(FIRST);
    second = await startReplay(SECOND);
});
after(async () => {
    await first?.stop();
    await second?.stop();
});

const chain = () => ({
    AI_PROVIDER: 'openai', AI_MODEL: 'first-1', ...WIRES.openai.env(first.port),
    ...WIRES.anthropic.env(second.port), ...WIRES.gemini.env(second.port),
    AI_FALLBACK: 'anthropic/second-1, offline',
});

const times = (replay, word) => replay.about(word).length;
const notesOf = (body) => body.notes.filter((n) => n.code === 'fallback');

const metricOf = (name) => `parley_provider_circuit{provider="${name}"}`;

async function providerStatus(parley, name) {
    const r = await call(parley, '/status');
    assert.equal(r.status, 200, r.text);
    return r.body.providers.find((p) => p.name === name);
}

describe('the chain', () => {
    let parley;

    before(async () => {
        parley = await startParley({ env: {
            ...chain(), UPSTREAM_RETRIES: '2', UPSTREAM_FIRST_BYTE_MS: '700',
            UPSTREAM_IDLE_MS: '700',
        } });
    });
    after(async () => { await parley?.stop(); });

    test('retries are spent, then the next one answers and says so',
        async () => {
            const session_id = newSession();
            const before = await metric(parley, 'parley_fallbacks_total');
            first.on('storm', fails(429, { 'retry-after-ms': '30' }));
            const body = await ask(parley, { message: 'storm', session_id });
            assert.equal(body.message, 'from the second');
            assert.equal(body.provider, 'anthropic');
            assert.equal(body.model, 'claude-replay');
            assert.equal(body.finish_reason, 'stop');
            assert.equal(times(first, 'storm'), 3);
            assert.equal(times(second, 'storm'), 1);
            assert.equal(second.about('storm')[0].body.model, 'second-1');
            const notes = notesOf(body);
            assert.equal(notes.length, 1);
            assert.match(notes[0].message, /openai.*anthropic/);
            assert.equal(await metric(parley, 'parley_fallbacks_total'),
                before + 1);

            const stored = (await messagesOf(parley, session_id)).at(-1);
            assert.deepEqual(stored.notes, body.notes);
            assert.equal(stored.provider, 'anthropic');
            assert.equal(stored.model, 'claude-replay');
            const seen = await call(parley,
                `/chat/turns/${body.turn_id}/context`);
            assert.equal(seen.status, 200, seen.text);
            assert.equal(seen.body.provider, 'anthropic');
            assert.equal(seen.body.context.provider, 'anthropic');
            assert.equal(seen.body.context.model, 'second-1');
        });

    test('a stream names the first one at its start, the one that answered ' +
        'at its end', async () => {
        first.on('streamed', fails(503, { 'retry-after-ms': '1' }));
        const s = await askEvents(parley, { message: 'streamed' });
        assertWholeTurn(await s.all());
        const [start, end] = [s.events[0], s.events.at(-1)];
        assert.equal(start.data.provider, 'openai');
        assert.equal(start.data.model, 'first-1');
        assert.equal(end.type, 'response_complete');
        assert.equal(end.data.provider, 'anthropic');
        assert.equal(end.data.model, 'claude-replay');
        assert.equal(notesOf(end.data).length, 1);
        assert.equal(s.text(), 'from the second');
        assert.deepEqual(end.data.usage,
            { input_tokens: 7, output_tokens: 3, cached_tokens: null,
                cost_usd: end.data.usage.cost_usd });
    });

    const atOnce = {
        'a bad request': fails(400),
        'a bad key': fails(401),
        'an unpaid bill': fails(402),
        'no right to it': fails(403),
        'a model that is not there': fails(404, {}, 'invalid_request_error',
            'model_not_found'),
        'want of money': fails(429, {}, 'insufficient_quota',
            'insufficient_quota'),
        'a wait of an hour': fails(429, { 'Retry-After': '3600' }),
        'a refusal for good': fails(500, { 'x-should-retry': 'false' }),
        'a web page': whole(statusWire(200, { 'Content-Type': 'text/html' },
            '<html>hello</html>')),
        'an error in the stream before any text': whole(Buffer.from(
            `${SSE_HEAD}data: ${JSON.stringify(errorBody('overloaded'))}\n\n`)),
        'silence': silence(),
    };
    for (const [word, script] of Object.entries(atOnce))
        test(`${word} moves on at once`, async () => {
            first.on(word, script);
            const body = await ask(parley, { message: word });
            assert.equal(body.provider, 'anthropic');
            assert.equal(notesOf(body).length, 1);
            assert.equal(times(first, word), 1);
            assert.equal(times(second, word), 1);
        });

    test('nobody at all: the last of the chain, and a note for each',
        async () => {
            first.on('everyone', fails(401));
            second.on('everyone', fails(401));
            const body = await ask(parley, { message: 'everyone' });
            assert.equal(body.provider, 'offline');
            assert.ok(body.message.length > 0);
            const notes = notesOf(body);
            assert.equal(notes.length, 2);
            assert.match(notes[0].message, /openai.*anthropic/);
            assert.match(notes[1].message, /anthropic.*offline/);
            assert.equal(body.usage.input_tokens, null);
        });

    test('a provider that was named has the chain behind it, and is not ' +
        'asked twice', async () => {
        second.on('by name', fails(401));
        const body = await ask(parley, { message: 'by name',
            provider: 'anthropic', model: 'second-1' });
        assert.equal(body.provider, 'offline');
        assert.equal(times(second, 'by name'), 1);
        assert.equal(times(first, 'by name'), 0);
    });

    const part = replyEvents(['shown']).slice(0, 2).join('');
    const thought = `data: ${JSON.stringify({ choices: [{ index: 0,
        delta: { reasoning_content: 'hm' } }] })}\n\n`;
    const begun = {
        'a word': [whole(SSE_HEAD + part), 'shown'],
        'half a text and a reset': [hold(SSE_HEAD + part), 'shown', true],
        'some words and nothing more': [hold(SSE_HEAD + textEvent('shown')),
            'shown'],
        'a thought': [whole(SSE_HEAD + thought), ''],
    };
    for (const [word, [script, text, reset]] of Object.entries(begun))
        test(`after ${word} nobody else is asked`, async () => {
            first.on(word, script);
            const session_id = newSession();
            const s = await askEvents(parley, { message: word, session_id });
            if (reset) {
                await s.event('response_chunk'); /* else it may be overtaken */
                (await script.started).reset();
            }
            const last = (await s.all()).at(-1);
            assert.equal(last.type, 'error');
            assert.equal(last.data.retryable, true);
            assert.equal(last.data.provider, 'openai');
            assert.equal(last.data.finish_reason, 'incomplete');
            assert.equal(s.text(), text);
            assert.equal(times(first, word), 1);
            assert.equal(times(second, word), 0);
            const stored = (await messagesOf(parley, session_id)).at(-1);
            assert.equal(stored.finish_reason, 'incomplete');
        });

    test('Gemini says in the body when to come back', async () => {
        const wait = (delay) => status(429, {}, { error: { code: 429,
            status: 'RESOURCE_EXHAUSTED', message: 'slow down', details: [
                { '@type': 'type.googleapis.com/google.rpc.RetryInfo',
                    retryDelay: delay }] } });
        second.on('google', wait('1.2s'), wait('0.4s'),
            whole(WIRES.gemini.answer('from Google')));
        const body = await ask(parley,
            { message: 'google', provider: 'gemini', model: 'g-1' });
        assert.equal(body.message, 'from Google');
        assert.equal(body.provider, 'gemini');
        const at = second.about('google').map((r) => r.at);
        assert.equal(at.length, 3);
        assert.ok(at[1] - at[0] >= 1200, `${at[1] - at[0]}`);
        assert.ok(at[2] - at[1] >= 400, `${at[2] - at[1]}`);
    });

    /* Each turn is told another time twice; a tenth of them for ever. */
    test('a hundred at once: none is asked again earlier than told',
        async () => {
            const told = new Map(); /* message -> [when it may ask again] */
            const early = [];
            first.on('wave', async (peer, request) => {
                const word = request.body.messages.at(-1).content;
                const asked = told.get(word) ?? [];
                const n = Number(word.split(' ')[1]);
                if (asked.length > 0 && request.at < asked.at(-1))
                    early.push(`${word}: ${asked.at(-1) - request.at} ms`);
                told.set(word, asked);
                if (asked.length === 2 && n % 10 !== 0) {
                    peer.end(WIRES.openai.answer(`the answer to ${n}`));
                    return;
                }
                const ms = asked.length === 0 ? 1000 : 300 + 7 * n;
                asked.push(performance.now() + ms);
                peer.end(statusWire(429, asked.length === 1
                    ? { 'Retry-After': '1' } : { 'retry-after-ms': `${ms}` },
                errorBody('slow down')));
            });
            const replies = await inParallel([...Array(100).keys()], 100,
                (n) => postJson(parley, '/chat', { message: `wave ${n} end` }));
            replies.forEach((r, n) => {
                assert.equal(r.status, 200, r.text);
                assert.equal(r.body.message, n % 10 === 0
                    ? 'from the second' : `the answer to ${n}`);
                assert.equal(notesOf(r.body).length, n % 10 === 0 ? 1 : 0);
            });
            assert.deepEqual(early, []);
            assert.equal(times(first, 'wave'), 300);
            assert.equal(times(second, 'wave'), 10);
        });
});

describe('without a chain of one\'s own', () => {
    test('OpenAI stands in for Hugging Face; nobody does if none is wanted',
        async () => {
            const env = { AI_PROVIDER: 'hf', ...WIRES.openai.env(first.port),
                ...WIRES.huggingface.env(second.port), UPSTREAM_RETRIES: '0' };
            second.on('asleep', fails(503));
            const parley = await startParley({ env });
            try {
                const body = await ask(parley, { message: 'asleep' });
                assert.equal(body.message, 'from the first');
                assert.equal(body.provider, 'openai');
                assert.match(notesOf(body)[0].message, /huggingface.*openai/);
            } finally {
                await parley.stop();
            }
            const alone = await startParley({
                env: { ...env, AI_FALLBACK: 'none' } });
            try {
                assertError(await postJson(alone, '/chat',
                    { message: 'asleep' }), 502);
            } finally {
                await alone.stop();
            }
        });

    test('a hundred refused at once: each waits as told, then says so',
        async () => {
            const alone = await startParley({ env: {
                ...chain(), AI_FALLBACK: 'none', UPSTREAM_RETRIES: '1',
            } });
            const again = new Map(); /* message -> when it may ask */
            const early = [];
            first.on('no room', async (peer, request) => {
                const word = request.body.messages.at(-1).content;
                if (request.at < (again.get(word) ?? 0))
                    early.push(word);
                const ms = 200 + again.size;
                again.set(word, performance.now() + ms);
                peer.end(statusWire(429, { 'retry-after-ms': `${ms}` },
                    errorBody('slow down')));
            });
            try {
                const replies = await inParallel([...Array(100).keys()], 100,
                    (n) => postJson(alone, '/chat',
                        { message: `no room ${n} left` }));
                for (const r of replies) {
                    assertError(r, 429, 'provider_rate_limited');
                    assert.match(r.headers.get('retry-after'), /^[1-9]\d*$/);
                }
                assert.deepEqual(early, []);
                assert.equal(times(first, 'no room'), 200);
                assert.equal((await providerStatus(alone, 'openai')).circuit,
                    'closed');
                assert.equal((await ask(alone, { message: 'room again' }))
                    .message, 'from the first');
            } finally {
                await alone.stop();
            }
        });
});

describe('the circuit', () => {
    const OPEN_MS = 500;
    let parley;

    before(async () => {
        parley = await startParley({ env: {
            ...chain(), AI_FALLBACK: 'none', UPSTREAM_RETRIES: '0',
            CIRCUIT_OPEN_MS: String(OPEN_MS),
        } });
    });
    after(async () => { await parley?.stop(); });

    const post = (message, more) =>
        postJson(parley, '/chat', { message, ...more });
    const circuit = async (name = 'openai') =>
        (await providerStatus(parley, name)).circuit;
    const halfOpen = () => until('the circuit to let one through',
        async () => await circuit() === 'half_open');

    async function open(word) {
        first.on(word, fails(503));
        for (let i = 0; i < 5; i++) {
            assert.equal(await circuit(), 'closed');
            assertError(await post(word), 502);
        }
        assert.equal(await circuit(), 'open');
    }

    test('five failures open it, and the next is not asked', async () => {
        assert.equal(await circuit(), 'closed');
        assert.equal(await metric(parley, 'parley_circuits_open'), 0);
        await open('down');
        assert.equal(await metric(parley, 'parley_circuits_open'), 1);
        assert.equal(await metric(parley, metricOf('openai')), 2);
        assert.equal(await metric(parley, metricOf('anthropic')), 0);
        const r = await post('down');
        assertError(r, 503, 'provider_down');
        assert.match(r.headers.get('retry-after'), /^[1-9]\d*$/);
        assert.equal(times(first, 'down'), 5);
        /* The others have circuits of their own. */
        assert.equal(await circuit('anthropic'), 'closed');
        assert.equal((await post('well', { provider: 'anthropic',
            model: 'second-1' })).status, 200);
    });

    test('one that fails keeps it open, one that is answered closes it',
        async () => {
            await halfOpen();
            assertError(await post('down'), 502);
            assert.equal(times(first, 'down'), 6);
            assert.equal(await circuit(), 'open');
            assertError(await post('down'), 503, 'provider_down');
            await halfOpen();
            assert.equal(await metric(parley, metricOf('openai')), 1);
            assert.equal((await post('up again')).status, 200);
            assert.equal(await circuit(), 'closed');
            assert.equal(await metric(parley, 'parley_circuits_open'), 0);
            assert.equal(await metric(parley, metricOf('openai')), 0);
        });

    test('of many at once, one is let through; its first word lets the ' +
        'others ask', async () => {
        await open('again down');
        await halfOpen();
        const script = hold(SSE_HEAD);
        first.on('the one', script);
        const one = await askEvents(parley, { message: 'the one' });
        await script.started;
        for (const r of await Promise.all([post('a'), post('b'), post('c')]))
            assertError(r, 503, 'provider_down');
        const [peer] = first.about('the one').map((r) => r.peer);
        await peer.write(textEvent('Alive'));
        await one.event('response_chunk');
        assert.equal(await circuit(), 'closed');
        assert.equal((await post('d')).status, 200);
        script.release(Buffer.from(replyEvents([], {}).join('')));
        assert.equal((await one.all()).at(-1).type, 'response_complete');
    });

    test('with a chain the next one answers at once, and a note says why',
        async () => {
            const other = await startParley({ env: {
                ...chain(), UPSTREAM_RETRIES: '0', CIRCUIT_OPEN_MS: '600000',
            } });
            try {
                first.on('dead', fails(500));
                const codes = [];
                for (let i = 0; i < 7; i++) {
                    const body = await ask(other, { message: `dead ${i}` });
                    assert.equal(body.message, 'from the second');
                    codes.push(/\((\w+)\)/.exec(notesOf(body)[0].message)[1]);
                }
                assert.deepEqual(codes, [...Array(5).fill('provider_failed'),
                    'provider_down', 'provider_down']);
                assert.equal(times(first, 'dead'), 5);
                assert.equal((await providerStatus(other, 'openai')).circuit,
                    'open');
            } finally {
                await other.stop();
            }
        });

    test('a key that is wrong opens nothing, nor does a limit', async () => {
        first.on('locked', fails(401));
        first.on('busy', fails(429));
        for (let i = 0; i < 6; i++) {
            await post('locked');
            await post('busy');
        }
        assert.equal(await circuit(), 'closed');
    });
});

describe('the time for all of it', () => {
    const TOTAL_MS = 1500;
    let parley;

    before(async () => {
        parley = await startParley({ env: {
            ...chain(), UPSTREAM_RETRIES: '9', UPSTREAM_TOTAL_MS:
                String(TOTAL_MS),
        } });
    });
    after(async () => { await parley?.stop(); });

    test('no try begins that it has no time for', async () => {
        first.on('patience', fails(429, { 'Retry-After': '1' }));
        const began = performance.now();
        const body = await ask(parley, { message: 'patience' });
        assert.equal(body.provider, 'anthropic');
        assert.equal(times(first, 'patience'), 2); /* not a third at 2 s */
        assert.ok(performance.now() - began < 5000);
    });

    test('when it is over, only a local answer is left', async () => {
        first.on('dripping', drip(Buffer.from(SSE_HEAD + ': wait\n'.repeat(99)),
            7, 100));
        const began = performance.now();
        const body = await ask(parley, { message: 'dripping' });
        const ms = performance.now() - began;
        assert.ok(ms >= TOTAL_MS && ms < TOTAL_MS + 5000, `${ms}`);
        assert.equal(body.provider, 'offline');
        assert.equal(times(second, 'dripping'), 0);
        assert.match(notesOf(body)[0].message, /provider_timeout/);
    });

    test('an answer that began is cut there, and kept', async () => {
        first.on('endless', async (peer) => {
            await peer.write(SSE_HEAD);
            while (!peer.gone) {
                await peer.write(textEvent('more '));
                await new Promise((r) => { setTimeout(r, 50); });
            }
        });
        const s = await askEvents(parley, { message: 'endless' });
        const last = (await s.all()).at(-1);
        assert.equal(last.type, 'error');
        assert.equal(last.data.code, 'provider_timeout');
        assert.equal(last.data.finish_reason, 'incomplete');
        assert.match(last.data.content, /^(more )+$/);
    });
});
