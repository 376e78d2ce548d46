/* parley index: folders into the index, beside a running server or without
 * one; what changed, what is gone, what may not be read; stopped and gone on
 * with. And the questions of the document on cloud chat, over what is there. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { spawn } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { accounts, basic } from '../lib/accounts.js';
import { call, postJson } from '../lib/client.js';
import { docx, namesOf, pdf, search } from '../lib/files.js';
import { runFlow } from '../lib/flows.js';
import { PARLEY } from '../lib/programs.js';
import { ROOT, startParley } from '../lib/server.js';
import { until, within } from '../lib/wait.js';

/* Run `parley index`; {code, signal, out, err}. hook(child) may do more. */
function index(env, args, hook = () => {}) {
    const child = spawn(PARLEY, ['index', ...args],
        { env: { PATH: process.env.PATH, ...env },
            stdio: ['ignore', 'pipe', 'pipe'] });
    const said = { out: '', err: '' };
    child.stdout.on('data', (b) => { said.out += b; });
    child.stderr.on('data', (b) => { said.err += b; });
    const done = new Promise((resolve, reject) => {
        child.once('error', reject);
        child.once('close', (code, signal) =>
            resolve({ code, signal, ...said }));
    });
    return Promise.resolve(hook(child)).then(() =>
        within('parley index', done, 120000));
}

/* "notes: 3 files, 2 new or changed, …" as numbers. */
function counts({ out, err }) {
    const m = new RegExp(': (\\d+) files, (\\d+) new or changed, ' +
        '(\\d+) as before, (\\d+) not searchable, (\\d+) gone').exec(out);
    assert.ok(m, `${out}\n${err}`);
    const [files, changed, same, skipped, gone] = m.slice(1).map(Number);
    return { files, changed, same, skipped, gone };
}

function write(root, files) {
    for (const [name, bytes] of Object.entries(files)) {
        fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
        fs.writeFileSync(path.join(root, name), bytes);
    }
}

describe('parley index, beside a server', () => {
    let parley;
    let folder;
    let root;
    let env;
    const run = (...args) => index(env, args);

    before(async () => {
        folder = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-index-'));
        root = path.join(folder, 'notes');
        const { env: who } = accounts(folder);
        parley = await startParley({ env: who });
        env = { ...who, DATA_DIR: parley.dataDir, FILES_SAMPLES: 'off' };
        write(root, {
            'a.md': '# Bees\n\nThe hive stands behind the linden.\n',
            'deep/er/b.docx': docx('The heron is back.'),
            'c.pdf': pdf('Invoice for marmalade'),
            'broken.pdf': '%PDF-1.4 and no more',
            'a\u001b[2J\u202eb.pdf': '%PDF-1.4 and no more',
            'letters/anna.txt': 'Anna keeps a pangolin.',
            'letters/public/all.txt': 'Everyone may know of the wombat.',
            'draft.tmp': 'A draft about narwhals.',
            '.parleyrules': 'local-only letters/\n' +
                'local-only !letters/public/\nignore *.tmp\n' +
                'redact a.md\nredact-text linden\n',
        });
        fs.symlinkSync('/etc/passwd', path.join(root, 'link.txt'));
        fs.symlinkSync('/etc', path.join(root, 'etc'));
    });
    after(async () => {
        await parley?.stop();
        fs.rmSync(folder, { recursive: true, force: true });
    });

    test('takes a folder, and says what it could not read', async () => {
        const r = await run(root);
        assert.equal(r.code, 0, r.err);
        const n = counts(r);
        assert.equal(n.changed + n.skipped >= 6, true, r.out);
        assert.match(r.err, /broken\.pdf: broken \(/);
        assert.match(r.err, /a\?\[2J\?b\.pdf: broken \(/);
        assert.ok(!r.err.includes('\u001b'));
        for (const [q, name] of [['hive', 'a.md'], ['heron',
            'deep/er/b.docx'], ['marmalade', 'c.pdf'], ['pangolin',
            'letters/anna.txt']])
            assert.equal((await search(parley, q, basic('bob')))[0]?.name,
                name);
        const { files } = (await call(parley, '/files?limit=500')).body;
        assert.ok(!files.some((f) => /link|etc|tmp/.test(f.name)),
            `${namesOf(files)}`);
        assert.ok(files.every((f) => f.shared));
        assert.deepEqual(files.filter((f) => f.label === 'local-only')
            .map((f) => f.name), ['letters/anna.txt']);
    });

    test('reads again only what has changed, and drops what is gone',
        async () => {
            const first = counts(await run(root));
            assert.equal(first.changed, 0);
            assert.equal(first.gone, 0);
            write(root, { 'a.md': '# Wasps\n\nThe nest is in the gutter.\n',
                'new.txt': 'A new axolotl.' });
            fs.rmSync(path.join(root, 'c.pdf'));
            const n = counts(await run(root));
            assert.equal(n.changed, 2);
            assert.equal(n.gone, 1);
            assert.equal((await search(parley, 'axolotl'))[0].name, 'new.txt');
            assert.ok(!namesOf(await search(parley, 'marmalade'))
                .includes('c.pdf'));
            assert.ok(!(await search(parley, 'hive')).some((h) =>
                h.snippet.includes('hive')));
        });

    test('rules that change count, and wrong ones change nothing',
        async () => {
            const label = async (name) => (await call(parley,
                `/files/${name}`)).body.label;
            write(root, { '.parleyrules': 'local-only new.txt\n' });
            assert.equal((await run(root)).code, 0);
            assert.equal(await label('new.txt'), 'local-only');
            assert.equal(await label('letters/anna.txt'), 'cloud-ok');
            write(root, { '.parleyrules': 'local-only *\nsecret x\n' });
            const r = await run(root);
            assert.notEqual(r.code, 0);
            assert.match(r.err, /2/, 'the line is named');
            assert.equal(await label('new.txt'), 'local-only');
            const { data } = (await postJson(parley, '/api/cloud-chat',
                { message: 'axolotl' })).body;
            assert.ok(!data.rag_context.includes('axolotl'));
            fs.rmSync(path.join(root, '.parleyrules'));
        });

    test('is of an owner, listed and dropped', async () => {
        const own = path.join(folder, 'own');
        write(own, { 'ann.txt': 'Ann likes tapirs.' });
        const r = await run('--owner', 'ann', '--name', 'mine', own);
        assert.equal(r.code, 0, r.err);
        assert.equal((await search(parley, 'tapirs', basic('ann')))[0].name,
            'ann.txt');
        for (const who of [{}, basic('bob')])
            assert.ok(!namesOf(await search(parley, 'tapirs', who))
                .includes('ann.txt'));
        const list = (await run('--list')).out;
        assert.match(list, /^mine +1 files .* local\/ann +\/.*own$/m);
        assert.match(list, /^notes .*everybody/m);
        const other = await run('--owner', 'ann', '--name', 'mine', root);
        assert.notEqual(other.code, 0, 'another folder of that name');
        assert.notEqual((await run('--drop', 'mine')).code, 0,
            'that of everybody is not there');
        assert.equal((await run('--drop', 'mine', '--owner', 'ann')).code, 0);
        assert.ok(!namesOf(await search(parley, 'tapirs', basic('ann')))
            .includes('ann.txt'));
        assert.ok(fs.existsSync(path.join(own, 'ann.txt')));
        assert.ok(!(await run('--list')).out.includes('mine'));
    });

    test('says what is wrong with its arguments', async () => {
        for (const args of [[], ['--nope'], ['--name'],
            [path.join(folder, 'nowhere')], ['--owner', '', root],
            ['--name', 'a', root, root]]) {
            const r = await run(...args);
            assert.notEqual(r.code, 0, `${args}`);
            assert.ok(r.err.length > 0);
        }
        assert.match((await run('--help')).out, /^usage: parley index/);
    });
});

test('parley index is stopped by Ctrl-C, and goes on', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-index-'));
    const root = path.join(folder, 'many');
    const env = { DATA_DIR: path.join(folder, 'data'), FILES_SAMPLES: 'off' };
    try {
        const line = 'Words upon words about nothing in particular. ';
        write(root, Object.fromEntries(Array.from({ length: 600 }, (_, i) =>
            [`f${i}.txt`, `File ${i} says wolverine${i}.\n\n` +
                line.repeat(400)])));
        const database = path.join(env.DATA_DIR, 'files');
        const cut = await index(env, [root], async (child) => {
            await until('the index to be begun', () =>
                fs.existsSync(database) && fs.readdirSync(database,
                    { withFileTypes: true }).some((f) => f.isFile() &&
                    fs.statSync(path.join(database, f.name)).size > 400000));
            child.kill('SIGINT');
        });
        assert.notEqual(cut.code, 0, cut.out);
        assert.match(cut.err, /stopped; run it again to go on/);
        const before = counts(cut);
        assert.ok(before.changed < 600);
        const rest = counts(await index(env, [root]));
        assert.equal(rest.files, 600);
        assert.equal(rest.changed + rest.same, 600);
        assert.ok(rest.same > 0, 'what was whole stayed');
        const again = counts(await index(env, [root]));
        assert.equal(again.same, 600);
    } finally {
        fs.rmSync(folder, { recursive: true, force: true });
    }
});

describe('the document on cloud chat', () => {
    let parley;
    before(async () => { parley = await startParley({
        env: { FILES_DIR: path.join(ROOT, 'etc/demo') } }); });
    after(() => parley?.stop());

    const ask = async (message, history = []) => (await postJson(parley,
        '/api/cloud-chat', { message, history })).body.data;

    test('a follow-up finds what it is about', async () => {
        await until('the photos to be indexed', async () =>
            (await call(parley, '/files')).body.files.length === 9);
        const first = await ask('What beach photos do I have?');
        assert.ok(first.relevant_files.includes('beach-sunset.png'));
        assert.ok(first.relevant_files.includes('beach-day.png'));
        assert.match(first.rag_context, /beach/i);
        const next = await ask('Show me the sunset ones', [
            { role: 'user', content: 'What beach photos do I have?' },
            { role: 'assistant', content: 'Two photos of the beach.' }]);
        assert.equal(next.relevant_files[0], 'beach-sunset.png');
        assert.ok(next.relevant_files.includes('beach-day.png'),
            `${next.relevant_files}`);
        const { data } = (await postJson(parley, '/api/cloud-chat', {
            message: 'Describe this', image_name: 'beach-sunset.png' })).body;
        assert.ok(data.image_context.tags.includes('sunset'));
        assert.ok(data.image_context.description.length > 0);
        assert.ok(data.image_context.image_base64.length > 1000);
    });

    test('its clients work as they stand', async () => {
        const frames = await runFlow('cloud',
            `${parley.url.replace('http', 'ws')}/api/cloud-chat`);
        assert.ok(frames.some((f) => f.type === 'result' &&
            f.data.relevant_files?.includes('beach-sunset.png')));
    });
});
