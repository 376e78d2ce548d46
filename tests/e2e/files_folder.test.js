/* FILES_DIR while the server runs: what is put into it, changed, renamed, taken
 * out and labelled is followed; what leads out of it, is no file, or has a
 * strange name does no harm; and a folder that vanishes takes nothing along. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { assertError, call, postJson } from '../lib/client.js';
import { at, namesOf, search } from '../lib/files.js';
import { commandLine, signal, startParley } from '../lib/server.js';
import { until } from '../lib/wait.js';

describe('a folder that is kept current', () => {
    let parley;
    let folder;
    let root;

    const write = (name, text) => {
        fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
        fs.writeFileSync(path.join(root, name), text);
    };
    const list = async () => (await call(parley, '/files?limit=500')).body
        .files;
    /* Until a question finds exactly these. */
    const finds = (q, ...names) => until(`${q} to find ${names}`, async () =>
        `${namesOf(await search(parley, q))}` === `${names.sort()}`);
    const labelled = (name, label) => until(`${name} to be ${label}`,
        async () => (await call(parley, at(name))).body.label === label);
    /* The last name of all is taken: that walk has come by all others. */
    let walks = 0;
    const walked = async () => {
        const name = `zz/walk${walks++}.txt`;
        write(name, 'A walk to the end.');
        await until(`${name} to be found`, async () =>
            (await call(parley, at(name))).status === 200);
    };

    before(async () => {
        folder = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-folder-'));
        root = path.join(folder, 'files');
        write('heron.txt', 'The heron stands in the water.');
        parley = await startParley({ env: { FILES_DIR: root,
            FILES_EVERY_S: '1', FILES_SAMPLES: 'off' } });
        await finds('heron', 'heron.txt');
    });
    after(async () => {
        await parley?.stop();
        fs.rmSync(folder, { recursive: true, force: true });
    });

    test('finds what is added, changed, renamed, and not what is gone',
        async () => {
            write('deep/er/crane.md', '# Cranes\n\nThe crane dances.\n');
            await finds('crane', 'deep/er/crane.md');
            write('deep/er/crane.md', '# Storks\n\nThe stork clatters.\n');
            await finds('stork', 'deep/er/crane.md');
            await finds('dances');
            fs.renameSync(path.join(root, 'deep'), path.join(root, 'moved'));
            await finds('stork', 'moved/er/crane.md');
            assertError(await call(parley, at('deep/er/crane.md')), 404);
            fs.rmSync(path.join(root, 'moved'), { recursive: true });
            await finds('stork');
            assertError(await call(parley, at('moved/er/crane.md')), 404);
        });

    test('gives bytes to all, and is deleted by nobody',
        async () => {
            write('plain.txt', 'An ibis.');
            await finds('ibis', 'plain.txt');
            assert.equal((await call(parley, `${at('plain.txt')}?raw=1`)).text,
                'An ibis.');
            assertError(await call(parley, at('plain.txt'),
                { method: 'DELETE' }), 403, 'file_shared');
        });

    test('follows no link, opens no pipe and no socket', async () => {
        const socket = net.createServer();
        write('tern.txt', 'A tern.');
        await finds('tern', 'tern.txt');
        fs.writeFileSync(path.join(folder, 'secret.txt'), 'A pangolin.');
        fs.symlinkSync(path.join(folder, 'secret.txt'),
            path.join(root, 'link.txt'));
        fs.symlinkSync(folder, path.join(root, 'up'));
        fs.symlinkSync('/etc', path.join(root, 'etc'));
        fs.symlinkSync('loop.txt', path.join(root, 'loop.txt'));
        execFileSync('mkfifo', [path.join(root, 'pipe.txt')]);
        fs.rmSync(path.join(root, 'tern.txt'));
        await new Promise((r) =>
            socket.listen(path.join(root, 'tern.txt'), r));
        await walked();
        assert.ok(!(await list()).some((f) =>
            /^(?:link|up|etc|loop|pipe|tern)/.test(f.name)));
        await finds('pangolin');
        await finds('tern');
        /* One that was known, and becomes a link. */
        write('known.txt', 'A rail.');
        await finds('rail', 'known.txt');
        fs.rmSync(path.join(root, 'known.txt'));
        fs.symlinkSync(path.join(folder, 'secret.txt'),
            path.join(root, 'known.txt'));
        const r = await call(parley, `${at('known.txt')}?raw=1`);
        assert.equal(r.status, 404, r.text);
        await finds('rail');
        await finds('pangolin');
        await new Promise((r2) => socket.close(r2));
    });

    test('lists what it may not read', { skip: process.getuid() === 0 &&
        'root may read everything' }, async () => {
        write('locked.txt', 'A cormorant.');
        fs.chmodSync(path.join(root, 'locked.txt'), 0);
        await until('it to be listed', async () => (await list())
            .some((f) => f.name === 'locked.txt' && f.reason === 'unreadable'));
        fs.chmodSync(path.join(root, 'locked.txt'), 0o600);
        await finds('cormorant', 'locked.txt');
    });

    test('takes any name', async () => {
        const long = `${'ü'.repeat(125)}x.txt`;
        assert.equal(Buffer.byteLength(long), 255);
        write(long, 'An albatross.');
        await finds('albatross', long);
        assert.equal((await call(parley, `${at(long)}?raw=1`)).text,
            'An albatross.');
        fs.writeFileSync(Buffer.concat([Buffer.from(`${root}/bad`),
            Buffer.from([0xff, 0xfe]), Buffer.from('.txt')]), 'A dodo.');
        await until('it to be found', async () =>
            (await search(parley, 'dodo')).length === 1);
        const [{ name }] = await search(parley, 'dodo');
        assert.match(name, /^bad.+\.txt$/, 'it can be shown');
        assert.equal((await list()).filter((f) => f.name === name).length, 1);
        for (let after = '', n = 0; after !== null && n < 100; n++) {
            const page = await call(parley, `/files?limit=1&after=${after}`);
            assert.equal(page.status, 200, page.text);
            after = page.body.next;
            assert.ok(n < 99);
        }
        for (const line of ['new\nline.txt', '<b>.txt', '"quoted".txt'])
            write(line, `A lyrebird in ${line}`);
        await finds('lyrebird', 'new\nline.txt', '<b>.txt', '"quoted".txt');
    });

    test('reads on in a file that grows', async () => {
        const file = path.join(root, 'log.txt');
        for (const word of ['avocet', 'bittern', 'curlew']) {
            fs.appendFileSync(file, `The ${word} came.\n\n`);
            await finds(word, 'log.txt');
        }
        await finds('avocet', 'log.txt');
    });

    test('follows its rules as they change', async () => {
        const cloud = async () => (await postJson(parley, '/api/cloud-chat',
            { message: 'where is the heron?' })).body.data;
        assert.ok((await cloud()).rag_context.includes('heron'));
        write('.parleyrules', 'local-only heron.txt\n');
        await labelled('heron.txt', 'local-only');
        assert.ok(!(await cloud()).rag_context.includes('water'));
        write('.parleyrules', 'redact heron.txt\nredact-text water\n');
        await labelled('heron.txt', 'redact');
        assert.match((await cloud()).rag_context, /in the \[redacted\]/);
        write('.parleyrules', 'redact heron.txt\nredact-text heron\n');
        await until('its name to be blotted out', async () =>
            `${(await cloud()).relevant_files}`.includes('[redacted].txt'));
        const { user_message: asked, ...rest } = await cloud();
        assert.match(asked, /heron/);
        assert.doesNotMatch(JSON.stringify(rest), /heron/i);
        write('.parleyrules', 'nonsense heron.txt\n');
        await until('the log to say so', () =>
            /files\.folder .*line 1/i.test(parley.log()));
        assert.equal((await call(parley, at('heron.txt'))).body.label,
            'redact', 'what is wrong changes nothing');
        write('.parleyrules', 'ignore heron.txt\n');
        await finds('heron');
        fs.rmSync(path.join(root, '.parleyrules'));
        await finds('heron', 'heron.txt');
        await labelled('heron.txt', 'cloud-ok');
    });

    test('keeps all when it vanishes, or its disk is not mounted',
        async () => {
            const away = path.join(folder, 'away');
            const before = namesOf(await list());
            fs.renameSync(root, away);
            await until('the log to say so', () =>
                /files\.folder .*no such folder/.test(parley.log()));
            fs.mkdirSync(root);
            await until('the log to say so, too', () =>
                /files\.folder .*is empty/.test(parley.log()));
            assert.deepEqual(namesOf(await list()), before);
            await finds('heron', 'heron.txt');
            fs.rmdirSync(root);
            fs.renameSync(away, root);
            await walked();
            await finds('heron', 'heron.txt');
        });

    test('goes on after its reader was killed', async () => {
        const readers = () => parley.pids().filter((pid) =>
            commandLine(pid).includes('--serve'));
        const pid = await until('the reader', () =>
            readers().length === 2 && Math.max(...readers()));
        signal(pid, 'SIGKILL');
        await walked();
        assert.ok(!parley.pids().includes(pid));
    });

    test('is empty when all of it is deleted', async () => {
        for (const name of fs.readdirSync(root, { encoding: 'buffer' }))
            fs.rmSync(Buffer.concat([Buffer.from(`${root}/`), name]),
                { recursive: true, force: true });
        await until('nothing to be left', async () =>
            (await list()).length === 0);
        assert.deepEqual(await search(parley, 'heron'), []);
    });
});
