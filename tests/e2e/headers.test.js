/* What every reply says to the browser that reads it, through each web server:
 * that it is no page, or what a page may do; who may read it; who may keep it. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ask, call, newSession, postJson } from '../lib/client.js';
import { rawRequest } from '../lib/raw.js';
import { startParley } from '../lib/server.js';

const FRIEND = 'https://friend.example';
const STRANGER = 'https://stranger.example';
const DOORS = ['fastcgi', 'lighttpd-cgi', 'apache-cgi'];

/* A policy as a map of its directives. */
function policy(r) {
    const text = r.headers.get('content-security-policy') ?? '';
    return Object.fromEntries(text.split(';').map((d) => d.trim().split(/ +/))
        .map(([name, ...values]) => [name, values.join(' ')]));
}

function assertNoPage(r, what) {
    const p = policy(r);
    const say = (name) => `${what}: ${name} ${r.headers.get(name)}`;

    assert.equal(r.headers.get('x-content-type-options'), 'nosniff',
        say('x-content-type-options'));
    assert.equal(p['default-src'], "'none'", say('content-security-policy'));
    assert.equal(p['frame-ancestors'], "'none'",
        say('content-security-policy'));
    assert.equal(p['base-uri'], "'none'", say('content-security-policy'));
    assert.equal(p['form-action'], "'none'", say('content-security-policy'));
    assert.equal(p['script-src'], undefined, say('content-security-policy'));
    assert.equal(r.headers.get('referrer-policy'), 'no-referrer',
        say('referrer-policy'));
    assert.equal(r.headers.get('cross-origin-resource-policy'), 'same-origin',
        say('cross-origin-resource-policy'));
    assert.match(r.headers.get('cache-control'), /\bno-store\b/,
        say('cache-control'));
    assert.equal(r.headers.get('strict-transport-security'), null,
        'only under TLS');
    assert.ok(r.headers.get('x-request-id'), say('x-request-id'));
}

function assertPage(r, what) {
    const p = policy(r);

    assert.equal(r.status, 200, what);
    assert.equal(p['default-src'], "'none'", what);
    assert.equal(p['script-src'], "'self'", what);
    assert.equal(p['style-src'], "'self'", what);
    assert.equal(p['img-src'], "'self' data: blob:", what);
    assert.equal(p['connect-src'], "'self'", what);
    for (const name of ['object-src', 'base-uri', 'form-action',
        'frame-ancestors'])
        assert.equal(p[name], "'none'", `${what}: ${name}`);
    assert.doesNotMatch(r.headers.get('content-security-policy'),
        /unsafe|https?:|\*/, what);
    assert.equal(r.headers.get('x-content-type-options'), 'nosniff', what);
    assert.match(r.headers.get('referrer-policy'),
        /^(?:same-origin|no-referrer)$/, what);
    assert.equal(r.headers.get('cross-origin-opener-policy'), 'same-origin',
        what);
    assert.equal(r.headers.get('cross-origin-resource-policy'), 'same-origin',
        what);
    assert.match(r.headers.get('permissions-policy'),
        /camera=\(\), microphone=\(\), geolocation=\(\)/, what);
    assert.equal(r.headers.get('strict-transport-security'), null,
        'only under TLS');
}

for (const door of DOORS) {
    describe(`through ${door}`, () => {
        let parley;
        let session;

        before(async () => {
            parley = await startParley({ door, env: {
                ALLOWED_ORIGINS: `${FRIEND}, http://localhost:3000`,
                LIST_ANONYMOUS: 'all' } });
            session = newSession();
            await ask(parley, { message: 'hello', session_id: session });
        });
        after(() => parley?.stop());

        test('no reply of the API can be shown as a page', async () => {
            const replies = {
                status: await call(parley, '/status'),
                health: await call(parley, '/health'),
                metrics: await call(parley, '/metrics'),
                sessions: await call(parley, '/sessions'),
                session: await call(parley, `/sessions/${session}`),
                messages: await call(parley, `/sessions/${session}/messages`),
                models: await call(parley, '/v1/models'),
                yaml: await call(parley, '/api/openapi.yaml'),
                nothing: await call(parley, '/nothing/here'),
                method: await call(parley, '/chat', { method: 'DELETE' }),
                v1: await call(parley, '/v1/nothing'),
                json: await postJson(parley, '/chat', '{"message"'),
                chat: await postJson(parley, '/chat', { message: 'again' }),
                plain: await call(parley, '/chat', { method: 'POST',
                    headers: { accept: 'text/plain' },
                    body: new URLSearchParams({ message: 'plain' }) }),
                events: await postJson(parley, '/chat',
                    { message: 'stream', stream: true },
                    { accept: 'text/event-stream' }),
                options: await call(parley, '/chat', { method: 'OPTIONS' }),
                foreign: await postJson(parley, '/chat', { message: 'x' },
                    { origin: STRANGER }),
                html: await call(parley, '/status',
                    { headers: { accept: 'text/html' } }),
            };
            const want = { nothing: 404, method: 405, v1: 404, json: 400,
                options: 204, foreign: 403 };
            for (const [name, r] of Object.entries(replies)) {
                assert.equal(r.status, want[name] ?? 200,
                    `${name}: ${r.text.slice(0, 200)}`);
                assertNoPage(r, name);
            }
            assert.match(replies.events.headers.get('content-type'),
                /^text\/event-stream/);
            assert.match(replies.method.headers.get('allow'), /\bPOST\b/);
        });

        test('what is taken along is a file, not a page', async () => {
            for (const format of ['json', 'jsonl', 'md']) {
                for (const path of [`/sessions/${session}/export`, '/export']) {
                    const r = await call(parley, `${path}?format=${format}`);
                    if (r.status === 400 && path === '/export')
                        continue; /* not all formats are for all sessions */
                    assert.equal(r.status, 200, r.text);
                    assertNoPage(r, `${path} ${format}`);
                    assert.match(r.headers.get('content-disposition'),
                        /^attachment; filename="[\w.-]+"$/);
                }
            }
        });

        test('pages run nothing but what this server has as a file',
            async () => {
                const accept = { headers: { accept: 'text/html' } };
                assertPage(await call(parley, '/', accept), 'the page');
                assertPage(await call(parley, '/static/index.html'), 'index');
                assertPage(await call(parley, '/static/js/main.js'), 'script');
                assertPage(await call(parley, '/static/css/base.css'), 'style');
                const docs = await call(parley, '/api/docs');
                assertPage(docs, 'the documentation');
                assert.match(docs.headers.get('cache-control'), /no-store/);
                const page = await call(parley, '/', accept);
                assert.doesNotMatch(page.text, /<script(?![^>]* src=)/);
                assert.doesNotMatch(page.text, /\son\w+=|\sstyle=|<style/);
            });

        test('only the methods of an address are taken', async () => {
            for (const method of ['PUT', 'PATCH', 'DELETE', 'POST']) {
                const r = await call(parley, '/status', { method });
                assert.equal(r.status, 405, `${method} ${r.text}`);
                assert.match(r.headers.get('allow'), /\bGET\b/);
            }
            const r = await call(parley, '/static/js/main.js',
                { method: 'DELETE' });
            assert.ok([403, 405, 501].includes(r.status), String(r.status));
        });
    });
}

describe('pages of other origins', () => {
    let parley;

    before(async () => {
        parley = await startParley({ env: {
            ALLOWED_ORIGINS: `${FRIEND}, http://localhost:3000`,
            LIST_ANONYMOUS: 'all' } });
    });
    after(() => parley?.stop());

    const preflight = (origin, path = '/chat', method = 'POST') =>
        call(parley, path, { method: 'OPTIONS', headers: {
            origin, 'access-control-request-method': method,
            'access-control-request-headers': 'authorization, x-api-key' } });

    test('are allowed if they are listed, with what they send', async () => {
        for (const origin of [FRIEND, 'http://localhost:3000']) {
            const r = await preflight(origin);
            assert.equal(r.status, 204);
            assert.equal(r.headers.get('access-control-allow-origin'), origin);
            assert.equal(r.headers.get('access-control-allow-credentials'),
                'true');
            assert.match(r.headers.get('access-control-allow-methods'),
                /\bPOST\b/);
            const headers = r.headers.get('access-control-allow-headers')
                .toLowerCase().split(/, */);
            for (const name of ['authorization', 'x-api-key', 'content-type',
                'last-event-id', 'idempotency-key'])
                assert.ok(headers.includes(name), name);
            assert.match(r.headers.get('vary'), /\bOrigin\b/i);
        }
        const r = await postJson(parley, '/chat', { message: 'hello' },
            { origin: FRIEND });
        assert.equal(r.status, 200, r.text);
        assert.equal(r.headers.get('access-control-allow-origin'), FRIEND);
        assert.match(r.headers.get('access-control-expose-headers'),
            /X-Request-Id/i);
        const gone = await preflight(FRIEND, '/sessions/x', 'DELETE');
        assert.match(gone.headers.get('access-control-allow-methods'),
            /\bDELETE\b.*|\bPATCH\b/);
    });

    test('are not if they are not', async () => {
        for (const origin of [STRANGER, 'null', 'http://friend.example',
            `${FRIEND}.evil.example`, 'https://friend.example:444',
            'http://localhost:3001', 'http://localhost']) {
            const r = await preflight(origin);
            assert.equal(r.headers.get('access-control-allow-origin'), null,
                origin);
            assert.equal(r.headers.get('access-control-allow-credentials'),
                null);
            assert.match(r.headers.get('vary'), /\bOrigin\b/i);
            const read = await call(parley, '/status', { headers: { origin } });
            assert.equal(read.headers.get('access-control-allow-origin'), null);
            const r2 = await postJson(parley, '/chat', { message: 'x' },
                { origin });
            assert.equal(r2.status, 403, origin);
            assert.equal(r2.body.code, 'foreign_origin');
        }
    });

    test('cannot act through links, images and old forms', async () => {
        const old = 'Mozilla/5.0 (Windows NT 6.1; Trident/7.0) like Gecko';
        const form = { 'content-type': 'application/x-www-form-urlencoded' };
        const tries = {
            image: ['GET', { 'sec-fetch-site': 'cross-site',
                'sec-fetch-mode': 'no-cors' }],
            link: ['GET', { 'sec-fetch-site': 'cross-site',
                'sec-fetch-mode': 'navigate' }],
            'another name of the site': ['GET', { 'sec-fetch-site': 'same-site',
                'sec-fetch-mode': 'no-cors' }],
            form: ['POST', { ...form, 'sec-fetch-site': 'cross-site',
                origin: STRANGER }],
            'form of a sandbox': ['POST', { ...form, origin: 'null' }],
            'old form': ['POST', { ...form, cookie: 'x=y',
                'user-agent': old }],
            'old image': ['GET', { cookie: 'x=y', 'user-agent': old }],
            'old form elsewhere': ['POST', { ...form, cookie: 'x=y',
                'user-agent': old, referer: `${STRANGER}/` }],
        };
        for (const [name, [method, headers]] of Object.entries(tries)) {
            const message = new URLSearchParams({ message: 'forged' });
            const r = method === 'GET'
                ? await call(parley, `/chat/stream?${message}`, { headers })
                : await call(parley, '/chat', { method, headers,
                    body: message.toString() });
            assert.equal(r.status, 403, `${name}: ${r.text}`);
        }
        /* The same from our own page, from who types it in, and from programs. */
        const host = new URL(parley.url).host;
        for (const headers of [
            { 'sec-fetch-site': 'same-origin', cookie: 'x=y' },
            { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' },
            { cookie: 'x=y', 'user-agent': old, referer: `http://${host}/` },
            { cookie: 'x=y', 'user-agent': 'curl/8.5.0' },
            { origin: STRANGER, 'x-api-key': 'not-a-key' }]) {
            const r = await call(parley, '/chat/stream?message=mine',
                { headers });
            assert.notEqual(r.body?.code, 'foreign_origin',
                JSON.stringify(headers));
            assert.ok([200, 401].includes(r.status), r.text);
        }
    });
});

describe('"*" as the list', () => {
    let parley;

    before(async () => {
        parley = await startParley({ env: { ALLOWED_ORIGINS: '*' } });
    });
    after(() => parley?.stop());

    test('lets all ask, and nobody with credentials', async () => {
        const r = await postJson(parley, '/chat', { message: 'hello' },
            { origin: STRANGER });
        assert.equal(r.status, 200, r.text);
        assert.equal(r.headers.get('access-control-allow-origin'), STRANGER);
        assert.equal(r.headers.get('access-control-allow-credentials'), null);
        /* By hand, as fetch writes a Sec-Fetch-Mode of its own. */
        const link = await rawRequest(parley.port, [
            'GET /chat/stream?message=x HTTP/1.1', 'Host: localhost',
            'Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: navigate',
            'Connection: close', '', ''].join('\r\n'));
        assert.equal(link.status, 403, link.body);
    });
});

describe('proxies', () => {
    let parley;

    before(async () => {
        parley = await startParley({ env: { TRUSTED_PROXIES: '127.0.0.0/8' } });
    });
    after(() => parley?.stop());

    test('that are trusted say whether the client came by TLS', async () => {
        const r = await call(parley, '/status',
            { headers: { 'x-forwarded-proto': 'https' } });
        assert.equal(r.headers.get('strict-transport-security'),
            'max-age=31536000');
        const plain = await call(parley, '/status',
            { headers: { 'x-forwarded-proto': 'http' } });
        assert.equal(plain.headers.get('strict-transport-security'), null);
    });

    test('say for whom they speak, and it is believed of them alone',
        async () => {
            /* Who is on this machine sees the list of sessions. */
            await ask(parley, { message: 'hello' });
            const sees = async (forwarded) => {
                const r = await call(parley, '/sessions', { headers: forwarded
                    ? { 'x-forwarded-for': forwarded } : {} });
                assert.equal(r.status, 200, r.text);
                return r.body.sessions.length > 0;
            };
            assert.equal(await sees(''), true);
            assert.equal(await sees('127.0.0.1'), true);
            assert.equal(await sees('127.0.0.9, 127.0.0.1'), true);
            assert.equal(await sees('192.0.2.7'), false);
            assert.equal(await sees('127.0.0.1, 192.0.2.7'), false);
            assert.equal(await sees('192.0.2.7, 127.0.0.1'), false);
        });
});
