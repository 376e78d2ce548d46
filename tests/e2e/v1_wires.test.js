/* Any provider behind the compatible API: the same questions by the `openai`
 * package and by Vercel's `ai` go to each provider on its own wire, which
 * aimock, an independent imitation of all of them, answers. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { LLMock } from '@copilotkit/aimock';
import { embedMany, generateText, Output, jsonSchema, stepCountIs, streamText,
    tool } from 'ai';
import { call } from '../lib/client.js';
import { startParley } from '../lib/server.js';
import { chunksOf, openaiFor, textOf, user, WEATHER } from '../lib/v1.js';
import { allWires } from '../lib/wires.js';

const MODELS = {
    openai: 'openai/gpt-4.1', anthropic: 'anthropic/claude-sonnet-4-5',
    gemini: 'gemini/gemini-2.5-flash', huggingface: 'huggingface/some/model',
    ollama: 'ollama/llama3.2',
    bedrock: 'bedrock/anthropic.claude-3-haiku-20240307-v1:0',
};
const TEXT = 'Grüße, "Welt" \\ 你好 ∑ '.repeat(8);

let mock;
let parley;
let openai;
let vercel;

before(async () => {
    mock = new LLMock({ port: 0, logLevel: 'silent' });
    mock.onMessage('say it', { content: TEXT });
    mock.on({ userMessage: 'weather', hasToolResult: false }, { toolCalls: [
        { name: 'get_weather', arguments: '{"city":"Oslo"}' },
        { name: 'get_weather', arguments: '{"city":"Rome"}' }] });
    mock.on({ userMessage: 'weather', hasToolResult: true },
        { content: 'Rain in both.' });
    mock.onMessage('as an object', { content: '{"city":"Oslo"}' });
    mock.onMessage('think', { content: 'Done.', reasoning: 'Let me see.' });
    mock.onEmbedding(/./, { embedding: [0.25, -1, 0.5] });
    await mock.start();
    parley = await startParley({ env: {
        ...allWires(mock.port), AI_PROVIDER: 'openai', UPSTREAM_RETRIES: '0',
    } });
    openai = openaiFor(parley);
    vercel = createOpenAICompatible({ name: 'parley', apiKey: 'any',
        baseURL: `${parley.url}/v1`, includeUsage: true });
});
after(async () => {
    await parley?.stop();
    await mock?.stop();
});

for (const [provider, model] of Object.entries(MODELS)) {
    describe(provider, () => {
        test('streams its text and its usage', async () => {
            const chunks = await chunksOf(await openai.chat.completions.create({
                model, messages: user('say it'), stream: true,
                stream_options: { include_usage: true },
            }));
            assert.equal(textOf(chunks), TEXT);
            assert.equal(chunks.at(-2).choices[0].finish_reason, 'stop');
            assert.ok(chunks.at(-1).usage === null ||
                chunks.at(-1).usage.prompt_tokens >= 0);
        });

        test('answers in one piece', async () => {
            const { choices, model: who } =
                await openai.chat.completions.create(
                    { model, messages: user('say it') });
            assert.equal(choices[0].message.content, TEXT);
            assert.equal(choices[0].finish_reason, 'stop');
            assert.ok(model.endsWith(who) || who.length > 0);
        });

        test('calls tools, twice at once, and takes the results',
            async () => {
                const messages = user('weather');
                const stream = openai.chat.completions.stream(
                    { model, messages, tools: [WEATHER] });
                const { message, finish_reason } =
                    (await stream.finalChatCompletion()).choices[0];
                assert.equal(finish_reason, 'tool_calls');
                assert.deepEqual(message.tool_calls.map((c) =>
                    JSON.parse(c.function.arguments).city), ['Oslo', 'Rome']);
                assert.equal(new Set(message.tool_calls.map((c) =>
                    c.id)).size, 2);
                const { choices } = await openai.chat.completions.create({
                    model, tools: [WEATHER], messages: [...messages, message,
                        ...message.tool_calls.map((c) => ({ role: 'tool',
                            tool_call_id: c.id, content: 'rain' }))],
                });
                assert.equal(choices[0].message.content, 'Rain in both.');
            });

        test("is Vercel's too", async () => {
            const result = streamText({ model: vercel(model),
                prompt: 'say it', maxRetries: 0 });
            assert.equal(await result.text, TEXT);
            assert.equal(await result.finishReason, 'stop');
            const whole = await generateText({ model: vercel(model),
                prompt: 'say it', maxRetries: 0 });
            assert.equal(whole.text, TEXT);
        });
    });
}

describe("Vercel's ai", () => {
    test('runs tools until there is an answer', async () => {
        const asked = [];
        const { text, steps } = await generateText({
            model: vercel(MODELS.anthropic), prompt: 'weather', maxRetries: 0,
            stopWhen: stepCountIs(3), tools: { get_weather: tool({
                description: 'The weather of a city',
                inputSchema: jsonSchema(WEATHER.function.parameters),
                execute: async ({ city }) => {
                    asked.push(city);
                    return 'rain';
                },
            }) },
        });
        assert.equal(text, 'Rain in both.');
        assert.equal(steps.length, 2);
        assert.deepEqual(asked.sort(), ['Oslo', 'Rome']);
    });

    test('gets an object', async () => {
        const { output } = await generateText({
            model: vercel(MODELS.openai), prompt: 'as an object',
            maxRetries: 0, output: Output.object({
                schema: jsonSchema(WEATHER.function.parameters) }),
        });
        assert.deepEqual(output, { city: 'Oslo' });
    });

    test('sees thoughts apart from the answer', async () => {
        for (const model of [MODELS.openai, MODELS.anthropic]) {
            const { text, reasoningText } = await generateText(
                { model: vercel(model), prompt: 'think', maxRetries: 0 });
            assert.equal(text, 'Done.');
            assert.equal(reasoningText, 'Let me see.');
        }
    });

    test('embeds', async () => {
        const { embeddings } = await embedMany({
            model: vercel.embeddingModel('openai/text-embedding-3-small'),
            values: ['a', 'b'], maxRetries: 0 });
        assert.deepEqual(embeddings, [[0.25, -1, 0.5], [0.25, -1, 0.5]]);
    });
});

describe('embeddings', () => {
    const model = 'openai/text-embedding-3-small';

    test('as numbers and as base64', async () => {
        for (const encoding_format of ['float', 'base64', undefined]) {
            const r = await openai.embeddings.create(
                { model, input: ['a', 'b', 'c'], encoding_format });
            assert.equal(r.object, 'list');
            assert.deepEqual(r.data.map((d) => [d.object, d.index]),
                [0, 1, 2].map((i) => ['embedding', i]));
            const rows = r.data.map(({ embedding: e }) =>
                typeof e === 'string' ? [...new Float32Array(
                    new Uint8Array(Buffer.from(e, 'base64')).buffer)] : e);
            assert.deepEqual(rows, Array(3).fill([0.25, -1, 0.5]));
        }
    });

    test('of one text', async () => {
        const r = await openai.embeddings.create({ model, input: 'alone' });
        assert.equal(r.data.length, 1);
        assert.equal(r.model, 'text-embedding-3-small');
    });

    test('of nothing, or by who makes none', async () => {
        await assert.rejects(openai.embeddings.create({ model, input: [] }),
            { status: 400, param: 'input' });
        await assert.rejects(openai.embeddings.create(
            { model: MODELS.anthropic, input: 'x' }),
        { code: 'embeddings_not_supported', param: 'model' });
    });
});

describe('models', () => {
    test('are listed, each with its provider', async () => {
        const list = await openai.models.list();
        const ids = list.data.map((m) => m.id);
        assert.equal(new Set(ids).size, ids.length);
        for (const m of list.data) {
            assert.equal(m.object, 'model');
            assert.equal(typeof m.created, 'number');
            assert.equal(typeof m.owned_by, 'string');
        }
        for (const p of Object.keys(MODELS))
            assert.ok(ids.some((id) => id.startsWith(`${p}/`)), p);
    });

    test('are retrieved by name, slashes or not', async () => {
        const { data } = await openai.models.list();
        for (const { id } of [data[0], data.find((m) => !m.id.includes('/'))]) {
            const r = await call(parley, `/v1/models/${id}`);
            assert.equal(r.status, 200, r.text);
            assert.deepEqual(r.body, data.find((m) => m.id === id));
            assert.equal((await openai.models.retrieve(id)).id, id);
        }
        await assert.rejects(openai.models.retrieve('none-of-these'),
            { status: 404, code: 'model_not_found' });
    });
});
