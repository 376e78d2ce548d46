/* Google's own SDK as an oracle (lib/oracle.js). */

import { GoogleGenAI } from '@google/genai';
import { oracle } from '../lib/oracle.js';
import { WIRES } from '../lib/wires.js';

const FINISH = {
    STOP: 'stop', MAX_TOKENS: 'length', SAFETY: 'content_filter',
    MALFORMED_FUNCTION_CALL: null, /* a failure, and Parley says so */
};

const APART = {
    'array': 'the SDK does not ask for this form',
    'array-cut': 'the SDK does not ask for this form',
    'array-error': 'the SDK does not ask for this form',
    'escapes': 'a lone surrogate stays one in JavaScript, and a NUL a NUL',
    'stop-in-each': 'the SDK does not know OpenAI\'s end marker',
    'tail-after-end': 'the SDK reads on',
    'unknown': 'the SDK knows no empty events',
    'wrong-types': 'the SDK trusts the types',
};

function add(into, { candidates, promptFeedback, usageMetadata: u }) {
    const candidate = candidates?.find((c) => (c.index ?? 0) === 0);

    for (const part of candidate?.content?.parts ?? []) {
        if (part.text)
            into[part.thought ? 'thinking' : 'text'] += part.text;
        if (part.functionCall)
            into.calls.push({ id: part.functionCall.id ?? '',
                name: part.functionCall.name,
                input: part.functionCall.args ?? {} });
    }
    if (u)
        into.usage = [u.promptTokenCount === undefined ? null
            : u.promptTokenCount + (u.toolUsePromptTokenCount ?? 0),
            u.candidatesTokenCount === undefined &&
                u.thoughtsTokenCount === undefined ? null
                : (u.candidatesTokenCount ?? 0) + (u.thoughtsTokenCount ?? 0),
            u.cachedContentTokenCount ?? null];
    const reason = candidate?.finishReason;
    if (reason)
        into.finish = reason in FINISH ? FINISH[reason] : reason;
    else if (promptFeedback?.blockReason)
        into.finish = 'content_filter';
}

oracle({
    provider: 'gemini',
    env: WIRES.gemini.env,
    apart: APART,
    cut: ['plain', 'thinking', 'parallel-calls'],
    sdk: async ({ port, message, into, whole }) => {
        const client = new GoogleGenAI({ apiKey: 'none', httpOptions: {
            baseUrl: `http://127.0.0.1:${port}`, apiVersion: 'v1beta',
            retryOptions: { attempts: 1 },
        } });
        const ask = { model: 'gemini-2.5-flash', contents: message };

        if (whole)
            add(into, await client.models.generateContent(ask));
        else
            for await (const chunk of
                await client.models.generateContentStream(ask))
                add(into, chunk);
        if (into.finish === 'stop' && into.calls.length > 0)
            into.finish = 'tool_calls';
    },
});
