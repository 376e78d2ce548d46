/* The vendor's own SDK as an oracle: it reads the recorded replies that the
 * unit tests read with Parley's reader, and must find the same text, thoughts,
 * tool calls, counts and reason in them. Nothing leaves the machine: the SDK
 * gets a fetch of ours. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';

const FOLDER = new URL('../replay/anthropic/', import.meta.url);

/* Where Parley is more lenient than the SDK, on purpose. */
const APART = {
    'after-the-end': 'the SDK reads on',
    'escapes': 'a lone surrogate stays one in JavaScript',
    'stop-only': 'the SDK wants a beginning',
    'unknown': 'the SDK parses events that it does not know',
    'unnamed': 'the SDK leaves out events without a name',
    'wrong-types': 'the SDK trusts the types',
};

const FINISH = {
    end_turn: 'stop', stop_sequence: 'stop', pause_turn: 'stop',
    new_reason: 'stop', max_tokens: 'length', tool_use: 'tool_calls',
    model_context_window_exceeded: 'length', refusal: 'content_filter',
};

function read(name, file) {
    return readFileSync(new URL(`${name}/${file}`, FOLDER));
}

/* What want.txt says, summed up as a message is. */
function wanted(name) {
    const m = { text: '', thinking: '', signatures: [], sealed: '', calls: [],
        usage: null, finish: null };

    for (const line of read(name, 'want.txt').toString().split('\n')) {
        const [, kind, rest] = /^(\S*) ?(.*)$/.exec(line);
        const n = /^-?\d+ (.*)$/.exec(rest)?.[1];

        if (kind === 'text') m.text += JSON.parse(rest);
        if (kind === 'reasoning') m.thinking += JSON.parse(rest);
        if (kind === 'signature') m.signatures.push(JSON.parse(n));
        if (kind === 'sealed') m.sealed += JSON.parse(rest);
        if (kind === 'call') {
            const [id, tool] = JSON.parse(`[${n.replace('" "', '","')}]`);
            m.calls.push({ id, name: tool, input: {} });
        }
        if (kind === 'args')
            m.calls[parseInt(rest, 10)].input = JSON.parse(JSON.parse(n));
        if (kind === 'usage') m.usage = rest.split(' ').map(Number);
        if (kind === 'finish') m.finish = rest;
    }
    return m;
}

function found(message) {
    const of = (type) => message.content.filter((b) => b.type === type);
    const u = message.usage;
    const reason = FINISH[message.stop_reason];
    const calls = of('tool_use');

    return {
        text: of('text').map((b) => b.text).join(''),
        thinking: of('thinking').map((b) => b.thinking).join(''),
        signatures: of('thinking').map((b) => b.signature),
        sealed: of('redacted_thinking').map((b) => b.data).join(''),
        calls: calls.map(({ id, name, input }) => ({ id, name, input })),
        usage: [u.input_tokens + (u.cache_creation_input_tokens ?? 0) +
            (u.cache_read_input_tokens ?? 0), u.output_tokens,
        u.cache_read_input_tokens ?? -1],
        finish: reason === 'stop' && calls.length > 0 ? 'tool_calls' : reason,
    };
}

async function readBySdk(bytes) {
    const whole = bytes.toString().trimStart().startsWith('{');
    const client = new Anthropic({
        apiKey: 'none', baseURL: 'http://127.0.0.1:1', maxRetries: 0,
        logLevel: 'off',
        fetch: async () => new Response(bytes, { headers: {
            'content-type': whole ? 'application/json' : 'text/event-stream',
        } }),
    });
    const ask = { model: 'm', max_tokens: 4096,
        messages: [{ role: 'user', content: 'x' }] };

    if (whole)
        return client.messages.create(ask);
    return client.messages.stream(ask).finalMessage();
}

describe('the SDK of Anthropic reads recorded replies alike', () => {
    for (const name of readdirSync(FOLDER)) {
        test(name, { skip: APART[name] }, async () => {
            const want = wanted(name);
            const bytes = read(name, 'reply.sse');

            if (want.finish !== null) {
                assert.deepEqual(found(await readBySdk(bytes)), want);
                return;
            }
            /* Parley failed: so must the SDK, or find no message. */
            const got = await readBySdk(bytes).catch((e) => e);
            assert.ok(!(got?.type === 'message'), JSON.stringify(got));
        });
    }
});
