/* bin/parley beside a server and without one: backups that miss nothing,
 * restores that are refused where they would harm, exports that are whole. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { allMessagesOf, ask, call, newSession } from '../lib/client.js';
import { ROOT, startParley } from '../lib/server.js';
import { until } from '../lib/wait.js';

const CLIENTS = 8;
const PARLEY = process.env.PARLEY_TEST_BIN === undefined
    ? path.join(ROOT, 'bin/parley')
    : path.join(process.env.PARLEY_TEST_BIN, '../cli/parley');

/* {code, out, err} */
function run(dataDir, ...args) {
    return new Promise((resolve) => {
        execFile(PARLEY, args, {
            env: { PATH: process.env.PATH, DATA_DIR: dataDir },
            maxBuffer: 256 << 20, timeout: 60000,
        }, (error, out, err) => resolve({
            code: error === null ? 0 : error.code ?? error.signal, out, err }));
    });
}

async function succeed(dataDir, ...args) {
    const r = await run(dataDir, ...args);
    assert.equal(r.code, 0, `${args.join(' ')}: ${r.out}${r.err}`);
    return r.out;
}

/* A data folder whose store is that of a backup. */
function asData(folder, backup) {
    const dataDir = path.join(folder, `data-of-${path.basename(backup)}`);
    fs.mkdirSync(dataDir, { mode: 0o700 });
    fs.cpSync(backup, path.join(dataDir, 'store'), { recursive: true });
    return dataDir;
}

async function exported(dataDir, format = 'jsonl') {
    return (await succeed(dataDir, 'export', '--all', '--format', format))
        .split('\n').filter((line) => line !== '').map((l) => JSON.parse(l));
}

describe('parley', () => {
    let parley;
    let folder;

    before(async () => {
        parley = await startParley();
        folder = parley.folder;
    });
    after(() => parley?.stop());

    const place = (name) => path.join(folder, name);

    test('help lists the commands; what it does not know is said', async () => {
        const help = await run(parley.dataDir, '--help');
        assert.equal(help.code, 0);
        for (const name of ['fsck', 'backup', 'restore', 'export'])
            assert.match(help.out, new RegExp(`^  ${name} `, 'm'));
        assert.match(await succeed(parley.dataDir, 'version'),
            /^parley \d+\.\d+\.\d+\n$/);
        for (const args of [['nonsense'], ['backup'], ['restore'], ['export'],
            ['export', '--all', '--format', 'pdf'], ['fsck', '--mend'],
            ['backup', 'a', 'b'], ['version', 'x']])
            assert.equal((await run(parley.dataDir, ...args)).code, 64,
                args.join(' '));
    });

    test('what a server made is sound, while it serves', async () => {
        const session_id = newSession();
        for (const message of ['one', 'two', '/setcontext Be brief.'])
            await ask(parley, { message, session_id });
        const [first] = await allMessagesOf(parley, session_id);
        await ask(parley, { message: 'one anew', session_id,
            parent_message_id: first.id });
        await ask(parley, { message: 'short-lived', session_id: 'gone' });
        const gone = await call(parley, '/sessions/gone', { method: 'DELETE' });
        assert.ok(gone.status < 300, gone.text);
        assert.match(await succeed(parley.dataDir, 'fsck'),
            /^1 sessions, 6 messages, 3 turns, 1 owners: no faults\n$/);
    });

    /* A promise that was given before the backup began must be in it; one that
     * was given after it ended cannot. */
    test('a backup beside eight clients holds all that was acknowledged',
        async () => {
            const book = [];
            let running = true;
            const clients = Array.from({ length: CLIENTS }, async (_, i) => {
                const session_id = newSession();
                for (let n = 0; running; n++) {
                    const message = `client ${i} says ${n}`;
                    const answer = await ask(parley, { message, session_id });
                    book.push({ session_id, message,
                        id: answer.message_id, at: performance.now() });
                }
            });
            const backups = [];
            for (let i = 0; i < 3; i++) {
                const had = book.length;
                await until('more to be said',
                    () => book.length > had + 2 * CLIENTS);
                const to = place(`backup-${i}`);
                const began = performance.now();
                assert.match(await succeed(parley.dataDir, 'backup', to),
                    /: no faults\n/);
                backups.push({ to, began, ended: performance.now() });
            }
            running = false;
            await Promise.all(clients);
            for (const { to, began } of backups) {
                const stored = new Map();
                for (const s of await exported(asData(folder, to)))
                    for (const m of s.messages)
                        stored.set(m.id, { session: s, m });
                const missing = book.filter((b) => !stored.has(b.id));
                for (const b of missing)
                    assert.ok(b.at > began, `${b.message} was acknowledged ` +
                        `${began - b.at} ms before the backup began`);
                const held = book.filter((b) => stored.has(b.id));
                assert.ok(held.length > 2 * CLIENTS);
                for (const b of held) {
                    const { session } = stored.get(b.id);
                    assert.equal(session.id, b.session_id);
                    assert.equal(session.messages.filter(
                        (m) => m.content === b.message).length, 1);
                }
            }
            assert.match(await succeed(parley.dataDir, 'fsck'), /no faults/);
        });

    test('a folder with something in it is no place for a backup', async () => {
        const to = place('not-empty');
        fs.mkdirSync(to);
        fs.writeFileSync(path.join(to, 'mine'), 'x');
        const r = await run(parley.dataDir, 'backup', to);
        assert.equal(r.code, 2);
        assert.match(r.err, /not an empty folder/);
        assert.deepEqual(fs.readdirSync(to), ['mine']);
    });

    test('an export has every message of every session, in each format',
        async () => {
            const sessions = await exported(parley.dataDir);
            const whole = JSON.parse(await succeed(parley.dataDir,
                'export', '--all'));
            assert.equal(whole.format, 'parley');
            assert.equal(whole.sessions.length, sessions.length);
            const listed = /^(\d+) sessions, (\d+) messages/
                .exec(await succeed(parley.dataDir, 'fsck'));
            assert.equal(sessions.length, Number(listed[1]));
            assert.equal(sessions.reduce((n, s) => n + s.messages.length, 0),
                Number(listed[2]));
            for (const s of sessions) {
                const line = await allMessagesOf(parley, s.id);
                const there = new Map(s.messages.map((m) => [m.id, m]));
                for (const m of line)
                    assert.equal(there.get(m.id)?.content, m.content, m.id);
                for (const m of s.messages)
                    assert.ok(!m.parent_id || there.has(m.parent_id));
            }
            const md = await succeed(parley.dataDir, 'export', '--all',
                '--format', 'md');
            for (const s of sessions)
                for (const m of s.messages.filter((x) => x.role === 'user'))
                    assert.ok(md.includes(m.content));
        });

    test('a restore is refused while a server has the store open', async () => {
        const r = await run(parley.dataDir, 'restore', place('backup-0'),
            '--force');
        assert.equal(r.code, 2);
        assert.match(r.err, new RegExp(`process ${parley.chatPid()} uses`));
        assert.equal((await call(parley, '/health')).status, 200);
    });

    test('a stopped server starts with what was restored', async () => {
        const session_id = newSession();
        await ask(parley, { message: 'kept', session_id });
        const to = place('kept');
        await succeed(parley.dataDir, 'backup', to);
        const saved = await allMessagesOf(parley, session_id);
        await ask(parley, { message: 'said later', session_id });
        await ask(parley, { message: 'later', session_id: 'later' });
        await parley.stopWeb();
        const out = await succeed(parley.dataDir, 'restore', to);
        const [, old] = /the old store is in (.*)\n/.exec(out);
        await parley.start();
        assert.deepEqual(await allMessagesOf(parley, session_id), saved);
        assert.equal((await call(parley, '/sessions/later/messages')).status,
            404);
        await ask(parley, { message: 'and on', session_id });
        assert.equal((await allMessagesOf(parley, session_id)).length,
            saved.length + 2);
        await parley.stopWeb();
        await succeed(parley.dataDir, 'restore', old);
        await parley.start();
        assert.deepEqual((await allMessagesOf(parley, session_id))
            .filter((m) => m.role === 'user').map((m) => m.content),
        ['kept', 'said later']);
        assert.match(await succeed(parley.dataDir, 'fsck'), /no faults/);
    });

    test('the exit status says what was found', async () => {
        const good = asData(folder, place('kept'));
        const data = path.join(good, 'store/data.mdb');
        assert.equal((await run(good, 'fsck')).code, 0);
        assert.equal((await run(good, 'fsck', place('kept'))).code, 0);
        assert.equal((await run(place('nothing'), 'fsck')).code, 2);
        assert.equal((await run(place('nothing'), 'export', '--all')).code, 2);
        assert.equal(fs.existsSync(place('nothing')), false);
        assert.equal((await run(good, 'restore', place('nothing'))).code, 2);
        /* Another letter in a session's id: its index does not know it. */
        const bytes = fs.readFileSync(data);
        const id = Buffer.from((await exported(good))[0].id);
        await run(good, 'fsck');
        for (let at = bytes.indexOf(id); at >= 0;
            at = bytes.indexOf(id, at + 1))
            if (bytes[at - 1] === id.length) /* a record's, not a key */
                bytes[at + id.length - 1] ^= 1;
        fs.writeFileSync(data, bytes);
        const bad = await run(good, 'fsck');
        assert.equal(bad.code, 1, bad.out + bad.err);
        assert.match(bad.out, /^sessions \d+: its id is not in session_ids/m);
        assert.match(bad.out, /faults 2, can be repaired 2\n$/);
        const copy = place('bad-copy');
        assert.equal((await run(good, 'backup', copy)).code, 1);
        assert.equal((await run(good, 'restore', copy)).code, 1);
        assert.equal((await run(good, 'restore', copy, '--force')).code, 0);
        const mended = await run(good, 'fsck', '--repair');
        assert.equal(mended.code, 0, mended.out + mended.err);
        assert.match(mended.out, /faults 2, left 0\n$/);
        assert.match(await succeed(good, 'fsck'), /no faults/);
        fs.truncateSync(data, 3 * 4096);
        assert.equal((await run(good, 'fsck')).code, 2);
    });
});
