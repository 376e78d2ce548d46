/* What goes wrong on the compatible API is one of the `openai` package's typed
 * errors, in that API's own shape, whoever found it. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import OpenAI from 'openai';
import { call } from '../lib/client.js';
import { errorBody, replyWire, SSE_HEAD, textEvent }
    from '../lib/openai_bytes.js';
import { cut, hold, startReplay, status, whole } from '../lib/replay.js';
import { startParley } from '../lib/server.js';
import { WIRES } from '../lib/wires.js';
import { complete, dataOf, openaiFor, user } from '../lib/v1.js';

const ANSWER = replyWire(['fine']);

let replay;
let parley;
let openai;

before(async () => {
    replay = await startReplay(whole(ANSWER));
    parley = await startParley({ env: {
        ...replay.env(), UPSTREAM_RETRIES: '0' } });
    openai = openaiFor(parley);
});
after(async () => {
    await parley?.stop();
    await replay?.stop();
});

/* An error of the API: its shape, and what a test wants of it. */
function assertProblem(r, code, want = {}) {
    assert.equal(r.status, code, r.text);
    assert.match(r.headers.get('content-type'), /^application\/json/);
    assert.ok(r.headers.get('x-request-id'));
    assert.deepEqual(Object.keys(r.body), ['error']);
    const { error } = r.body;
    assert.deepEqual(Object.keys(error), ['message', 'type', 'param', 'code']);
    assert.ok(error.message.length > 10);
    assert.match(error.type, /^[a-z_]+$/);
    for (const [name, value] of Object.entries(want))
        assert.deepEqual(error[name], value, r.text);
}

describe("a provider's refusal", () => {
    const cases = {
        bad: [status(400, {}, errorBody('no', 'invalid_request_error')),
            400, OpenAI.BadRequestError, {}],
        key: [status(401, {}, errorBody('Incorrect API key sk-replay-secret')),
            401, OpenAI.AuthenticationError,
            { code: 'invalid_api_key', type: 'authentication_error' }],
        right: [status(403, {}, errorBody('no')), 403,
            OpenAI.PermissionDeniedError, { type: 'permission_error' }],
        model: [status(404, {}, errorBody('no', 'invalid_request_error',
            'model_not_found')), 404, OpenAI.NotFoundError,
        { code: 'model_not_found' }],
        limit: [status(429, { 'retry-after': '7' }, errorBody('slow down')),
            429, OpenAI.RateLimitError, { type: 'rate_limit_error' }, '7'],
        money: [status(429, {}, errorBody('no', 'insufficient_quota',
            'insufficient_quota')), 429, OpenAI.RateLimitError,
        { code: 'insufficient_quota' }],
        window: [status(400, {}, errorBody('long', 'invalid_request_error',
            'context_length_exceeded')), 400, OpenAI.BadRequestError,
        { code: 'context_length_exceeded' }],
        broken: [status(500, {}, errorBody('stack trace: secret')), 502,
            OpenAI.InternalServerError, { type: 'api_error' }],
        cut: [cut(ANSWER, 60), 502, OpenAI.InternalServerError, {}],
    };

    for (const [word, [script, code, type, want, after]] of
        Object.entries(cases))
        for (const stream of [false, true])
            test(`${word}: ${code} ${type.name}${
                stream ? ', of a stream' : ''}`, async () => {
                const about = `trouble-${word}`;
                replay.on(about, script);
                const ask = { model: 'replay-1', messages: user(about),
                    stream };
                const e = await openai.chat.completions.create(ask)
                    .catch((error) => error);
                assert.ok(e instanceof type, `${e}`);
                assert.equal(e.status, code);
                assert.ok(e.requestID);
                assert.equal(e.headers.get('retry-after'), after ?? null);
                for (const [name, value] of Object.entries(want))
                    assert.equal(e[name], value);
                const r = await complete(parley, ask);
                assertProblem(r, code, want);
                assert.doesNotMatch(r.text, /secret/);
            });

    test('is not asked again by the SDK where that is of no use', async () => {
        replay.on('hopeless', status(429, {}, errorBody('no',
            'insufficient_quota', 'insufficient_quota')));
        await assert.rejects(openaiFor(parley, { maxRetries: 2 })
            .chat.completions.create({ model: 'replay-1',
                messages: user('hopeless') }), OpenAI.RateLimitError);
        assert.equal(replay.about('hopeless').length, 1);
    });

    test('is asked again by the SDK where that may help', async () => {
        replay.on('passing', status(429, { 'retry-after-ms': '10' },
            errorBody('slow down')), whole(ANSWER));
        const { choices } = await openaiFor(parley, { maxRetries: 2 })
            .chat.completions.create({ model: 'replay-1',
                messages: user('passing') });
        assert.equal(choices[0].message.content, 'fine');
    });
});

describe('a stream that breaks off', () => {
    /* What was sent stands: the provider is cut only when it was seen. */
    async function cutAfterText(word) {
        const script = hold(Buffer.from(SSE_HEAD + textEvent('Ha')));
        replay.on(word, script);
        const response = await openai.chat.completions.create({
            model: 'replay-1', messages: user(word), stream: true,
        }).asResponse();
        const reader = response.body.pipeThrough(new TextDecoderStream())
            .getReader();
        let text = '';
        for (let done = false; !done;) {
            const r = await reader.read();
            text += r.value ?? '';
            done = r.done;
            if (text.includes('"Ha"'))
                script.release();
        }
        return text;
    }

    test('ends with an error and not with [DONE]', async () => {
        const data = dataOf(await cutAfterText('half'));
        assert.match(data.at(-2), /"content":"Ha"/);
        const { error } = JSON.parse(data.at(-1));
        assert.equal(error.type, 'api_error');
        assert.equal(error.code, 'incomplete');
    });

    test('is an error of the SDK, behind the text', async () => {
        const script = hold(Buffer.from(SSE_HEAD + textEvent('Ha')));
        replay.on('cut for good', script);
        const stream = await openai.chat.completions.create({
            model: 'replay-1', messages: user('cut for good'), stream: true,
        });
        let text = '';
        await assert.rejects(async () => {
            for await (const chunk of stream) {
                text += chunk.choices[0].delta.content ?? '';
                if (text === 'Ha')
                    script.release();
            }
        }, OpenAI.APIError);
        assert.equal(text, 'Ha');
    });

    test('is a 502 when it was to come in one piece', async () => {
        replay.on('half whole', cut(Buffer.from(SSE_HEAD + textEvent('Ha')),
            1e9));
        assertProblem(await complete(parley, { model: 'replay-1',
            messages: user('half whole') }), 502);
    });
});

describe('a request that is wrong', () => {
    const ok = { model: 'replay-1', messages: user('never sent') };
    const wrong = {
        'no model': [{ messages: ok.messages }, { param: 'model' }],
        'no messages': [{ model: 'm' }, { param: 'messages' }],
        'no message': [{ ...ok, messages: [] }, { param: 'messages' }],
        'a role of its own': [{ ...ok, messages: [{ role: 'x',
            content: 'y' }] }, { param: 'messages[0].role' }],
        'two answers': [{ ...ok, n: 2 },
            { param: 'n', code: 'unsupported_value' }],
        'too hot': [{ ...ok, temperature: 3 }, { param: 'temperature' }],
        'a stream of yes': [{ ...ok, stream: 'yes' }, { param: 'stream' }],
        'tools of no kind': [{ ...ok, tools: [{}] }, {}],
        'a choice of no tool': [{ ...ok, tool_choice: { type: 'function',
            function: { name: 'none' } } }, {}],
        'no JSON': ['{"model":', {}],
        'an array': ['[]', {}],
    };

    for (const [name, [body, want]] of Object.entries(wrong))
        test(name, async () => {
            const r = await complete(parley, body);
            assertProblem(r, 400, { type: 'invalid_request_error', ...want });
        });

    test('another type of body', async () => {
        const r = await complete(parley, '<x/>',
            { 'content-type': 'application/xml' });
        assertProblem(r, 415);
    });

    test('a provider without a key', async () => {
        const r = await complete(parley, { ...ok, model: 'anthropic/x' });
        assertProblem(r, 404, { code: 'model_not_found', param: 'model' });
    });

    test('another method, another path', async () => {
        const get = await call(parley, '/v1/chat/completions');
        assertProblem(get, 405);
        assert.match(get.headers.get('allow'), /POST/);
        assertProblem(await call(parley, '/v1/nothing'), 404);
    });

    test('from a foreign page', async () => {
        const r = await complete(parley, ok, { origin: 'https://evil.test' });
        assertProblem(r, 403, { type: 'permission_error' });
    });

    test('none of them reached the provider', () => {
        assert.equal(replay.about('never sent').length, 0);
    });
});

describe('a provider that fails', () => {
    let second;
    let chained;

    before(async () => {
        second = await startReplay(whole(WIRES.anthropic.answer('stand-in')));
        chained = await startParley({ env: {
            ...replay.env(), ...WIRES.anthropic.env(second.port),
            UPSTREAM_RETRIES: '0', AI_FALLBACK: 'anthropic/second-1, offline',
        } });
    });
    after(async () => {
        await chained?.stop();
        await second?.stop();
    });

    for (const stream of [false, true])
        test(`has another one behind it${stream ? ', streaming' : ''}`,
            async () => {
                replay.on('gone', status(503, {}, errorBody('no')));
                const r = await complete(chained, { model: 'replay-1',
                    messages: user('gone'), stream });
                assert.equal(r.status, 200, r.text);
                const all = stream
                    ? dataOf(r.text).slice(0, -1).map((d) => JSON.parse(d))
                    : [r.body];
                assert.ok(all.every((o) => o.model === 'claude-replay'));
                assert.match(r.text, /stand-in/);
                assert.equal(second.about('gone').at(-1).body.model,
                    'second-1');
            });

    test('but not words about Parley', async () => {
        replay.on('nobody', status(503, {}, errorBody('no')));
        second.on('nobody', status(500, {}, {}));
        const r = await complete(chained, { model: 'replay-1',
            messages: user('nobody') });
        assertProblem(r, 502);
        const known = await complete(chained, { model: 'offline/parley-offline',
            messages: user('hello') });
        assert.equal(known.status, 200, known.text);
        assert.equal(known.body.model, 'parley-offline');
    });
});
