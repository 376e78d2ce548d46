/* Files: sent, listed, opened at a place, labelled, replaced, deleted; what is
 * too large, has a strange name or cannot be read; and processes that die. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ask, assertError, call, postJson, serving } from '../lib/client.js';
import { at, docx, namesOf, pdf, readFile, search, sendFile, sendForm, upload,
    zip } from '../lib/files.js';
import { ROOT, commandLine, signal, startParley } from '../lib/server.js';
import { until } from '../lib/wait.js';

const MIB = 1024 * 1024;
const PNG = fs.readFileSync(path.join(ROOT, 'etc/demo/beach-sunset.png'));

const patch = (parley, name, json) => call(parley, at(name), {
    method: 'PATCH', body: JSON.stringify(json),
    headers: { 'content-type': 'application/json' } });
const drop = (parley, name) => call(parley, at(name), { method: 'DELETE' });
const list = async (parley, query = '') =>
    (await call(parley, `/files${query}`)).body;

describe('files', () => {
    let parley;
    before(async () => { parley = await startParley(); });
    after(() => parley?.stop());

    test('come by a form, several at once, and are found', async () => {
        const files = await upload(parley, {
            'rivers.md': '# Rivers\n\nThe Danube flows through Vienna.\n',
            'towns.csv': 'town,country\nGraz,Austria\nBrno,Moravia\n',
            'letter.docx': docx('Dear Anna,', 'the heron has come back.'),
            'bill.pdf': pdf('Invoice for a marmalade kettle'),
            'page.html': '<title>Otters</title><p>Otters hold hands.</p>' +
                '<script>var hidden = "zeppelin";</script>',
        });
        for (const f of files)
            assert.equal(f.status, 'indexed', JSON.stringify(f));
        for (const [q, name] of [['danube', 'rivers.md'], ['brno', 'towns.csv'],
            ['heron', 'letter.docx'], ['marmalade', 'bill.pdf'],
            ['otters', 'page.html']])
            assert.equal((await search(parley, q))[0]?.name, name, q);
        assert.ok(!namesOf(await search(parley, 'zeppelin'))
            .includes('page.html'), 'what a script says is no text');
        assert.equal((await search(parley, 'marmalade'))[0].page, 1);
        const { collections } = await list(parley);
        assert.equal(collections.find((c) => c.uploads).documents, 5);
    });

    test('come as the body, too', async () => {
        const r = await sendFile(parley, 'single.txt', 'A single albatross.');
        assert.equal(r.status, 201, r.text);
        assert.equal((await readFile(parley, 'single.txt')).status, 'indexed');
        assert.equal((await search(parley, 'albatross'))[0].name,
            'single.txt');
        assertError(await call(parley, '/files', { method: 'POST', body: 'a',
            headers: { 'content-type': 'text/plain' } }), 415);
        assertError(await sendForm(parley, {}, { fields: { a: 'b' } }), 400,
            'missing_file');
        assertError(await call(parley, '/files', { method: 'POST',
            body: '--x\r\nbroken',
            headers: { 'content-type': 'multipart/form-data; boundary=x' } }),
        400, 'invalid_multipart');
    });

    test('are replaced by their name', async () => {
        await upload(parley, { 'plan.txt': 'We sail on a schooner.' });
        const [f] = await upload(parley, { 'plan.txt': 'We ride a mule.' });
        assert.equal(f.size, 15);
        assert.equal((await search(parley, 'mule'))[0].name, 'plan.txt');
        assert.ok(!namesOf(await search(parley, 'schooner'))
            .includes('plan.txt'));
        assert.equal((await list(parley, '?limit=500')).files
            .filter((d) => d.name === 'plan.txt').length, 1);
    });

    test('are listed page by page', async () => {
        const all = namesOf((await list(parley, '?limit=500')).files);
        const seen = [];
        let next = '';
        do {
            const page = await list(parley, `?limit=2${next &&
                `&after=${encodeURIComponent(next)}`}`);
            assert.ok(page.files.length <= 2);
            seen.push(...page.files.map((f) => f.name));
            next = page.next;
        } while (next);
        assert.deepEqual(seen, all);
        assert.ok(all.length > 5);
    });

    test('are opened where a citation says', async () => {
        const long = Array.from({ length: 400 }, (_, i) => `## Part ${i}\n\n` +
            `Ünïcödé line ${i} says nothing of note.\n\n`);
        long.splice(300, 0, '## The kiln\n\nThe kiln reaches 1240 degrees.\n');
        await upload(parley, { 'long.md': long.join('') });
        const [hit] = await search(parley, 'how hot is the kiln?');
        assert.equal(hit.name, 'long.md');
        assert.equal(hit.heading.includes('kiln'), true, hit.heading);
        const { text } = await call(parley, `${at('long.md')}?text=1` +
            `&start=${hit.start}&length=${hit.length}`);
        assert.match(text, /The kiln reaches 1240 degrees\./);
        assert.equal(Buffer.byteLength(text), hit.length);
        const reply = await ask(parley, { message: 'how hot is the kiln?',
            files: true });
        const cited = reply.citations.find((c) => c.name === 'long.md');
        assert.equal(cited.start, hit.start);
        assert.equal(cited.length, hit.length);
    });

    test('give their bytes back, and nothing that runs', async () => {
        await upload(parley, { 'sea.png': PNG });
        const image = await fetch(`${parley.url}${at('sea.png')}?raw=1`);
        assert.equal(image.headers.get('content-type'), 'image/png');
        assert.match(image.headers.get('content-disposition'), /^inline/);
        assert.ok(PNG.equals(Buffer.from(await image.arrayBuffer())));
        const evil = '<script>alert(1)</script>';
        await upload(parley, { 'evil.html': evil,
            'evil.svg': `<svg xmlns="http://www.w3.org/2000/svg">` +
                `${evil}</svg>`,
            'fake.png': evil });
        for (const name of ['evil.html', 'evil.svg', 'fake.png']) {
            const r = await call(parley, `${at(name)}?raw=1`);
            assert.equal(r.status, 200, r.text);
            assert.ok(r.text.includes(evil));
            assert.equal(r.headers.get('content-type'),
                'application/octet-stream', name);
            assert.match(r.headers.get('content-disposition'), /^attachment/);
            assert.equal(r.headers.get('x-content-type-options'), 'nosniff');
            assert.match(r.headers.get('content-security-policy'),
                /default-src 'none'/);
        }
    });

    test('have a label that stays', async () => {
        const secret = { 'secret.txt': 'The safe opens with a tulip.' };
        await upload(parley, secret);
        const cloud = async () => (await postJson(parley, '/api/cloud-chat',
            { message: 'what opens the safe?' })).body.data;
        assert.ok((await cloud()).relevant_files.includes('secret.txt'));
        assert.equal((await patch(parley, 'secret.txt',
            { label: 'local-only' })).body.label, 'local-only');
        const gone = await cloud();
        assert.ok(!gone.relevant_files.includes('secret.txt'));
        assert.ok(!gone.rag_context.includes('tulip'));
        const [again] = await upload(parley, secret);
        assert.equal(again.label, 'local-only', 'a new version keeps it');
        assert.ok(!(await cloud()).rag_context.includes('tulip'));
        const [named] = await upload(parley, { 'named.txt': 'A tulip.' },
            { fields: { label: 'redact' } });
        assert.equal(named.label, 'redact');
        for (const label of ['ignore', 'secret', '', 7])
            assertError(await patch(parley, 'secret.txt', { label }), 400);
        assertError(await sendFile(parley, 'a.txt', 'a',
            { query: '&label=ignore' }), 400, 'invalid_label');
    });

    test('are gone as soon as they are deleted', async () => {
        await upload(parley, { 'mammoth.txt': 'The mammoth is in the attic.' });
        const q = 'where is the mammoth?';
        assert.equal((await search(parley, q))[0].name, 'mammoth.txt');
        assert.equal((await drop(parley, 'mammoth.txt')).status, 204);
        assert.ok(!namesOf(await search(parley, q)).includes('mammoth.txt'));
        const reply = await ask(parley, { message: q, files: true });
        assert.ok(!reply.message.includes('attic'), reply.message);
        assert.ok(!namesOf(reply.citations).includes('mammoth.txt'));
        const { data } = (await postJson(parley, '/api/cloud-chat',
            { message: q })).body;
        assert.ok(!data.relevant_files.includes('mammoth.txt'));
        for (const query of ['', '?text=1', '?raw=1'])
            assertError(await call(parley, at('mammoth.txt') + query), 404,
                'file_not_found');
        assertError(await drop(parley, 'mammoth.txt'), 404, 'file_not_found');
        const stored = fs.readdirSync(path.join(parley.dataDir,
            'files/uploads'), { recursive: true });
        assert.ok(!stored.some((f) => f.includes('mammoth')), `${stored}`);
    });

    test('that cannot be read say why, and no other is lost', async () => {
        const files = {
            'broken.pdf': '%PDF-1.7\nthis is no PDF at all',
            'locked.pdf': pdf('Nobody may read it', { encrypted: true }),
            'bomb.docx': zip({
                '[Content_Types].xml': zlibSafe,
                'word/document.xml': Buffer.alloc(100 * MIB, ' '),
            }),
            'binary.txt': Buffer.from(Array.from({ length: 4096 },
                (_, i) => i * 7 % 256)),
            'empty.txt': ' \n',
            'program.bin': Buffer.from('\x7fELF\x02\x01\x01', 'latin1'),
            'fine.txt': 'A fine platypus.',
        };
        const said = Object.fromEntries((await upload(parley, files))
            .map((f) => [f.name, f]));
        assert.equal(said['fine.txt'].status, 'indexed');
        for (const [name, reasons] of [
            ['broken.pdf', ['broken']], ['locked.pdf', ['encrypted']],
            ['bomb.docx', ['bomb']], ['binary.txt', ['binary', 'type']],
            ['empty.txt', ['empty']], ['program.bin', ['type', 'binary']]]) {
            assert.equal(said[name].status, 'skipped', name);
            assert.ok(reasons.includes(said[name].reason),
                `${name}: ${said[name].reason}`);
            assert.ok(said[name].message.length > 0);
        }
        assert.equal((await search(parley, 'platypus'))[0].name, 'fine.txt');
        const { body } = await postJson(parley, '/chat',
            { message: '/files', session_id: 'files' });
        assert.match(body.message, /broken\.pdf \(not searched: /);
    });

    test('may have any name, and it is only a name', async () => {
        const outside = path.join(parley.folder, 'passwd');
        for (const name of ['with space.txt', 'Übergröße ß.txt', '日本.txt',
            'quo"te\'s.txt', 'a%2e%2eb.txt', '%00.txt', '..hidden.txt',
            'semi;colon&and?.txt', '.dot.txt', '-rf.txt']) {
            const r = await sendFile(parley, name, `This is about ${name}`);
            assert.equal(r.status, 201, r.text);
            assert.equal(r.body.files[0].name, name);
            const got = await call(parley, `${at(name)}?raw=1`);
            assert.equal(got.status, 200, `${name}: ${got.text}`);
            assert.equal(got.text, `This is about ${name}`);
        }
        for (const name of ['../../passwd', '/etc/passwd', 'a/../../b',
            'C:\\x\\y', '..', '.', '../../../../../../tmp/passwd']) {
            const r = await sendFile(parley, name, 'harmless');
            assert.ok([201, 400].includes(r.status), `${name}: ${r.text}`);
            const f = await sendForm(parley, { [name]: 'harmless' });
            assert.ok([201, 400].includes(f.status), `${name}: ${f.text}`);
        }
        assert.ok(!fs.existsSync(outside));
        /* A web server may refuse the first by itself. */
        for (const name of ['a%00b.txt', '%ff%fe.txt', ''])
            assert.equal((await call(parley, `/files?name=${name}`,
                { method: 'POST', body: 'x', headers: {
                    'content-type': 'application/octet-stream' } })).status,
            400);
        const uploads = path.join(parley.dataDir, 'files/uploads');
        for (const f of fs.readdirSync(uploads,
            { recursive: true, withFileTypes: true }))
            assert.match(f.name, /^[A-Za-z0-9_%-][\w.%-]*$/);
    });

    test('are never opened by a path', async () => {
        for (const p of ['/files/..%2f..%2f..%2fetc%2fpasswd?raw=1',
            '/files/%2e%2e/%2e%2e/etc/passwd', '/files//etc/passwd?text=1',
            '/files/%2fetc%2fpasswd?raw=1']) {
            const r = await new Promise((resolve, reject) => http.get(
                { port: parley.port, path: p }, resolve).on('error', reject));
            const text = Buffer.concat(await r.toArray()).toString();
            assert.ok([400, 404].includes(r.statusCode), `${p}: ${text}`);
            assert.ok(!text.includes('root:'), p);
        }
        await upload(parley, { 'planted.txt': 'A planted parsnip.' });
        const folder = path.join(parley.dataDir, 'files/uploads');
        const file = fs.readdirSync(folder, { recursive: true })
            .find((f) => f.endsWith('planted.txt'));
        fs.rmSync(path.join(folder, file));
        fs.symlinkSync('/etc/passwd', path.join(folder, file));
        const r = await call(parley, `${at('planted.txt')}?raw=1`);
        assert.equal(r.status, 404, r.text);
        assert.ok(!r.text.includes('root:'));
    });
});

/* No such part has anything to say. */
const zlibSafe = '<?xml version="1.0"?><Types xmlns="http://schemas.' +
    'openxmlformats.org/package/2006/content-types"><Override PartName="/' +
    'word/document.xml" ContentType="application/vnd.openxmlformats-' +
    'officedocument.wordprocessingml.document.main+xml"/></Types>';

describe('the limits of files', () => {
    let parley;
    before(async () => {
        parley = await startParley({
            env: { FILES_UPLOAD_MIB: '1', FILES_OWNER_MIB: '2' } });
    });
    after(() => parley?.stop());
    const bytes = (n) => Buffer.alloc(n, 'a line of words\n');

    test('of one', async () => {
        assert.equal((await sendFile(parley, 'most', bytes(MIB))).status, 201);
        assertError(await sendFile(parley, 'more', bytes(MIB + 1)), 413);
        assertError(await call(parley, at('more')), 404);
        assert.equal((await drop(parley, 'most')).status, 204);
    });

    test('of all of an owner', async () => {
        assert.equal((await sendFile(parley, 'one', bytes(MIB))).status, 201);
        assert.equal((await sendFile(parley, 'two', bytes(MIB))).status, 201);
        assertError(await sendFile(parley, 'three', 'x'), 507, 'files_full');
        assert.equal((await drop(parley, 'one')).status, 204);
        assert.equal((await sendFile(parley, 'three', bytes(MIB))).status, 201);
        const full = await sendFile(parley, 'four', 'x');
        assertError(full, 507, 'files_full');
        assert.equal(full.headers.get('retry-after'), null);
        const { files } = await list(parley);
        assert.deepEqual(namesOf(files), ['three', 'two']);
        const left = fs.readdirSync(path.join(parley.dataDir, 'files/uploads'),
            { recursive: true }).filter((f) => f.includes('.upload'));
        assert.deepEqual(left, []);
        for (const name of ['two', 'three'])
            await drop(parley, name);
    });

    test('of all of an owner, without what is replaced', async () => {
        const send = (name, n) => sendFile(parley, name, bytes(n));
        assert.equal((await send('one', MIB)).status, 201);
        assert.equal((await send('two', MIB)).status, 201);
        assert.equal((await send('two', MIB)).status, 201, 'the same again');
        assert.equal((await send('two', MIB - 1)).status, 201);
        assertError(await send('one', MIB + 1), 413, 'file_too_big');
        assert.equal((await send('three', 1)).status, 201, 'to the byte');
        assertError(await send('four', 1), 507, 'files_full');
        assertError(await send('three', 2), 507, 'files_full');
        assert.equal((await readFile(parley, 'three')).size, 1, 'as it was');
        for (const name of ['one', 'two', 'three'])
            await drop(parley, name);
    });

    test('of all of an owner, with what cannot be searched', async () => {
        const program = Buffer.alloc(MIB, '\x7fELF\x02\x01\x01\0', 'latin1');
        for (const name of ['one.bin', 'two.bin']) {
            assert.equal((await sendFile(parley, name, program)).status, 201);
            assert.equal((await readFile(parley, name)).status, 'skipped');
        }
        assertError(await sendFile(parley, 'three', 'x'), 507, 'files_full');
        for (const name of ['one.bin', 'two.bin'])
            await drop(parley, name);
    });

    test('of all of an owner, of many that come at once', async () => {
        const names = Array.from({ length: 8 }, (_, i) => `many${i}`);
        const done = await Promise.all(names.map((name) =>
            sendFile(parley, name, bytes(MIB / 2))));
        const taken = done.filter((r) => r.status === 201);
        assert.equal(taken.length, 4, `${done.map((r) => r.status)}`);
        for (const r of done)
            if (r.status !== 201)
                assertError(r, 507, 'files_full');
        for (const name of names)
            await drop(parley, name);
    });

    test('of a name', async () => {
        const name = `${'ü'.repeat(125)}a.txt`;
        assert.equal(Buffer.byteLength(name), 255);
        const r = await sendFile(parley, name, 'words');
        assert.equal(r.status, 201, r.text);
        assert.equal((await call(parley, `${at(name)}?raw=1`)).text, 'words');
        assertError(await sendFile(parley, `b${name}`, 'words'), 400,
            'invalid_name');
    });

    test('of a page and a query', async () => {
        for (const q of ['limit=0', 'limit=501', 'limit=x', 'collection=-1'])
            assertError(await call(parley, `/files?${q}`), 400);
        for (const q of ['two', '00', '0000000000000001', `${'0'.repeat(16)}0g`,
            `${'0'.repeat(16)}00`, 'f'.repeat(2 * 8 + 2 * 1024)])
            assertError(await call(parley, `/files?after=${q}`), 400,
                'invalid_cursor');
        assertError(await call(parley, '/search'), 400, 'missing_query');
        assertError(await call(parley, '/search?q=%20'), 400,
            'missing_query');
        assertError(await call(parley, '/search?q=a&limit=51'), 400);
        assert.deepEqual(await search(parley,
            'NEAR("a" AND * OR col:x) ^"' + "'; DROP TABLE documents; --"), []);
    });
});

describe('files, when a process dies', () => {
    let parley;
    before(async () => { parley = await startParley(); });
    after(() => parley?.stop()); /* which says what stayed */

    /* The one that reads, and not the one that starts it again. */
    const reader = () => {
        const all = parley.pids().filter((pid) =>
            commandLine(pid).includes('--serve'));
        return all.length === 2 && Math.max(...all);
    };

    test('what was taken is read after the reader was killed', async () => {
        const names = Array.from({ length: 12 }, (_, i) => `n${i}.txt`);
        const sent = names.map((name, i) => sendFile(parley, name,
            `Number ${i} is about quetzals.`));
        const pid = await until('the reader', reader);
        signal(pid, 'SIGKILL');
        const done = await Promise.all(sent);
        for (const r of done)
            assert.equal(r.status, 201, r.text);
        for (const name of names)
            assert.equal((await readFile(parley, name)).status, 'indexed');
        assert.ok(!parley.pids().includes(pid));
        assert.ok((await search(parley, 'quetzals')).length > 0);
        assert.equal((await call(parley, `${at('n3.txt')}?raw=1`)).text,
            'Number 3 is about quetzals.');
    });

    test('what was acknowledged is there after kill -9', async () => {
        const taken = [];
        let go = true;
        const sending = (async () => {
            for (let i = 0; go && i < 400; i++) {
                const name = `k${i}.txt`;
                const r = await sendFile(parley, name, `Kestrel ${i}.`)
                    .catch(() => null);
                if (r?.status === 201)
                    taken.push(name);
                else
                    go = false;
            }
        })();
        await until('some to be taken', () => taken.length > 3);
        await parley.kill9();
        go = false;
        await sending;
        await serving(parley);
        for (const name of taken)
            assert.equal((await readFile(parley, name)).status, 'indexed');
        assert.ok(namesOf(await search(parley, 'kestrel')).length > 0);
    });
});

describe('a server without files', () => {
    let parley;
    before(async () => { parley = await startParley({
        env: { FILES: 'off' } }); });
    after(() => parley?.stop());

    test('says so, and chats', async () => {
        for (const [p, init] of [['/files', {}], ['/files/a', {}],
            ['/search?q=a', {}],
            ['/files?name=a', { method: 'POST', body: 'a' }],
            ['/files/a', { method: 'DELETE' }]])
            assertError(await call(parley, p, init), 422, 'files_off');
        assertError(await postJson(parley, '/api/cloud-chat',
            { message: 'a' }), 422, 'no_index');
        const reply = await ask(parley, { message: 'hello', files: true });
        assert.deepEqual(reply.notes.map((n) => n.code), ['files_ignored']);
        assert.ok(!parley.pids().some((pid) =>
            commandLine(pid).includes('--serve')));
    });
});
