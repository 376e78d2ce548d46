/* The vendors' own SDKs as oracles for requests: asked the same by its manual,
 * each sends to the same place what Parley sends there. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { BedrockRuntimeClient, ConverseStreamCommand }
    from '@aws-sdk/client-bedrock-runtime';
import { GoogleGenAI } from '@google/genai';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { Ollama } from 'ollama';
import OpenAI from 'openai';
import { ask } from '../lib/client.js';
import { startReplay, status, whole } from '../lib/replay.js';
import { startParley } from '../lib/server.js';
import { allWires, unhinted, WIRES } from '../lib/wires.js';

const SYSTEM = 'Be brief, "please".\nSpeak plainly.';
const PNG = Buffer.from('\x89PNG\r\n\x1a\n and more than that', 'latin1');
const DATA = PNG.toString('base64');
const HISTORY = [['user', 'Hello'], ['assistant', 'Hi! Grüße 😀']];
const OPTIONS = { temperature: 0.5, top_p: 0.25, max_tokens: 100,
    stop: ['END', 'The End'] };

const plain = (last) => [...HISTORY.map(([role, content]) =>
    ({ role, content })), last];

/* Each: the model, and how the SDK is told to ask. */
const SDKS = {
    openai: { model: 'gpt-4o', ask: async (base, model, message) => {
        await new OpenAI({ apiKey: 'key-openai', baseURL: `${base}/v1`,
            maxRetries: 0 }).chat.completions.create({ model, stream: true,
            stream_options: { include_usage: true },
            messages: [{ role: 'system', content: SYSTEM }, ...plain({
                role: 'user', content: [{ type: 'text', text: message },
                    { type: 'image_url', image_url: {
                        url: `data:image/png;base64,${DATA}` } }] })],
            temperature: OPTIONS.temperature, top_p: OPTIONS.top_p,
            max_tokens: OPTIONS.max_tokens, stop: OPTIONS.stop });
    } },
    /* Newer models refuse top_p beside temperature: it is left out. */
    anthropic: { model: 'claude-haiku-4-5', ask: async (base, model,
        message) => {
        const text = (t) => ({ type: 'text', text: t });
        await new Anthropic({ apiKey: 'key-anthropic', baseURL: base,
            maxRetries: 0 }).messages.create({ model, stream: true,
            system: [text(SYSTEM)], messages: [...HISTORY.map(([role, t]) =>
                ({ role, content: [text(t)] })), { role: 'user', content: [
                text(message), { type: 'image', source: { type: 'base64',
                    media_type: 'image/png', data: DATA } }] }],
            temperature: OPTIONS.temperature,
            max_tokens: OPTIONS.max_tokens, stop_sequences: OPTIONS.stop });
    } },
    gemini: { model: 'gemini-2.5-flash', ask: async (base, model, message) => {
        await new GoogleGenAI({ apiKey: 'key-gemini', httpOptions: {
            baseUrl: base, apiVersion: 'v1beta' } }).models
            .generateContentStream({ model,
                contents: [...HISTORY.map(([role, text]) => ({
                    role: role === 'user' ? 'user' : 'model',
                    parts: [{ text }] })), { role: 'user', parts: [
                    { text: message },
                    { inlineData: { mimeType: 'image/png', data: DATA } }] }],
                config: { systemInstruction: { parts: [{ text: SYSTEM }] },
                    temperature: OPTIONS.temperature, topP: OPTIONS.top_p,
                    maxOutputTokens: OPTIONS.max_tokens,
                    stopSequences: OPTIONS.stop } });
    } },
    ollama: { model: 'llama3.2', ask: async (base, model, message) => {
        await new Ollama({ host: base }).chat({ model, stream: true,
            messages: [{ role: 'system', content: SYSTEM }, ...plain(
                { role: 'user', content: message, images: [DATA] })],
            options: { temperature: OPTIONS.temperature, top_p: OPTIONS.top_p,
                num_predict: OPTIONS.max_tokens, stop: OPTIONS.stop } });
    } },
    bedrock: { model: 'eu.amazon.nova-lite-v1:0', ask: async (base, model,
        message) => {
        const text = ([role, t]) => ({ role, content: [{ text: t }] });
        await new BedrockRuntimeClient({ endpoint: base, maxAttempts: 1,
            region: 'eu-west-1', requestHandler: new NodeHttpHandler(),
            credentials: { accessKeyId: 'AKID', secretAccessKey: 'secret' } })
            .send(new ConverseStreamCommand({ modelId: model,
                system: [{ text: SYSTEM }],
                messages: [...HISTORY.map(text), { role: 'user', content: [
                    { text: message },
                    { image: { format: 'png', source: { bytes: PNG } } }] }],
                inferenceConfig: { temperature: OPTIONS.temperature,
                    topP: OPTIONS.top_p, maxTokens: OPTIONS.max_tokens,
                    stopSequences: OPTIONS.stop } }));
    } },
};

/* The key, or how the request is signed; Ollama has none. Anthropic takes its key in either
 * header, by the version that is asked for. */
function keyOf({ authorization = '', ...headers }) {
    return headers['x-api-key'] ?? headers['x-goog-api-key'] ??
        authorization.replace(/^Bearer /, '').split(' ')[0];
}

let replay;
let parley;

before(async () => {
    replay = await startReplay();
    parley = await startParley({ env: {
        ...allWires(replay.port), AI_FALLBACK: 'none', SYSTEM_PROMPT: SYSTEM,
    } });
});
after(async () => {
    await parley?.stop();
    await replay?.stop();
});

for (const [provider, { model, ask: sdk }] of Object.entries(SDKS))
    test(`${provider} is asked alike`, async () => {
        const message = `Who is this, ${provider}?`;
        replay.on(message, whole(WIRES[provider].answer('Nobody.')),
            status(400));
        await ask(parley, { message, provider, model, ...OPTIONS,
            history: HISTORY.map(([role, content]) => ({ role, content })),
            attachments: [{ media_type: 'image/png', data: DATA }] });
        await sdk(`http://127.0.0.1:${replay.port}`, model, message)
            .catch(() => {}); /* it was refused */
        const [ours, theirs] = replay.about(message);
        assert.equal(ours.method, theirs.method);
        assert.equal(ours.path, theirs.path);
        assert.deepEqual(unhinted(ours.body), theirs.body);
        assert.equal(ours.headers['content-type'].split(';')[0],
            theirs.headers['content-type'].split(';')[0]);
        assert.equal(keyOf(ours.headers), keyOf(theirs.headers));
    });
