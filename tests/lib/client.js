/* The requests that the suites send most, as one-liners. `parley` is anything
 * with a `url`. */

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { openEvents } from './sse.js';
import { until, within } from './wait.js';

export const UUID =
    /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
export const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

export function newSession() {
    return `test-${randomUUID()}`;
}

/* {status, headers, text, body}: body is the parsed JSON or null. */
export async function call(parley, path, init = {}) {
    const { limitMs, ...options } = init;
    const url = new URL(path, 'http://x/').pathname === path ||
        path.startsWith('/') ? parley.url + path : path;
    const go = async () => {
        const r = await fetch(url, options);
        const text = await r.text();
        let body = null;
        try {
            body = JSON.parse(text);
        } catch { /* not JSON; the test will say whether that is right */ }
        return { status: r.status, headers: r.headers, text, body };
    };
    return within(`${options.method ?? 'GET'} ${path}`, go(), limitMs);
}

export function postJson(parley, path, body, headers = {}) {
    return call(parley, path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' || Buffer.isBuffer(body)
            ? body : JSON.stringify(body),
    });
}

/* POST /chat that must succeed; its body. */
export async function ask(parley, fields, headers) {
    const r = await postJson(parley, '/chat', fields, headers);
    assert.equal(r.status, 200, r.text);
    return r.body;
}

/* POST /chat answered as events. */
export function askEvents(parley, fields, headers) {
    return openEvents(`${parley.url}/chat`, { body: fields, headers });
}

export function attach(parley, turn, lastEventId) {
    return openEvents(`${parley.url}/chat/stream?turn_id=${turn}`, {
        headers: lastEventId === undefined
            ? {} : { 'last-event-id': lastEventId },
    });
}

/* After the chat program went: the door may answer one 5xx while it notices. */
export function serving(parley) {
    return until('the door to serve again', async () =>
        (await call(parley, '/health')).status === 200);
}

/* The stored messages of a session, newest page. */
export async function messagesOf(parley, session, query = '') {
    const r = await call(parley, `/sessions/${session}/messages${query}`);
    assert.equal(r.status, 200, r.text);
    return r.body.messages;
}

/* Every message of a session, oldest first, through all pages. */
export async function allMessagesOf(parley, session, limit = 500) {
    let all = [];
    let before = null;
    for (;;) {
        const q = `?limit=${limit}` +
            (before === null ? '' : `&before=${encodeURIComponent(before)}`);
        const r = await call(parley, `/sessions/${session}/messages${q}`);
        assert.equal(r.status, 200, r.text);
        all = [...r.body.messages, ...all];
        before = r.body.next_before ?? null;
        if (before === null)
            return all;
    }
}

/* What every error owes: its status, a sentence, what to do, a stable code and
 * the request's id; and no more than that of the inside. */
export function assertError(reply, status, code) {
    assert.equal(reply.status, status, reply.text);
    assert.match(reply.headers.get('content-type') ?? '', /^application\/json/);
    assert.ok(reply.body, `a JSON body, not: ${reply.text}`);
    assert.equal(typeof reply.body.error, 'string');
    assert.ok(reply.body.error.length > 0);
    assert.equal(typeof reply.body.message, 'string');
    assert.match(reply.body.code, /^[a-z][a-z0-9_]*$/);
    assert.equal(reply.body.request_id, reply.headers.get('x-request-id'));
    if (code)
        assert.equal(reply.body.code, code);
}

/* The value of a metric without labels. */
export async function metric(parley, name) {
    const r = await call(parley, '/metrics');
    assert.equal(r.status, 200, r.text);
    const line = r.text.split('\n').find((l) => l.startsWith(`${name} `));
    assert.ok(line, `${name} is among the metrics`);
    return Number(line.slice(line.lastIndexOf(' ') + 1));
}
