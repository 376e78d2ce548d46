/* The compatible API as its own clients see it.
 *
 *     const openai = openaiFor(parley);
 *     await openai.chat.completions.create({ model: 'replay-1', … });
 */

import assert from 'node:assert/strict';
import OpenAI from 'openai';
import { postJson } from './client.js';

export function openaiFor(parley, options = {}) {
    return new OpenAI({
        apiKey: 'anything', baseURL: `${parley.url}/v1`, maxRetries: 0,
        ...options,
    });
}

export const user = (content) => [{ role: 'user', content }];

/* POST as curl would; {status, headers, text, body}. */
export function complete(parley, fields, headers) {
    return postJson(parley, '/v1/chat/completions', fields, headers);
}

/* The `data:` of every event of a stream's body, as it stands. */
export function dataOf(text) {
    return text.split('\n\n').filter((event) => event !== '').map((event) => {
        assert.match(event, /^data: [^\n]*$|^:[^\n]*$/);
        return event;
    }).filter((event) => event.startsWith('data: '))
        .map((event) => event.slice(6));
}

/* All chunks of an SDK's stream. */
export async function chunksOf(stream) {
    const chunks = [];
    for await (const chunk of stream)
        chunks.push(chunk);
    return chunks;
}

export function textOf(chunks) {
    return chunks.map((c) => c.choices[0]?.delta?.content ?? '').join('');
}

export const WEATHER = {
    type: 'function',
    function: {
        name: 'get_weather', description: 'The weather of a city',
        parameters: { type: 'object', properties: {
            city: { type: 'string' } }, required: ['city'] },
    },
};
export const CLOCK = {
    type: 'function',
    function: { name: 'clock', parameters: { type: 'object',
        properties: {} } },
};
