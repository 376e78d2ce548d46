/* An Apache of its own in front of a running Parley: it passes WebSockets on as
 * apache/websocket.conf says, and nothing else.
 *
 *     const apache = await startApacheProxy(parley, '/mount');
 *     … ws://127.0.0.1:${apache.port}/mount/ws/chat …
 *     await apache.stop(); */

import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { spawn } from 'node:child_process';
import { ROOT, freePort, signal } from './server.js';
import { until, within } from './wait.js';

const MODULES = ['mpm_event', 'authz_core', 'proxy', 'proxy_http', 'headers',
    'rewrite'];

function config(folder, port, parley, mount) {
    return `ServerRoot "${folder}"
ServerName localhost
Listen 127.0.0.1:${port}
PidFile "${folder}/pid"
DefaultRuntimeDir "${folder}"
ErrorLog "${folder}/log"
LogLevel warn
ServerLimit 1
ThreadsPerChild 64
MaxRequestWorkers 64
${MODULES.map((m) => `LoadModule ${m}_module ` +
    `/usr/lib/apache2/modules/mod_${m}.so`).join('\n')}
Define PARLEY_DATA "${parley.dataDir}"
Define PARLEY_MOUNT "${mount}"
Include "${ROOT}/apache/websocket.conf"
`;
}

function listens(port) {
    return new Promise((resolve) => {
        const socket = net.connect(port, '127.0.0.1');
        socket.once('connect', () => { socket.destroy(); resolve(true); });
        socket.once('error', () => resolve(false));
    });
}

export async function startApacheProxy(parley, mount) {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-apache-'));
    const port = await freePort();
    const file = path.join(folder, 'httpd.conf');
    fs.writeFileSync(file, config(folder, port, parley, mount));
    const child = spawn('apache2', ['-D', 'FOREGROUND', '-f', file],
        { stdio: ['ignore', 'ignore', 'inherit'], env: {
            PATH: `${process.env.PATH}:/usr/sbin` } });
    let exited = false;
    const left = new Promise((resolve) => child.once('exit', () => {
        exited = true;
        resolve();
    }));
    const kill = () => signal(child.pid, 'SIGKILL');
    process.once('exit', kill);
    const log = () => fs.existsSync(`${folder}/log`)
        ? fs.readFileSync(`${folder}/log`, 'utf8') : '';
    const stop = async () => {
        signal(child.pid, 'SIGTERM');
        await within('Apache to end', left);
        process.off('exit', kill);
        fs.rmSync(folder, { recursive: true, force: true });
    };
    try {
        await until('Apache to listen', () => {
            if (exited)
                throw new Error(`Apache did not start:\n${log()}`);
            return listens(port);
        });
    } catch (e) {
        await stop();
        throw e;
    }
    return { port, url: `http://127.0.0.1:${port}${mount}`,
        basePath: mount, log, stop };
}
