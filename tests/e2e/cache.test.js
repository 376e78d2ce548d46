/* Answers that are kept: an equal question is not paid for twice, if that is
 * wanted; nobody is given the answer to another question, and only whole
 * answers are kept. */

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { ask, askEvents, call, messagesOf, metric, newSession, postJson,
    serving } from '../lib/client.js';
import { errorBody, replyEvents, replyWire, SSE_HEAD, textEvent }
    from '../lib/openai_bytes.js';
import { echo, hold, startReplay, status, whole } from '../lib/replay.js';
import { startParley } from '../lib/server.js';
import { assertWholeTurn } from '../lib/sse.js';
import { until } from '../lib/wait.js';

const MODEL = 'gpt-4o'; /* one whose price is known */
const USAGE = { prompt_tokens: 1000, completion_tokens: 100,
    total_tokens: 1100 };
const NAMES = ['hits', 'misses'].map((n) => `parley_cache_${n}_total`);

let replay;
let parley;
let counts; /* of hits and misses, before the test */

const start = (more) => startParley({ env: { ...replay.env(),
    AI_MODEL: MODEL, UPSTREAM_RETRIES: '0', ...more } });

/* The provider never says the same thing twice. */
let said = 0;
const anew = async (peer) => peer.end(replyWire([`answer ${++said}`],
    { model: MODEL, usage: USAGE }));

before(async () => { replay = await startReplay(anew); });
after(async () => { await replay?.stop(); });

const times = (word) => replay.about(word).length;
const isHit = (body) => body.notes.some((n) => n.code === 'cached');
const counted = async () => Promise.all(NAMES.map((n) => metric(parley, n)));

async function assertCounts(hits, misses) {
    assert.deepEqual(await counted(), [counts[0] + hits, counts[1] + misses]);
}

describe('without a setting', () => {
    before(async () => { parley = await start(); });
    after(async () => { await parley?.stop(); });

    test('each question is asked', async () => {
        const one = await ask(parley, { message: 'plain' });
        const two = await ask(parley, { message: 'plain' });
        assert.notEqual(two.message, one.message);
        assert.deepEqual(two.notes, []);
        assert.equal(times('plain'), 2);
        assert.deepEqual(await counted(), [0, 0]);
        assert.equal(await metric(parley, 'parley_cache_bytes'), 0);
    });
});

describe('with a time', () => {
    before(async () => {
        parley = await start({ CACHE_TTL_S: '600', CACHE_MIB: '1' });
    });
    after(async () => { await parley?.stop(); });
    beforeEach(async () => { counts = await counted(); });

    test('the same question in a new session is answered alike and costs ' +
        'nothing', async () => {
        const names = ['parley_upstream_requests_total',
            'parley_output_tokens_total'];
        const one = await ask(parley, { message: 'first' });
        const asked = await Promise.all(names.map((n) => metric(parley, n)));
        const session_id = newSession();
        const two = await ask(parley, { message: 'first', session_id });
        assert.equal(times('first'), 1);
        assert.ok(one.usage.cost_usd > 0);
        assert.equal(isHit(one), false);

        assert.equal(two.message, one.message);
        assert.equal(two.provider, one.provider);
        assert.equal(two.model, MODEL);
        assert.equal(two.finish_reason, 'stop');
        assert.equal(two.conversation_length, 2);
        assert.notEqual(two.message_id, one.message_id);
        assert.equal(isHit(two), true);
        assert.equal(two.notes.length, 1);
        assert.match(two.notes[0].message, /kept/);
        assert.deepEqual(two.usage, { input_tokens: 1000, output_tokens: 100,
            cached_tokens: null, cost_usd: 0 });
        await assertCounts(1, 1);
        assert.ok(await metric(parley, 'parley_cache_bytes') > 0);
        assert.deepEqual(await Promise.all(names.map(
            (n) => metric(parley, n))), asked);

        const stored = await messagesOf(parley, session_id);
        assert.deepEqual(stored.map((m) => m.content), ['first', one.message]);
        assert.deepEqual(stored[1].notes, two.notes);
        assert.equal(stored[1].finish_reason, 'stop');
        assert.equal(stored[1].usage.cost_usd, 0);
        const { body } = await call(parley, `/sessions/${session_id}`);
        assert.equal(body.cost_usd, 0);
    });

    test('the conversation goes on behind a kept answer', async () => {
        const session_id = newSession();
        const { message } = await ask(parley, { message: 'to go on' });
        await ask(parley, { message: 'to go on', session_id });
        await ask(parley, { message: 'and then', session_id });
        assert.deepEqual((await replay.request('and then')).body.messages
            .filter((m) => m.role !== 'system').map((m) => m.content),
        ['to go on', message, 'and then']);
        await assertCounts(1, 2);
    });

    test('a kept answer streams like any other, however long it is',
        async () => {
            const text = 'A long answer, Grüße 👩‍👩‍👧. '.repeat(15000);
            const thought = `data: ${JSON.stringify({ choices: [{ index: 0,
                delta: { reasoning_content: 'Let me see.' } }] })}\n\n`;
            replay.on('in pieces', whole(SSE_HEAD + thought +
                replyEvents([text]).join('')));
            const one = await askEvents(parley, { message: 'in pieces' });
            await one.all();
            const two = await askEvents(parley, { message: 'in pieces' });
            assertWholeTurn(await two.all());
            const end = two.events.at(-1);
            assert.equal(end.type, 'response_complete');
            assert.equal(isHit(end.data), true);
            assert.equal(end.data.content, text);
            assert.equal(two.text(), text);
            assert.equal(two.events.filter(
                (e) => e.type === 'reasoning_chunk')
                .map((e) => e.data.content).join(''), 'Let me see.');
            assert.equal(times('in pieces'), 1);
            /* It can be read again, as any turn. */
            const again = await call(parley,
                `/chat/turns/${end.data.turn_id}/context`);
            assert.equal(again.status, 200, again.text);
        });

    test('how the answer is to be given does not matter', async () => {
        const s = await askEvents(parley, { message: 'anyhow' });
        await s.all();
        const body = await ask(parley, { message: 'anyhow' });
        assert.equal(body.message, s.text());
        assert.equal(isHit(body), true);
        const text = await call(parley, '/chat', { method: 'POST',
            headers: { accept: 'text/plain' },
            body: new URLSearchParams({ message: 'anyhow' }) });
        assert.ok(text.text.includes(s.text()));
        assert.equal(times('anyhow'), 1);
    });

    const others = {
        'another text': { message: 'equal?' },
        'a history': { history: [{ role: 'user', content: 'before' },
            { role: 'assistant', content: 'that' }] },
        'a context': { context: 'You are a pirate.' },
        'another model': { model: 'gpt-4o-mini' },
        'a temperature': { temperature: 0.5 },
        'a limit': { max_tokens: 50 },
    };
    for (const [what, fields] of Object.entries(others))
        test(`${what} makes it another question`, async () => {
            const word = `equal ${what}`;
            await ask(parley, { message: word });
            const message = fields.message ? `${word} ${fields.message}` : word;
            for (const hit of [false, true]) {
                const body = await ask(parley, { ...fields, message });
                assert.equal(isHit(body), hit);
            }
            assert.equal(times(word), 2);
            await assertCounts(1, 2);
        });

    test('another provider is another question, and a fallback\'s answer ' +
        'is its own', async () => {
        const other = await startReplay(whole(replyWire(['from the other'])));
        const apart = await start({ CACHE_TTL_S: '600',
            HF_API_KEY: 'key-hf', HF_BASE_URL: other.url,
            AI_FALLBACK: `huggingface/${MODEL}` });
        try {
            replay.on('fell', status(401, {}, errorBody('no')), anew);
            const one = await ask(apart, { message: 'fell' });
            assert.equal(one.message, 'from the other');
            const two = await ask(apart, { message: 'fell' });
            assert.match(two.message, /^answer/);
            assert.equal(isHit(two), false);
            const three = await ask(apart, { message: 'fell',
                provider: 'huggingface', model: MODEL });
            assert.equal(three.message, 'from the other');
            assert.equal(isHit(three), true);
            assert.equal(other.about('fell').length, 1);
        } finally {
            await apart.stop();
            await other.stop();
        }
    });

    const call1 = `data: ${JSON.stringify({ choices: [{ index: 0, delta: {
        tool_calls: [{ index: 0, id: 'call_1', type: 'function',
            function: { name: 'now', arguments: '{}' } }] } }] })}\n\n`;
    const unfit = {
        'one at its limit': replyEvents(['too lo'], { finish: 'length' }),
        'one that was filtered': replyEvents(['no'],
            { finish: 'content_filter' }),
        'one that calls a tool': [textEvent('Let me see.'), call1,
            ...replyEvents([], { finish: 'tool_calls' })],
        'one without words': replyEvents([]),
        'one that broke off': replyEvents(['half']).slice(0, 2),
    };
    for (const [what, events] of Object.entries(unfit))
        test(`${what} is not kept`, async () => {
            const bytes = await metric(parley, 'parley_cache_bytes');
            replay.on(what, whole(SSE_HEAD + events.join('')));
            for (let i = 0; i < 2; i++) {
                const s = await askEvents(parley, { message: what });
                assert.equal(isHit((await s.all()).at(-1).data), false);
            }
            assert.equal(times(what), 2);
            await assertCounts(0, 2);
            assert.equal(await metric(parley, 'parley_cache_bytes'), bytes);
        });

    test('an error is not kept', async () => {
        replay.on('failing', status(400, {}, errorBody('no')), anew);
        assert.notEqual((await postJson(parley, '/chat',
            { message: 'failing' })).status, 200);
        assert.equal(isHit(await ask(parley, { message: 'failing' })), false);
        assert.equal(isHit(await ask(parley, { message: 'failing' })), true);
        assert.equal(times('failing'), 2);
    });

    test('one that was stopped is not kept', async () => {
        const script = hold(SSE_HEAD + textEvent('some'));
        replay.on('stopped', script, anew);
        const s = await askEvents(parley, { message: 'stopped' });
        const { turn } = await s.event('response_chunk');
        await postJson(parley, '/chat/stop', { turn_id: turn });
        assert.equal((await s.all()).at(-1).type, 'response_cancelled');
        const body = await ask(parley, { message: 'stopped' });
        assert.match(body.message, /^answer/);
        assert.equal(isHit(body), false);
    });

    test('answers of the offline provider are not kept', async () => {
        for (let i = 0; i < 2; i++)
            assert.equal(isHit(await ask(parley,
                { message: 'hello', provider: 'offline' })), false);
        await assertCounts(0, 0);
    });

    test('it never grows past its limit: the answer that was used longest ' +
        'ago goes first', async () => {
        const size = 300 * 1024;
        replay.on('big', echo((r) =>
            r.body.messages.at(-1).content.padEnd(size, '.')));
        const hit = async (n) =>
            isHit(await ask(parley, { message: `big ${n}` }));
        for (const n of [1, 2, 3, 1, 4]) {
            assert.equal(await hit(n), n === 1 && times('big') === 3);
            assert.ok(await metric(parley, 'parley_cache_bytes') <= 1 << 20);
        }
        assert.equal(times('big'), 4);
        for (const n of [1, 3, 4])
            assert.equal(await hit(n), true, `${n} is still there`);
        assert.equal(await hit(2), false);
    });

    test('neither questions nor answers are in the log', async () => {
        const secret = 'the-word-of-the-day';
        replay.on(secret, whole(replyWire(['said-in-return'])));
        for (let i = 0; i < 2; i++)
            await ask(parley, { message: secret });
        assert.equal(times(secret), 1);
        assert.ok(!parley.log().includes(secret));
        assert.ok(!parley.log().includes('said-in-return'));
    });

    test('another process knows nothing of it', async () => {
        await ask(parley, { message: 'kept where' });
        await parley.kill9();
        await serving(parley);
        assert.equal(isHit(await ask(parley, { message: 'kept where' })),
            false);
        assert.equal(times('kept where'), 2);
    });
});

describe('with a short time', () => {
    before(async () => { parley = await start({ CACHE_TTL_S: '1' }); });
    after(async () => { await parley?.stop(); });

    test('an answer is used for so long and not longer, however often',
        async () => {
            const word = 'short-lived';
            const answers = new Set();
            await until('the provider to be asked again', async () => {
                answers.add((await ask(parley, { message: word })).message);
                return times(word) === 2;
            });
            const [one, two] = replay.about(word).map((r) => r.at);
            assert.ok(two - one >= 1000, `${two - one} ms`);
            assert.equal(answers.size, 2);
            assert.equal(await metric(parley, NAMES[1]), 2);
        });
});

describe('shared', () => {
    before(async () => {
        parley = await start({ CACHE_TTL_S: '600', CACHE_SHARED: '1' });
    });
    after(async () => { await parley?.stop(); });

    test('equal questions have one answer', async () => {
        const one = await ask(parley, { message: 'for all' });
        const two = await ask(parley, { message: 'for all' });
        assert.equal(two.message, one.message);
        assert.equal(isHit(two), true);
        assert.equal(times('for all'), 1);
    });
});

test('below plain CGI the engine keeps them', async () => {
    const cgi = await startParley({ door: 'lighttpd-cgi', env: {
        ...replay.env(), AI_MODEL: MODEL, CACHE_TTL_S: '600' } });
    try {
        const one = await ask(cgi, { message: 'by CGI' });
        const two = await ask(cgi, { message: 'by CGI' });
        assert.equal(two.message, one.message);
        assert.equal(isHit(two), true);
        assert.equal(times('by CGI'), 1);
    } finally {
        await cgi.stop();
    }
});
