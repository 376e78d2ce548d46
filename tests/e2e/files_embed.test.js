/* Files are found by a provider's vectors: what it is sent and what not, when
 * it fails, and when the setting names another model. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { ask, call, newSession, postJson } from '../lib/client.js';
import { embedded, isEmbedding, progress, refusal, rows, startEmbedder,
    stateOf } from '../lib/embedder.js';
import { namesOf, search, upload } from '../lib/files.js';
import { startParley } from '../lib/server.js';
import { deferred, until } from '../lib/wait.js';

const AWAY = '127.0.0.2'; /* not this machine, as far as its address says */
const FILES = {
    'garage.md': '# Garage\n\nThe automobile needs new tyres.\n',
    'pets.md': '# Pets\n\nA feline sleeps on the sofa.\n',
    'health.md': '# Health\n\nThe physician comes on Monday.\n',
};

/* An embedder and a server with it; run fn; end both. */
async function running(fn, { host, env = {}, model = 'm-1', door } = {}) {
    const embedder = await startEmbedder({ host });
    let parley;
    try {
        parley = await startParley({ door,
            env: { ...embedder.env(model), ...env } });
        await fn(parley, embedder);
    } finally {
        await parley?.stop();
        await embedder.stop();
    }
}

/* Stop it and start it on the same data with other settings. */
async function again(parley, env) {
    await parley.stopWeb();
    Object.assign(parley.settings, env);
    await parley.start();
}

const first = async (parley, q) => (await search(parley, q))[0]?.name;
const times = (list, text) => list.filter((t) => t.includes(text)).length;

/* Text that is cut into so many chunks or a few more, each with words of its
 * own. */
const long = (word, n) => Array.from({ length: n }, (_, i) =>
    `# Part ${i}\n\n${word}${i} ${'lorem ipsum dolor '.repeat(40)}\n`)
    .join('\n');

const auditOf = (parley) => fs.readFileSync(
    path.join(parley.dataDir, 'audit.log'), 'utf8').trim().split('\n')
    .map((line) => JSON.parse(line));

describe('what is found', () => {
    for (const door of ['fastcgi', 'lighttpd-cgi'])
        test(`a synonym finds what no word of it does, by ${door}`,
            () => running(async (parley, embedder) => {
                await upload(parley, FILES);
                await embedded(parley, 3);
                for (const [q, name] of [['car', 'garage.md'],
                    ['kitten', 'pets.md'], ['my doctor', 'health.md']])
                    assert.equal(await first(parley, q), name, q);
                await search(parley, 'car');
                assert.equal(times(embedder.texts(), 'car'), 1,
                    'the same question is not asked for twice');
            }, { door }));

    test('built-in vectors do not find it, and ask nobody', async () => {
        const embedder = await startEmbedder();
        const parley = await startParley({ env: { ...embedder.env('m-1'),
            EMBED_MODEL: '' } });
        try {
            await upload(parley, FILES);
            assert.ok(!namesOf(await search(parley, 'car'))
                .includes('garage.md'));
            const r = await call(parley, '/files');
            assert.equal(r.body.embedding, undefined);
            assert.equal(r.body.collections[0].embedded, undefined);
            assert.equal(embedder.asked().length, 0);
        } finally {
            await parley.stop();
            await embedder.stop();
        }
    });

    test('wherever files are looked for', () => running(
        async (parley, embedder) => {
            await upload(parley, FILES);
            await embedded(parley, 3);
            const reply = await ask(parley, { message: 'the kitten?' });
            assert.equal(reply.citations[0].name, 'pets.md');
            const cloud = await postJson(parley, '/api/cloud-chat',
                { message: 'the surgeon?' });
            assert.equal(cloud.body.data.relevant_files[0], 'health.md');
            const command = await ask(parley, { message: '/search vehicle' });
            assert.equal(command.result.files[0].name, 'garage.md');
            for (const word of ['kitten', 'surgeon', 'vehicle'])
                assert.equal(times(embedder.texts(), word), 1, word);
        }));

    test('a follow-up is about what was spoken of', () => running(
        async (parley, embedder) => {
            await upload(parley, {
                'a.md': 'The feline at the seaside.',
                'b.md': 'The feline at dusk.',
                'c.md': 'The feline at dusk on the seaside.',
            });
            await embedded(parley, 3);
            const session_id = newSession();
            await ask(parley, { session_id, message: 'sunset' });
            const reply = await ask(parley, { session_id,
                message: 'beach' });
            assert.equal(reply.citations[0].name, 'c.md');
            const last = embedder.asked().at(-1).body.input;
            assert.equal(last[0], 'beach');
            assert.match(last[1], /^sunset\n/);
        }));
});

describe('what leaves', () => {
    test('labels count', () => running(async (parley, embedder) => {
        await upload(parley, FILES);
        await upload(parley, { 'diary.txt': 'The automobile hides a zircon.' },
            { fields: { label: 'local-only' } });
        await upload(parley, { 'lease.txt':
            'The vehicle is leased by keeper@example.org alone.' },
        { fields: { label: 'redact' } });
        await embedded(parley, 4);
        assert.equal((await progress(parley)).chunks, 5);
        assert.equal(times(embedder.texts(), '[redacted]'), 1);
        const found = namesOf(await search(parley, 'car'));
        assert.ok(found.includes('garage.md') && found.includes('lease.txt'));
        assert.ok(namesOf(await search(parley, 'zircon'))
            .includes('diary.txt'), 'by its words');
        for (const secret of ['keeper@example.org', 'hides'])
            assert.ok(!embedder.replay.requests.some((r) =>
                r.text.includes(secret)), secret);
        const calls = () => auditOf(parley).filter((e) =>
            e.for === 'embedding');
        await until('the audit log to name what left', () => [...new Set(
            calls().flatMap((e) => e.files))].sort().join() ===
            'garage.md,health.md,lease.txt,pets.md');
        assert.equal(calls()[0].who, 'program/files');
        assert.equal(calls()[0].provider, 'openai');
    }, { host: AWAY }));

    test('a model on this machine is given all', () => running(
        async (parley, embedder) => {
            await upload(parley, { 'diary.txt': 'A feline, a zircon.' },
                { fields: { label: 'local-only' } });
            await embedded(parley, 1);
            assert.equal(times(embedder.texts(), 'zircon'), 1);
            assert.equal(await first(parley, 'cat'), 'diary.txt');
        }));

    test('an answer that quotes what stays is not sent with a follow-up',
        () => running(async (parley, embedder) => {
            await upload(parley, FILES);
            await upload(parley, { 'diary.txt': 'The keeper hides a zircon.' },
                { fields: { label: 'local-only' } });
            await embedded(parley, 3);
            const session_id = newSession();
            const quoted = await ask(parley, { session_id, files: true,
                provider: 'offline', message: 'What does the keeper hide?' });
            assert.match(quoted.message, /zircon/);
            await ask(parley, { session_id, files: true,
                provider: 'offline', message: 'And the cat?' });
            const last = embedder.asked().at(-1).body.input;
            assert.equal(last[0], 'And the cat?');
            assert.match(last[1], /^What does the keeper hide/);
            for (const r of embedder.asked())
                assert.ok(!r.text.includes('zircon'), r.text);
        }, { host: AWAY }));
});

describe('a provider that fails', () => {
    const env = { UPSTREAM_RETRIES: '0' };

    test('is done without, and caught up with', () => running(
        async (parley, embedder) => {
            embedder.behave = () => refusal(503);
            await upload(parley, FILES);
            const p = await stateOf(parley, 'waiting');
            assert.equal(p.code, 'provider_failed');
            assert.equal(p.embedded, 0);
            assert.equal(await first(parley, 'automobile'), 'garage.md');
            embedder.behave = null;
            await embedded(parley, 3);
            await until('a synonym to be found', async () =>
                await first(parley, 'car') === 'garage.md');
            /* Down again: what is there already serves by its words. */
            embedder.behave = () => refusal(503);
            assert.equal(await first(parley, 'feline'), 'pets.md');
            assert.ok((await search(parley, 'sedan')).length === 0);
            const n = embedder.asked().length;
            await search(parley, 'another sedan');
            assert.equal(embedder.asked().length, n, 'it is left alone');
        }, { env }));

    test('is not asked again with a key that it refused', () => running(
        async (parley, embedder) => {
            embedder.behave = () => refusal(401);
            await upload(parley, FILES);
            const p = await stateOf(parley, 'stopped');
            assert.equal(p.code, 'provider_auth');
            assert.equal(embedder.asked().length, 1);
            await upload(parley, { 'more.md': 'A vehicle.' });
            assert.equal((await progress(parley)).state, 'stopped');
            assert.equal(embedder.asked().length, 1);
            assert.equal(parley.log().match(/error files\.embed/g).length, 1);
            embedder.behave = null;
            await again(parley, {});
            await embedded(parley, 4);
        }, { env }));

    test('refuses one text: the others have their vectors', () => running(
        async (parley, embedder) => {
            embedder.behave = (r, texts) => texts.some((t) =>
                t.includes('xylophone')) ? refusal(400) : rows(r, texts);
            await upload(parley, { ...FILES,
                'music.md': 'A xylophone for the feline.' });
            await embedded(parley, 3);
            assert.equal(await first(parley, 'cat'), 'pets.md');
            assert.equal(await first(parley, 'xylophone'), 'music.md');
            const n = embedder.asked().length;
            await upload(parley, { 'new.md': 'A kitten.' });
            await embedded(parley, 4);
            assert.equal(times(embedder.asked().slice(n).map((r) => r.text),
                'xylophone'), 0, 'it is not sent again');
        }, { env }));

    test('is waited for as long as the setting says', () => running(
        async (parley, embedder) => {
            await upload(parley, FILES);
            await embedded(parley, 3);
            const go = deferred();
            embedder.behave = async (r, texts) => {
                await go.promise;
                return rows(r, texts);
            };
            assert.deepEqual(await search(parley, 'car'), []);
            assert.deepEqual(await search(parley, 'sedan'), []);
            assert.equal(times(embedder.texts(), 'sedan'), 0,
                'nobody else waits meanwhile');
            go.resolve();
            /* What came too late is there the next time. */
            await until('its answer to be kept', async () =>
                await first(parley, 'car') === 'garage.md');
            assert.equal(times(embedder.texts(), 'car'), 1);
        }, { env: { ...env, EMBED_WAIT_MS: '50' } }));

    test('keeps no stop waiting', () => running(async (parley, embedder) => {
        const never = deferred();
        embedder.behave = () => never.promise;
        await upload(parley, FILES);
        await until('it to be asked', () => embedder.asked().length === 1);
        await parley.stopWeb();
        never.resolve(refusal(500));
        assert.match(parley.log(), /server\.end .*status=0/);
        assert.ok(!/engine\.drain/.test(parley.log()), 'nothing was left');
    }));
});

test('another model makes all anew, and the old vectors serve until then',
    () => running(async (parley, embedder) => {
        await upload(parley, FILES);
        await embedded(parley, 3);
        const go = deferred();
        embedder.behave = async (r, texts) => {
            if (r.body.model === 'm-2' && !texts.includes('vehicle'))
                await go.promise;
            return rows(r, texts);
        };
        await again(parley, { EMBED_MODEL: 'openai/m-2' });
        await until('the new one to be asked',
            () => embedder.asked('m-2').length === 1);
        assert.equal(await first(parley, 'car'), 'garage.md');
        assert.equal(times(embedder.texts('m-1'), 'car'), 1);
        assert.equal((await progress(parley)).embedded, 0);
        go.resolve();
        await embedded(parley, 3);
        await until('the new one to serve', async () => {
            await search(parley, 'vehicle');
            return times(embedder.texts('m-2'), 'vehicle') > 0;
        });
        assert.equal(await first(parley, 'vehicle'), 'garage.md');
        /* The old ones are gone: going back is work again. */
        const n = embedder.texts('m-1').length;
        await again(parley, { EMBED_MODEL: 'openai/m-1' });
        await embedded(parley, 3);
        assert.equal(embedder.texts('m-1').length, n + 3);
    }));

test('killed in the middle it goes on where it was', () => running(
    async (parley, embedder) => {
        const stuck = deferred();
        let held = 0;
        embedder.behave = (r, texts) => embedder.asked().length === 2 &&
            held++ === 0 ? stuck.promise : rows(r, texts);
        await upload(parley, { 'long.md': long('walrus', 80) });
        const { chunks } = await progress(parley);
        assert.ok(chunks > 64, `${chunks}`);
        await until('the second batch', () => embedder.asked().length === 2);
        const done = (await progress(parley)).embedded;
        assert.equal(done, 64);
        await parley.kill9();
        stuck.resolve(refusal(500));
        await until('it to serve again', () => parley.answers());
        await embedded(parley, chunks);
        const texts = embedder.texts();
        const [once, twice] = [texts.slice(0, 64), texts.slice(64)];
        assert.equal(once.filter((t) => twice.includes(t)).length, 0,
            'what was kept is not asked for again');
        assert.equal(new Set(texts).size, chunks, 'nothing is left out');
    }));

test('of two processes one does it, and the other takes over', () => running(
    async (one, embedder) => {
        const dataDir = path.join(one.folder, 'same');
        fs.symlinkSync(one.dataDir, dataDir);
        const two = await startParley({ env: one.settings, dataDir });
        try {
            await upload(one, { 'a.md': long('walrus', 70) });
            await upload(two, { 'b.md': long('ocelot', 70) });
            const { chunks } = await progress(one);
            const both = [one, two];
            await until('all to have vectors', async () => {
                const p = await Promise.all(both.map((x) => progress(x)));
                return p.every((x) => x.embedded === chunks) &&
                    p.map((x) => x.state).sort().join() === 'done,elsewhere';
            });
            const texts = embedder.texts();
            assert.equal(texts.length, chunks);
            assert.equal(new Set(texts).size, chunks);
            const states = await Promise.all(both.map((x) => progress(x)));
            const leads = states.findIndex((p) => p.state === 'done');
            await both[leads].stopWeb();
            await upload(both[1 - leads], { 'c.md': 'A feline.' });
            await embedded(both[1 - leads], chunks + 1);
            assert.equal(await first(both[1 - leads], 'cat'), 'c.md');
        } finally {
            await two.stop();
        }
    }));

test('a budget is waited for, and binds no question', async () => {
    const limits = path.join(fs.mkdtempSync('/tmp/parley-limits-'), 'l.json');
    fs.writeFileSync(limits, JSON.stringify(
        { users: { 'program/files': { day_tokens: 12 } } }));
    try {
        await running(async (parley, embedder) => {
            await upload(parley, { 'a.md': 'feline' });
            await embedded(parley, 1);
            await upload(parley, { 'b.md': long('walrus', 3) });
            const p = await stateOf(parley, 'waiting');
            assert.equal(p.code, 'budget_exceeded');
            assert.equal(await first(parley, 'cat'), 'a.md');
            assert.ok(!embedder.texts().some((t) => t.includes('walrus')));
        }, { env: { LIMITS_FILE: limits } });
    } finally {
        fs.rmSync(path.dirname(limits), { recursive: true });
    }
});

test('a provider without embeddings is refused at start', () => running(
    async (parley, embedder) => {
        assert.match(parley.log(), /conf\.value name="EMBED_MODEL" rule=".*no emb/);
        await upload(parley, FILES);
        assert.equal(await first(parley, 'automobile'), 'garage.md');
        assert.equal(embedder.replay.requests.filter(isEmbedding).length, 0);
        const { body } = await call(parley, '/health');
        assert.equal(body.configuration_faults, 1);
    }, { env: { EMBED_MODEL: 'anthropic/claude', ANTHROPIC_API_KEY: 'k' } }));
