/* `parley chat` as a child process: its output as it comes, what it is told,
 * and how it ends. Its HOME is a folder of the test's own, and nothing of the
 * environment reaches it but PATH and what the test gives. */

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { spawn } from 'node:child_process';
import { PARLEY } from './programs.js';
import { until, within } from './wait.js';


const homes = [];
process.on('exit', () => {
    for (const folder of homes)
        fs.rmSync(folder, { recursive: true, force: true });
});

/* A folder that is there until the test file ends. */
export function newHome() {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-home-'));
    homes.push(folder);
    return folder;
}

/* {child, out, err, line(text), end(), ended}: ended resolves with itself and
 * a code. Without `open`, its input is `input` (or nothing) and ends. */
export function startChat(args, { input, open = false, env = {}, cwd } = {}) {
    const home = cwd ?? newHome();
    const child = spawn(PARLEY, ['chat', ...args], {
        cwd: home,
        env: { PATH: process.env.PATH, HOME: home, PARLEY_ROOT: home, ...env },
        stdio: ['pipe', 'pipe', 'pipe'],
    });
    const chat = { child, out: '', err: '' };
    child.stdout.setEncoding('utf8').on('data', (s) => { chat.out += s; });
    child.stderr.setEncoding('utf8').on('data', (s) => { chat.err += s; });
    child.stdin.on('error', () => {}); /* it may leave first */
    chat.line = (text) => child.stdin.write(`${text}\n`);
    chat.end = () => child.stdin.end();
    chat.says = (text) => until(`the client to say ${text}`,
        () => chat.out.includes(text));
    const ended = new Promise((resolve) => {
        child.once('close', (code, signal) => {
            chat.code = code ?? signal;
            resolve(chat);
        });
    });
    chat.ended = within('parley chat to end', ended, 60000).finally(() => {
        child.kill('SIGKILL');
    });
    if (input !== undefined)
        child.stdin.write(input);
    if (!open)
        child.stdin.end();
    return chat;
}

export function runChat(args, options) {
    return startChat(args, options).ended;
}
