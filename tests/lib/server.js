/* A private Parley for a test: a real web server on a free port, with a data
 * folder of its own under the system's temporary folder.
 *
 * It is started by scripts/run, as `make run` does, so what is tested is what
 * people run. The processes are found again by a mark that children inherit:
 * DATA_DIR in their environment. So the suite knows the chat program whoever
 * started it (lighttpd, mod_cgi, Apache's cgid, or the plain CGI program
 * itself), kills it by process id, and sees at the end that nothing stays.
 *
 *     const parley = await startParley({ door: 'fastcgi', env: {…} });
 *     … parley.url …
 *     await parley.stop(); */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { spawn, spawnSync } from 'node:child_process';
import { BIN, ROOT, SANITIZED } from './programs.js';
import { delay, until, within } from './wait.js';

export { ROOT };

/* No test leaves the machine, whatever a .env beside the program says: the
 * provider is the offline one, and its neighbours' address refuses. */
const DEFAULTS = {
    AI_PROVIDER: 'offline', OFFLINE_DELAY_MS: '1',
    TITLE_MODEL: 'off', /* no requests but those that a test makes */
    CIRCUIT_OPEN_MS: '0', /* most tests of failures fail many times */
    FILES_SAMPLES: 'off', /* what is indexed is what a test gives */
    OPENAI_BASE_URL: 'http://127.0.0.1:9/v1',
    ...Object.fromEntries(['AI_FALLBACK', 'OPENAI_API_KEY',
        'ANTHROPIC_API_KEY', 'GEMINI_API_KEY', 'GOOGLE_API_KEY', 'HF_API_KEY',
        'HF_TOKEN', 'OLLAMA_BASE_URL', 'OLLAMA_HOST', 'AWS_PROFILE',
        'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY',
        'AWS_BEARER_TOKEN_BEDROCK'].map((name) => [name, ''])),
};
const DOORS = {
    'fastcgi': 'fastcgi', 'lighttpd-cgi': 'cgi', 'apache-cgi': 'apache',
};
const FSCK = path.join(ROOT, 'bin/parley');
const DROP_GRACE_MS = 15000; /* for everything to be gone after stop() */

const running = new Map(); /* data folder -> the pid of the web server */
const folders = new Set(); /* of our own, to be removed */

/* A test file that dies must not leave servers behind. */
process.on('exit', () => {
    for (const [dataDir, pid] of running)
        for (const p of new Set([pid, ...processesOf(dataDir)]))
            signal(p, 'SIGKILL');
    for (const folder of folders)
        fs.rmSync(folder, { recursive: true, force: true });
});
for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'])
    process.once(name, () => process.exit(1));

export function signal(pid, name) {
    try {
        process.kill(pid, name);
        return true;
    } catch {
        return false; /* it left before us */
    }
}

export function freePort() {
    return new Promise((resolve, reject) => {
        const server = net.createServer();
        server.once('error', reject);
        server.listen(0, '127.0.0.1', () => {
            const { port } = server.address();
            server.close(() => resolve(port));
        });
    });
}

/* The processes that carry this data folder in their environment. A zombie
 * has no environment any more and is not counted. */
export function processesOf(dataDir) {
    const mark = `DATA_DIR=${dataDir}`;
    return fs.readdirSync('/proc').filter((n) => /^\d+$/.test(n)).map(Number)
        .filter((pid) => pid !== process.pid &&
            environment(pid).includes(mark));
}

function environment(pid) {
    try {
        return fs.readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
    } catch {
        return [];
    }
}

export function commandLine(pid) {
    try {
        return fs.readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
    } catch {
        return [];
    }
}

function program(pid) {
    try {
        return path.basename(fs.readlinkSync(`/proc/${pid}/exe`)
            .replace(/ \(deleted\)$/, ''));
    } catch {
        return '';
    }
}

function parent(pid) {
    try {
        const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
        return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    } catch {
        return 0;
    }
}

/* Proportional set size of a process, in KiB. */
export function memoryKib(pid) {
    const rollup = fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)[1]);
}

/* The most memory that a process ever had resident, in KiB. */
export function peakKib(pid) {
    const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)[1]);
}

/* Assert that it had, in between, no more than so much above what it had. */
export function assertPeakBelow(pid, beforeKib, limitKib, why) {
    const grown = peakKib(pid) - beforeKib;
    assert.ok(SANITIZED || grown < limitKib,
        `peaked ${grown} KiB higher, not below ${limitKib}, ${why}`);
    return grown;
}

/* Assert that a process did not grow by more than so much. */
export function assertGrownBelow(pid, beforeKib, limitKib, why) {
    const grown = memoryKib(pid) - beforeKib;
    assert.ok(SANITIZED || grown < limitKib,
        `grew by ${grown} KiB, not below ${limitKib}, ${why}`);
    return grown;
}

class Parley {
    constructor(options) {
        this.door = options.door ?? 'fastcgi';
        this.basePath = options.basePath ?? '';
        this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-test-'));
        folders.add(this.folder);
        this.dataDir = options.dataDir ?? path.join(this.folder, 'data');
        this.logFile = path.join(this.folder, 'log');
        this.settings = { ...DEFAULTS, ...options.env };
    }

    /* Start the web server; again after stopWeb() on the same data. */
    async start() {
        this.port = await freePort();
        this.url = `http://127.0.0.1:${this.port}${this.basePath}`;
        const out = fs.openSync(this.logFile, 'a');
        this.child = spawn(path.join(ROOT, 'scripts/run'), [BIN], {
            cwd: this.folder,
            env: {
                PATH: process.env.PATH, ...this.settings,
                DOOR: DOORS[this.door], HOST: '127.0.0.1',
                PORT: String(this.port), DATA_DIR: this.dataDir,
                BASE_PATH: this.basePath,
            },
            stdio: ['ignore', out, out],
        });
        fs.closeSync(out);
        this.left = new Promise((resolve) => this.child.once('exit', resolve));
        this.child.once('exit', () => { this.exited = true; });
        this.exited = false;
        running.set(this.dataDir, this.child.pid);
        try {
            await until('the server to answer /health', () => this.answers());
        } catch (e) {
            throw new Error(`${e.message}\n${this.log()}`);
        }
    }

    async answers() {
        if (this.exited)
            throw new Error(`${this.door} did not start:\n${this.log()}`);
        try {
            const r = await fetch(`${this.url}/health`,
                { signal: AbortSignal.timeout(5000) });
            await r.text();
            return r.status === 200;
        } catch {
            return false;
        }
    }

    log() {
        return fs.readFileSync(this.logFile, 'utf8');
    }

    pids() {
        return processesOf(this.dataDir);
    }

    /* The process that holds the turns, or undefined: the FastCGI program, or
     * the engine that the plain CGI program started. */
    chatPid() {
        const plain = this.door !== 'fastcgi';
        return this.pids().find((pid) => /^chat/.test(program(pid)) &&
            (!plain || commandLine(pid).includes('--engine')));
    }

    /* The web server's main process. */
    webPid() {
        return this.pids().find((pid) => parent(pid) === this.child.pid &&
            /^(lighttpd|apache2)$/.test(program(pid)));
    }

    /* kill -9 the chat program; resolves when it is gone. */
    async kill9() {
        const pid = await until('a chat process', () => this.chatPid());
        signal(pid, 'SIGKILL');
        await until('the killed process to be gone',
            () => !this.pids().includes(pid));
        return pid;
    }

    /* End what was started, as Ctrl-C would; nothing may stay. */
    async stopWeb(name = 'SIGTERM') {
        if (!this.exited) {
            signal(this.child.pid, name);
            await within('the web server to end', this.left, DROP_GRACE_MS)
                .catch(() => {}); /* allGone() names what stays */
        }
        await this.allGone(name);
    }

    /* Wait until no process is left; whatever stays is killed and named. */
    async allGone(after) {
        const end = Date.now() + DROP_GRACE_MS;
        while (this.pids().length > 0 && Date.now() < end)
            await delay(20);
        const stayed = this.pids().map((pid) =>
            `${pid} ${commandLine(pid).join(' ')}`);
        for (const pid of this.pids())
            signal(pid, 'SIGKILL');
        running.delete(this.dataDir);
        if (stayed.length > 0)
            throw new Error(`still there after ${after}:\n` +
                `${stayed.join('\n')}\n${this.log()}`);
    }

    /* What the store's own check says of what was left behind. */
    checkStore() {
        const store = path.join(this.dataDir, 'store');
        if (!fs.existsSync(path.join(store, 'data.mdb')))
            return;
        const { status, stdout, stderr } = spawnSync(FSCK, ['fsck', store],
            { encoding: 'utf8' });
        if (status !== 0)
            throw new Error(`parley fsck: ${status}\n${stdout}${stderr}`);
    }

    /* End it all and remove its folder. A report of a sanitizer or a failed
     * assertion in the log is a failure, and so is a store that is not sound;
     * the log is printed if there is any. */
    async stop() {
        try {
            await this.stopWeb();
            this.checkStore();
            const bad = /Sanitizer:.*|runtime error:.*|Assertion .* failed.*/
                .exec(this.log());
            if (bad)
                throw new Error(`in the log: ${bad[0]}\n${this.log()}`);
        } finally {
            if (process.exitCode)
                console.error(`--- log of ${this.door} ---\n${this.log()}`);
            fs.rmSync(this.folder, { recursive: true, force: true });
        }
    }
}

/* Options: door ('fastcgi', 'lighttpd-cgi', 'apache-cgi'), env (settings),
 * basePath ('' or '/below/this'), dataDir. Resolves when it serves. */
export async function startParley(options = {}) {
    const parley = new Parley(options);
    try {
        await parley.start();
    } catch (e) {
        await parley.stopWeb().catch(() => {});
        throw e;
    }
    return parley;
}
