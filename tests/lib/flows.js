/* Clients written in Python with Debian's python3-websockets, one for each
 * document whose clients connect unchanged: tests/lib/flows/NAME.py. Each
 * checks for itself what such a client relies on. */

import assert from 'node:assert/strict';
import path from 'node:path';
import { spawn, spawnSync } from 'node:child_process';
import { within } from './wait.js';

const FOLDER = path.resolve(import.meta.dirname, 'flows');
const LIMIT_MS = 90000;

let found;

/* A Python that has the library: another one may come first in the PATH. */
export function python() {
    found ??= ['python3', '/usr/bin/python3'].find((name) =>
        spawnSync(name, ['-c', 'import websockets']).status === 0);
    assert.ok(found, 'python3-websockets is installed (scripts/deps test)');
    return found;
}

/* Run a flow so many rounds; the frames that its client was sent. */
export async function runFlow(name, url, rounds = 1) {
    const child = spawn(python(),
        [path.join(FOLDER, `${name}.py`), url, String(rounds)], {
            env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
            stdio: ['ignore', 'pipe', 'pipe'],
        });
    let out = '';
    let err = '';
    child.stdout.on('data', (data) => { out += data; });
    child.stderr.on('data', (data) => { err += data; });
    const left = new Promise((resolve, reject) => {
        child.once('error', reject);
        child.once('close', resolve);
    });
    try {
        const code = await within(`the client of ${name}`, left, LIMIT_MS);
        assert.equal(code, 0, `${name}: ${err}\nlast: ${out.slice(-2000)}`);
    } finally {
        child.kill('SIGKILL');
    }
    return out.trimEnd().split('\n').map((line) => JSON.parse(line));
}
