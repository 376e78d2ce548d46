/* A vendor's own SDK as an oracle: the recorded replies that the unit tests
 * read (tests/replay) are sent to the SDK and to Parley, by the same server,
 * and both must find the same text, thoughts, tool calls, counts and reason in
 * them, or both fail with the same text so far. What Parley finds is what its
 * clients see: of the tool calls, those of the compatible API.
 *
 *     oracle({ provider: 'openai', env: WIRES.openai.env, apart: { … },
 *         sdk: async ({ name, port, message, whole, into }) => { … } });
 *
 * `sdk` fills `into`, and leaves its `finish` null or throws where the SDK
 * finds no end. `whole`: the reply is one JSON body, no stream. `apart` are the
 * replies that the two read differently on purpose, each with its reason; what
 * they read alike must not be among them. The replies named in `cut` are also
 * sent as far as their first n bytes, for many n. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { askEvents, postJson } from './client.js';
import { statusWire } from './openai_bytes.js';
import { startReplay, whole } from './replay.js';
import { startParley } from './server.js';
import { isLast } from './sse.js';

/* What a reader finds; null: nothing was said. */
function nothing() {
    return { text: '', thinking: '', calls: [], usage: [null, null, null],
        finish: null };
}

function recordings(provider) {
    const folder = new URL(`../replay/${provider}/`, import.meta.url);
    return readdirSync(folder).sort().map((name) => {
        const file = (f) => readFileSync(new URL(`${name}/${f}`, folder));
        const reply = readdirSync(new URL(`${name}/`, folder))
            .find((f) => f.startsWith('reply.'));
        return { name, bytes: file(reply),
            stream: reply.slice('reply.'.length) };
    });
}

/* Arguments as an object; a text that is none stays one. */
export function input(text) {
    try {
        return JSON.parse(text || '{}');
    } catch {
        return text;
    }
}

const CLAUDE_FINISH = {
    end_turn: 'stop', stop_sequence: 'stop', pause_turn: 'stop',
    new_reason: 'stop', max_tokens: 'length', tool_use: 'tool_calls',
    model_context_window_exceeded: 'length', refusal: 'content_filter',
};

/* Fill `into` from a message as Anthropic's SDK gives it. */
export function readClaude(into, { content, usage: u, stop_reason }) {
    const of = (type) => content.filter((b) => b.type === type);

    into.text = of('text').map((b) => b.text).join('');
    into.thinking = of('thinking').map((b) => b.thinking).join('');
    into.calls = of('tool_use').map((b) => ({ id: b.id, name: b.name,
        input: b.input }));
    into.usage = [u.input_tokens + (u.cache_creation_input_tokens ?? 0) +
        (u.cache_read_input_tokens ?? 0), u.output_tokens,
    u.cache_read_input_tokens ?? null];
    into.finish = CLAUDE_FINISH[stop_reason] ?? stop_reason;
    if (into.finish === 'stop' && into.calls.length > 0)
        into.finish = 'tool_calls';
}

const STREAM_TYPES = {
    sse: 'text/event-stream', ndjson: 'application/x-ndjson',
    bin: 'application/vnd.amazon.eventstream',
};

function isJson(bytes) {
    try {
        JSON.parse(bytes);
        return true;
    } catch {
        return false;
    }
}

/* How the reply went over the wire; not told apart by its first byte alone:
 * lines of JSON begin alike. */
function typeOf({ bytes, stream }) {
    const start = bytes.toString('latin1').trimStart();
    if (/^[{[]/.test(start) && (isJson(bytes) || stream !== 'ndjson'))
        return 'application/json';
    return start.startsWith('<') ? 'text/html' : STREAM_TYPES[stream];
}

function wire(recording) {
    return Buffer.concat([statusWire(200, {
        'Content-Type': typeOf(recording),
        'Content-Length': String(recording.bytes.length),
    }, ''), recording.bytes]);
}

/* The tool calls of an answer; a client with tools of its own sees them. */
async function callsOf(parley, provider, message) {
    const r = await postJson(parley, '/v1/chat/completions', {
        model: `${provider}/m`, messages: [{ role: 'user', content: message }],
        tools: [{ type: 'function', function: { name: 'f',
            parameters: { type: 'object', properties: {} } } }],
    });
    assert.equal(r.status, 200, r.text);
    return (r.body.choices[0].message.tool_calls ?? []).map((c) => ({
        id: c.id, name: c.function.name, input: input(c.function.arguments) }));
}

async function byParley(parley, provider, message) {
    const s = await askEvents(parley, { message });
    const events = await s.all();
    const { data } = events.find(isLast);
    const u = data.usage ?? {};
    const finish = events.at(-1).type === 'error' ? null : data.finish_reason;
    return { text: s.text(), finish,
        thinking: events.filter((e) => e.type === 'reasoning_chunk')
            .map((e) => e.data.content).join(''),
        calls: finish === 'tool_calls'
            ? await callsOf(parley, provider, message) : [],
        usage: [u.input_tokens, u.output_tokens, u.cached_tokens] };
}

/* Of an answer that failed only the text so far is compared; an id that the
 * provider did not give is ours. */
function comparable(mine, theirs) {
    if (mine.finish === null && theirs.finish === null)
        return [{ failed: true, text: mine.text },
            { failed: true, text: theirs.text }];
    theirs.calls.forEach((call, i) => {
        if (call.id === '' && mine.calls[i]?.id)
            call.id = mine.calls[i].id;
    });
    return [mine, theirs];
}

const CUTS = 40; /* of a reply */

export function oracle({ provider, env, sdk, apart = {}, cut = [] }) {
    let replay;
    let parley;

    before(async () => {
        replay = await startReplay();
        parley = await startParley({ env: {
            ...env(replay.port), AI_PROVIDER: provider, AI_FALLBACK: 'none',
            UPSTREAM_RETRIES: '0',
        } });
    });
    after(async () => {
        await parley?.stop();
        await replay?.stop();
    });

    /* What the two make of it: [Parley, SDK, why the SDK failed]. `told`: an
     * end that the SDK was told counts, though it stumbles over what follows
     * it. */
    async function both(message, recording, told = false) {
        const into = nothing();
        replay.on(message, whole(wire(recording)));
        const failure = await sdk({ name: recording.name, port: replay.port,
            message, into, whole: isJson(recording.bytes) }).catch((e) => e);
        if (failure && !told)
            into.finish = null;
        return [...comparable(
            await byParley(parley, provider, message), into),
        failure?.stack];
    }

    describe(`the SDK and Parley read recorded replies of ${provider} alike`,
        () => {
            const all = recordings(provider);
            for (const name of [...Object.keys(apart), ...cut])
                assert.ok(all.some((r) => r.name === name), name);

            for (const recording of all) {
                const { name, bytes } = recording;
                test(name, async () => {
                    const [a, b, failure] =
                        await both(`recorded <${name}>`, recording);
                    if (name in apart)
                        assert.notDeepEqual(a, b);
                    else
                        assert.deepEqual(a, b, failure);
                });
                if (cut.includes(name))
                    test(`${name}, cut anywhere`, async () => {
                        const step = Math.ceil(bytes.length / CUTS);
                        for (let n = 1; n < bytes.length; n += step) {
                            const [a, b] = await both(`cut <${name}> at ${n}.`,
                                { ...recording, bytes: bytes.subarray(0, n) },
                                true);
                            assert.deepEqual(a, b, `the first ${n} bytes: ` +
                                `${JSON.stringify([a, b])}`);
                        }
                    });
            }
        });
}
