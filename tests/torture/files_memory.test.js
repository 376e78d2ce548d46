/* `parley index` and files that are much larger than what it may keep of them:
 * its memory stays below a bound, whatever the file. (All of these at once, or
 * larger ones, change little: what is read of a file is a window.) */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';

const PARLEY = path.join(process.env.PARLEY_TEST_BIN, '../cli/parley');
const BOUND_KIB = 64 * 1024;
const MB = 1e6;

/* Words that do not repeat soon: the n-th is n in letters. */
const word = (n) => n.toString(26).replace(/[0-9]/g, (c) => 'qrstuvwxyz'[c]);

/* The n-th piece of text, of some hundred bytes. */
const sentence = (n) => Array.from({ length: 16 }, (_, i) =>
    word(n * (i % 4 === 0 ? 7919 : 1) + i * 31)).join(' ');

/* A file of so many bytes, of head, pieces and end. */
function write(file, bytes, piece, head = '', end = '') {
    const fd = fs.openSync(file, 'w');
    let size = fs.writeSync(fd, head);
    for (let n = 0; size < bytes;) {
        let text = '';
        for (let i = 0; i < 2000; i++, n++) text += piece(n);
        size += fs.writeSync(fd, text);
    }
    fs.writeSync(fd, end);
    fs.closeSync(fd);
}

const kinds = {
    'plain text': ['a.txt', 32 * MB, (n) =>
        `${sentence(n)}.${n % 4 === 3 ? '\n\n' : '\n'}`],
    'one line': ['line.txt', 16 * MB, (n) => `${sentence(n)}. `],
    'one word': ['word.txt', 8 * MB, (n) => word(n)],
    'a table': ['table.csv', 8 * MB, (n) =>
        `${n},"${sentence(n)}","said ""${word(n)}"""\n`, 'no,what,who\n'],
    'a list': ['list.json', 8 * MB, (n) =>
        `{"no":${n},"what":"${sentence(n)}","deep":{"er":[${n},"x"]}},\n`,
    '[', '{}]'],
    'Markdown': ['a.md', 8 * MB, (n) => n % 8 === 0
        ? `\n## ${sentence(n)}\n\n` : `- *${sentence(n)}*\n`],
};

/* The most that the process has had in memory, by the kernel's own count. */
function index(dir, data) {
    const child = spawn(PARLEY, ['index', dir], {
        env: { PATH: process.env.PATH, DATA_DIR: data },
        stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '', kib = 0;
    const look = () => {
        try {
            const text = fs.readFileSync(`/proc/${child.pid}/status`, 'utf8');
            kib = Math.max(kib, Number(/VmHWM:\s+(\d+)/.exec(text)?.[1] ?? 0));
        } catch { /* it is gone */ }
    };
    const timer = setInterval(look, 20);
    child.stdout.on('data', (b) => { said += b; });
    child.stderr.on('data', (b) => { said += b; });
    return new Promise((resolve, reject) => {
        child.once('error', reject);
        child.once('close', (code) => {
            clearInterval(timer);
            resolve({ code, kib, said });
        });
    });
}

for (const [what, [name, bytes, ...pieces]] of Object.entries(kinds))
    test(`${what} of ${bytes / MB} MB`, async (t) => {
        const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-memory-'));
        try {
            const root = path.join(folder, 'files');
            fs.mkdirSync(root);
            write(path.join(root, name), bytes, ...pieces);
            const { code, kib, said } = await index(root,
                path.join(folder, 'data'));
            t.diagnostic(`${kib} KiB`);
            assert.equal(code, 0, said);
            assert.match(said, /1 files, 1 new or changed, .* 0 not search/);
            assert.ok(kib > 1024, 'it was looked at');
            assert.ok(kib <= BOUND_KIB, `${kib} KiB`);
        } finally {
            fs.rmSync(folder, { recursive: true, force: true });
        }
    });
