/* AWS's own SDK as an oracle (lib/oracle.js), for the replies, and for the
 * signatures of the requests as well. */

import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand,
    InvokeModelCommand, InvokeModelWithResponseStreamCommand }
    from '@aws-sdk/client-bedrock-runtime';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { SignatureV4 } from '@smithy/signature-v4';
import { postJson } from '../lib/client.js';
import { input, oracle, readClaude } from '../lib/oracle.js';
import { startReplay, whole } from '../lib/replay.js';
import { startParley } from '../lib/server.js';
import { WIRES } from '../lib/wires.js';

/* What the signer wants of a hash. */
class Sha256 {
    constructor(key) {
        this.hash = key ? createHmac('sha256', key) : createHash('sha256');
    }

    update(data) {
        this.hash.update(data);
    }

    async digest() {
        return new Uint8Array(this.hash.digest());
    }
}

const FINISH = {
    end_turn: 'stop', stop_sequence: 'stop', tool_use: 'tool_calls',
    max_tokens: 'length', model_context_window_exceeded: 'length',
    guardrail_intervened: 'content_filter', content_filtered: 'content_filter',
    malformed_tool_use: null, /* a failure, and Parley says so */
};

const APART = {
    'escapes': 'a lone surrogate stays one in JavaScript, and a NUL a NUL',
    'mixed': 'the SDK asks for one of the two forms, and reads no other',
    'unknown': 'the SDK wants each frame to tell its kind',
    'wrong-types': 'the SDK trusts the types',
};

const finishOf = (reason) =>
    (reason in FINISH ? FINISH[reason] : reason ?? null);

function usageOf(u) {
    return [u.inputTokens + (u.cacheReadInputTokens ?? 0) +
        (u.cacheWriteInputTokens ?? 0), u.outputTokens,
    u.cacheReadInputTokens ?? null];
}

function addWhole(into, { output, stopReason, usage }) {
    for (const block of output?.message?.content ?? []) {
        into.text += block.text ?? '';
        for (const cited of block.citationsContent?.content ?? [])
            into.text += cited.text;
        into.thinking += block.reasoningContent?.reasoningText?.text ?? '';
        if (block.toolUse)
            into.calls.push({ id: block.toolUse.toolUseId,
                name: block.toolUse.name, input: block.toolUse.input });
    }
    if (usage)
        into.usage = usageOf(usage);
    into.finish = finishOf(stopReason);
}

function add(into, calls, event) {
    const { contentBlockStart: start, contentBlockDelta: delta } = event;

    if (start?.start?.toolUse)
        calls.set(start.contentBlockIndex, { id: start.start.toolUse.toolUseId,
            name: start.start.toolUse.name, args: '' });
    into.text += delta?.delta?.text ?? '';
    into.thinking += delta?.delta?.reasoningContent?.text ?? '';
    const call = calls.get(delta?.contentBlockIndex);
    if (call && delta.delta.toolUse) /* else of one that never began */
        call.args += delta.delta.toolUse.input;
    if (event.messageStop)
        into.finish = finishOf(event.messageStop.stopReason);
    if (event.metadata?.usage)
        into.usage = usageOf(event.metadata.usage);
}

/* Claude's own form: AWS's SDK reads the frames, Anthropic's what is in them.
 * An answer without its end is one for neither. */
async function addClaude(into, body) {
    const events = [];
    let failure = null;
    try {
        for await (const { chunk } of body)
            if (chunk?.bytes) /* else it keeps the connection alive */
                events.push(JSON.parse(Buffer.from(chunk.bytes).toString()));
    } catch (e) {
        failure = e;
    }
    const sse = events.filter((e) => e.type).map((e) =>
        `event: ${e.type}\ndata: ${JSON.stringify(e)}\n\n`).join('');
    const client = new Anthropic({ apiKey: 'none', maxRetries: 0,
        baseURL: 'http://127.0.0.1:1', logLevel: 'off',
        fetch: async () => new Response(sse,
            { headers: { 'content-type': 'text/event-stream' } }) });
    const stream = client.messages.stream({ model: 'm', max_tokens: 9,
        messages: [{ role: 'user', content: 'x' }] });
    stream.on('text', (text) => { into.text += text; });
    readClaude(into, await stream.finalMessage());
    if (failure)
        throw failure;
}

const MODEL = 'anthropic.claude-haiku-4-5-20251001-v1:0';

oracle({
    provider: 'bedrock',
    env: WIRES.bedrock.env,
    apart: APART,
    cut: ['plain', 'reasoning', 'tool-calls', 'invoke'],
    sdk: async ({ name, port, message, into, whole }) => {
        const client = new BedrockRuntimeClient({
            endpoint: `http://127.0.0.1:${port}`, region: 'eu-west-1',
            credentials: { accessKeyId: 'A', secretAccessKey: 'S' },
            requestHandler: new NodeHttpHandler(), maxAttempts: 1,
        });
        const messages = [{ role: 'user', content: [{ text: message }] }];
        const ask = { modelId: MODEL, messages };
        const claude = { modelId: MODEL, body: JSON.stringify({ messages }) };
        const calls = new Map();

        try {
            if (name === 'whole-claude') {
                const { body } = await client.send(
                    new InvokeModelCommand(claude));
                readClaude(into, JSON.parse(Buffer.from(body).toString()));
            } else if (name.startsWith('invoke')) {
                const { body } = await client.send(
                    new InvokeModelWithResponseStreamCommand(claude));
                await addClaude(into, body);
            } else if (whole) {
                addWhole(into, await client.send(new ConverseCommand(ask)));
            } else {
                const { stream } =
                    await client.send(new ConverseStreamCommand(ask));
                for await (const event of stream)
                    add(into, calls, event);
            }
        } finally {
            if (into.finish === 'stop' && calls.size > 0)
                into.finish = 'tool_calls';
            into.calls.push(...[...calls.values()].map((c) =>
                ({ id: c.id, name: c.name, input: input(c.args) })));
            client.destroy();
        }
    },
});

describe('the SDK signs Parley\'s requests alike', () => {
    const MODELS = [MODEL, 'amazon.nova-lite-v1:0',
        'arn:aws:bedrock:eu-west-1:123456789012:inference-profile/a.b-v1:0'];
    let replay;
    let parley;

    before(async () => {
        replay = await startReplay(whole(WIRES.bedrock.answer('Signed.')));
        parley = await startParley({ env: {
            ...WIRES.bedrock.env(replay.port), AI_PROVIDER: 'bedrock',
            AWS_SESSION_TOKEN: 'session/token+==', AI_FALLBACK: 'none',
        } });
    });
    after(async () => {
        await parley?.stop();
        await replay?.stop();
    });

    for (const model of MODELS)
        test(model, async () => {
            const message = `sign for ${model}, Grüße`;
            const r = await postJson(parley, '/chat', { message, model,
                provider: 'bedrock' });
            assert.equal(r.status, 200, r.text);
            const [{ method, path, headers, text }] = replay.about(message);
            const { authorization } = headers;
            const list = /SignedHeaders=([^,]+)/.exec(authorization)[1]
                .split(';');
            assert.ok(list.includes('x-amz-security-token'));
            const signer = new SignatureV4({ service: 'bedrock',
                region: 'eu-west-1', sha256: Sha256,
                applyChecksum: 'x-amz-content-sha256' in headers,
                credentials: { accessKeyId: 'AKID', secretAccessKey: 'secret',
                    sessionToken: 'session/token+==' } });
            const signed = await signer.sign({ method, path, query: {},
                protocol: 'http:', hostname: '127.0.0.1', body: text,
                headers: Object.fromEntries(list.map((n) => [n, headers[n]])),
            }, { signingDate: new Date(headers['x-amz-date'].replace(
                /^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z')) });
            assert.equal(signed.headers.authorization, authorization);
        });
});
