/* OpenAI's own SDK as an oracle (lib/oracle.js). */

import OpenAI from 'openai';
import { input, oracle } from '../lib/oracle.js';
import { WIRES } from '../lib/wires.js';

function callOf(calls, index, fresh) {
    if (!calls.has(index))
        calls.set(index, { args: '', ...fresh });
    return calls.get(index);
}

/* As the SDK's manual adds the pieces of a stream up; calls in the order in
 * which they begin. A whole reply is a stream of one. */
function add(into, calls, { choices, usage }) {
    const choice = choices.find((c) => c.index === 0);
    const { content, refusal, reasoning_content, reasoning, tool_calls,
        function_call } = choice?.delta ?? choice?.message ?? {};

    into.text += (content ?? '') + (refusal ?? '');
    into.thinking += reasoning_content ?? reasoning ?? '';
    for (const [i, c] of (tool_calls ?? []).entries()) {
        const call = callOf(calls, c.index ?? i);
        call.id ??= c.id;
        call.name ??= c.function.name;
        call.args += c.function.arguments ?? '';
    }
    if (function_call) { /* the older form: one call, no id */
        const call = callOf(calls, 0, { id: '' });
        call.name ??= function_call.name;
        call.args += function_call.arguments ?? '';
    }
    if (usage)
        into.usage = [usage.prompt_tokens, usage.completion_tokens,
            usage.prompt_tokens_details?.cached_tokens ?? null];
    into.finish = choice?.finish_reason ?? into.finish;
}

/* What servers send that only claim to be like OpenAI: the SDK adds it up
 * wrongly, or not at all. */
const APART = {
    'calls-gemini': 'calls without numbers, told apart by their ids; usage ' +
        'that leaves the thoughts out',
    'calls-late-name': 'the SDK leaves out a name that never comes',
    'calls-numbered-zero': 'all calls have number 0, but ids of their own',
    'calls-odd': 'calls that are no objects',
    'calls-repeated': 'calls without numbers',
    'content-parts': 'text as a list of parts',
    'done-only': 'an end without a reason',
    'escapes': 'a lone surrogate stays one in JavaScript, and a NUL a NUL',
    'unknown': 'chunks without choices',
    'usage-cached': 'another name for cached tokens',
    'usage-xai': 'completion tokens that leave the thoughts out',
    'wrong-types': 'the SDK trusts the types',
};

oracle({
    provider: 'openai',
    env: WIRES.openai.env,
    apart: APART,
    cut: ['plain', 'calls-parallel', 'llamacpp'],
    sdk: async ({ port, message, into, whole }) => {
        const client = new OpenAI({ apiKey: 'none', maxRetries: 0,
            baseURL: `http://127.0.0.1:${port}/v1`, logLevel: 'off' });
        const ask = { model: 'm',
            messages: [{ role: 'user', content: message }] };
        const calls = new Map();

        try {
            if (whole)
                add(into, calls, await client.chat.completions.create(ask));
            else
                for await (const chunk of await client.chat.completions.create(
                    { ...ask, stream: true }))
                    add(into, calls, chunk);
        } finally {
            if (['stop', 'function_call'].includes(into.finish) &&
                calls.size > 0)
                into.finish = 'tool_calls'; /* not all servers say so */
            into.calls = [...calls.values()].map(({ id, name, args }) =>
                ({ id, name, input: input(args) }));
        }
    },
});
