/* A provider that makes embeddings, and answers a chat as well. Its vectors are
 * about a few things that have several names: words for the same thing are near
 * each other, whatever letters they have. A model's name turns the numbers, so
 * that vectors of two models say nothing of each other.
 *
 *     const embedder = await startEmbedder({ host });
 *     startParley({ env: { ...embedder.env('m-1') } })
 *     … embedder.texts('m-1') … embedder.behave = (request, texts) => script */

import assert from 'node:assert/strict';
import { statusWire } from './openai_bytes.js';
import { call } from './client.js';
import { echo, startReplay } from './replay.js';
import { until } from './wait.js';

const THINGS = [
    ['automobile', 'car', 'vehicle', 'sedan'],
    ['feline', 'cat', 'kitten'],
    ['physician', 'doctor', 'surgeon'],
    ['sunset', 'dusk', 'evening'],
    ['beach', 'shore', 'seaside'],
];
const DIMS = THINGS.length + 3;

/* One number for each thing that is named, and a little of what all have. */
export function vectorOf(text, model) {
    const words = text.toLowerCase().match(/[a-z]+/g) ?? [];
    const row = THINGS.map((names) =>
        words.filter((w) => names.includes(w)).length);
    row.push(0.02, 0, 0);
    const by = [...model].reduce((n, c) => n + c.charCodeAt(0), 0) % DIMS;
    return row.map((_, i) => row[(i + by) % DIMS]);
}

export const rows = (request, texts) => statusWire(200, {}, {
    object: 'list', model: request.body.model,
    data: texts.map((t, index) => ({ object: 'embedding', index,
        embedding: vectorOf(t, request.body.model) })),
    usage: { prompt_tokens: texts.length, total_tokens: texts.length },
});

export const isEmbedding = (request) =>
    request.path.endsWith('/embeddings');

export async function startEmbedder({ host } = {}) {
    const says = echo(() => 'So it is [1].');
    const embedder = { behave: null };
    const replay = await startReplay(async (peer, request) => {
        if (!isEmbedding(request))
            return says(peer, request);
        const texts = [].concat(request.body.input);
        const wire = embedder.behave === null ? rows(request, texts)
            : await embedder.behave(request, texts);
        return peer.end(wire);
    }, host);
    embedder.replay = replay;
    embedder.env = (model) => ({ ...replay.env(),
        EMBED_MODEL: `openai/${model}`, FILES_USE: 'always' });
    embedder.asked = (model) => replay.requests.filter((r) =>
        isEmbedding(r) && (model === undefined || r.body.model === model));
    embedder.texts = (model) => embedder.asked(model)
        .flatMap((r) => r.body.input);
    embedder.stop = () => replay.stop();
    return embedder;
}

export const refusal = (code, error = {}) =>
    statusWire(code, {}, { error: { message: 'no', ...error } });

/* GET /files, of its collections together. */
export async function progress(parley, headers = {}) {
    const r = await call(parley, '/files', { headers });
    assert.equal(r.status, 200, r.text);
    const sum = (name) => r.body.collections
        .reduce((n, c) => n + c[name], 0);
    return { ...r.body.embedding, chunks: sum('chunks'),
        embedded: sum('embedded') };
}

/* Wait until all that can have vectors have them. */
export const embedded = (parley, chunks, headers) =>
    until(`${chunks} chunks to have vectors`, async () => {
        const p = await progress(parley, headers);
        return p.state === 'done' && p.embedded === chunks && p;
    });

/* Wait for what is told of it to be this. */
export const stateOf = (parley, state) =>
    until(`the vectors to be ${state}`, async () => {
        const p = await progress(parley);
        return p.state === state && p;
    });
