/* What the program gives up when it starts, and what keeps it from starting:
 * the sandbox through each web server, and secrets that others can read. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { after, describe, test } from 'node:test';
import { ask, call, messagesOf, newSession } from '../lib/client.js';
import { replyWire } from '../lib/openai_bytes.js';
import { BIN, SANITIZED } from '../lib/programs.js';
import { startReplay, whole } from '../lib/replay.js';
import { commandLine, startParley } from '../lib/server.js';
import { until } from '../lib/wait.js';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-sandbox-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

/* A field of /proc/…/status. */
function field(file, name) {
    return new RegExp(`^${name}:\\s+(\\d+)`, 'm')
        .exec(fs.readFileSync(file, 'utf8'))?.[1];
}

function threads(pid, name) {
    return fs.readdirSync(`/proc/${pid}/task`)
        .map((t) => field(`/proc/${pid}/task/${t}/status`, name));
}

const outside = field('/proc/self/status', 'Seccomp');

for (const door of ['fastcgi', 'lighttpd-cgi', 'apache-cgi']) {
    test(`through ${door} every thread is inside, and all works`,
        { skip: SANITIZED }, async () => {
            const real = fs.mkdtempSync(path.join(folder, 'data-'));
            const dataDir = `${real}-link`;
            fs.symlinkSync(real, dataDir);
            const parley = await startParley({ door, dataDir });
            try {
                const session = newSession();
                await ask(parley, { message: 'hello', session_id: session });
                assert.equal((await messagesOf(parley, session)).length, 2);
                const file = JSON.stringify([{ role: 'user', content: 'x' }]);
                const r = await call(parley, '/import', { method: 'POST',
                    headers: { 'content-type': 'application/json' },
                    body: file });
                assert.ok([200, 201, 400, 422].includes(r.status), r.text);
                const pid = parley.chatPid();
                assert.match(parley.log(), / sandbox\.(?:on|part) /);
                assert.deepEqual(new Set(threads(pid, 'NoNewPrivs')),
                    new Set(['1']));
                if (/ sandbox\.on /.test(parley.log()))
                    assert.deepEqual(new Set(threads(pid, 'Seccomp')),
                        new Set(['2']));
                else
                    assert.match(parley.log(), /_off="[^"]+"/, 'says why');
                if (door !== 'fastcgi')
                    return;
                /* Who reads files is inside, and who starts it again is not. */
                await until('the reader to be inside', () =>
                    / files\.sandbox /.test(parley.log()));
                const [keeper, reader] = parley.pids().filter((p) =>
                    commandLine(p).includes('--serve')).sort((a, b) => a - b);
                if (/ files\.sandbox .*landlock=[1-9]\d* .*calls=[1-9]/.test(
                    parley.log()))
                    assert.deepEqual(new Set(threads(reader, 'Seccomp')),
                        new Set(['2']));
                assert.deepEqual(new Set(threads(reader, 'NoNewPrivs')),
                    new Set(['1']));
                assert.deepEqual(new Set(threads(keeper, 'Seccomp')),
                    new Set([outside]));
            } finally {
                await parley.stop();
            }
        });
}

test('a provider by name, behind the sandbox', async () => {
    const replay = await startReplay(whole(replyWire(['from the provider'])));
    const { OPENAI_BASE_URL: url, ...env } = replay.env();
    const parley = await startParley({ env: { ...env,
        OPENAI_BASE_URL: url.replace('127.0.0.1', 'localhost') } });
    try {
        const r = await ask(parley, { message: 'hello' });
        assert.match(JSON.stringify(r), /from the provider/);
    } finally {
        await parley.stop();
        await replay.stop();
    }
});

test('SANDBOX=off leaves it all', async () => {
    const parley = await startParley({ env: { SANDBOX: 'off' } });
    try {
        const pid = parley.chatPid();
        assert.deepEqual(new Set(threads(pid, 'Seccomp')), new Set([outside]));
        assert.match(parley.log(), / sandbox\.off /);
    } finally {
        await parley.stop();
    }
});

describe('a secret that others can read', () => {
    const root = path.join(folder, 'root');
    fs.mkdirSync(root);
    const file = path.join(root, '.env');
    const key = path.join(root, 'key');

    function run(program, args, env = {}) {
        const r = spawnSync(path.join(BIN, program), args, {
            encoding: 'utf8', input: '', env: { PATH: process.env.PATH,
                PARLEY_ROOT: root, DATA_DIR: path.join(root, 'data'), ...env },
        });
        assert.doesNotMatch(r.stdout + r.stderr, /sk-secret/);
        return r;
    }
    const cgi = { GATEWAY_INTERFACE: 'CGI/1.1', REQUEST_METHOD: 'GET',
        PATH_INFO: '/status', SCRIPT_NAME: '' };

    test('in .env stops every program, which says what to do', () => {
        fs.writeFileSync(file, 'PORT=9999\nOPENAI_API_KEY=sk-secret-1\n');
        for (const mode of [0o644, 0o640, 0o604]) {
            fs.chmodSync(file, mode);
            const r = run('chat', ['--check']);
            assert.equal(r.status, 1);
            assert.match(r.stderr, new RegExp(`${file} holds OPENAI_API_KEY`));
            assert.match(r.stderr, new RegExp(`chmod 600 '${file}'`));
        }
        const engine = run('chat', ['--engine']);
        assert.equal(engine.status, 1);
        assert.match(engine.stderr, /conf\.refused .*chmod 600/);
        assert.equal(fs.existsSync(path.join(root, 'data')), false);
        for (const [program, args] of [['chat.cgi', []], ['chat', ['--one']]]) {
            const r = run(program, args, cgi);
            assert.match(r.stdout, /^Status: 503 /);
            assert.match(r.stdout, /"code":"not_set_up"/);
            assert.doesNotMatch(r.stdout, /\.env|chmod/);
            assert.match(r.stderr, /conf\.refused .*chmod 600/);
        }
        fs.chmodSync(file, 0o600);
        assert.equal(run('chat', ['--check']).status, 0);
        fs.writeFileSync(file, 'PORT=9999\n#OPENAI_API_KEY=sk-secret-1\n');
        fs.chmodSync(file, 0o644);
        assert.equal(run('chat', ['--check']).status, 0);
    });

    test('in a file of its own likewise, and `make run` tells at once',
        async () => {
            fs.writeFileSync(key, 'sk-secret-2\n', { mode: 0o644 });
            const r = run('chat', ['--check'], { OPENAI_API_KEY_FILE: key });
            assert.equal(r.status, 1);
            assert.match(r.stderr, new RegExp(`chmod 600 '${key}'`));
            await assert.rejects(startParley({ env: {
                ANTHROPIC_API_KEY_FILE: key, ANTHROPIC_API_KEY: undefined } }),
            /holds ANTHROPIC_API_KEY and can be read by others/);
        });

    test('is taken from a file that only its owner can read', async () => {
        const replay = await startReplay(whole(replyWire(['hello'])));
        fs.chmodSync(key, 0o600);
        const parley = await startParley({ env: { ...replay.env(),
            OPENAI_API_KEY: undefined, OPENAI_API_KEY_FILE: key } });
        try {
            await ask(parley, { message: 'hi' });
            assert.equal(replay.requests.at(-1).headers.authorization,
                'Bearer sk-secret-2');
            assert.doesNotMatch(parley.log(), /sk-secret/);
        } finally {
            await parley.stop();
            await replay.stop();
        }
    });
});
