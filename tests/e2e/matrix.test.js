/* Who may do what: every address of the API, asked by everybody, on what is
 * theirs, another's, and nobody's. A new address must be added here. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { accounts, basic } from '../lib/accounts.js';
import { ask, call, newSession } from '../lib/client.js';
import { ROOT, startParley } from '../lib/server.js';

const BIN = process.env.PARLEY_TEST_BIN ?? path.join(ROOT, 'cgi-bin');
const ROLES = ['nobody', 'owner', 'other', 'reader', 'admin'];
const HEADERS = {
    nobody: {}, owner: basic('ann'), other: basic('bob'),
    reader: basic('carl'), admin: basic('eve'),
};
const MISSING = '01a20000-0000-7000-8000-000000000000';
const JSON_BODY = { 'content-type': 'application/json' };

/* [method, path, what it is about, the status where it is allowed, more].
 * open: for everybody; reads: changes nothing though it is no GET; body; of:
 * the address with an object's ids in it. */
const ROWS = [
    ['POST', '/chat', 'session', 200,
        { body: (o) => ({ message: 'hi', session_id: o.session }) }],
    ['GET', '/chat/stream', 'turn', 200,
        { at: (o) => `/chat/stream?turn_id=${o.turn}`, stream: true }],
    ['GET', '/chat/events', 'turn', 200,
        { at: (o) => `/chat/events?turn_id=${o.turn}` }],
    ['POST', '/chat/stop', 'turn', 200,
        { body: (o) => ({ turn_id: o.turn }) }],
    ['GET', '/chat/turns/{id}', 'turn', 200],
    ['GET', '/chat/turns/{id}/context', 'turn', 200],
    ['GET', '/sessions', null, 200],
    ['POST', '/sessions', null, 201, { body: () => ({}) }],
    ['DELETE', '/sessions', null, 200, { body: () => ({ confirm: true }) }],
    ['GET', '/sessions/{id}', 'session', 200],
    ['PATCH', '/sessions/{id}', 'session', 200,
        { body: () => ({ title: 'new' }) }],
    ['DELETE', '/sessions/{id}', 'session', 200],
    ['GET', '/sessions/{id}/messages', 'session', 200],
    ['GET', '/sessions/{id}/events', 'session', 200, { stream: true }],
    ['POST', '/messages/{id}/feedback', 'message', 200,
        { body: () => ({ rating: 1 }) }],
    ['GET', '/sessions/{id}/export', 'session', 200],
    ['POST', '/sessions/{id}/fork', 'session', 201, { body: () => ({}) }],
    ['POST', '/import', null, 200, {
        body: () => [{ role: 'user', content: 'a' },
            { role: 'assistant', content: 'b' }],
    }],
    ['GET', '/export', null, 200],
    ['POST', '/v1/chat/completions', null, 200, {
        body: () => ({
            model: 'parley-offline',
            messages: [{ role: 'user', content: 'hi' }],
        }),
    }],
    ['POST', '/v1/embeddings', null, 422, /* the offline provider has none */
        { body: () => ({ model: 'parley-offline', input: 'a' }) }],
    ['GET', '/v1/models', null, 200],
    ['GET', '/v1/models/{*}', null, 200,
        { at: () => '/v1/models/offline/parley-offline' }],
    ['POST', '/api/cloud-chat', null, 200, { body: () => ({ message: 'a' }) }],
    ['POST', '/api/chat', null, 200, { body: () => ({ message: 'a' }) }],
    ['GET', '/api/docs', null, 200, { open: true }],
    ['GET', '/api/openapi.yaml', null, 200, { open: true }],
    ['GET', '/api/openapi.json', null, 200, { open: true }],
    ['GET', '/', null, 200, { open: true }],
    ['GET', '/status', null, 200, { open: true }],
    ['GET', '/health', null, 200, { open: true }],
    ['GET', '/metrics', null, 200],
    ['GET', '/ws/{*}', null, 501, { open: true, at: () => '/ws/x' }],
    ['GET', '/probe', null, 200, { open: true, stream: true }],
    ['POST', '/auth/login', null, 400, { open: true, body: () => ({}) }],
    ['POST', '/auth/logout', null, 200, { open: true, body: () => ({}) }],
    ['GET', '/auth/me', null, 200],
    ['GET', '/auth/oauth2/login', null, 404, { open: true }],
    ['GET', '/auth/oauth2/callback', null, 404, { open: true }],
    ['GET', '/keys', null, 200, { nobody: 401 }],
    ['POST', '/keys', null, 201, { nobody: 401, body: () => ({}) }],
    ['DELETE', '/keys/{id}', 'key', 204, { nobody: 401 }],
    ['GET', '/usage', null, 200],
];

function routes() {
    return execFileSync(path.join(BIN, 'chat'), ['--print-routes'],
        { encoding: 'utf8' }).trim().split('\n')
        .map((line) => line.split(/\s+/).slice(0, 2).join(' '));
}

/* What must come of it. whose: 'owner' or 'nobody', of the object. */
function expected(row, role, whose, required) {
    const [method, , about, allowed, more = {}] = row;
    const writes = method !== 'GET' && !more.reads;
    if (more.open)
        return allowed;
    if (role === 'nobody' && required)
        return 401;
    if (role === 'reader' && writes)
        return 403;
    if (role === 'nobody' && more.nobody !== undefined)
        return more.nobody;
    if (about === null)
        return allowed;
    if (whose === 'nobody' && about !== 'key')
        return required ? 404 : allowed;
    /* A question that names somebody else's session finds none. */
    return role === 'owner' ? allowed : 404;
}

for (const required of [false, true])
    describe(`every address and everybody, sign-in ` +
        `${required ? 'required' : 'not required'}`, () => {
        let folder;
        let parley;

        before(async () => {
            folder = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-matrix-'));
            parley = await startParley({ env: {
                ...accounts(folder).env,
                AUTH_REQUIRED: required ? '1' : '0', LIST_ANONYMOUS: 'none',
            } });
        });
        after(async () => {
            await parley?.stop();
            fs.rmSync(folder, { recursive: true, force: true });
        });

        /* A session with a turn, or a key, of its owner. */
        async function object(about, whose) {
            const headers = whose === 'owner' ? HEADERS.owner : {};
            if (about === null)
                return {};
            if (about === 'key')
                return { id: (await call(parley, '/keys', { method: 'POST',
                    headers: HEADERS.owner })).body.id };
            if (whose === 'nobody' && required) /* none can be made */
                return { id: MISSING, session: MISSING, turn: MISSING };
            const session = newSession();
            const r = await ask(parley, { message: 'mine',
                session_id: session }, headers);
            return {
                session, turn: r.turn_id,
                id: { turn: r.turn_id, message: r.message_id,
                    session }[about],
            };
        }

        async function status(row, role, o) {
            const [method, pattern, , , more = {}] = row;
            const at = more.at?.(o) ?? pattern.replace('{id}', o.id);
            const stop = new AbortController();
            const r = await fetch(parley.url + at, {
                method, signal: stop.signal, redirect: 'manual',
                headers: { ...HEADERS[role], ...(more.body ? JSON_BODY : {}) },
                body: more.body ? JSON.stringify(more.body(o)) : undefined,
            });
            if (more.stream && r.status === 200)
                stop.abort();
            else
                await r.text();
            return r.status;
        }

        test('all addresses are here', () => {
            assert.deepEqual(ROWS.map((r) => `${r[0]} ${r[1]}`).sort(),
                routes().sort());
        });

        for (const row of ROWS)
            test(`${row[0]} ${row[1]}`, async () => {
                for (const whose of row[2] ? ['owner', 'nobody'] : ['nobody'])
                    for (const role of ROLES) {
                        const o = await object(row[2], whose);
                        const want = expected(row, role, whose, required);
                        /* A session id that nobody has yet is one's own. */
                        if (required && whose === 'nobody' &&
                            row[1] === '/chat' && want === 404)
                            continue;
                        assert.equal(await status(row, role, o), want,
                            `${role}, of ${whose}`);
                    }
            });
    });
