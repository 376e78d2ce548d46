/* The compatible API: the `openai` package as the client, and what goes over
 * the wire. The provider is the replay server, on OpenAI's own wire. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { call, newSession, UUID } from '../lib/client.js';
import { replyWire, SSE_HEAD, textEvent } from '../lib/openai_bytes.js';
import { hold, silence, startReplay, whole } from '../lib/replay.js';
import { startParley } from '../lib/server.js';
import { WIRES } from '../lib/wires.js';
import { chunksOf, CLOCK, complete, dataOf, openaiFor, textOf, user, WEATHER }
    from '../lib/v1.js';
import { until } from '../lib/wait.js';

const USAGE = { prompt_tokens: 11, completion_tokens: 4, total_tokens: 15,
    prompt_tokens_details: { cached_tokens: 3 } };
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk' +
    'YPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';

let replay;
let parley;
let openai;

before(async () => {
    replay = await startReplay(whole(replyWire(['Hel', 'lo', ' "you"'],
        { usage: USAGE })));
    parley = await startParley({ env: {
        ...replay.env(), ...WIRES.anthropic.env(replay.port) } });
    openai = openaiFor(parley);
});
after(async () => {
    await parley?.stop();
    await replay?.stop();
});

const asked = (word) => replay.about(word)[0].body;

/* Deltas of tool calls as a provider sends them. */
function callsWire(deltas) {
    const event = (delta, finish_reason = null) => `data: ${JSON.stringify({
        id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm',
        choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
    return Buffer.from(SSE_HEAD + event({ role: 'assistant', content: null }) +
        deltas.map((d) => event({ tool_calls: [d] })).join('') +
        event({}, 'tool_calls') + 'data: [DONE]\n\n');
}

const TWO_CALLS = callsWire([
    { index: 0, id: 'call_a', type: 'function',
        function: { name: 'get_weather', arguments: '' } },
    { index: 0, function: { arguments: '{"ci' } },
    { index: 0, function: { arguments: 'ty":"Oslo"}' } },
    { index: 1, id: 'call_b', type: 'function',
        function: { name: 'clock', arguments: '' } },
]);

describe('an answer', () => {
    test('in one piece', async () => {
        const { data, request_id } = await openai.chat.completions.create(
            { model: 'replay-1', messages: user('piece') }).withResponse();
        assert.match(data.id, /^chatcmpl-/);
        assert.equal(data.object, 'chat.completion');
        assert.ok(Math.abs(data.created - Date.now() / 1000) < 600);
        assert.equal(data.model, 'replay-1');
        assert.equal(data.choices.length, 1);
        assert.deepEqual(data.choices[0], {
            index: 0, logprobs: null, finish_reason: 'stop',
            message: { role: 'assistant', content: 'Hello "you"',
                refusal: null },
        });
        assert.deepEqual(data.usage, USAGE);
        assert.match(request_id, UUID);
        assert.equal(asked('piece').model, 'replay-1');
    });

    test('as a stream', async () => {
        const { data, request_id } = await openai.chat.completions.create({
            model: 'replay-1', messages: user('stream'), stream: true,
        }).withResponse();
        const chunks = await chunksOf(data);
        assert.match(request_id, UUID);
        assert.equal(textOf(chunks), 'Hello "you"');
        assert.equal(chunks[0].choices[0].delta.role, 'assistant');
        assert.equal(chunks.at(-1).choices[0].finish_reason, 'stop');
        assert.ok(chunks.every((c) => c.object === 'chat.completion.chunk' &&
            c.model === 'replay-1' && c.id === chunks[0].id &&
            c.choices.length === 1 && !('usage' in c)));
        assert.match(chunks[0].id, /^chatcmpl-/);
    });

    test('as a stream with its usage last', async () => {
        const chunks = await chunksOf(await openai.chat.completions.create({
            model: 'openai/replay-1', messages: user('counted'), stream: true,
            stream_options: { include_usage: true },
        }));
        assert.ok(chunks.slice(0, -1).every((c) => c.usage === null));
        assert.deepEqual(chunks.at(-1).choices, []);
        assert.deepEqual(chunks.at(-1).usage, USAGE);
        assert.equal(asked('counted').model, 'replay-1');
    });

    test('by the helper that puts a stream together', async () => {
        const final = await openai.chat.completions.stream({
            model: 'replay-1', messages: user('helper'),
        }).finalChatCompletion();
        assert.equal(final.choices[0].message.content, 'Hello "you"');
    });

    test('byte by byte, to curl', async () => {
        const { stdout } = await promisify(execFile)('curl', ['-sSN',
            `${parley.url}/v1/chat/completions`, '-d',
            JSON.stringify({ model: 'replay-1', stream: true,
                messages: user('curl') })]);
        const data = dataOf(stdout);
        assert.equal(data.at(-1), '[DONE]');
        const { id, created } = JSON.parse(data[0]);
        const chunk = (choice) => `{"id":"${id}","object":` +
            `"chat.completion.chunk","created":${created},` +
            `"model":"replay-1","choices":[${choice}]}`;
        const delta = (d, finish = 'null') => chunk(
            `{"index":0,"delta":${d},"finish_reason":${finish}}`);
        assert.deepEqual(data.slice(0, -1), [
            delta('{"role":"assistant","content":""}'),
            delta('{"content":"Hel"}'), delta('{"content":"lo"}'),
            delta('{"content":" \\"you\\""}'), delta('{}', '"stop"'),
        ]);
    });

    test('the head of a stream', async () => {
        const r = await complete(parley, { model: 'replay-1', stream: true,
            messages: user('head') });
        assert.equal(r.status, 200);
        assert.match(r.headers.get('content-type'), /^text\/event-stream/);
        assert.equal(r.headers.get('cache-control'), 'no-store');
        assert.equal(r.headers.get('x-accel-buffering'), 'no');
        assert.match(r.headers.get('x-request-id'), UUID);
    });

    test('choices that need no change pass as they came', async () => {
        const odd = '[{"finish_reason":null,"index":0,"logprobs":{"content":' +
            '[{"token":"\\u0048i","logprob":-0.10,"bytes":null}]},"delta":' +
            '{"content":"\\u0048i \\/","vendor":[1.50]}}]';
        replay.on('as it is', whole(Buffer.from(`${SSE_HEAD}data: {"id":"x",` +
            `"created":1,"model":"m","choices":${odd},"usage":null}\n\n` +
            'data: [DONE]\n\n')));
        const r = await complete(parley, { model: 'replay-1', stream: true,
            messages: user('as it is') });
        const found = dataOf(r.text).filter((d) => d.includes('logprob'));
        assert.equal(found.length, 1);
        assert.ok(found[0].endsWith(`"choices":${odd}}`), found[0]);
        assert.doesNotMatch(found[0], /"id":"x"/);
    });
});

describe('what is asked', () => {
    test('the conversation, with roles, as it is', async () => {
        const messages = [
            { role: 'developer', content: 'Be brief.' },
            { role: 'user', content: 'One?' },
            { role: 'assistant', content: 'Two.' },
            { role: 'user', content: [{ type: 'text', text: 'verbatim' }] },
        ];
        await openai.chat.completions.create({ model: 'replay-1', messages });
        const sent = asked('verbatim').messages;
        assert.deepEqual(sent.map((m) => m.role.replace('developer', 'system')),
            ['system', 'user', 'assistant', 'user']);
        assert.equal(sent[0].content, 'Be brief.');
        assert.equal(sent[2].content, 'Two.');
    });

    test('options, known and unknown', async () => {
        const response_format = { type: 'json_schema', json_schema: {
            name: 'x', strict: true, schema: { type: 'object',
                properties: { a: { const: 1.0 } } } } };
        await openai.chat.completions.create({
            model: 'replay-1', messages: user('options'), temperature: 0.25,
            top_p: 0.5, max_tokens: 77, stop: ['END', '.'], seed: 7,
            response_format, user: 'u-1', logit_bias: { 50256: -100 }, n: 1,
            vendor_option: { deep: [true] },
        });
        const sent = asked('options');
        assert.equal(sent.temperature, 0.25);
        assert.equal(sent.top_p, 0.5);
        assert.equal(sent.max_tokens ?? sent.max_completion_tokens, 77);
        assert.deepEqual(sent.stop, ['END', '.']);
        assert.equal(sent.seed, 7);
        assert.equal(sent.user, 'u-1');
        assert.deepEqual(sent.logit_bias, { 50256: -100 });
        assert.deepEqual(sent.vendor_option, { deep: [true] });
        assert.deepEqual(sent.response_format, response_format);
    });

    test('what a model does not take is left out or said in its way',
        async () => {
            replay.on('newest', whole(WIRES.anthropic.answer('hm')));
            for (const extra of [{}, { reasoning_effort: 'high' }])
                await openai.chat.completions.create({
                    model: 'anthropic/claude-opus-5', max_tokens: 100,
                    messages: user('newest'), temperature: 0.25, ...extra });
            const [plain, thinking] = replay.about('newest')
                .map((r) => r.body);
            assert.equal(plain.temperature, undefined);
            assert.equal(plain.thinking, undefined);
            assert.deepEqual(thinking.thinking,
                { type: 'adaptive', display: 'summarized' });
            assert.deepEqual(thinking.output_config, { effort: 'high' });
        });

    test('images, by their data and by their address', async () => {
        const parts = [
            { type: 'text', text: 'images' },
            { type: 'image_url', image_url: {
                url: `data:image/png;base64,${PIXEL}`, detail: 'low' } },
            { type: 'image_url', image_url: {
                url: 'https://example.com/a.png' } },
        ];
        await openai.chat.completions.create(
            { model: 'replay-1', messages: user(parts) });
        const sent = asked('images').messages.at(-1).content;
        assert.deepEqual(sent.map((p) => p.image_url?.url ?? p.text), [
            'images', `data:image/png;base64,${PIXEL}`,
            'https://example.com/a.png']);
    });
});

describe('tools', () => {
    const tools = [WEATHER, CLOCK];

    test('parallel calls in a stream, one without arguments', async () => {
        replay.on('two calls', whole(TWO_CALLS));
        const stream = openai.chat.completions.stream({
            model: 'replay-1', messages: user('two calls'), tools,
            tool_choice: 'auto', parallel_tool_calls: true,
        });
        const choice = (await stream.finalChatCompletion()).choices[0];
        assert.equal(choice.finish_reason, 'tool_calls');
        assert.equal(choice.message.content, null);
        assert.deepEqual(choice.message.tool_calls.map((c) =>
            [c.id, c.type, c.function.name, c.function.arguments]), [
            ['call_a', 'function', 'get_weather', '{"city":"Oslo"}'],
            ['call_b', 'function', 'clock', '{}'],
        ]);
        const sent = asked('two calls');
        assert.deepEqual(sent.tools.map((t) => t.function.name),
            ['get_weather', 'clock']);
        assert.deepEqual(sent.tools[0].function.parameters,
            WEATHER.function.parameters);
        assert.equal(sent.tool_choice, 'auto');
        assert.equal(sent.parallel_tool_calls, true);
    });

    test('each delta has what the first and the later ones must have',
        async () => {
            replay.on('deltas', whole(TWO_CALLS));
            const chunks = await chunksOf(await openai.chat.completions.create({
                model: 'replay-1', messages: user('deltas'), tools,
                stream: true,
            }));
            const deltas = chunks.flatMap((c) =>
                c.choices[0].delta.tool_calls ?? []);
            for (const index of [0, 1]) {
                const [first, ...later] = deltas.filter((d) =>
                    d.index === index);
                assert.equal(first.type, 'function');
                assert.ok(first.id && first.function.name);
                assert.equal(first.function.arguments, '');
                assert.ok(later.every((d) => !d.id && !d.function.name));
                assert.ok(JSON.parse(later.map((d) =>
                    d.function.arguments).join('')));
            }
        });

    test('calls in one piece', async () => {
        replay.on('whole calls', whole(TWO_CALLS));
        const { choices } = await openai.chat.completions.create({
            model: 'replay-1', messages: user('whole calls'), tools,
            tool_choice: { type: 'function', function: { name: 'clock' } },
        });
        assert.equal(choices[0].finish_reason, 'tool_calls');
        assert.equal(choices[0].message.content, null);
        assert.deepEqual(choices[0].message.tool_calls[1], { id: 'call_b',
            type: 'function', function: { name: 'clock', arguments: '{}' } });
        assert.equal(asked('whole calls').tool_choice.function.name, 'clock');
    });

    test('results go back beside their calls', async () => {
        const calls = [['call_a', 'get_weather', '{"city":"Oslo"}'],
            ['call_b', 'clock', '{}']].map(([id, name, args]) => ({ id,
            type: 'function', function: { name, arguments: args } }));
        const { choices } = await openai.chat.completions.create({
            model: 'replay-1', tools, messages: [
                ...user('What is it?'),
                { role: 'assistant', content: null, tool_calls: calls },
                { role: 'tool', tool_call_id: 'call_a', content: 'rain' },
                { role: 'tool', tool_call_id: 'call_b', content: 'results' },
            ],
        });
        assert.equal(choices[0].message.content, 'Hello "you"');
        const sent = asked('results').messages;
        assert.deepEqual(sent[1].tool_calls.map((c) => [c.id,
            JSON.parse(c.function.arguments)]),
        [['call_a', { city: 'Oslo' }], ['call_b', {}]]);
        assert.deepEqual(sent.slice(2).map((m) =>
            [m.role, m.tool_call_id, m.content]),
        [['tool', 'call_a', 'rain'], ['tool', 'call_b', 'results']]);
    });
});

describe('who leaves', () => {
    const some = Buffer.from(SSE_HEAD + textEvent('Once'));

    /* Ask about the word, leave when leave() says so, and see the provider's
     * connection closed. */
    async function leaveAfter(word, stream, leave) {
        const controller = new AbortController();
        const asking = openai.chat.completions.create(
            { model: 'replay-1', messages: user(word), stream },
            { signal: controller.signal });
        asking.catch(() => {});
        const { peer } = await replay.request(word);
        await leave(asking);
        controller.abort();
        await until('the provider to be left', () => peer.gone);
        return asking;
    }

    test("takes the provider's connection along in the middle", async () => {
        replay.on('leave amid', hold(some));
        await leaveAfter('leave amid', true, async (asking) => {
            for await (const chunk of await asking)
                if (chunk.choices[0].delta.content === 'Once')
                    break;
        });
    });

    for (const stream of [true, false])
        test(`before anything was sent, too${stream ? ', of a stream' : ''}`,
            async () => {
                const word = `leave early ${stream}`;
                replay.on(word, silence());
                await assert.rejects(leaveAfter(word, stream, () => {}),
                    /abort/i);
            });

    test('while it waits for one piece, too', async () => {
        const script = hold(some);
        replay.on('leave whole', script);
        await assert.rejects(leaveAfter('leave whole', false,
            () => script.started), /abort/i);
    });

    test('is not followed by a stored session', async () => {
        const r = await call(parley, '/sessions');
        assert.deepEqual(r.body.sessions, []);
    });
});

describe('a session', () => {
    test('is stored when it is named, as an ordinary one', async () => {
        const id = newSession();
        const headers = { 'x-parley-session': id };
        for (const stream of [false, true]) {
            const r = await complete(parley, { model: 'replay-1', stream,
                messages: [{ role: 'system', content: 'Sys.' },
                    ...user(`kept ${stream}`)] }, headers);
            assert.equal(r.status, 200, r.text);
            const text = stream
                ? textOf(dataOf(r.text).slice(0, -1).map((d) => JSON.parse(d)))
                : r.body.choices[0].message.content;
            assert.equal(text, 'Hello "you"');
        }
        const { body } = await call(parley, `/sessions/${id}/messages`);
        assert.deepEqual(body.messages.map((m) => [m.role, m.content]), [
            ['user', 'kept false'], ['assistant', 'Hello "you"'],
            ['user', 'kept true'], ['assistant', 'Hello "you"'],
        ]);
        assert.equal(body.messages[1].usage.input_tokens, 11);
        /* The conversation is what the client sends, not what is stored. */
        assert.equal(asked('kept true').messages.length, 2);
    });

    test('with an idempotency key is asked once', async () => {
        const headers = { 'x-parley-session': newSession(),
            'idempotency-key': 'k1' };
        const ask = { model: 'replay-1', messages: user('only once') };
        const [one, two] = [await complete(parley, ask, headers),
            await complete(parley, ask, headers)];
        assert.equal(one.status, 200, one.text);
        assert.deepEqual(two.body.choices, one.body.choices);
        assert.equal(replay.about('only once').length, 1);
    });

    test('tool calls reach the client of one, too', async () => {
        replay.on('calls in one', whole(TWO_CALLS));
        const client = openaiFor(parley, { defaultHeaders:
            { 'x-parley-session': newSession() } });
        const { choices } = await client.chat.completions.stream({
            model: 'replay-1', messages: user('calls in one'),
            tools: [WEATHER, CLOCK],
        }).finalChatCompletion();
        assert.deepEqual(choices[0].message.tool_calls.map((c) =>
            [c.id, c.function.arguments]),
        [['call_a', '{"city":"Oslo"}'], ['call_b', '{}']]);
    });

    test('with a name that cannot be one is refused', async () => {
        const r = await complete(parley, { model: 'replay-1',
            messages: user('x') }, { 'x-parley-session': 'a b' });
        assert.equal(r.status, 400, r.text);
        assert.equal(r.body.error.code, 'invalid_session_id');
    });
});
