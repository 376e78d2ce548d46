/* The edge: methods, types, origins, request ids, and the pages for those who
 * run the server. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import {
    ask, askEvents, assertError, call, metric, newSession, postJson,
} from '../../lib/client.js';
import { rawRequest } from '../../lib/raw.js';
import { openEvents } from '../../lib/sse.js';

const HALF_MS = 1000; /* a server may wait for more of a request */

function methods(world) {
    test('a wrong method is 405 and names the right ones', async () => {
        for (const [method, path, allowed] of [
            ['GET', '/chat', 'POST'], ['PUT', '/chat', 'POST'],
            ['POST', '/chat/stream', 'GET'], ['GET', '/chat/stop', 'POST'],
            ['DELETE', '/status', 'GET'], ['PATCH', '/health', 'GET'],
            ['POST', '/metrics', 'GET'],
        ]) {
            const r = await call(world.parley, path, { method });
            assertError(r, 405);
            const allow = r.headers.get('allow').split(/, */);
            assert.ok(allow.includes(allowed), `${path}: ${allow}`);
            assert.ok(!allow.includes(method), `${path}: ${allow}`);
        }
    });

    test('OPTIONS names the methods of a path', async () => {
        const r = await call(world.parley, '/chat', { method: 'OPTIONS' });
        assert.ok([200, 204].includes(r.status), r.text);
        assert.match(r.headers.get('allow'), /\bPOST\b/);
        assert.equal(r.text, '');
    });

    test('HEAD is GET without the body', async () => {
        for (const path of ['/health', '/status', '/metrics']) {
            const r = await call(world.parley, path, { method: 'HEAD' });
            const get = await call(world.parley, path);
            assert.equal(r.status, get.status);
            assert.equal(r.text, '');
            assert.equal(r.headers.get('content-type'),
                get.headers.get('content-type'));
        }
    });

    test('HEAD of /chat/stream starts no turn', async () => {
        const session = newSession();
        const r = await call(world.parley,
            `/chat/stream?message=x&session_id=${session}`, { method: 'HEAD' });
        assert.ok(r.status < 500);
        const m = await call(world.parley, `/sessions/${session}/messages`);
        assert.equal(m.status, 404);
    });

    test('a path that is not there is 404 in JSON', async () => {
        for (const path of ['/nothing', '/chat/nothing', '/sessions/a/b/c/d',
            '/chat/', '/CHAT/stream/x'])
            assertError(await call(world.parley, path), 404);
    });

    test('another type of body is 415', async () => {
        for (const type of ['application/xml', 'text/plain',
            'multipart/form-data; boundary=x', 'application/jsonp', 'nonsense'])
            assertError(await postJson(world.parley, '/chat',
                '{"message":"x"}', { 'content-type': type }), 415);
    });

    test('a type may carry parameters and any case', async () => {
        for (const type of ['application/json; charset=utf-8',
            'Application/JSON', 'application/json;charset="UTF-8"']) {
            const r = await postJson(world.parley, '/chat',
                '{"message":"x"}', { 'content-type': type });
            assert.equal(r.status, 200, `${type}: ${r.text}`);
        }
    });
}

function ids(world) {
    test('every reply has a request id of its own', async () => {
        const seen = new Set();
        for (const path of ['/status', '/health', '/nothing', '/metrics',
            '/chat', '/status']) {
            const r = await call(world.parley, path);
            const id = r.headers.get('x-request-id');
            assert.ok(id, path);
            assert.ok(!seen.has(id));
            seen.add(id);
        }
    });

    test('a well-formed X-Request-Id of the client is kept', async () => {
        const r = await call(world.parley, '/nothing',
            { headers: { 'x-request-id': 'my-trace.42' } });
        assert.equal(r.headers.get('x-request-id'), 'my-trace.42');
        assertError(r, 404);
    });

    test('an ill-formed one is replaced', async () => {
        for (const bad of ['a b', '"><script>', 'x'.repeat(500)]) {
            const r = await call(world.parley, '/status',
                { headers: { 'x-request-id': bad } });
            assert.equal(r.status, 200);
            assert.notEqual(r.headers.get('x-request-id'), bad);
            assert.ok(r.headers.get('x-request-id'));
        }
    });
}

function origins(world) {
    test('a foreign Origin may not change anything', async () => {
        const session = newSession();
        for (const origin of ['https://evil.example', 'null',
            `http://127.0.0.1:1`, 'http://127.0.0.1.evil.example']) {
            const headers = { origin };
            assertError(await postJson(world.parley, '/chat',
                { message: 'x', session_id: session }, headers), 403);
            assertError(await call(world.parley, `/sessions/${session}`,
                { method: 'DELETE', headers }), 403);
        }
        const r = await call(world.parley, `/sessions/${session}/messages`);
        assert.equal(r.status, 404, 'no session came of it');
    });

    test('nor start a turn through GET', async () => {
        const session = newSession();
        const r = await call(world.parley,
            `/chat/stream?message=x&session_id=${session}`,
            { headers: { origin: 'https://evil.example' } });
        assertError(r, 403);
    });

    test('our own Origin may', async () => {
        const r = await postJson(world.parley, '/chat', { message: 'x' },
            { origin: new URL(world.parley.url).origin });
        assert.equal(r.status, 200, r.text);
    });

    test('it gets no permission to read either', async () => {
        const r = await call(world.parley, '/status',
            { headers: { origin: 'https://evil.example' } });
        assert.equal(r.headers.get('access-control-allow-origin'), null);
    });
}

function operation(world) {
    test('GET /status says what runs', async () => {
        const r = await call(world.parley, '/status');
        assert.equal(r.status, 200);
        for (const member of ['message', 'status', 'version'])
            assert.equal(typeof r.body[member], 'string', member);
        assert.ok(Number.isInteger(r.body.active_connections));
        assert.ok('providers' in r.body);
        assert.doesNotMatch(r.text, /sk-replay-secret/);
    });

    test('GET / says the same to a client that does not take HTML',
        async () => {
            const r = await call(world.parley, '/',
                { headers: { accept: 'application/json' } });
            assert.equal(r.status, 200, r.text);
            assert.equal(typeof r.body.status, 'string');
            assert.ok('active_connections' in r.body);
        });

    test('GET /health is 200 when the store and a provider are there',
        async () => {
            const r = await call(world.parley, '/health');
            assert.equal(r.status, 200, r.text);
            assert.ok(r.body);
        });

    test('GET /metrics passes promtool', async () => {
        await ask(world.parley, { message: 'count me' });
        const r = await call(world.parley, '/metrics');
        assert.equal(r.status, 200);
        assert.match(r.headers.get('content-type'), /^text\/plain/);
        const p = spawnSync('promtool', ['check', 'metrics'],
            { input: r.text, encoding: 'utf8' });
        assert.equal(p.error, undefined, 'promtool runs');
        assert.equal(p.status, 0, p.stdout + p.stderr);
        assert.equal(p.stderr.trim(), '', 'no advice either');
    });

    test('the metrics count a turn', async () => {
        const counts = async () => Promise.all([
            'parley_turns_total', 'parley_turns_complete_total',
            'parley_first_text_seconds_count', 'parley_turn_seconds_count',
        ].map((name) => metric(world.parley, name)));
        const before = await counts();
        await ask(world.parley, { message: 'count me' });
        const now = await counts();
        assert.deepEqual(now.map((n, i) => n - before[i]), [1, 1, 1, 1]);
    });

    test('GET /probe sends timed events that arrive one by one', async () => {
        const r = await fetch(`${world.parley.url}/probe`);
        assert.equal(r.status, 200);
        const times = [];
        const reader = r.body.getReader();
        for (;;) {
            const { done } = await reader.read();
            if (done)
                break;
            times.push(performance.now());
        }
        assert.ok(times.length >= 3, `${times.length} pieces`);
        assert.ok(times.at(-1) - times[0] > 20, 'not all at once');
    });
}

function hostile(world) {
    const send = (text) => rawRequest(world.parley.port, text);

    test('a path with .. or encoded slashes stays inside', async () => {
        for (const path of ['/../../etc/passwd', '/%2e%2e/%2e%2e/etc/passwd',
            '/static/../../cgi-bin/chat', '/chat/%2e%2e/%2e%2e/.env',
            '/static/..%2f..%2f.env', '/sessions/..%2F..%2Fx/messages']) {
            const r = await send(`GET ${path} HTTP/1.1\r\nHost: x\r\n` +
                'Connection: close\r\n\r\n');
            assert.ok([400, 403, 404].includes(r.status),
                `${path}: ${r.status}`);
            assert.doesNotMatch(r.body, /root:|API_KEY|\x7fELF/);
        }
    });

    test('bad escapes in the query are 400', async () => {
        const r = await send('GET /chat/stream?message=%ff%fe HTTP/1.1\r\n' +
            'Host: x\r\nConnection: close\r\n\r\n');
        assert.equal(r.status, 400, r.body);
    });

    test('a lying Content-Length or half a request breaks nothing',
        async () => {
            await rawRequest(world.parley.port, 'POST /chat HTTP/1.1\r\n' +
                'Host: x\r\nContent-Type: application/json\r\n' +
                'Content-Length: 3\r\nConnection: close\r\n\r\n' +
                '{"message":"x"}').catch(() => {});
            for (const text of ['\r\n\r\n', 'NONSENSE\r\n\r\n',
                'GET / HTTP/9.9\r\n\r\n', '\u0000\u0001\u0002\r\n\r\n'])
                await rawRequest(world.parley.port, text, HALF_MS)
                    .catch(() => {});
            await ask(world.parley, { message: 'still there?' });
        });

    test('header names that look like settings change none', async () => {
        const r = await call(world.parley, '/status', { headers: {
            'proxy': 'http://127.0.0.1:1', 'script-name': '/x',
            'ai-provider': 'none', 'data-dir': '/nowhere' } });
        assert.equal(r.status, 200);
        const s = await askEvents(world.parley,
            { message: 'via proxy?', provider: 'openai' },
            { proxy: 'http://127.0.0.1:1' });
        await s.event('response_complete');
    });

    test('an unknown Last-Event-ID is an answer, not a hang', async () => {
        for (const id of ['x', '1', '.', 'x.1', '../..', '0'.repeat(5000)]) {
            const s = await openEvents(
                `${world.parley.url}/chat/stream?turn_id=x`,
                { headers: { 'last-event-id': id } });
            assert.ok(s.status >= 400 && s.status < 500, `${id}: ${s.status}`);
            await s.close();
        }
    });
}

export function edge(world) {
    describe('methods and types', () => methods(world));
    describe('request ids', () => ids(world));
    describe('origins', () => origins(world));
    describe('operation', () => operation(world));
    describe('hostile requests', () => hostile(world));
}
