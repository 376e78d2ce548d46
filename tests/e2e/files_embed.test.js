/* Files are found by a provider's vectors: what it is sent and what not, when
 * it fails, and when the setting names another model. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, call, newSession } from '../lib/client.js';
import { embedded, progress, refusal, rows, startEmbedder }
    from '../lib/embedder.js';
import { namesOf, search, upload } from '../lib/files.js';
import { startParley } from '../lib/server.js';
import { until } from '../lib/wait.js';

const AWAY = '127.0.0.2'; /* not this machine, as far as its address says */
const FILES = {
    'garage.md': '# Garage\n\nThe automobile needs new tyres.\n',
    'pets.md': '# Pets\n\nA feline sleeps on the sofa.\n',
    'health.md': '# Health\n\nThe physician comes on Monday.\n',
};

/* An embedder and a server with it; run fn; end both. */
async function running(fn, { host, env = {}, model = 'm-1' } = {}) {
    const embedder = await startEmbedder({ host });
    let parley;
    try {
        parley = await startParley({ env: { ...embedder.env(model), ...env } });
        await fn(parley, embedder);
    } finally {
        await parley?.stop();
        await embedder.stop();
    }
}

const first = async (parley, q) => (await search(parley, q))[0]?.name;

test('a synonym finds what no word of it does', () => running(
    async (parley, embedder) => {
        await upload(parley, FILES);
        await embedded(parley, 3);
        for (const [q, name] of [['car', 'garage.md'], ['kitten', 'pets.md'],
            ['my doctor', 'health.md']])
            assert.equal(await first(parley, q), name, q);
        assert.equal(embedder.texts().filter((t) => t === 'car').length, 1);
        await search(parley, 'car');
        assert.equal(embedder.texts().filter((t) => t === 'car').length, 1,
            'the same question is not asked for twice');
        /* By built-in vectors it is not found. */
        const plain = await startParley();
        try {
            await upload(plain, FILES);
            assert.ok(!namesOf(await search(plain, 'car'))
                .includes('garage.md'));
        } finally {
            await plain.stop();
        }
    }));
