/* aimock, an independent imitation of all providers, with its chaos modes on:
 * replies dropped, malformed, refused, late, cut in the middle. On each wire
 * every turn ends, in a whole answer or in an honest error. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { LLMock } from '@copilotkit/aimock';
import { ask, askEvents, messagesOf, metric, newSession }
    from '../lib/client.js';
import { startParley } from '../lib/server.js';
import { assertWholeTurn } from '../lib/sse.js';
import { inParallel, until } from '../lib/wait.js';
import { allWires } from '../lib/wires.js';

const TEXT = 'Fair is foul, and foul is fair: hover through the fog. '
    .repeat(12);
const PROVIDERS = ['openai', 'anthropic', 'gemini', 'huggingface', 'ollama',
    'bedrock'];

/* word: [what is wrong, the codes that the error may have; null: nothing] */
const FAULTS = {
    dropped: [{ chaos: { dropRate: 1 } }, ['provider_failed']],
    malformed: [{ chaos: { malformedRate: 1 } },
        ['provider_garbage', 'incomplete']],
    refused: [{ chaos: { rateLimitRate: 1 } }, ['provider_rate_limited']],
    disconnected: [{ chaos: { disconnectRate: 1 } },
        ['provider_unreachable']],
    delayed: [{ chaos: { latencyMs: 150 } }, null],
    dripping: [{ latency: 2, chunkSize: 5 }, null],
    truncated: [{ truncateAfterChunks: 4, chunkSize: 30, latency: 10 },
        ['incomplete']],
    cut: [{ disconnectAfterMs: 300, latency: 40, chunkSize: 30 },
        ['incomplete']],
};

let mock;

before(async () => {
    mock = new LLMock({ port: 0, logLevel: 'silent' });
    for (const [word, [options]] of Object.entries(FAULTS))
        mock.onMessage(`<${word}>`, { content: TEXT }, options);
    mock.onMessage('<rolling>', { content: TEXT }, { chunkSize: 40,
        chaos: { dropRate: 0.2, malformedRate: 0.15, disconnectRate: 0.25 } });
    mock.onMessage('<calm>', { content: TEXT });
    await mock.start();
});
after(async () => { await mock?.stop(); });

const settings = (more) => ({
    ...allWires(Number(new URL(mock.url).port)), AI_PROVIDER: 'openai',
    ...more,
});

/* A turn, read to its end, and what any turn owes. Returns its last event. */
async function turn(parley, provider, message) {
    const session_id = newSession();
    const s = await askEvents(parley, { message, provider, session_id,
        model: `${provider}-model` });
    const events = await s.all();
    assertWholeTurn(events);
    const { type, data } = events.at(-1);
    const text = s.text();
    if (type === 'response_complete' && data.provider !== 'offline') {
        assert.equal(text, TEXT);
        assert.equal(data.finish_reason, 'stop');
    } else if (type === 'error') {
        assert.ok(TEXT.startsWith(text), text);
        assert.notEqual(text, TEXT);
        assert.match(data.code, /^(provider_[a-z_]+|incomplete)$/);
        assert.equal(typeof data.message, 'string');
        assert.equal(data.content ?? '', text);
    }
    const [, stored] = await messagesOf(parley, session_id);
    if (text !== '') {
        assert.equal(stored.content, text);
        assert.equal(stored.finish_reason,
            type === 'error' ? 'incomplete' : 'stop');
    }
    return { type, data, text };
}

describe('one thing wrong, and nobody to stand in', () => {
    let parley;

    before(async () => {
        parley = await startParley({ env: settings({
            UPSTREAM_RETRIES: '0', AI_FALLBACK: 'none',
        }) });
    });
    after(async () => { await parley?.stop(); });

    for (const [word, [, codes]] of Object.entries(FAULTS))
        test(`${word}: ${codes ? 'an error that says so' : 'an answer'}`,
            async () => {
                await inParallel(PROVIDERS, 3, async (provider) => {
                    const why = `${provider}, ${word}`;
                    const { type, data, text } = await turn(parley, provider,
                        `<${word}>`);
                    if (codes === null) {
                        assert.equal(type, 'response_complete', why);
                        return;
                    }
                    assert.equal(type, 'error', why);
                    assert.ok(codes.includes(data.code),
                        `${why}: ${data.code}`);
                    assert.equal(data.provider, provider);
                    if (word === 'truncated' || word === 'cut')
                        assert.ok(text.length > 0, why);
                    else
                        assert.equal(text, '', why);
                });
            });

    test('afterwards all is well', async () => {
        for (const provider of PROVIDERS)
            assert.equal((await turn(parley, provider, '<calm>')).type,
                'response_complete');
        assert.equal(await metric(parley, 'parley_turns_running'), 0);
    });
});

describe('many things wrong, by the dice', () => {
    test('every turn ends well or says why', async () => {
        const parley = await startParley({ env: settings({
            UPSTREAM_RETRIES: '1', CIRCUIT_OPEN_MS: '200',
            AI_FALLBACK: 'anthropic/a-model, gemini/a-model',
        }) });
        try {
            const turns = Array.from({ length: 60 }, (_, i) =>
                PROVIDERS[i % PROVIDERS.length]);
            const ends = await inParallel(turns, 20,
                (provider, i) => turn(parley, provider, `<rolling> ${i}`));
            for (const { data } of ends)
                if (data.provider === 'offline')
                    assert.fail('the offline provider was not asked for');
            const well = ends.filter((e) => e.type === 'response_complete');
            assert.ok(well.length > 0);
            /* Whatever was rolled, circuits close and answers come again. */
            for (const provider of PROVIDERS)
                await until(`an answer of ${provider}`, async () =>
                    (await turn(parley, provider, '<calm>'))
                        .data.provider === provider);
            assert.equal(await metric(parley, 'parley_circuits_open'), 0);
        } finally {
            await parley.stop();
        }
    });

    test('with the offline provider at the end of the chain nobody is left ' +
        'without an answer', async () => {
        const parley = await startParley({ env: settings({
            UPSTREAM_RETRIES: '0', AI_FALLBACK: 'offline',
        }) });
        try {
            await inParallel(PROVIDERS, 3, async (provider) => {
                const body = await ask(parley, { message: '<disconnected>',
                    provider, model: 'a-model' });
                assert.equal(body.provider, 'offline');
                assert.equal(body.notes[0].code, 'fallback');
                assert.match(body.notes[0].message, new RegExp(provider));
            });
        } finally {
            await parley.stop();
        }
    });
});
