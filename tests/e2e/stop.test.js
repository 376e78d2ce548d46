/* Stopping: running answers are finished, new ones are refused politely, and
 * no process stays. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, before, beforeEach, describe, test }
    from 'node:test';
import {
    ask, askEvents, assertError, call, messagesOf, newSession, postJson,
    serving,
} from '../lib/client.js';
import { replyEvents, SSE_HEAD } from '../lib/openai_bytes.js';
import { hold, paced, startReplay } from '../lib/replay.js';
import { freePort, processesOf, ROOT, signal, startParley }
    from '../lib/server.js';
import { assertWholeTurn } from '../lib/sse.js';
import { delay, until, within } from '../lib/wait.js';

const SHUTDOWN_MS = 2500;
const PIECES = Array.from({ length: 20 }, (_, i) => `piece ${i} `);
const SOME = SSE_HEAD + replyEvents(['said ']).slice(0, 2).join('');
const gone = (parley, pid) => until('the process to leave',
    () => !parley.pids().includes(pid));

let replay;
let parley;

before(async () => { replay = await startReplay(); });
after(async () => { await replay?.stop(); });

function eachWith(door) {
    beforeEach(async () => {
        parley = await startParley({ door, env: {
            ...replay.env(), SHUTDOWN_MS: String(SHUTDOWN_MS) } });
    });
    afterEach(async () => { await parley?.stop(); });
}

describe('SIGTERM to the chat program', () => {
    eachWith('fastcgi');

    test('lets a running answer come to its end', async () => {
        replay.on('finish me', paced(replyEvents(PIECES), 50));
        const session_id = newSession();
        const s = await askEvents(parley, { message: 'finish me', session_id });
        await s.event('response_chunk');
        const pid = parley.chatPid();
        signal(pid, 'SIGTERM');
        const events = await s.all();
        assertWholeTurn(events);
        assert.equal(events.at(-1).type, 'response_complete');
        assert.equal(s.text(), PIECES.join(''));
        await gone(parley, pid);
        await serving(parley);
        const stored = await messagesOf(parley, session_id);
        assert.equal(stored[1].content, PIECES.join(''));
    });

    test('refuses new turns meanwhile with 503 and Retry-After', async () => {
        const script = hold(SOME);
        replay.on('hold on', script);
        const s = await askEvents(parley, { message: 'hold on' });
        await s.event('response_chunk');
        signal(parley.chatPid(), 'SIGTERM');
        const r = await until('a refusal', async () => {
            const answer = await postJson(parley, '/chat',
                { message: 'too late', provider: 'offline' });
            return answer.status === 503 && answer;
        }, SHUTDOWN_MS);
        assertError(r, 503);
        assert.ok(Number(r.headers.get('retry-after')) > 0);
        script.release(replyEvents(['and done']).slice(1).join(''));
        await s.event('response_complete');
        assert.equal(s.text(), 'said and done');
    });

    test('ends an answer that outlasts the deadline honestly', async () => {
        const script = hold(SOME);
        replay.on('never ends', script);
        const session_id = newSession();
        const s = await askEvents(parley,
            { message: 'never ends', session_id });
        await s.event('response_chunk');
        const pid = parley.chatPid();
        signal(pid, 'SIGTERM');
        await gone(parley, pid);
        await s.done;
        const last = s.events.at(-1);
        if (last.type !== 'response_chunk') {
            assert.equal(last.type, 'error');
            assert.equal(last.data.retryable, true);
            assert.equal(last.data.content, 'said ');
        }
        await (await script.started).closed;
        const answer = await until('the answer in the store', async () => {
            const r = await call(parley, `/sessions/${session_id}/messages`);
            return r.status === 200 && r.body.messages[1];
        });
        assert.equal(answer.content, 'said ');
        assert.ok(['interrupted', 'incomplete'].includes(answer.finish_reason),
            answer.finish_reason);
    });

    test('is followed by a new program, which answers', async () => {
        const pid = parley.chatPid();
        signal(pid, 'SIGTERM');
        await gone(parley, pid);
        await until('an answer', async () => (await postJson(parley, '/chat',
            { message: 'hi', provider: 'offline' })).status === 200);
        assert.notEqual(parley.chatPid(), pid);
    });
});

describe('the end of lighttpd', () => {
    eachWith('fastcgi');

    for (const [name, how] of [['SIGTERM', 'at once'],
        ['SIGINT', 'gracefully'], ['SIGKILL', 'by force']])
        test(`${how} leaves no process behind`, async () => {
            await ask(parley, { message: 'hi', provider: 'offline' });
            const script = hold(SOME);
            replay.on('busy', script);
            const s = await askEvents(parley, { message: 'busy' });
            await s.event('response_chunk');
            signal(parley.webPid(), name);
            if (name === 'SIGINT') /* it waits for what is under way */
                script.release();
            await parley.allGone(`${name} to lighttpd`);
            await s.done;
        });

    test('gracefully lets a running answer come to its end', async () => {
        replay.on('to the end', paced(replyEvents(PIECES), 50));
        const s = await askEvents(parley, { message: 'to the end' });
        await s.event('response_chunk');
        signal(parley.child.pid, 'SIGTERM');
        await s.event('response_complete');
        assert.equal(s.text(), PIECES.join(''));
        await parley.allGone('the answer');
    });
});

describe('an engine that plain CGI started', () => {
    test('finishes its answers on SIGTERM and leaves', async () => {
        parley = await startParley({ door: 'lighttpd-cgi',
            env: { ...replay.env(), SHUTDOWN_MS: '20000' } });
        try {
            replay.on('engine, end', paced(replyEvents(PIECES), 50));
            const s = await askEvents(parley, { message: 'engine, end' });
            await s.event('response_chunk');
            const pid = parley.chatPid();
            signal(pid, 'SIGTERM');
            await s.event('response_complete');
            assert.equal(s.text(), PIECES.join(''));
            await gone(parley, pid);
            await ask(parley, { message: 'next', provider: 'offline' });
            assert.notEqual(parley.chatPid(), pid, 'a new engine answered');
        } finally {
            await parley.stop();
        }
    });

    test('leaves by itself when nobody asks any more', async () => {
        parley = await startParley({ door: 'lighttpd-cgi',
            env: { ENGINE_IDLE_MS: '1000' } });
        try {
            const first = await ask(parley, { message: 'one' });
            const pid = parley.chatPid();
            await gone(parley, pid);
            const second = await ask(parley,
                { message: 'two', session_id: first.session_id });
            assert.equal(second.conversation_length, 4);
        } finally {
            await parley.stop();
        }
    });
});

/* The processor time of a process and of what it waited for, in ms. */
function workedMs(pid) {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields.slice(11, 15).reduce((sum, n) => sum + Number(n), 0) * 10;
}

describe('scripts/run', () => {
    eachWith('fastcgi');

    test('waits without work, also when its folder was taken away, and ends',
        async () => {
            const { pid } = parley.child;
            const folder = fs.readFileSync(`/proc/${parley.webPid()}/environ`,
                'latin1').split('\0').find((v) => v.startsWith('PARLEY_RUN='))
                .slice('PARLEY_RUN='.length);
            assert.match(folder, /^\/tmp\/parley\.\w+$/);
            fs.rmSync(folder, { recursive: true });
            const before = workedMs(pid);
            await delay(1500);
            const worked = workedMs(pid) - before;
            assert.ok(worked <= 150, `worked for ${worked} ms in 1500`);
        }); /* afterEach: it stops all the same */
});

describe('make run', () => {
    test('prints its address when it serves, and takes all down on SIGINT',
        async () => {
            const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-mk-'));
            const dataDir = path.join(folder, 'data');
            const port = await freePort();
            const env = { ...process.env, PORT: String(port),
                DATA_DIR: dataDir, AI_PROVIDER: 'offline' };
            for (const name of ['MAKEFLAGS', 'MAKELEVEL', 'MFLAGS'])
                delete env[name]; /* of the make that runs the tests */
            const child = spawn('make', ['run'],
                { cwd: ROOT, detached: true, env });
            let out = '';
            for (const stream of [child.stdout, child.stderr])
                stream.on('data', (d) => { out += d; });
            const left = new Promise((r) => child.once('exit', r));
            try {
                const address = `http://127.0.0.1:${port}/`;
                await until(`${address} to be printed`, () => {
                    assert.equal(child.exitCode, null, out);
                    return out.includes(address);
                }, 120000);
                const body = await ask({ url: address.slice(0, -1) },
                    { message: 'hello' });
                assert.equal(body.conversation_length, 2);
                process.kill(-child.pid, 'SIGINT'); /* as Ctrl-C does */
                await within('make to end', left);
                await until('everything to be gone',
                    () => processesOf(dataDir).length === 0);
                assert.ok(fs.existsSync(dataDir), 'the data stays');
            } finally {
                for (const pid of processesOf(dataDir))
                    signal(pid, 'SIGKILL');
                fs.rmSync(folder, { recursive: true, force: true });
            }
        });
});
