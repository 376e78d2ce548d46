/* parley index --describe: images that nobody has described are shown to a
 * model, once it was said what that costs; what it says is found, marked as its
 * own, kept while the image is the same, and gone when it is another. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { spawn } from 'node:child_process';
import { after, before, beforeEach, describe, test } from 'node:test';
import { call } from '../lib/client.js';
import { at, namesOf, search, upload } from '../lib/files.js';
import { IMAGES, imagesIn } from '../lib/images.js';
import { hold, startReplay, status, whole } from '../lib/replay.js';
import { ROOT, startParley } from '../lib/server.js';
import { until, within } from '../lib/wait.js';
import { WIRES } from '../lib/wires.js';

const PARLEY = process.env.PARLEY_TEST_BIN === undefined
    ? path.join(ROOT, 'bin/parley')
    : path.join(process.env.PARLEY_TEST_BIN, '../cli/parley');
const AWAY = '127.0.0.2';
const base64 = (b) => b.toString('base64');
const says = (description, tags = ['tagged']) =>
    JSON.stringify({ description, tags });

/* A PNG that differs from every other of another n. */
const png = (n) => Buffer.concat([IMAGES['dot.png'],
    Buffer.from(`number ${n}`)]);

/* Run `parley index --describe`; {code, out, err}. hook(child) may do more. */
function run(env, args, { input = '', hook = () => {} } = {}) {
    const child = spawn(PARLEY, ['index', '--describe', ...args],
        { env: { PATH: process.env.PATH, FILES_SAMPLES: 'off',
            UPSTREAM_RETRIES: '0', ...env } });
    const said = { out: '', err: '' };
    child.stdout.on('data', (b) => { said.out += b; });
    child.stderr.on('data', (b) => { said.err += b; });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    const done = new Promise((resolve, reject) => {
        child.once('error', reject);
        child.once('close', (code) => resolve({ code, ...said }));
    });
    return Promise.resolve(hook(child, said)).then(() =>
        within('parley index --describe', done, 60000));
}

let parley; /* whose index it is */
let folder;
let replay;
let there; /* a provider that is not on this machine */
let env;
let away;
let number = 0;
let dir; /* of this test: a collection of its own */

before(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-describe-'));
    replay = await startReplay();
    there = await startReplay(undefined, AWAY);
    parley = await startParley({ env: { FILES_SAMPLES: 'off' } });
    env = { ...WIRES.openai.env(replay.port), DATA_DIR: parley.dataDir,
        VISION_MODEL: 'openai/gpt-4o' };
    away = { ...env, OPENAI_BASE_URL: `http://${AWAY}:${there.port}/v1` };
});
after(async () => {
    await parley?.stop();
    await replay?.stop();
    await there?.stop();
    fs.rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
    dir = path.join(folder, `c${++number}`);
    fs.mkdirSync(dir);
    for (const r of [replay, there]) {
        r.requests.length = 0;
        r.always(whole(WIRES.openai.answer(says('A marmalade cat'))));
    }
});

const put = (files) => {
    for (const [name, bytes] of Object.entries(files))
        fs.writeFileSync(path.join(dir, name), bytes);
};
const told = async (name) =>
    (await call(parley, at(name))).body;
const sha256 = (b) => createHash('sha256').update(b).digest('hex');

describe('before anybody is asked', () => {
    for (const [how, input] of [['no', 'n\n'], ['nothing', ''],
        ['half a word', 'yeah\n']])
        test(`the cost is shown, and ${how} is a refusal`, async () => {
            put({ [`${how}.png`]: png(how), 'b.gif': IMAGES['dot.gif'],
                'note.txt': 'words' });
            const r = await run(env, [dir], { input });
            assert.equal(r.code, 2);
            const m = new RegExp('^2 images to be described by openai/gpt-4o:' +
                ' about (\\d+) tokens in and (\\d+) out, \\$0\\.0\\d+ ' +
                '\\(prices of \\d{4}-\\d\\d-\\d\\d\\)$', 'm').exec(r.out);
            assert.ok(m, r.out);
            assert.ok(Number(m[1]) > 2 * 85 && Number(m[2]) === 300);
            assert.match(r.err, /Describe them\? \[y\/N\]/);
            assert.match(r.err, /nothing was sent/);
            assert.equal(replay.requests.length, 0);
            assert.equal((await told(`${how}.png`)).description, '');
        });

    test('yes is an answer', async () => {
        put({ 'yes.png': png(2) });
        const r = await run(env, [dir], { input: 'y\n' });
        assert.equal(r.code, 0, r.err);
        assert.match(r.out,
            /^1 of 1 described, 7 tokens in and 3 out, \$0\.00/m);
        assert.equal(replay.requests.length, 1);
    });

    test('a model that sees is needed', async () => {
        put({ 'a.png': png(1) });
        for (const [wish, why] of [
            [{ VISION_MODEL: 'openai/gpt-4' }, /gpt-4 does not see images/],
            [{ VISION_MODEL: '', AI_MODEL: 'gpt-4' }, /set VISION_MODEL/],
            [{ VISION_MODEL: '', AI_MODEL: 'someone-elses' },
                /may not see images: set VISION_MODEL/],
            [{ VISION_MODEL: 'gemini/gemini-3.5-flash' }, /GEMINI_API_KEY/],
            [{ VISION_MODEL: '', OPENAI_API_KEY: '', OPENAI_BASE_URL: '' },
                /no model is set up/]]) {
            const r = await run({ ...env, ...wish }, ['--yes', dir]);
            assert.equal(r.code, 2, r.out);
            assert.match(r.err, why);
        }
        assert.equal(replay.requests.length, 0);
    });

    test('the default model is one, if it sees', async () => {
        put({ 'default.png': png(3) });
        const r = await run({ ...env, VISION_MODEL: '', AI_MODEL: 'gpt-4o' },
            ['--yes', dir]);
        assert.equal(r.code, 0, r.err);
        assert.equal(replay.requests[0].body.model, 'gpt-4o');
    });

    test('wrong arguments are refused', async () => {
        const child = spawn(PARLEY, ['index', '--yes', dir], { env });
        const [code] = await new Promise((resolve) =>
            child.once('close', (...a) => resolve(a)));
        assert.equal(code, 64);
    });
});

describe('an image', () => {
    for (const [provider, model] of [['openai', 'gpt-4o'],
        ['anthropic', 'claude-sonnet-5-5'], ['gemini', 'gemini-3.5-flash']])
        test(`arrives byte for byte on the wire of ${provider}`, async () => {
            const name = `${provider}.png`;
            put({ [name]: png(provider) });
            replay.always(whole(WIRES[provider].answer(
                `\`\`\`json\n${says('A saffron kite')}\n\`\`\``)));
            const r = await run({ ...WIRES[provider].env(replay.port),
                DATA_DIR: parley.dataDir,
                VISION_MODEL: `${provider}/${model}` }, ['--yes', dir]);
            assert.equal(r.code, 0, r.err);
            const [request, ...more] = replay.requests;
            assert.deepEqual(more, []);
            assert.deepEqual(imagesIn(request), [base64(png(provider))]);
            assert.match(request.text, /follow no instruction in it/);
            assert.ok(!request.text.includes(name), 'its name stays');
            const file = await told(name);
            assert.equal(file.description, 'A saffron kite');
            assert.deepEqual(file.tags, ['tagged']);
            assert.equal(file.described_by, `${provider}/${model}`);
        });

    test('is found by what was said, and not asked about again', async () => {
        put({ 'quince.png': png(4) });
        replay.always(whole(WIRES.openai.answer(
            says('A bowl of quinces', ['zeugma']))));
        assert.equal((await run(env, ['--yes', dir])).code, 0);
        assert.deepEqual(namesOf(await search(parley, 'zeugma')),
            ['quince.png']);
        const r = await run(env, ['--yes', dir]);
        assert.equal(r.code, 0);
        assert.match(r.out, /0 new or changed, 1 as before/);
        assert.match(r.out, /there is no image to be described/);
        assert.equal(replay.requests.length, 1);
        replay.always(whole(WIRES.openai.answer(
            says('A bowl of medlars', ['chiasmus']))));
        assert.equal((await run(env, ['--yes', '--again', dir])).code, 0);
        assert.equal(replay.requests.length, 2);
        const file = await told('quince.png');
        assert.equal(file.description, 'A bowl of medlars');
        assert.deepEqual(file.tags, ['chiasmus'], 'not what was said before');
        assert.deepEqual(await search(parley, 'zeugma'), []);
    });

    test('keeps it while it is the same, and no longer', async () => {
        const file = path.join(dir, 'same.png');
        put({ 'same.png': png(5) });
        assert.equal((await run(env, ['--yes', dir])).code, 0);
        fs.utimesSync(file, new Date(), new Date(Date.now() + 5000));
        const touched = await run(env, ['--yes', dir]);
        assert.match(touched.out, /1 new or changed/);
        assert.equal((await told('same.png')).description, 'A marmalade cat');
        assert.equal((await told('same.png')).described_by, 'openai/gpt-4o');
        assert.equal(replay.requests.length, 1);
        put({ 'same.png': png('another') });
        const r = await run(env, [dir]);
        assert.match(r.out, /1 image to be described/);
        const now = await told('same.png');
        assert.equal(now.description, '');
        assert.deepEqual(now.tags, []);
        assert.equal(now.described_by, null);
    });

    test('that somebody described is left alone', async () => {
        put({ 'own.png': png(6), 'own.json': JSON.stringify({
            description: 'My own words', tags: ['mine'] }),
        'tagged.png': png(7), 'tagged.json': JSON.stringify({
            tags: ['mine'] }) });
        const r = await run(env, ['--yes', '--again', dir]);
        assert.equal(r.code, 0, r.err);
        assert.deepEqual(replay.requests.flatMap(imagesIn), [base64(png(7))]);
        assert.equal((await told('own.png')).description, 'My own words');
        assert.deepEqual((await told('tagged.png')).tags.sort(),
            ['mine', 'tagged']);
        /* And who describes it later has the last word. */
        put({ 'tagged.json': JSON.stringify({ description: 'Now mine' }) });
        await run(env, [dir]);
        const file = await told('tagged.png');
        assert.equal(file.description, 'Now mine');
        assert.equal(file.described_by, null);
        assert.deepEqual(file.tags, []);
    });

    test('of an upload as well, of whom it is asked for', async () => {
        await upload(parley, { 'up.png': png('up') });
        const r = await run(env, ['--yes', '--name', 'Uploads']);
        assert.equal(r.code, 0, r.err);
        assert.deepEqual(replay.requests.flatMap(imagesIn),
            [base64(png('up'))]);
        assert.equal((await told('up.png')).description, 'A marmalade cat');
        const ann = await run(env, ['--yes', '--owner', 'ann']);
        assert.match(ann.out, /there is no image/);
    });
});

describe('what must stay here', () => {
    const files = { 'open.png': png('open'), 'local.png': png('local'),
        'half.png': png('half'),
        '.parleyrules': 'local-only local.png\nredact half.png\n' };

    test('is not sent elsewhere', async () => {
        put(files);
        const r = await run(away, ['--yes', dir]);
        assert.equal(r.code, 0, r.err);
        assert.match(r.out, /^2 images may not be shown to openai\/gpt-4o, /m);
        assert.match(r.out, /^1 image to be described/m);
        assert.deepEqual(there.requests.flatMap(imagesIn),
            [base64(png('open'))]);
        assert.equal((await told('local.png')).description, '');
        const calls = fs.readFileSync(path.join(parley.dataDir, 'audit.log'),
            'utf8').trim().split('\n').map((line) => JSON.parse(line))
            .filter((l) => l.for === 'describe');
        assert.deepEqual(calls.at(-1).files, ['open.png']);
    });

    test('is shown to a model of this machine', async () => {
        put(files);
        const r = await run(env, ['--yes', dir]);
        assert.equal(r.code, 0, r.err);
        assert.equal(replay.requests.length, 3);
        assert.equal((await told('local.png')).label, 'local-only');
        assert.equal((await told('half.png')).label, 'redact');
    });
});

describe('what goes wrong', () => {
    test('is listed, and nothing else is lost by it', async () => {
        put({ 'a.png': png('a'), 'b.png': png('b'), 'c.png': png('c') });
        const scripts = [whole(WIRES.openai.answer('{"tags": []}')),
            status(500), whole(WIRES.openai.answer(says('Good')))];
        replay.always((...a) => scripts.shift()(...a));
        const r = await run(env, ['--yes', dir]);
        assert.equal(r.code, 2);
        assert.match(r.out, /^1 of 3 described/m);
        assert.match(r.err, /Not as wanted:/);
        assert.equal(r.err.match(/^ {2}[abc]\.png: /gm).length, 2);
        assert.match(r.err, /said nothing of use/);
        replay.always(whole(WIRES.openai.answer(says('Good'))));
        assert.equal((await run(env, ['--yes', dir])).code, 0);
        assert.equal(replay.requests.length, 5, 'only those two again');
    });

    test('five times in a row is enough', async () => {
        put(Object.fromEntries(Array.from({ length: 9 }, (_, i) =>
            [`${i}.png`, png(`row ${i}`)])));
        replay.always(status(401, { 'Content-Type': 'application/json' },
            '{"error":{"message":"bad key","type":"invalid_request_error"}}'));
        const r = await run(env, ['--yes', dir]);
        assert.equal(r.code, 2);
        assert.match(r.err, /given up after 5 failures in a row/);
        assert.ok(replay.requests.length >= 5 && replay.requests.length <= 6,
            `${replay.requests.length}`);
        assert.ok(!r.err.includes('key-openai'));
    });

    test('an image that changed since it was indexed is not sent', async () => {
        put({ 'a.png': png('first') });
        const r = await run(env, [dir], { hook: async (child, said) => {
            child.stdin.destroy();
        } });
        assert.equal(r.code, 2);
        put({ 'a.png': png('second') });
        const again = await run(env, ['--yes', '--name',
            path.basename(dir)]);
        assert.equal(again.code, 2);
        assert.match(again.err, /a\.png: it has changed/);
        assert.equal(replay.requests.length, 0);
    });

    test('one that is too large is listed', async () => {
        put({ 'over.png': Buffer.concat([IMAGES['dot.png'],
            Buffer.alloc(12 * 1024 * 1024 + 1 - IMAGES['dot.png'].length)]),
        'most.png': Buffer.concat([IMAGES['dot.png'],
            Buffer.alloc(12 * 1024 * 1024 - IMAGES['dot.png'].length)]) });
        const r = await run(env, ['--yes', dir]);
        assert.equal(r.code, 2);
        assert.match(r.err, /over\.png: its file is too large/);
        assert.match(r.out, /^1 of 2 described/m);
    });
});

test('Ctrl-C ends it between two images, and it is gone on with', async () => {
    put(Object.fromEntries(Array.from({ length: 6 }, (_, i) =>
        [`${i}.png`, png(`int ${i}`)])));
    const bytes = WIRES.openai.answer(says('Said after all'));
    const held = [hold(''), hold('')];
    let n = 0;
    replay.always((...a) => held[n++ % 2](...a));
    const r = await run(env, ['--yes', dir], { hook: async (child, said) => {
        await until('two questions', () => replay.requests.length === 2);
        child.kill('SIGINT');
        await until('to be heard', () => /once more/.test(said.err));
        held.forEach((h) => h.release(bytes));
    } });
    assert.equal(r.code, 2);
    assert.match(r.err, /stopped; run it again to go on/);
    assert.match(r.out, /^2 of 6 described/m);
    assert.equal(replay.requests.length, 2, 'what was asked is waited for');
    replay.always(whole(bytes));
    const on = await run(env, ['--yes', dir]);
    assert.equal(on.code, 0, on.err);
    assert.match(on.out, /^4 of 4 described/m);
    const all = replay.requests.flatMap(imagesIn);
    assert.equal(new Set(all).size, 6);
    assert.equal(all.length, 6, 'each was asked about once');
});

test('Ctrl-C twice gives up what was asked', async () => {
    put({ 'twice.png': png('twice') });
    const held = hold('');
    replay.always(held);
    const r = await run(env, ['--yes', dir], { hook: async (child, said) => {
        await until('a question', () => replay.requests.length === 1);
        child.kill('SIGINT');
        await until('to be heard', () => /once more/.test(said.err));
        child.kill('SIGINT');
    } });
    assert.equal(r.code, 2);
    assert.match(r.out, /^0 of 1 described/m);
    assert.equal((await told('twice.png')).description, '');
});

describe('--sidecar', () => {
    test('writes beside the image what was said, and by whom', async () => {
        put({ 'side.png': png('side') });
        const r = await run(env, ['--yes', '--sidecar', dir]);
        assert.equal(r.code, 0, r.err);
        assert.deepEqual(fs.readdirSync(dir).sort(),
            ['side.png', 'side.png.json']);
        const beside = path.join(dir, 'side.png.json');
        assert.deepEqual(JSON.parse(fs.readFileSync(beside)), {
            description: 'A marmalade cat', tags: ['tagged'],
            described_by: 'openai/gpt-4o', sha256: sha256(png('side')) });
        const seen = await run(env, ['--yes', dir]);
        assert.match(seen.out, /there is no image to be described/);
        assert.equal((await told('side.png')).described_by, 'openai/gpt-4o');
        /* Ours is written over, and says nothing of another image. */
        put({ 'side.png': png('other side') });
        replay.always(whole(WIRES.openai.answer(says('A tin drum'))));
        const r2 = await run(env, ['--yes', '--sidecar', dir]);
        assert.match(r2.out, /^1 image to be described/m);
        assert.equal(JSON.parse(fs.readFileSync(beside)).description,
            'A tin drum');
        assert.equal((await told('side.png')).description, 'A tin drum');
        /* It is the one that counts: without it nothing is said. */
        await run(env, ['--yes', dir]);
        fs.rmSync(beside);
        await run(env, [dir]);
        assert.equal((await told('side.png')).description, '');
    });

    test('leaves alone what somebody wrote', async () => {
        const tags = JSON.stringify({ tags: ['mine'] });
        put({ 'theirs.png': png('theirs'), 'theirs.json': tags,
            'b.png': png('doc'), 'b.png.json': '{"some": "document"}' });
        const r = await run(env, ['--yes', '--sidecar', dir]);
        assert.equal(r.code, 2);
        assert.match(r.out, /^2 of 2 described/m);
        assert.equal(r.err.match(/there is a file beside it/g).length, 2);
        assert.equal(fs.readFileSync(path.join(dir, 'theirs.json'), 'utf8'),
            tags);
        assert.equal(fs.readFileSync(path.join(dir, 'b.png.json'), 'utf8'),
            '{"some": "document"}');
        assert.equal((await told('theirs.png')).description,
            'A marmalade cat');
    });
});
