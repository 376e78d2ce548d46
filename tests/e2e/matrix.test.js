/* Who may do what: every address of the API, asked by everybody, on what is
 * theirs, another's, and nobody's. A new address must be added here. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { PASSWORD, accounts, basic, cookiesAfter } from '../lib/accounts.js';
import { ask, call, newSession, postJson } from '../lib/client.js';
import { sendFile } from '../lib/files.js';
import { BIN } from '../lib/programs.js';
import { startParley } from '../lib/server.js';
import { until } from '../lib/wait.js';

const ROLES = ['nobody', 'owner', 'other', 'reader', 'admin'];
const HEADERS = {
    nobody: {}, owner: basic('ann'), other: basic('bob'),
    reader: basic('carl'), admin: basic('eve'),
};
const MISSING = '01a20000-0000-7000-8000-000000000000';
const JSON_BODY = { 'content-type': 'application/json' };
const RAW_BODY = { 'content-type': 'application/octet-stream' };

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
    ['GET', '/files', null, 200],
    ['POST', '/files', null, 201, { nobody: 401, raw: true,
        at: () => '/files?name=new.txt' }],
    ['GET', '/files/{*}', 'file', 200, { at: (o) => `/files/${o.id}` }],
    ['PATCH', '/files/{*}', 'file', 200, { at: (o) => `/files/${o.id}`,
        body: () => ({ label: 'redact' }) }],
    ['DELETE', '/files/{*}', 'file', 204, { at: (o) => `/files/${o.id}` }],
    ['GET', '/search', null, 200, { at: () => '/search?q=a' }],
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
    ['GET', '/api/config', null, 200],
    ['POST', '/api/config', null, 200, { nobody: 401, body: () => ({}) }],
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
    ['GET', '/auth/logins', null, 200, { nobody: 401 }],
    ['DELETE', '/auth/logins/{id}', 'login', 204, { nobody: 401 }],
    ['GET', '/auth/oauth2/login', null, 404, { open: true }],
    ['GET', '/auth/oauth2/callback', null, 404, { open: true }],
    ['GET', '/keys', null, 200, { nobody: 401 }],
    ['POST', '/keys', null, 201, { nobody: 401, body: () => ({}) }],
    ['DELETE', '/keys/{id}', 'key', 204, { nobody: 401 }],
    ['GET', '/usage', null, 200],
];

/* What nobody has who is not signed in. */
const ONLY_OF_USERS = ['key', 'login', 'file'];

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
    if (whose === 'nobody' && !ONLY_OF_USERS.includes(about))
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
            fs.mkdirSync(path.join(folder, 'all'));
            fs.writeFileSync(path.join(folder, 'all/shared.md'),
                'Everybody may know of the marzipan.');
            parley = await startParley({ env: {
                ...accounts(folder).env,
                AUTH_REQUIRED: required ? '1' : '0', LIST_ANONYMOUS: 'none',
                FILES_DIR: path.join(folder, 'all'),
            } });
        });
        after(async () => {
            await parley?.stop();
            fs.rmSync(folder, { recursive: true, force: true });
        });

        /* The id of a login that has just begun. */
        async function newLogin() {
            const r = await postJson(parley, '/auth/login',
                { username: 'ann', password: PASSWORD });
            const { logins } = (await call(parley, '/auth/logins',
                { headers: { cookie: cookiesAfter(r) } })).body;
            return logins.find((l) => l.current).id;
        }

        /* The name of a file that was just uploaded. */
        async function newFile() {
            const name = `${newSession()}.txt`;
            const r = await sendFile(parley, name, 'The word is halcyon.',
                { headers: HEADERS.owner });
            assert.equal(r.status, 201, r.text);
            return name;
        }

        /* A session with a turn, a key, a login or a file, of its owner. */
        async function object(about, whose) {
            const headers = whose === 'owner' ? HEADERS.owner : {};
            if (about === null)
                return {};
            if (about === 'key')
                return { id: (await call(parley, '/keys', { method: 'POST',
                    headers: HEADERS.owner })).body.id };
            if (about === 'login')
                return { id: await newLogin() };
            if (about === 'file')
                return { id: await newFile() };
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
                headers: { ...HEADERS[role], ...(more.body ? JSON_BODY : {}),
                    ...(more.raw ? RAW_BODY : {}) },
                body: more.body ? JSON.stringify(more.body(o))
                    : more.raw && 'words',
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

        const found = async (q, role) => (await call(parley,
            `/search?q=${q}`, { headers: HEADERS[role] })).body.results
            ?.map((r) => r.name) ?? [];

        test('files of another are in no list, search or answer', async () => {
            const name = await newFile();
            const lists = async (role) => (await call(parley,
                '/files?limit=500', { headers: HEADERS[role] })).text;
            await until('the file to be found', async () =>
                (await found('halcyon', 'owner')).includes(name));
            assert.ok((await lists('owner')).includes(name));
            for (const role of ROLES.filter((r) => r !== 'owner')) {
                assert.ok(!(await found('halcyon', role)).includes(name), role);
                assert.ok(!(await lists(role)).includes(name), role);
                for (const [at, json] of [
                    ['/api/cloud-chat', { message: 'halcyon' }],
                    ['/chat', { message: 'What is the word?', files: true }]]) {
                    const r = await postJson(parley, at, json, HEADERS[role]);
                    assert.ok(!r.text.includes('The word is halcyon'),
                        `${role} ${at}`);
                }
            }
        });

        test('files of everybody are read, and changed by nobody', async () => {
            await until('the folder to be indexed', async () =>
                (await found('marzipan', 'owner')).includes('shared.md'));
            for (const role of ROLES) {
                const status = async (method, body) => (await call(parley,
                    '/files/shared.md', { method, body, headers: {
                        ...HEADERS[role], ...JSON_BODY } })).status;
                const out = role === 'nobody' && required;
                assert.equal(await status('GET'), out ? 401 : 200, role);
                for (const [method, body] of [['DELETE'],
                    ['PATCH', '{"label":"redact"}']])
                    assert.equal(await status(method, body), out ? 401 : 403,
                        `${role} ${method}`);
            }
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
