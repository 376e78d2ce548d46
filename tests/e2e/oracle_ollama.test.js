/* Ollama's own client as an oracle (lib/oracle.js). */

import { Ollama } from 'ollama';
import { oracle } from '../lib/oracle.js';
import { WIRES } from '../lib/wires.js';

const APART = {
    'error-context': 'the beginning of a tag is no text yet',
    'escapes': 'a lone surrogate stays one in JavaScript, and a NUL a NUL',
    'garbage-inside': 'the client passes over lines that it cannot read',
    'think-tags': 'the client leaves thoughts in the text',
    'wrong-types': 'the client trusts the types',
};

const FINISH = { load: 'stop', unload: 'stop' }; /* there was nothing to say */

function add(into, { message, done, done_reason, ...counts }) {
    into.text += message?.content ?? '';
    into.thinking += message?.thinking ?? '';
    for (const { id, function: f } of message?.tool_calls ?? [])
        into.calls.push({ id: id ?? '', name: f.name,
            input: f.arguments ?? {} });
    if (!done)
        return;
    into.usage = [counts.prompt_eval_count ?? null, counts.eval_count ?? null,
        null];
    into.finish = FINISH[done_reason] ?? done_reason ?? 'stop';
    if (into.finish === 'stop' && into.calls.length > 0)
        into.finish = 'tool_calls';
}

oracle({
    provider: 'ollama',
    env: WIRES.ollama.env,
    apart: APART,
    cut: ['plain', 'thinking', 'tool-calls'],
    sdk: async ({ port, message, into, whole }) => {
        const client = new Ollama({ host: `http://127.0.0.1:${port}` });
        const ask = { model: 'm',
            messages: [{ role: 'user', content: message }] };

        if (whole)
            add(into, await client.chat(ask));
        else
            for await (const part of
                await client.chat({ ...ask, stream: true }))
                add(into, part);
    },
});
