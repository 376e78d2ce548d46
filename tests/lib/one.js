/* One CGI request answered by a process that leaves after it, as where a host
 * lets none stay: {code, out}, out with its head. */

import { spawn } from 'node:child_process';
import { CHAT } from './programs.js';

export function answerOne(data, method, path, body = '', more = {}) {
    return new Promise((resolve, reject) => {
        const child = spawn(CHAT, ['--one'], {
            env: { PATH: process.env.PATH, GATEWAY_INTERFACE: 'CGI/1.1',
                SERVER_PROTOCOL: 'HTTP/1.1', SERVER_NAME: 'localhost',
                SERVER_PORT: '80', SCRIPT_NAME: '/cgi-bin/chat.cgi',
                REQUEST_METHOD: method, PATH_INFO: path,
                CONTENT_LENGTH: String(Buffer.byteLength(body)),
                CONTENT_TYPE: 'application/x-www-form-urlencoded',
                DATA_DIR: data, OFFLINE_DELAY_MS: '0', ...more },
        });
        let out = '';
        child.stdout.on('data', (d) => { out += d; });
        child.stderr.resume();
        child.on('error', reject);
        child.on('close', (code) => resolve({ code, out }));
        /* Who answers without reading may be gone by then. */
        child.stdin.on('error', () => {});
        child.stdin.end(body);
    });
}
