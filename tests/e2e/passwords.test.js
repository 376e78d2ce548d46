/* Signing in with a password: hashes that real tools make, a file that changes
 * while the server runs, and wrong passwords that slow down and lock. How long
 * each wait is and when a pair is locked are in the unit tests, which have a
 * clock of their own. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { basic, bearer, cookiesAfter, hashOf } from '../lib/accounts.js';
import { assertError, call, postJson } from '../lib/client.js';
import { makeKey } from '../lib/parley_keys.js';
import { ROOT, startParley } from '../lib/server.js';
import { delay, until, within } from '../lib/wait.js';

const CLI = path.join(ROOT, 'bin/parley');

/* The program's output, or null where it is not installed or cannot. */
function output(program, args, input) {
    const r = spawnSync(program, args, { input, encoding: 'utf8' });
    return r.status === 0 ? r.stdout.trim() : null;
}

const perlCrypt = (password, setting) => {
    const hash = output('perl', ['-e', 'print crypt($ARGV[0], $ARGV[1])',
        password, setting]);
    return hash?.startsWith('$') && hash.length > setting.length
        ? hash : null;
};

/* user -> [password, line]; those whose tool is missing are left out. */
function usersOfTools() {
    const all = {
        openssl: ['from openssl', hashOf('from openssl')],
        'bcrypt b': ['pä$$: word', perlCrypt('pä$$: word',
            '$2b$05$abcdefghijklmnopqrstuu')],
        yescrypt: ['from perl', perlCrypt('from perl', '$y$j75$saltsalt')],
        rounds: ['r', perlCrypt('r', '$6$rounds=2000$saltsalt')],
        htpasswd: ['from htpasswd', output('htpasswd',
            ['-nbB', '-C', '5', 'x', 'from htpasswd'])?.slice(2)],
        mkpasswd: ['from mkpasswd', output('mkpasswd',
            ['-m', 'yescrypt', '-s'], 'from mkpasswd\n')],
    };
    return Object.fromEntries(
        Object.entries(all).filter(([, [, hash]]) => hash));
}

describe('passwords', () => {
    const users = usersOfTools();
    let folder;
    let file;
    let parley;
    let other; /* another process on the same data folder */
    let locking;
    const over = new AbortController();

    before(async () => {
        folder = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-passwords-'));
        file = path.join(folder, 'users');
        const md5 = output('openssl', ['passwd', '-apr1', 'too weak']);
        fs.writeFileSync(file, Object.entries(users)
            .map(([user, [, hash]]) => `${user}:${hash}\n`).join('') +
            `# weak ones\nold:${md5}\nplain:too plain\n`, { mode: 0o600 });
        const env = { HTPASSWD_FILE: file, TRUSTED_PROXIES: '127.0.0.1' };
        parley = await startParley({ env });
        const dataDir = path.join(folder, 'same');
        fs.symlinkSync(parley.dataDir, dataDir);
        other = await startParley({ env, dataDir });
        locking = lockPair(); /* a minute of waiting, beside the tests */
        locking.catch(() => {}); /* its test says so */
    });
    after(async () => {
        over.abort();
        await locking?.catch(() => {});
        await other?.stop();
        await parley?.stop();
        fs.rmSync(folder, { recursive: true, force: true });
    });

    const me = (user, password, from = '192.0.2.1', at = parley) =>
        call(at, '/auth/me', { headers: {
            ...basic(user, password), 'x-forwarded-for': from } });
    const login = (user, password, from, at = parley) =>
        postJson(at, '/auth/login', { username: user, password },
            { 'x-forwarded-for': from });
    const run = (args, input) =>
        spawnSync(CLI, ['passwd', ...args], { input, encoding: 'utf8' });

    /* Wrong passwords of one user from one address, each as soon as it may be
     * tried, by both processes, until that is for a quarter of an hour. How
     * many were looked at, and what was said last. */
    const LOCKED_FROM = '198.51.100.77';
    async function lockPair() {
        const [user] = Object.entries(users)[0];
        for (let tried = 0, i = 0; ; i++) {
            const r = await login(user, `wrong ${i}`, LOCKED_FROM,
                i % 2 ? parley : other);
            tried += r.status === 401;
            const wait = Number(r.headers.get('retry-after') ?? 0);
            if (tried > 10 || wait > 60)
                return { tried, wait };
            await delay(Math.max(wait * 1000 - 900, 50));
            over.signal.throwIfAborted();
        }
    }

    for (const [user, [password]] of Object.entries(users))
        test(`a hash of the kind "${user}" signs in`, async () => {
            for (let i = 0; i < 2; i++) {
                const r = await me(user, password);
                assert.equal(r.status, 200, r.text);
                assert.equal(r.body.name, user);
            }
            const r = await login(user, password, '192.0.2.1');
            assert.ok(r.status < 300, r.text);
            assertError(await me(user, `${password} `), 401, 'invalid_login');
        });

    test('weak hashes are told with the way out, and sign nobody in',
        async () => {
            const lines = fs.readFileSync(file, 'utf8').split('\n');
            const at = lines.findIndex((l) => l.startsWith('old:')) + 1;
            const log = parley.log();
            assert.match(log, new RegExp(`htpasswd\\.line .*line=${at} ` +
                'user="old" error="has Apache\'s MD5.*htpasswd -B -C 12 .*old'));
            assert.match(log, /user="plain" error="has no hash/);
            assert.doesNotMatch(log, /too plain/);
            assertError(await me('old', 'too weak', '192.0.2.2'), 401);
            assertError(await me('plain', 'too plain', '192.0.2.2'), 401);
            const checked = run(['--check', file]);
            assert.equal(checked.status, 1);
            assert.match(checked.stdout, new RegExp(`:${at}: old has`));
        });

    test('what is no Basic header signs nobody in', async () => {
        const first = Object.keys(users)[0];
        for (const text of ['', '!', 'YQ==', 'OmE=', 'YTpiAA==',
            Buffer.from(`${first}\0:x`).toString('base64'),
            Buffer.from(`${first}:${'x'.repeat(600)}`).toString('base64')])
            assertError(await call(parley, '/auth/me', { headers: {
                authorization: `Basic ${text}` } }), 401);
    });

    test('wrong passwords slow down, for their user and address alone',
        async () => {
            const [user, [password]] = Object.entries(users)[0];
            const second = Object.entries(users)[1];
            const from = '198.51.100.1';
            for (const at of [parley, other]) /* known to both */
                assert.equal((await me(user, password, from, at)).status, 200);
            for (let i = 0; i < 4; i++) {
                const r = i % 2 ? await login(user, `wrong ${i}`, from)
                    : await me(user, `wrong ${i}`, from);
                assertError(r, 401, 'invalid_login');
            }
            /* Each wrong one makes the next one wait longer; what comes in
             * between is refused, and does not count. */
            const waits = new Set();
            await until('a wait of eight seconds', async () => {
                const r = await login(user, 'wrong again', from);
                const wait = Number(r.headers.get('retry-after'));
                if (r.status !== 401)
                    assertError(r, 429, 'too_many_attempts');
                assert.ok(wait >= 1);
                waits.add(wait);
                return wait === 8 || delay(100).then(() => false);
            }, 60000);
            for (const wait of [1, 2, 4, 8])
                assert.ok(waits.has(wait), `${wait} of ${[...waits]}`);
            /* Now not even the right one, at no door and in no process. */
            assertError(await me(user, password, from), 429,
                'too_many_attempts');
            assertError(await login(user, password, from), 429);
            assertError(await me(user, password, from, other), 429);
            assert.equal((await me(user, password, '198.51.100.2')).status, 200);
            assert.equal((await login(user, password, '198.51.100.3')).status <
                300, true);
            assert.equal((await me(second[0], second[1][0], from)).status, 200);
            /* A name that is not there is not told from one that is. */
            for (let i = 0; i < 4; i++)
                assertError(await me('nobody', `x${i}`, from), 401,
                    'invalid_login');
            await until('a refusal', async () => {
                const r = await me('nobody', 'x', from);
                return r.status === 429 &&
                    r.body.code === 'too_many_attempts';
            });
        });

    test('a right password makes the earlier wrong ones forgotten',
        async () => {
            const [user, [password]] = Object.entries(users)[1];
            const from = '2001:db8::1';
            for (let round = 0; round < 3; round++) {
                for (let i = 0; i < 3; i++)
                    assertError(await login(user, `no ${round} ${i}`, from),
                        401, 'invalid_login');
                const r = await login(user, password, from);
                assert.ok(r.status < 300, r.text);
            }
        });

    test('parley passwd adds, changes and deletes while it runs', async () => {
        const set = (password) => {
            const r = run(['--stdin', file, 'zoë'], `${password}\n`);
            assert.equal(r.status, 0, r.stderr);
        };
        const signsIn = (password) => until('a change of the file',
            async () => (await me('zoë', password, '203.0.113.9'))
                .status === 200 || delay(300).then(() => false));
        set('first one');
        assert.match(fs.readFileSync(file, 'utf8'), /^zoë:\$y\$/m);
        assert.equal(fs.statSync(file).mode & 0o777, 0o600);
        await signsIn('first one');
        const began = await postJson(parley, '/auth/login',
            { username: 'zoë', password: 'first one' });
        const cookie = cookiesAfter(began);
        const signedIn = async () => (await call(parley, '/auth/me',
            { headers: { cookie } })).body.signed_in;
        assert.equal(await signedIn(), true);
        set('second one');
        await signsIn('second one');
        assert.equal(await signedIn(), false, 'of the old password');
        assertError(await me('zoë', 'first one', '203.0.113.9'), 401);
        assert.equal(run(['--delete', file, 'zoë']).status, 0);
        assert.equal(run(['--delete', file, 'zoë']).status, 2);
        await until('a change of the file', async () =>
            (await me('zoë', 'second one', '203.0.113.10')).status !== 200);
        const [user, [password]] = Object.entries(users)[0];
        assert.equal((await me(user, password)).status, 200);
    });

    test('who is deleted has no keys and no logins left, also later',
        async () => {
            const env = { PATH: process.env.PATH, HTPASSWD_FILE: file,
                DATA_DIR: parley.dataDir };
            const passwd = (args, input, more = {}) => spawnSync(CLI,
                ['passwd', ...args], { input, encoding: 'utf8',
                    env: { ...env, ...more } });
            const add = () => {
                const r = passwd(['--stdin', file, 'kim'], 'violets in june\n');
                assert.equal(r.status, 0, r.stderr);
                return until('the account', async () => (await me('kim',
                    'violets in june', '203.0.113.20')).status === 200 ||
                    delay(300).then(() => false));
            };
            await add();
            const key = await makeKey(parley, '--owner', 'kim');
            const others = await makeKey(parley, '--owner', 'jwt/kim');
            const cookie = cookiesAfter(await postJson(parley, '/auth/login',
                { username: 'kim', password: 'violets in june' }));
            const statusOf = async (headers, at = parley) =>
                (await call(at, '/keys', { headers })).status;
            assert.equal(await statusOf(bearer(key.secret)), 200);
            assert.equal(await statusOf({ cookie }), 200);

            /* Another installation's file is none of this store's business. */
            const copy = path.join(parley.folder, 'copy');
            fs.copyFileSync(file, copy);
            assert.equal(passwd(['--delete', copy, 'kim']).status, 0);
            assert.equal(await statusOf(bearer(key.secret)), 200);

            const gone = passwd(['--delete', file, 'kim']);
            assert.equal(gone.status, 0, gone.stderr);
            assert.match(gone.stdout,
                /local\/kim: API keys revoked: 1, logins ended: 1/);
            for (const at of [parley, other]) {
                assert.equal(await statusOf(bearer(key.secret), at), 401);
                assert.equal(await statusOf({ cookie }, at), 401);
                assert.equal(await statusOf(bearer(others.secret), at), 200);
            }
            const audit = fs.readFileSync(
                path.join(parley.dataDir, 'audit.log'), 'utf8');
            assert.match(audit, new RegExp(`"key_revoked".*${key.id}`));
            await add(); /* another person of the same name */
            assert.equal(await statusOf(bearer(key.secret)), 401);
            assert.equal(await statusOf({ cookie }), 401);

            /* A line that an editor took out counts as well. */
            const second = await makeKey(parley, '--owner', 'kim');
            assert.equal(await statusOf(bearer(second.secret)), 200);
            fs.writeFileSync(file, fs.readFileSync(file, 'utf8')
                .replace(/^kim:.*\n/m, ''));
            await until('the key to be refused', async () =>
                await statusOf(bearer(second.secret)) === 401 ||
                    delay(300).then(() => false));
        });

    test('parley passwd refuses what cannot be', () => {
        const text = fs.readFileSync(file);
        assert.equal(run(['--stdin', file, 'a:b'], 'x\n').status, 2);
        assert.equal(run(['--stdin', file, 'ann'], '').status, 2);
        assert.equal(run(['--stdin', file, 'ann'], '\n').status, 2);
        assert.equal(run(['--stdin', file, 'ann'], 'x\0y\n').status, 2);
        assert.equal(run(['--stdin', file, 'ann'], 'x'.repeat(512)).status, 2);
        for (const easy of ['seven77', 'sievenä', 'Password1', 'annannann\n',
            'Annannann2024', 'Dragon1999!', 'p4$$w0rd', '1q2w3e4r', '24121987',
            'parley2027', 'milkyway7'])
            assert.match(run(['--stdin', file, 'annannann'], `${easy}\n`)
                .stderr, /too easy/, easy);
        assert.equal(run([file]).status, 64);
        assert.equal(run(['--check', file, 'ann']).status, 64);
        assert.deepEqual(fs.readFileSync(file), text);
        assert.deepEqual(fs.readdirSync(folder).sort(), ['same', 'users']);
    });

    test('too many of one address lock it for everybody there', async () => {
        const [user, [password]] = Object.entries(users)[0];
        /* One /64: whoever has one has all of its addresses. */
        const from = (i) => `2001:db8:0:7::${(i + 1).toString(16)}`;
        let said;
        for (let i = 0; i < 100; i++) {
            said = await me(`guess ${i >> 1}`, `wrong ${i}`, from(i),
                i % 2 ? parley : other);
            assertError(said, 401, 'invalid_login');
        }
        for (const at of [parley, other]) {
            said = await login(user, password, from(200), at);
            assertError(said, 429, 'too_many_attempts');
            const wait = Number(said.headers.get('retry-after'));
            assert.ok(wait > 800 && wait <= 900, `${wait} s`);
            assertError(await me(user, password, from(0), at), 429);
            for (const elsewhere of ['2001:db8:0:8::1', '203.0.113.77'])
                assert.equal((await me(user, password, elsewhere, at)).status,
                    200);
        }
    });

    test('the tenth of a user and an address locks the two', async () => {
        const { tried, wait } = await within('the lock', locking, 120000);
        assert.equal(tried, 10);
        assert.ok(wait > 800 && wait <= 900, `${wait} s`);
        const [user, [password]] = Object.entries(users)[0];
        const second = Object.entries(users)[1];
        for (const at of [parley, other]) {
            assertError(await login(user, password, LOCKED_FROM, at), 429,
                'too_many_attempts');
            assertError(await me(user, password, LOCKED_FROM, at), 429);
            /* The right user is elsewhere, and others are there, too. */
            assert.ok((await login(user, password, '198.51.100.78', at))
                .status < 300);
            assert.equal((await me(second[0], second[1][0], LOCKED_FROM, at))
                .status, 200);
        }
        /* An address that a client makes up is not believed of it. */
        assertError(await me(user, password, `203.0.113.9, ${LOCKED_FROM}`),
            429);
    });

    test('no password and no hash is in the log', () => {
        const log = parley.log() + other.log();
        for (const [password, hash] of Object.values(users)) {
            if (password.length > 3)
                assert.ok(!log.includes(password));
            assert.ok(!log.includes(hash));
        }
    });
});
