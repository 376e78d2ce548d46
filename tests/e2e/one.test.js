/* Where a host allows no process to stay, one process answers one request. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

const BIN = process.env.PARLEY_TEST_BIN ??
    new URL('../../cgi-bin', import.meta.url).pathname;
let data;

before(async () => { data = await mkdtemp(join(tmpdir(), 'parley-one-')); });
after(() => rm(data, { recursive: true, force: true }));

function one(method, path, body = '', more = {}) {
    return new Promise((resolve, reject) => {
        const child = spawn(join(BIN, 'chat'), ['--one'], {
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
        child.stdin.end(body);
    });
}

test('a message is answered and stored by one process alone', async () => {
    const asked = await one('POST', '/chat', 'message=hello&session_id=s1');
    assert.equal(asked.code, 0, asked.out);
    assert.match(asked.out, /^Status: 200 /m);
    assert.equal(JSON.parse(asked.out.split('\r\n\r\n')[1])
        .conversation_length, 2);
    const listed = await one('GET', '/sessions/s1/messages');
    const { messages } = JSON.parse(listed.out.split('\r\n\r\n')[1]);
    assert.deepEqual(messages.map((m) => m.role), ['user', 'assistant']);
});

test('an answer streams to its end before the process leaves', async () => {
    const { code, out } = await one('POST', '/chat', 'message=hello',
        { HTTP_ACCEPT: 'text/event-stream' });
    assert.equal(code, 0);
    assert.match(out, /event: response_start/);
    assert.match(out, /event: response_complete/);
});

test('a file of megabytes is sent to its end before the process leaves',
    async () => {
        const content = 'word '.repeat(200000);
        const file = JSON.stringify({ messages: Array.from({ length: 5 },
            (_, i) => ({ role: i % 2 ? 'assistant' : 'user', content })) });
        const taken = await one('POST', '/import', file);
        assert.match(taken.out, /"messages":5/);
        const { out } = await one('GET', '/export', '',
            { LIST_ANONYMOUS: 'all' });
        const { sessions } = JSON.parse(out.split('\r\n\r\n')[1]);
        assert.ok(sessions.some((s) => s.messages.length === 5 &&
            s.messages[4].content === content));
    });

test('a wrong request is an error, as everywhere', async () => {
    const { out } = await one('POST', '/chat', 'message=');
    assert.match(out, /^Status: 400 /m);
    assert.match(out, /Missing required parameter: message/);
});
