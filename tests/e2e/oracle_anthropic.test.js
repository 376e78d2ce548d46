/* Anthropic's own SDK as an oracle (lib/oracle.js): here Parley as a whole is
 * held to it, in anthropic_sdk.test.js what its reader finds beside the text.
 */

import Anthropic from '@anthropic-ai/sdk';
import { oracle, readClaude } from '../lib/oracle.js';
import { WIRES } from '../lib/wires.js';

const APART = {
    'after-the-end': 'the SDK reads on',
    'escapes': 'a lone surrogate stays one in JavaScript, and a NUL a NUL',
    'stop-only': 'the SDK wants a beginning',
    'unknown': 'the SDK parses events that it does not know',
    'unnamed': 'the SDK leaves out events without a name',
    'wrong-types': 'the SDK trusts the types',
};

oracle({
    provider: 'anthropic',
    env: WIRES.anthropic.env,
    apart: APART,
    cut: ['plain', 'thinking', 'parallel-tools'],
    sdk: async ({ port, message, into, whole }) => {
        const client = new Anthropic({ apiKey: 'none', maxRetries: 0,
            baseURL: `http://127.0.0.1:${port}`, logLevel: 'off' });
        const ask = { model: 'm', max_tokens: 4096,
            messages: [{ role: 'user', content: message }] };

        if (whole) {
            readClaude(into, await client.messages.create(ask));
            return;
        }
        const stream = client.messages.stream(ask);
        stream.on('text', (text) => { into.text += text; });
        readClaude(into, await stream.finalMessage());
    },
});
