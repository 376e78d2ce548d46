/* The wires of all providers, as far as a test needs them: the settings that
 * send Parley there, and the bytes of a whole answer on each.
 *
 *     startParley({ env: { ...WIRES.gemini.env(replay.port), … } })
 *     replay.on('word', whole(WIRES.gemini.answer('Hi')))
 */

import { replyWire, statusWire } from './openai_bytes.js';

const sse = (events) => statusWire(200,
    { 'Content-Type': 'text/event-stream' },
    events.map(([name, data]) => `${name ? `event: ${name}\n` : ''}data: ` +
        `${JSON.stringify(data)}\n\n`).join(''));

function anthropicEvents(text, { input, output }) {
    return [
        ['message_start', { type: 'message_start', message: {
            id: 'msg_replay', type: 'message', role: 'assistant',
            model: 'claude-replay', content: [], stop_reason: null,
            usage: { input_tokens: input, output_tokens: 1 } } }],
        ['content_block_start', { type: 'content_block_start', index: 0,
            content_block: { type: 'text', text: '' } }],
        ['content_block_delta', { type: 'content_block_delta', index: 0,
            delta: { type: 'text_delta', text } }],
        ['content_block_stop', { type: 'content_block_stop', index: 0 }],
        ['message_delta', { type: 'message_delta',
            delta: { stop_reason: 'end_turn' },
            usage: { output_tokens: output } }],
        ['message_stop', { type: 'message_stop' }],
    ];
}

const COUNTS = { input: 7, output: 3 };

export const WIRES = {
    openai: {
        env: (port) => ({ OPENAI_API_KEY: 'key-openai',
            OPENAI_BASE_URL: `http://127.0.0.1:${port}/v1` }),
        answer: (text, n = COUNTS) => replyWire([text], { usage: {
            prompt_tokens: n.input, completion_tokens: n.output,
            total_tokens: n.input + n.output,
            prompt_tokens_details: { cached_tokens: n.cached },
        } }),
    },
    anthropic: {
        env: (port) => ({ ANTHROPIC_API_KEY: 'key-anthropic',
            ANTHROPIC_BASE_URL: `http://127.0.0.1:${port}` }),
        answer: (text, n = COUNTS) => sse(anthropicEvents(text, n)),
    },
    gemini: {
        env: (port) => ({ GEMINI_API_KEY: 'key-gemini',
            GEMINI_BASE_URL: `http://127.0.0.1:${port}/v1beta` }),
        answer: (text, n = COUNTS) => sse([['', {
            candidates: [{ index: 0, finishReason: 'STOP',
                content: { role: 'model', parts: [{ text }] } }],
            usageMetadata: { promptTokenCount: n.input,
                candidatesTokenCount: n.output },
            modelVersion: 'gemini-replay' }]]),
    },
    huggingface: {
        env: (port) => ({ HF_API_KEY: 'key-hf',
            HF_BASE_URL: `http://127.0.0.1:${port}/v1` }),
        answer: (text) => WIRES.openai.answer(text),
    },
    ollama: {
        env: (port) => ({ OLLAMA_HOST: `127.0.0.1:${port}` }),
        answer: (text, n = COUNTS) => statusWire(200,
            { 'Content-Type': 'application/x-ndjson' },
            [{ message: { role: 'assistant', content: text }, done: false },
                { message: { role: 'assistant', content: '' }, done: true,
                    done_reason: 'stop', prompt_eval_count: n.input,
                    eval_count: n.output }]
                .map((o) => `${JSON.stringify({ model: 'llama', ...o })}\n`)
                .join('')),
    },
    /* A stream of events with checksums is what the unit tests have; a reply
     * in one piece is understood as well. */
    bedrock: {
        env: (port) => ({ AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'AKID',
            AWS_SECRET_ACCESS_KEY: 'secret',
            BEDROCK_BASE_URL: `http://127.0.0.1:${port}` }),
        answer: (text, n = COUNTS) => statusWire(200, {}, {
            output: { message: { role: 'assistant', content: [{ text }] } },
            stopReason: 'end_turn',
            usage: { inputTokens: n.input, outputTokens: n.output },
        }),
    },
};

/* All of them at one port. */
export function allWires(port) {
    return Object.assign({}, ...Object.values(WIRES).map((w) => w.env(port)));
}

/* A request's body, or a part of it, without the hints of what to cache. */
export function unhinted(value) {
    if (Array.isArray(value))
        return value.filter((v) => !v.cachePoint).map(unhinted);
    if (typeof value !== 'object' || value === null)
        return value;
    return Object.fromEntries(Object.entries(value)
        .filter(([key]) => key !== 'cache_control')
        .map(([key, v]) => [key, unhinted(v)]));
}
