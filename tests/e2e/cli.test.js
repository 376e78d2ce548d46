/* bin/parley beside a server and without one: backups that miss nothing,
 * restores that are refused where they would harm, exports that are whole. */

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { allMessagesOf, ask, call, newSession } from '../lib/client.js';
import { PARLEY } from '../lib/programs.js';
import { startParley } from '../lib/server.js';
import { until } from '../lib/wait.js';

const CLIENTS = 8;

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
        for (const name of ['fsck', 'backup', 'restore', 'export', 'import',
            'reindex'])
            assert.match(help.out, new RegExp(`^  ${name} `, 'm'));
        assert.match(await succeed(parley.dataDir, 'version'),
            /^parley \d+\.\d+\.\d+\n$/);
        for (const args of [['nonsense'], ['backup'], ['restore'], ['export'],
            ['export', '--all', '--format', 'pdf'], ['fsck', '--mend'],
            ['backup', 'a', 'b'], ['version', 'x'], ['import'],
            ['import', '--format', 'pdf', 'x'], ['import', '--owner'],
            ['import', '-x'], ['reindex', 'x']])
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

/* Lines of conversations: one with the word, and others. */
function lines(n, word) {
    return Array.from({ length: n }, (_, i) => JSON.stringify({ messages: [
        { role: 'user', content: `question ${i} ${i === n - 1 ? word : ''}` },
        { role: 'assistant', content: 'an answer '.repeat(100) },
    ] })).join('\n');
}

describe('import and reindex beside a server', () => {
    let parley;

    before(async () => { parley = await startParley(); });
    after(() => parley?.stop());

    const file = (name, text) => {
        const at = path.join(parley.folder, name);
        fs.writeFileSync(at, text);
        return at;
    };
    const found = async (word) => {
        const r = await call(parley, `/sessions?q=${word}`);
        assert.equal(r.status, 200, r.text);
        return r.body.sessions;
    };

    test('what is imported is found by the running server', async () => {
        await ask(parley, { message: 'persimmon' });
        await until('the index', async () => (await found('persimmon'))[0]);
        const one = file('one.jsonl', lines(300, 'medlar'));
        const two = file('two.json', '[{"role":"user","content":"damson"}]');
        const r = await run(parley.dataDir, 'import', one, two);
        assert.equal(r.code, 0, r.err);
        assert.equal(r.out, `${one}: 300 sessions, 600 messages; messages ` +
            `left out 0, faults 0\n${two}: 1 sessions, 1 messages; messages ` +
            'left out 0, faults 0\n');
        assert.equal((await found('medlar')).length, 1);
        assert.equal((await found('damson')).length, 1);
        const [s] = await found('medlar');
        assert.equal((await ask(parley, { message: 'and on',
            session_id: s.session_id })).conversation_length, 4);
    });

    test('a long file tells how far it is, a line for every tenth',
        async () => {
            const r = await run(parley.dataDir, 'import',
                file('long.jsonl', lines(4000, 'greengage')));
            assert.equal(r.code, 0, r.err);
            const tenths = [...r.err.matchAll(/long\.jsonl: (\d+) %, /g)]
                .map((m) => Number(m[1]));
            assert.ok(tenths.length >= 5, r.err);
            assert.deepEqual(tenths,
                [...new Set(tenths)].sort((a, b) => a - b));
            assert.equal((await found('greengage')).length, 1);
        });

    test('from stdin, for an owner, of one format', async () => {
        const feed = (text, ...args) => new Promise((resolve) => {
            const child = spawn(PARLEY, ['import', ...args, '-'], { env:
                { PATH: process.env.PATH, DATA_DIR: parley.dataDir } });
            let out = '';
            let err = '';
            child.stdout.on('data', (d) => { out += d; });
            child.stderr.on('data', (d) => { err += d; });
            child.on('close', (code) => resolve({ code, out, err }));
            child.stdin.end(text);
        });
        const mine = await feed(lines(1, 'bullace'));
        assert.equal(mine.code, 0, mine.err);
        assert.match(mine.out, /^stdin: 1 sessions, 2 messages;/);
        assert.equal((await found('bullace')).length, 1);
        const hers = await feed(lines(1, 'mirabelle'), '--owner', 'ann');
        assert.equal(hers.code, 0, hers.err);
        assert.equal((await found('mirabelle')).length, 0);
        const other = await feed(lines(1, 'x'), '--format', 'chatgpt');
        assert.equal(other.code, 1);
        assert.match(other.err, /^stdin: item 1: not of the format/m);
    });

    test('the exit status says what was not taken', async () => {
        const broken = file('broken.jsonl', '{"messages":[{"role":"user",' +
            '"content":"a"}]}\n{"nothing":1}\n');
        const some = await run(parley.dataDir, 'import', broken);
        assert.equal(some.code, 1, some.err);
        assert.match(some.err, /broken\.jsonl: item 2: not a conversation/);
        const none = await run(parley.dataDir, 'import',
            file('none', 'hello'));
        assert.equal(none.code, 2);
        assert.match(none.err, /none: The file cannot be read from byte 0/);
        const missing = await run(parley.dataDir, 'import', 'not-there');
        assert.equal(missing.code, 2);
        assert.match(missing.err, /not-there: No such file/);
    });

    /* The index does not count as whole then, so a search makes up for it. */
    test('an import that is killed leaves nothing unfound', async () => {
        const before = (await run(parley.dataDir, 'fsck')).out;
        const child = spawn(PARLEY, ['import', file('killed.jsonl',
            lines(8000, 'never').replaceAll('question', 'loquat'))],
        { env: { PATH: process.env.PATH, DATA_DIR: parley.dataDir } });
        await new Promise((resolve) => child.stderr.once('data', resolve));
        child.kill('SIGKILL');
        await new Promise((resolve) => child.once('close', resolve));
        assert.notEqual((await run(parley.dataDir, 'fsck')).out, before);
        const sessions = async () => {
            const all = await exported(parley.dataDir);
            return all.filter((s) => /loquat/.test(s.messages[0]?.content));
        };
        const stored = await sessions();
        assert.ok(stored.length > 0 && stored.length < 8000);
        const last = stored.at(-1).messages[0].content.trim();
        await until('the last of them to be found', async () =>
            (await found(encodeURIComponent(`"${last}"`))).length > 0, 60000);
    });

    test('the index is made anew while the server searches', async () => {
        const answers = [];
        let running = true;
        const searching = (async () => {
            while (running)
                answers.push((await found('damson')).length);
        })();
        const { code, out, err } = await run(parley.dataDir, 'reindex');
        running = false;
        await searching;
        assert.equal(code, 0, err);
        const [, messages] = /: (\d+) messages of \d+ sessions, /.exec(out);
        const [, stored] = /sessions, (\d+) messages/.exec(
            (await run(parley.dataDir, 'fsck')).out);
        assert.equal(messages, stored);
        assert.ok(answers.every((n) => n <= 1), answers.join());
        assert.equal((await found('damson')).length, 1);
        assert.equal((await found('greengage')).length, 1);
    });

    test('fsck tells of a damaged index, reindex mends it', async () => {
        await parley.stopWeb();
        const index = path.join(parley.dataDir, 'search/messages.db');
        const fd = fs.openSync(index, 'r+');
        fs.writeSync(fd, Buffer.alloc(40960, 0xa5), 0, 40960, 8192);
        fs.closeSync(fd);
        const bad = await run(parley.dataDir, 'fsck', '--repair');
        assert.equal(bad.code, 1, bad.out + bad.err);
        assert.match(bad.out, /^search: .* damaged: parley reindex makes it /m);
        await succeed(parley.dataDir, 'reindex');
        assert.match(await succeed(parley.dataDir, 'fsck'), /no faults/);
        await parley.start();
        assert.equal((await found('damson')).length, 1);
    });

    test('without a store there is nothing to index', async () => {
        const r = await run(path.join(parley.folder, 'none-here'), 'reindex');
        assert.equal(r.code, 2);
        assert.match(r.err, /there is no store/);
    });
});
