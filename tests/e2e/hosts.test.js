/* By which names the server may be asked. A page of somebody's domain whose
 * name was made to point to this machine is of the same origin as the server,
 * to its browser; a browser that resolves such a name here does just that. */

import assert from 'node:assert/strict';
import http from 'node:http';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { chromium } from 'playwright-core';
import { startParley } from '../lib/server.js';
import { within } from '../lib/wait.js';

const EVIL = 'evil.example';
const PROGRAM = process.env.PARLEY_TEST_CHROMIUM ?? '/usr/bin/chromium';

/* {status, body, headers}; the path is one of the server at `port`. */
async function ask(port, host, path = '/sessions', { method = 'GET', body,
    headers = {} } = {}) {
    const rq = http.request({ port, path, method,
        headers: { host, ...headers } });
    rq.end(body);
    const [r] = await within(`${method} ${path}`, once(rq, 'response'));
    let text = '';
    for await (const piece of r)
        text += piece;
    return { status: r.statusCode, text, headers: r.headers,
        body: /json/.test(r.headers['content-type']) ? JSON.parse(text)
            : null };
}

const chat = (port, host, headers) => ask(port, host, '/chat', {
    method: 'POST', body: '{"message":"hi"}',
    headers: { 'content-type': 'application/json', ...headers } });

function assertRefused(r) {
    assert.equal(r.status, 421, r.text);
    assert.equal(r.body.code, 'unknown_host');
    assert.match(r.body.message, /ALLOWED_HOSTS/);
}

/* The status of a handshake. */
async function upgrade(port, host, headers = {}) {
    const rq = http.request({ port, path: '/ws/chat', headers: {
        host, connection: 'Upgrade', upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==', ...headers } });
    rq.end();
    const status = new Promise((resolve, reject) => {
        rq.on('upgrade', (r, socket) => {
            socket.destroy();
            resolve(r.statusCode);
        });
        rq.on('response', (r) => {
            r.resume();
            resolve(r.statusCode);
        });
        rq.on('error', reject);
    });
    return within('a handshake', status);
}

for (const door of ['fastcgi', 'lighttpd-cgi', 'apache-cgi'])
    describe(`names of the server, by ${door}`, () => {
        let parley;
        before(async () => {
            parley = await startParley({ door });
        });
        after(() => parley?.stop());

        test('a name that may have been made to point here is refused',
            async () => {
                for (const host of [EVIL, `${EVIL}:${parley.port}`,
                    `127.0.0.1.${EVIL}`, 'localhost.evil.example']) {
                    assertRefused(await ask(parley.port, host));
                    assertRefused(await chat(parley.port, host));
                    assertRefused(await chat(parley.port, host,
                        { origin: `http://${host}` }));
                }
                for (const path of ['/', '/status', '/health', '/metrics',
                    '/probe', '/chat/stream?message=x', '/nowhere',
                    '/auth/oauth2/login', '/export'])
                    assertRefused(await ask(parley.port, EVIL, path));
                assertRefused(await ask(parley.port, EVIL, '/chat',
                    { method: 'OPTIONS' }));
                const v1 = await ask(parley.port, EVIL, '/v1/models');
                assert.equal(v1.status, 421);
                assert.equal(v1.body.error.code, 'unknown_host');
            });

        test('addresses and names of the local network are not', async () => {
            for (const host of [`127.0.0.1:${parley.port}`,
                `localhost:${parley.port}`, 'chat.localhost', '[::1]:80',
                'nas', 'nas.local', 'chat.home.arpa'])
                assert.equal((await chat(parley.port, host)).status, 200, host);
        });

        test('nor is one that a certificate vouched for', async () => {
            for (const headers of [{ 'sec-fetch-site': 'same-origin' },
                { origin: `https://${EVIL}` }])
                assert.equal((await chat(parley.port, EVIL, headers)).status,
                    200);
        });
    });

describe('names of the server', () => {
    test('WebSockets have the same rule', async () => {
        const parley = await startParley();
        try {
            assert.equal(await upgrade(parley.port, EVIL), 421);
            assert.equal(await upgrade(parley.port, EVIL,
                { origin: `http://${EVIL}` }), 421);
            assert.equal(await upgrade(parley.port, `127.0.0.1:${parley.port}`),
                101);
        } finally {
            await parley.stop();
        }
    });

    test('a browser that was led here reads nothing', async () => {
        const parley = await startParley();
        const browser = await chromium.launch({ executablePath: PROGRAM,
            args: ['--no-sandbox',
                `--host-resolver-rules=MAP ${EVIL} 127.0.0.1`] });
        try {
            const page = await browser.newPage();
            /* The files are everybody's; a page of them is on that origin. */
            await page.goto(`http://${EVIL}:${parley.port}/static/nothing`);
            const tried = await page.evaluate(async (ws) => {
                const get = (path, init) => fetch(path, init)
                    .then(async (r) => [r.status, await r.text()]);
                const socket = new WebSocket(ws);
                const opened = await new Promise((resolve) => {
                    socket.onopen = () => resolve(true);
                    socket.onerror = () => resolve(false);
                });
                return { opened, list: await get('/sessions'),
                    asked: await get('/chat', { method: 'POST',
                        headers: { 'X-Forwarded-For': '192.0.2.1',
                            'X-Forwarded-Proto': 'https' },
                        body: 'message=hi' }) };
            }, `ws://${EVIL}:${parley.port}/ws/chat`);
            assert.equal(tried.opened, false);
            for (const [status, text] of [tried.list, tried.asked]) {
                assert.equal(status, 421);
                assert.match(text, /unknown_host/);
            }
            await page.goto(`http://127.0.0.1:${parley.port}/`);
            assert.deepEqual(await page.evaluate(() =>
                fetch('sessions').then((r) => r.status)), 200);
        } finally {
            await browser.close();
            await parley.stop();
        }
    });

    test('with a list only what is in it may be asked', async () => {
        const parley = await startParley({ env: {
            ALLOWED_HOSTS: 'chat.example:8443, *.team.example',
            ADMINS: 'eve', TRUSTED_PROXIES: '127.0.0.1',
        } });
        const strange = { 'x-forwarded-for': '192.0.2.1',
            'x-forwarded-proto': 'https', 'sec-fetch-site': 'same-origin' };
        try {
            for (const host of [`127.0.0.1:${parley.port}`, 'localhost',
                'chat.example:8443', 'a.team.example'])
                assert.equal((await chat(parley.port, host, strange)).status,
                    200, host);
            for (const host of ['chat.example', 'team.example', 'nas', EVIL]) {
                assertRefused(await chat(parley.port, host, strange));
                assertRefused(await ask(parley.port, host, '/admin/users',
                    { headers: strange }));
                assert.equal(await upgrade(parley.port, host), 421);
            }
        } finally {
            await parley.stop();
        }
    });

    test('somebody from elsewhere may ask by any name without one',
        async () => {
            const parley = await startParley({
                env: { TRUSTED_PROXIES: '127.0.0.1' } });
            try {
                assert.equal((await chat(parley.port, 'chat.example',
                    { 'x-forwarded-for': '192.0.2.1' })).status, 200);
                assertRefused(await chat(parley.port, 'chat.example',
                    { 'x-forwarded-for': '192.168.1.2' }));
            } finally {
                await parley.stop();
            }
        });

    test('and who has to sign in has nothing to lose', async () => {
        const parley = await startParley({ env: { AUTH_REQUIRED: '1' } });
        try {
            assert.equal((await ask(parley.port, EVIL)).status, 401);
        } finally {
            await parley.stop();
        }
    });
});
