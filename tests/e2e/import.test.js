/* Large files through POST /import: in bounded memory, with progress, beside
 * everything else. What formats there are is carry.test.js's. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ask, call, postJson, serving } from '../lib/client.js';
import { SANITIZED } from '../lib/programs.js';
import { signal, startParley } from '../lib/server.js';
import { until } from '../lib/wait.js';

/* What an import may take beside what the program has: a round that is being
 * written, the pages that it makes dirty, a batch of the index. */
const MEMORY_KIB = 24 * 1024;
const LARGE_MIB = SANITIZED ? 12 : 50;
const WORDS = ['the ship left at noon with salt rope and lamp oil bound for an',
    'island that nobody had named'].join(' ').split(' ');

/* A conversations.json of ChatGPT, as long as that, and one word that only the
 * last conversation has. */
function conversations(mib, lastWord) {
    const all = [];
    let bytes = 0;
    const node = (id, parent, role, text) => ({
        id, parent, children: [], message: {
            id, author: { role }, create_time: 1700000000,
            content: { content_type: 'text', parts: [text] },
        },
    });
    for (let i = 0; bytes < mib << 20; i++) {
        const mapping = {};
        let parent = null;
        for (let k = 0; k < 20; k++) {
            const id = `m${k}`;
            mapping[id] = node(id, parent, k % 2 ? 'assistant' : 'user',
                Array.from({ length: 400 }, (_, n) =>
                    WORDS[(i * 7 + k * 3 + n * n) % WORDS.length]).join(' '));
            parent = id;
        }
        all.push(JSON.stringify({ title: `Voyage ${i}`, mapping,
            create_time: 1700000000, current_node: parent }));
        bytes += all.at(-1).length + 1;
    }
    all.push(JSON.stringify({ title: 'The last one', current_node: 'a',
        mapping: { a: node('a', null, 'user', lastWord) } }));
    return { text: `[${all.join('\n,')}]`, sessions: all.length,
        messages: 20 * (all.length - 1) + 1 };
}

/* Memory of its own; pages of mapped files, which the kernel takes back as it
 * needs them, are not counted. */
function ownKib(pid) {
    const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^RssAnon:\s+(\d+) kB/m.exec(status)[1]);
}

function watchMemory(pid) {
    const first = ownKib(pid);
    let most = first;
    const timer = setInterval(() => { most = Math.max(most, ownKib(pid)); },
        10).unref();
    return () => {
        clearInterval(timer);
        return most - first;
    };
}

/* The events of a reply, as they come; on(event) may end it by aborting. */
async function upload(parley, body, on = () => {}, init = {}) {
    const events = [];
    const r = await fetch(`${parley.url}/import`, { method: 'POST', body,
        headers: { accept: 'text/event-stream' }, ...init });
    assert.equal(r.status, 200);
    assert.match(r.headers.get('content-type'), /^text\/event-stream/);
    let text = '';
    for await (const piece of r.body.pipeThrough(new TextDecoderStream())) {
        const blocks = (text + piece).split('\n\n');
        text = blocks.pop();
        for (const block of blocks) {
            const m = /^event: (\w+)\ndata: (.*)$/.exec(block);
            if (m === null)
                continue;
            const event = JSON.parse(m[2]);
            assert.equal(event.type, m[1]);
            events.push(event);
            await on(event);
        }
    }
    return events;
}

async function find(parley, word) {
    return (await call(parley, `/sessions?q=${word}`)).body.sessions ?? [];
}

for (const [door, mib] of [['fastcgi', LARGE_MIB], ['lighttpd-cgi', 12],
    ['apache-cgi', 12]])
    describe(`${mib} MiB through ${door}`, () => {
        let parley;

        before(async () => { parley = await startParley({ door }); });
        after(() => parley?.stop());

        test('in bounded memory, with progress, beside turns', async () => {
            const file = conversations(mib, 'pomegranate');
            await call(parley, '/sessions');
            const grown = watchMemory(parley.chatPid());
            const answers = [];
            const events = await upload(parley, file.text, () => {
                if (answers.length === 0)
                    answers.push(ask(parley, { message: 'hello' }));
            });
            await Promise.all(answers);
            assert.equal(answers.length, 1);
            const done = events.pop();
            assert.deepEqual(done, { type: 'import_complete',
                bytes: Buffer.byteLength(file.text), sessions: file.sessions,
                messages: file.messages, left_out: 0, faults: [] });
            assert.ok(events[0].bytes < done.bytes, 'told before the end');
            for (const [i, e] of events.entries()) {
                assert.equal(e.type, 'import_progress');
                assert.equal(e.total_bytes, done.bytes);
                const was = events[i - 1] ?? { bytes: 0, sessions: 0,
                    messages: 0 };
                for (const name of ['bytes', 'sessions', 'messages'])
                    assert.ok(e[name] >= was[name], name);
            }
            const found = await until('the last one to be found', async () =>
                (await find(parley, 'pomegranate'))[0], 100000);
            assert.equal(found.title, 'The last one');
            const kib = grown();
            assert.ok(SANITIZED || kib < MEMORY_KIB, `${kib} KiB`);
        });

        test('nothing is left in the data folder', () => {
            assert.deepEqual(fs.readdirSync(parley.dataDir)
                .filter((name) => name.startsWith('spool')), []);
        });
    });

describe('imports', () => {
    let parley;
    let large;

    before(async () => {
        parley = await startParley({ env: { BODY_MAX_KIB: '64' } });
        large = conversations(LARGE_MIB, 'quince').text;
    });
    after(() => parley?.stop());

    const line = (content) => JSON.stringify(
        { messages: [{ role: 'user', content }] });

    test('a small one has the same events', async () => {
        const events = await upload(parley, line('one'));
        assert.deepEqual(events.at(-1), { type: 'import_complete',
            bytes: line('one').length, sessions: 1, messages: 1, left_out: 0,
            faults: [] });
    });

    test('who cannot be read has a status, also where events are wanted',
        async () => {
            const r = await call(parley, '/import', { method: 'POST',
                body: 'hello', headers: { accept: 'text/event-stream' } });
            assert.equal(r.status, 400);
            assert.equal(r.body.code, 'invalid_import');
        });

    test('a broken one in the middle of megabytes is a fault with its number',
        async () => {
            const file = [line('a'.repeat(900000)), '{"messages": broken',
                line('b'.repeat(900000)), JSON.stringify({ other: 1 }),
                line('c')].join('\n');
            const r = await postJson(parley, '/import', file);
            assert.equal(r.status, 200, r.text);
            assert.equal(r.body.sessions, 3);
            assert.deepEqual(r.body.faults.map((f) => f.item), [2, 4]);
        });

    test('a conversation that is too long is told, and its limit', async () => {
        const long = JSON.stringify({ messages: Array.from({ length: 20 },
            (_, i) => ({ role: i % 2 ? 'assistant' : 'user',
                content: 'z'.repeat(900000) })) });
        const r = await postJson(parley, '/import',
            [line('before'), long, line('behind')].join('\n'));
        assert.equal(r.body.sessions, 2, r.text);
        assert.deepEqual(r.body.faults, [
            { item: 2, rule: 'a conversation may have 16 MiB' }]);
    });

    test('a file that ends in the middle keeps what came before', async () => {
        const { text } = conversations(3, 'rowanberry');
        const r = await postJson(parley, '/import',
            text.slice(0, text.length - 100));
        assert.equal(r.status, 200, r.text);
        assert.ok(r.body.sessions > 10);
        assert.equal(r.body.faults.at(-1).rule, 'the file cannot be read on');
    });

    test('only imports may be longer than other requests', async () => {
        const r = await postJson(parley, '/chat',
            { message: 'm'.repeat(70000) });
        assert.equal(r.status, 413);
        const other = await startParley({ env: { IMPORT_MAX_MIB: '1' } });
        try {
            const big = await postJson(other, '/import',
                line('x'.repeat(1100000)));
            assert.equal(big.status, 413, big.text);
            assert.match(big.body.message, /1024 KiB/);
            const fits = await postJson(other, '/import',
                line('x'.repeat(1000000)));
            assert.equal(fits.body.sessions, 1, fits.text);
        } finally {
            await other.stop();
        }
    });

    test('who leaves in the middle ends it; what is stored stays', async () => {
        const before = (await ends(parley)).length;
        const control = new AbortController();
        await assert.rejects(upload(parley, large, () => control.abort(),
            { signal: control.signal }), { name: 'AbortError' });
        const end = await until('the import to end', async () =>
            (await ends(parley))[before]);
        assert.equal(end.left, 1);
        assert.ok(end.bytes < Buffer.byteLength(large), `${end.bytes}`);
        assert.ok(end.sessions > 0);
        assert.equal((await find(parley, 'quince')).length, 0);
        assert.ok((await find(parley, 'island')).length > 0);
    });

    test('a stopping server says how far it came', async () => {
        const other = await startParley();
        try {
            const events = await upload(other, large, (e) => {
                if (e.type === 'import_progress')
                    signal(other.chatPid(), 'SIGTERM');
            });
            const done = events.at(-1);
            assert.equal(done.type, 'import_complete');
            assert.equal(done.faults.at(-1).rule,
                'the server stops: nothing more was read');
            assert.ok(done.sessions > 0);
            await serving(other);
            const { body } = await call(other, '/sessions?limit=500');
            assert.ok(body.sessions.length >= Math.min(500, done.sessions));
        } finally {
            await other.stop();
        }
    });
});

/* What the log says of imports that ended. */
async function ends(parley) {
    return [...parley.log().matchAll(/ import\.end (.*)$/gm)].map((m) =>
        Object.fromEntries(m[1].split(' ').filter((w) => w.includes('='))
            .map((w) => w.split('=')).map(([k, v]) => [k, Number(v)])));
}

describe('a disk that is too small for the file', () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-small-'));
    const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=12m,mode=755',
        'parley-test', folder], { encoding: 'utf8' });
    const skip = mount.status !== 0 && 'no tmpfs here';
    let parley;

    after(async () => {
        await parley?.stop();
        if (!skip)
            spawnSync('umount', ['-l', folder]);
        fs.rmSync(folder, { recursive: true, force: true });
    });

    for (const door of ['fastcgi', 'lighttpd-cgi'])
        test(`${door}: store_full, and all goes on`, { skip }, async () => {
            parley = await startParley({ door,
                dataDir: path.join(folder, door),
                env: { STREAM_LOG_MIB: '1' } });
            const { text } = conversations(20, 'sloe');
            const r = await postJson(parley, '/import', text);
            assert.equal(r.status, 503, r.text);
            assert.equal(r.body.code, 'store_full');
            await ask(parley, { message: 'hello' });
            assert.equal((await postJson(parley, '/import',
                [{ role: 'user', content: 'small' }])).body.sessions, 1);
            await parley.stop();
            parley = undefined;
            fs.rmSync(path.join(folder, door), { recursive: true });
        });
});
