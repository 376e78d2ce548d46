/* The OpenAPI document is true: it is valid, it lists the operations that the
 * program has and no others, its examples fit its schemas, and what a running
 * server sends fits them, too. The page that shows it works in a browser. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { PASSWORD, accounts, basic } from '../lib/accounts.js';
import { Tab, startBrowser } from '../lib/browser.js';
import { call, newSession } from '../lib/client.js';
import { sendFile } from '../lib/files.js';
import { replyWire, statusWire } from '../lib/openai_bytes.js';
import { Api, DOCUMENT, TEXT, compile, eventsOf, fits, follow, generalCodes,
    operations } from '../lib/openapi.js';
import { BIN } from '../lib/programs.js';
import { cut, hold, startReplay, status } from '../lib/replay.js';
import { ROOT, startParley } from '../lib/server.js';
import { until } from '../lib/wait.js';

const NO_ID = '00000000-0000-4000-8000-000000000000';
const USAGE = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 };

/* --- the document alone -------------------------------------------------- */

/* ["GET", "/sessions/{id}"], as the program has them. */
function routes() {
    return ['chat', 'admin'].flatMap((program) =>
        execFileSync(path.join(BIN, program), ['--print-routes'],
            { encoding: 'utf8' }).trim().split('\n')
            .map((line) => line.split(/\s+/, 2)));
}

const typed = (type) => ({ 'content-type': type });
const nameless = (address) => address.replace(/\{[^}]*\}/g, '{}');

describe('the document', () => {
    test('is valid OpenAPI 3.1', async () => {
        const result = await new Validator().validate(
            structuredClone(DOCUMENT));
        assert.ok(result.valid, JSON.stringify(result.errors, null, 2));
        assert.match(DOCUMENT.openapi, /^3\.1\./);
    });

    test('has the operations of the table of routes, and no others', () => {
        const ours = routes().map((r) => `${r[0]} ${nameless(r[1])}`);
        const theirs = operations().map((o) =>
            `${o.method} ${nameless(o.address)}`);
        assert.ok(ours.length > 30, 'the table is there');
        assert.deepEqual(theirs.sort(), ours.sort());
    });

    test('names every part of its addresses', () => {
        for (const { method, address, parameters } of operations()) {
            const names = [...address.matchAll(/\{(\w+)\}/g)].map((m) => m[1]);
            const known = parameters.filter((p) => p.in === 'path');
            assert.deepEqual(known.map((p) => p.name), names,
                `${method} ${address}`);
            assert.ok(known.every((p) => p.required));
        }
    });

    test('has schemas that can be compiled, each of them', () => {
        for (const schema of Object.values(DOCUMENT.components.schemas))
            assert.equal(typeof compile(schema), 'function');
    });

    test('has examples that fit their schemas', () => {
        let n = 0;
        const check = (what, content) => {
            for (const [type, media] of Object.entries(content ?? {})) {
                for (const given of Object.values(media.examples ?? {})) {
                    const { value } = follow(given);
                    const event = media['x-event-schema'];
                    const values = event ? eventsOf(value) : [value];
                    assert.ok(values.length > 0);
                    for (const v of values)
                        fits(`${what} ${type}`, event ?? media.schema, v);
                    n++;
                }
            }
        };
        for (const { method, address, op } of operations()) {
            check(`${method} ${address}`, follow(op.requestBody)?.content);
            for (const [code, reply] of Object.entries(op.responses))
                check(`${method} ${address} ${code}`, follow(reply).content);
        }
        assert.ok(n > 30, `${n} examples`);
    });

    test('has a table of the errors of all requests', () => {
        assert.deepEqual(Object.keys(generalCodes()),
            ['400', '401', '403', '404', '405', '413', '414', '421', '429',
                    '431', '500', '503']);
    });
});

/* --- a running server ---------------------------------------------------- */

describe('a running server', () => {
    let parley;
    let replay;
    let api;
    let folder;
    const beginning = replyWire(['some of it'], { finish: null, done: false });
    const held = hold(beginning);
    const broken = hold(beginning);

    /* What an OpenAI-compatible provider says: vectors, or an answer. */
    const provider = async (peer, { path: address }) =>
        peer.end(address.endsWith('/embeddings')
            ? statusWire(200, {}, { object: 'list', model: 'e', data: [{
                object: 'embedding', index: 0, embedding: [0.5, -1] }],
            usage: { prompt_tokens: 2, total_tokens: 2 } })
            : replyWire(['Replayed ', 'answer.'], { usage: USAGE }));

    before(async () => {
        folder = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-openapi-'));
        replay = await startReplay(provider);
        replay.on('hold it', held);
        replay.on('break off', cut(replyWire(['A beginning', ' and'],
            { finish: null, done: false }), 1 << 20));
        replay.on('begin, then break', broken);
        replay.on('too often', status(429, { 'Retry-After': '7' }));
        replay.on('no key', status(401));
        parley = await startParley({ env: {
            ...replay.env(), AI_PROVIDER: 'offline', AI_MODEL: '',
            UPSTREAM_RETRIES: '0', BODY_MAX_KIB: '128', MAX_MESSAGES: '40',
            ...accounts(folder).env,
        } });
        api = new Api(parley);
    });
    after(async () => {
        await parley?.stop();
        await replay?.stop();
        fs.rmSync(folder, { recursive: true, force: true });
    });

    const ask = (json, more = {}) =>
        api.call('POST', '/chat', { json, ...more });
    const session = async () => {
        const session_id = newSession();
        const { body } = await ask({ message: 'What is Parley?', session_id });
        return body;
    };

    describe('turns', () => {
        test('are answered in every form', async () => {
            const events = { accept: 'text/event-stream' };
            const fields = { message: 'hello', stream: 'false', files: 'true' };
            assert.equal((await ask({ message: 'hello' })).status, 200);
            await api.call('POST', '/chat', { form: fields });
            const s = await ask({ message: 'hello' }, { headers: events });
            assert.equal(s.events.at(-1).type, 'response_complete');
            const t = await ask({ message: 'hello' },
                { headers: { accept: 'text/plain' } });
            assert.ok(t.text.length > 0);
            const d = await ask({ message: 'hello', detach: true });
            assert.equal(d.status, 202);
        });

        test('by a provider that counts, with a history', async () => {
            await sendFile(parley, 'a.txt', 'The word is oxbow.');
            await sendFile(parley, 'a.png', fs.readFileSync(path.join(ROOT,
                'etc/demo/beach-sunset.png')));
            const { body } = await ask({
                message: 'x', provider: 'openai', context: 'Be brief.',
                history: [{ role: 'user', content: 'a' },
                    { role: 'assistant', content: 'b' }],
                temperature: 0.5, top_p: 1, max_tokens: 100, stop: ['end'],
                image_name: 'a.png', files: true, tools: true,
                attachments: [{ name: 'a.txt' }], temporary: true });
            assert.equal(body.usage.input_tokens, 5);
            assert.ok(body.notes.length > 0);
        });

        test('of commands, those that fail included', async () => {
            const session_id = newSession();
            await ask({ message: 'What is Parley?', session_id });
            for (const message of ['/help', '/usage', '/history', '/title',
                '/setcontext text="a"', '/getcontext', '/clearcontext',
                '/model', '/search parley', '/export', '/files', '/tools',
                '/summarize', '/analyze I love it', '/clear', '/nope',
                '/translate text="a" target_language="b"']) {
                const { body } = await ask({ message, session_id });
                assert.equal(body.message_id, null);
                assert.ok(body.result.status);
            }
            await ask({ message: '/help' },
                { headers: { accept: 'text/event-stream' } });
        });

        test('are followed, polled and looked at', async () => {
            const turn = (await session()).turn_id;
            const id = { in: { id: turn } };
            const stream = await api.call('GET', '/chat/stream',
                { query: { turn_id: turn } });
            const last = `${turn}.${stream.events.length}`;
            const seen = await api.call('GET', '/chat/stream',
                { query: { last_event_id: last } });
            assert.equal(seen.status, 204);
            const begun = await api.call('GET', '/chat/stream',
                { query: { message: 'hi', session_id: newSession() } });
            assert.equal(begun.events[0].type, 'response_start');
            const polled = await api.call('GET', '/chat/events',
                { query: { turn_id: turn, after: '1', wait: '1' } });
            assert.equal(polled.body.done, true);
            const state = await api.call('GET', '/chat/turns/{id}', id);
            assert.equal(state.body.state, 'ended');
            await api.call('GET', '/chat/turns/{id}/context', id);
        });

        test('are stopped, running or over', async () => {
            const session_id = newSession();
            const { body: { turn_id } } = await ask({ message: 'hold it',
                provider: 'openai', detach: true, session_id });
            await held.started;
            await until('some of the answer', async () =>
                (await api.call('GET', '/chat/events',
                    { query: { turn_id } })).body.next > 1);
            const run = await api.call('GET', '/chat/turns/{id}',
                { in: { id: turn_id } });
            assert.equal(run.body.state, 'running');
            await api.call('GET', '/chat/turns/{id}/context',
                { in: { id: turn_id } });
            await api.call('GET', '/sessions/{id}', { in: { id: session_id } });
            const { body } = await api.call('POST', '/chat/stop',
                { json: { turn_id } });
            assert.equal(body.finish_reason, 'cancelled');
            await api.call('POST', '/chat/stop', { form: { turn_id } });
            const stream = await api.call('GET', '/chat/stream',
                { query: { turn_id } });
            assert.equal(stream.events.at(-1).type, 'response_cancelled');
        });

        test('that fail behind their beginning', async () => {
            const json = { message: 'break off', provider: 'openai' };
            const whole = await ask(json);
            assert.equal(whole.status, 502);
            assert.equal(whole.body.code, 'incomplete');
            const s = await ask(json,
                { headers: { accept: 'text/event-stream' } });
            assert.equal(s.events.at(-1).type, 'error');
            const stop = await api.call('POST', '/chat/stop',
                { json: { turn_id: whole.body.turn_id } });
            assert.equal(stop.body.code, 'incomplete');
        });

        test('that are refused', async () => {
            const codes = [
                [{}, 400], [{ message: 7 }, 400], [[], 400],
                [{ message: ' ' }, 400], [{ message: 'a', stream: 'x' }, 400],
                [{ message: 'a', session_id: '?' }, 400],
                [{ message: 'a', provider: 'nobody' }, 400],
                [{ message: 'a', client_message_id: 'k'.repeat(256) }, 400],
                [{ message: 'a', parent_message_id: NO_ID }, 404],
                [{ message: 'a', history: Array(1001).fill(
                    { role: 'user', content: '' }) }, 413],
                [{ message: 'a'.repeat(140000) }, 413],
                [{ message: 'a', provider: 'anthropic' }, 422],
                [{ message: 'too often', provider: 'openai' }, 429],
                [{ message: 'no key', provider: 'openai' }, 502],
            ];
            for (const [json, code] of codes) {
                const r = await ask(json);
                assert.equal(r.status, code, r.text.slice(0, 300));
            }
            const kept = (await session()).session_id;
            const wrong = [
                [{ json: { message: 'a', session_id: kept, temporary: true } },
                    422],
                [{ body: '{', headers: typed('application/json') }, 400],
                [{ form: { message: '%' } }, 200],
                [{ body: 'message=%', headers: typed(
                    'application/x-www-form-urlencoded') }, 400],
                [{ body: 'a', headers: typed('text/xml') }, 415],
                [{ json: { message: 'a' },
                    headers: { origin: 'http://other.example' } }, 403],
            ];
            for (const [options, code] of wrong)
                assert.equal((await api.call('POST', '/chat', options)).status,
                    code, JSON.stringify(options));
        });

        test('that are not there', async () => {
            const query = { turn_id: NO_ID };
            const id = { in: { id: NO_ID } };
            const refused = [
                ['GET', '/chat/stream', { query }, 404],
                ['GET', '/chat/stream', { query: {} }, 400],
                ['GET', '/chat/stream', { query: { last_event_id: 'x' } }, 400],
                ['GET', '/chat/events', { query }, 404],
                ['GET', '/chat/events', { query: {} }, 400],
                ['GET', '/chat/events', { query: { ...query, wait: '99' } },
                    400],
                ['POST', '/chat/stop', { json: query }, 404],
                ['POST', '/chat/stop', { json: {} }, 400],
                ['POST', '/chat/stop', { body: '[' }, 400],
                ['GET', '/chat/turns/{id}', id, 404],
                ['GET', '/chat/turns/{id}/context', id, 404],
            ];
            for (const [method, address, options, code] of refused)
                assert.equal((await api.call(method, address, options)).status,
                    code, address);
        });
    });

    describe('sessions', () => {
        const one = (id) => ({ in: { id } });

        test('are made, changed, listed, found and deleted', async () => {
            const made = await api.call('POST', '/sessions', { json: {
                title: 'Rivers', context: 'Be brief.', tags: ['a', 'b'],
                pinned: true } });
            const id = made.body.session_id;
            await api.call('POST', '/sessions', { body: '' });
            await ask({ message: 'the longest river', session_id: id });
            const changed = await api.call('PATCH', '/sessions/{id}', {
                ...one(id), json: { title: 'Streams', archived: false,
                    model: 'offline/parley-offline', tags: null,
                    expires_at: '2099-01-31T12:00:00Z' } });
            assert.equal(changed.body.expires_at, '2099-01-31T12:00:00.000Z');
            const list = await api.call('GET', '/sessions', { query: {
                limit: '1', archived: 'any' } });
            assert.ok(list.body.next_cursor);
            await api.call('GET', '/sessions', { query: {
                cursor: list.body.next_cursor, tag: 'a' } });
            const found = await until('the search to know of it', async () => {
                const r = await api.call('GET', '/sessions',
                    { query: { q: 'longest river' } });
                return r.body.sessions.length > 0 && r;
            });
            assert.ok(found.body.sessions[0].matches.length > 0);
            await api.call('DELETE', '/sessions/{id}', one(id));
        });

        test('show their messages, branches and ratings included', async () => {
            const first = await session();
            const id = first.session_id;
            const again = await ask({ message: 'once more', session_id: id,
                parent_message_id: first.message_id });
            await ask({ message: 'beside it', session_id: id,
                parent_message_id: first.message_id, provider: 'openai' });
            const rated = await api.call('POST', '/messages/{id}/feedback', {
                ...one(again.body.message_id),
                json: { rating: 1, comment: 'good' } });
            assert.equal(rated.body.rating, 1);
            const line = await api.call('GET', '/sessions/{id}/messages', {
                ...one(id), query: { leaf: again.body.message_id } });
            assert.equal(line.body.messages.at(-1).feedback.comment, 'good');
            assert.equal(line.body.messages.at(-2).siblings.length, 2);
            const page = await api.call('GET', '/sessions/{id}/messages',
                { ...one(id), query: { limit: '1' } });
            assert.equal(page.body.messages[0].usage.output_tokens, 2);
            await api.call('GET', '/sessions/{id}/messages',
                { ...one(id), query: { before: page.body.next_before } });
            await api.call('PATCH', '/sessions/{id}',
                { ...one(id), json: { leaf: first.message_id } });
        });

        test('tell what happens to them', async () => {
            const { session_id: id } = await session();
            const types = [];
            const steps = {
                session: () => ask({ message: 'more', session_id: id }),
                message_added: () => api.call('PATCH', '/sessions/{id}',
                    { ...one(id), json: { title: 'Other' } }),
                session_changed: () => ask({ message: '/clear',
                    session_id: id }),
                session_cleared: () => api.call('DELETE', '/sessions/{id}',
                    one(id)),
            };
            await api.call('GET', '/sessions/{id}/events', {
                ...one(id), until: (events) => {
                    for (const { type } of events.slice(types.length)) {
                        types.push(type);
                        steps[type]?.();
                        delete steps[type];
                    }
                    return types.includes('session_deleted');
                } });
            assert.equal(types[0], 'session');
            for (const type of ['message_added', 'session_changed',
                'session_cleared'])
                assert.ok(types.includes(type), `${types}`);
        });

        test('are copied, exported and imported', async () => {
            const { session_id: id, message_id } = await session();
            const fork = await api.call('POST', '/sessions/{id}/fork',
                { ...one(id), json: { from_message_id: message_id } });
            assert.equal(fork.body.forked_from, id);
            await api.call('POST', '/sessions/{id}/fork',
                { ...one(id), body: '' });
            await api.call('GET', '/sessions/{id}/messages',
                one(fork.body.session_id));
            for (const format of ['json', 'jsonl', 'md']) {
                const query = { format };
                const r = await api.call('GET', '/sessions/{id}/export',
                    { ...one(id), query });
                await api.call('GET', '/export', { query });
                if (format === 'jsonl')
                    fits('a line', { $ref:
                        '#/components/schemas/ExportSession' },
                    JSON.parse(r.text));
            }
            const file = (await api.call('GET', '/sessions/{id}/export',
                one(id))).body;
            const r = await api.call('POST', '/import', { json: file });
            assert.equal(r.body.messages, 2);
            const told = await api.call('POST', '/import', {
                json: [...file.sessions, 7],
                headers: { accept: 'text/event-stream' } });
            assert.equal(told.events.at(-1).type, 'import_complete');
        });

        test('are reported as used', async () => {
            await session();
            for (const by of ['day', 'model', 'user']) {
                const r = await api.call('GET', '/usage', { query: { by } });
                assert.equal(r.status, 200, r.text);
                assert.ok(r.body.rows.length > 0);
            }
        });

        test('that are refused, or not there', async () => {
            const none = one('no-such-session');
            const { session_id: id, message_id } = await session();
            const empty = (await api.call('POST', '/sessions', { json: {} }))
                .body.session_id;
            const foreign = { headers: { origin: 'http://other.example' } };
            const refused = [
                ['GET', '/sessions', { query: { limit: '0' } }, 400],
                ['GET', '/sessions', { query: { cursor: 'x' } }, 400],
                ['GET', '/sessions', { query: { archived: 'x' } }, 400],
                ['POST', '/sessions', { json: { session_id: id } }, 409],
                ['POST', '/sessions', { json: { title: 7 } }, 400],
                ['POST', '/sessions', { json: { model: 'anthropic/x' } }, 422],
                ['POST', '/sessions', { ...foreign, body: '' }, 403],
                ['GET', '/sessions/{id}', none, 404],
                ['PATCH', '/sessions/{id}', { ...none, json: {} }, 404],
                ['PATCH', '/sessions/{id}', { ...one(id),
                    json: { expires_at: 'x' } }, 400],
                ['PATCH', '/sessions/{id}', { ...one(id),
                    json: { leaf: NO_ID } }, 404],
                ['PATCH', '/sessions/{id}', { ...one(id),
                    json: { temporary: true } }, 422],
                ['DELETE', '/sessions/{id}', none, 404],
                ['GET', '/sessions/{id}/messages', none, 404],
                ['GET', '/sessions/{id}/messages',
                    { ...one(id), query: { limit: 'x' } }, 400],
                ['GET', '/sessions/{id}/events', none, 404],
                ['GET', '/sessions/{id}/events',
                    { ...one(id), query: { last_event_id: 'x' } }, 400],
                ['POST', '/sessions/{id}/fork', { ...none, body: '' }, 404],
                ['POST', '/sessions/{id}/fork', { ...one(empty), body: '' },
                    400],
                ['GET', '/sessions/{id}/export', none, 404],
                ['GET', '/sessions/{id}/export',
                    { ...one(id), query: { format: 'x' } }, 400],
                ['GET', '/export', { query: { format: 'x' } }, 400],
                ['GET', '/usage', { query: { from: 'x' } }, 400],
                ['POST', '/import', { body: 'no JSON' }, 400],
                ['POST', '/messages/{id}/feedback',
                    { ...one(message_id), json: {} }, 400],
                ['POST', '/messages/{id}/feedback',
                    { ...one(NO_ID), json: { rating: 0 } }, 404],
                ['DELETE', '/sessions', { json: {} }, 400],
            ];
            for (const [method, address, options, code] of refused)
                assert.equal((await api.call(method, address, options)).status,
                    code, `${method} ${address}`);
        });

        test('are all deleted, if that is confirmed', async () => {
            const r = await api.call('DELETE', '/sessions',
                { json: { confirm: true } });
            assert.ok(r.body.deleted > 0);
        });
    });

    describe('files', () => {
        const bytes = (body, name, more = {}) => api.call('POST', '/files', {
            body, query: { name, ...more }, headers: typed(
                'application/octet-stream') });
        const one = (name) => ({ in: { name } });

        test('are sent, listed, shown, labelled, found and deleted',
            async () => {
                const body = new FormData();
                body.append('label', 'redact');
                body.append('file', new Blob(['# Rivers\n\nThe Danube.']),
                    'rivers.md');
                body.append('file', new Blob([fs.readFileSync(path.join(ROOT,
                    'etc/demo/beach-sunset.png'))]), 'sunset.png');
                body.append('file', new Blob(['%PDF-1.4 broken']), 'x.pdf');
                const sent = await api.call('POST', '/files', { body });
                assert.equal(sent.body.files.length, 3);
                await until('them to be read', async () =>
                    (await api.call('GET', '/files')).body.files
                        .every((f) => f.status !== 'waiting'));
                const page = await api.call('GET', '/files',
                    { query: { limit: '1' } });
                await api.call('GET', '/files', { query: {
                    after: page.body.next,
                    collection: page.body.collections[0].id } });
                for (const name of ['rivers.md', 'sunset.png', 'x.pdf'])
                    for (const query of [{}, { text: '1' }, { raw: '1' }])
                        assert.equal((await api.call('GET', '/files/{name}',
                            { ...one(name), query })).status, 200);
                await api.call('PATCH', '/files/{name}',
                    { ...one('rivers.md'), json: { label: 'cloud-ok' } });
                const found = await api.call('GET', '/search',
                    { query: { q: 'Danube', limit: '5', collection: '0' } });
                assert.ok(found.body.results.length > 0);
                const reply = await ask({ message: 'What is the Danube?',
                    files: true, provider: 'offline' });
                assert.ok(reply.body.citations.length > 0);
                const { events } = await ask({ message: 'What is the Danube?',
                    files: true, provider: 'offline', stream: true });
                assert.ok(events.some((e) => e.type === 'citation'));
                await api.call('POST', '/api/cloud-chat', { json: {
                    message: 'Danube', image_name: 'sunset.png' } });
                for (const code of [204, 404])
                    assert.equal((await api.call('DELETE', '/files/{name}',
                        one('rivers.md'))).status, code);
            });

        test('that are refused, or not there', async () => {
            const refused = [
                ['GET', '/files', { query: { limit: 'x' } }, 400],
                ['POST', '/files', { body: 'a',
                    headers: typed('text/plain') }, 415],
                ['POST', '/files', { body: 'a', headers: typed(
                    'multipart/form-data; boundary=b') }, 400],
                ['GET', '/files/{name}', one('none'), 404],
                ['PATCH', '/files/{name}', { ...one('none'),
                    json: { label: 'redact' } }, 404],
                ['PATCH', '/files/{name}', { ...one('limits.txt'),
                    json: { label: 'x' } }, 400],
                ['PATCH', '/files/{name}', { ...one('limits.txt'),
                    body: '{' }, 400],
                ['GET', '/search', {}, 400],
                ['GET', '/search', { query: { q: 'a'.repeat(5000) } }, 413],
                ['POST', '/api/config', { json: { top_k: 0 } }, 400],
                ['POST', '/api/config', { body: '{' }, 400],
                ['POST', '/api/config',
                    { json: { system_prompt: 'a'.repeat(5000) } }, 413],
            ];
            await bytes('Limits.', 'limits.txt');
            for (const [method, address, options, code] of refused)
                assert.equal((await api.call(method, address, options)).status,
                    code, `${method} ${address}`);
            for (const [name, label] of [['a'.repeat(256), 'redact'],
                ['a', 'ignore']])
                assert.equal((await bytes('a', name, { label })).status, 400);
        });

        test('are looked into as their owner wants it', async () => {
            const { body } = await api.call('GET', '/api/config');
            const changed = await api.call('POST', '/api/config',
                { json: { top_k: 3, recency_bias: 0.5 } });
            assert.equal(changed.body.top_k, 3);
            const back = await api.call('POST', '/api/config', { json: {
                top_k: null, recency_bias: null, chat_rounds: null,
                system_prompt: null } });
            assert.deepEqual(back.body, body);
        });
    });

    describe('the compatible API', () => {
        const chat = (json, more = {}) =>
            api.call('POST', '/v1/chat/completions', { json, ...more });
        const messages = [{ role: 'user', content: 'hi' }];
        const model = 'openai/replay-1';

        test('answers, whole and in chunks', async () => {
            await chat({ model: 'offline/parley-offline', messages });
            const whole = await chat({ model, messages, temperature: 0 });
            assert.equal(whole.body.usage.total_tokens, 7);
            const { events } = await chat({ model, messages, stream: true,
                stream_options: { include_usage: true } });
            assert.equal(events.at(-1).usage.total_tokens, 7);
            await chat({ model, messages }, { headers: {
                'x-parley-session': newSession(), 'idempotency-key': 'k' } });
        });

        test('tells that an answer broke off', async () => {
            const { events } = await chat({ model, stream: true,
                messages: [{ role: 'user', content: 'begin, then break' }] },
            { until: (so) => {
                if (so.length > 0)
                    broken.release();
                return false;
            } });
            assert.ok(events.at(-1).error);
        });

        test('lists models, and makes embeddings', async () => {
            const { body } = await api.call('GET', '/v1/models');
            for (const { id } of body.data.slice(0, 3))
                await api.call('GET', '/v1/models/{model}',
                    { in: { model: id } });
            for (const encoding_format of ['float', 'base64'])
                await api.call('POST', '/v1/embeddings', { json: {
                    model: 'openai/e', input: ['a'], encoding_format } });
        });

        test('refuses', async () => {
            const about = (content) => ({ model,
                messages: [{ role: 'user', content }] });
            const codes = [
                [{}, 400], [{ model }, 400], [{ model, messages: [] }, 400],
                [{ model, messages, n: 2 }, 400],
                [{ model, messages, logprobs: true }, 400],
                [{ model: 'anthropic/x', messages }, 404],
                [about('no key'), 401], [about('too often'), 429],
                [about('a'.repeat(140000)), 413],
            ];
            for (const [json, code] of codes)
                assert.equal((await chat(json)).status, code,
                    JSON.stringify(json).slice(0, 200));
            await chat({ model, messages },
                { headers: { 'x-parley-session': '?' } });
            await chat({ model, messages },
                { headers: typed('text/xml') });
            const e = (json) => api.call('POST', '/v1/embeddings', { json });
            assert.equal((await e({ model })).status, 400);
            assert.equal((await e({ model: 'offline/parley-offline',
                input: 'a' })).status, 422);
            assert.equal((await api.call('GET', '/v1/models/{model}',
                { in: { model: 'nobody/x' } })).status, 404);
        });
    });

    describe('limits are those of the document', () => {
        /* A turn that is over, and its session. */
        let turn;
        before(async () => {
            turn = await session();
            assert.equal((await sendFile(parley, 'limits.txt', 'Limits.'))
                .status, 201);
        });

        /* What each operation needs besides the number that is tried. */
        const needs = () => ({
            '/chat/stream': { message: 'hi' },
            '/chat/events': { turn_id: turn.turn_id },
            '/probe': { events: 1, gap_ms: 1 },
            '/search': { q: 'a' },
            '/files/{name}': { text: '1' },
        });

        test('numbers in queries', async () => {
            let n = 0;
            for (const { method, address, parameters } of operations()) {
                for (const { name, schema } of parameters) {
                    /* What administrators ask: admin.test.js. */
                    if (schema.maximum === undefined ||
                        address.startsWith('/admin/'))
                        continue;
                    const status = async (value) => (await api.call(method,
                        address, { in: { id: turn.session_id,
                            name: 'limits.txt' },
                            query: { ...needs()[address], [name]: value } }))
                        .status;
                    const what = `${address} ${name}`;
                    assert.equal(await status(schema.maximum + 1), 400, what);
                    assert.equal(await status(schema.minimum - 1), 400, what);
                    assert.ok(await status(schema.maximum) < 300, what);
                    assert.ok(await status(schema.minimum) < 300, what);
                    n++;
                }
            }
            assert.ok(n >= 12, `${n} numbers`);
        });

        /* Values at the limit and beyond it; [] if it has none. */
        const ITEMS = {
            history: () => ({ role: 'user', content: 'a' }),
            attachments: () => ({ name: 'a' }),
            stop: String, tags: String, files: () => 'a',
        };
        const around = (name, schema) => {
            const { maximum, maxLength, maxItems } = schema;
            const list = (n) => Array.from({ length: n },
                (_, i) => ITEMS[name](i));
            if (maximum !== undefined)
                return [maximum, maximum + 1];
            if (maxLength !== undefined)
                return ['a'.repeat(maxLength), 'a'.repeat(maxLength + 1)];
            if (maxItems !== undefined)
                return [list(maxItems), list(maxItems + 1)];
            return (schema.anyOf ?? []).flatMap((s) => around(name, s));
        };

        test('members of bodies', async () => {
            const bodies = [
                ['POST', '/chat', 'ChatRequest', { message: 'hi' }],
                ['POST', '/sessions', 'SessionNew', {}],
                ['PATCH', '/sessions/{id}', 'SessionChange', {}],
                ['POST', '/v1/chat/completions', 'CompletionRequest', {
                    model: 'openai/replay-1',
                    messages: [{ role: 'user', content: 'hi' }] }],
            ];
            let n = 0;
            for (const [method, address, name, base] of bodies) {
                const { properties } = DOCUMENT.components.schemas[name];
                for (const [member, schema] of Object.entries(properties)) {
                    if (['messages', 'tools'].includes(member))
                        continue;
                    const [most, more] = around(member, schema);
                    const status = async (value) => (await api.call(method,
                        address, { in: { id: turn.session_id },
                            json: { ...base, [member]: value } })).status;
                    if (more === undefined)
                        continue;
                    const what = `${name} ${member}`;
                    const refused = [400, 413];
                    assert.ok(refused.includes(await status(more)), what);
                    assert.ok(!refused.includes(await status(most)), what);
                    n++;
                }
            }
            assert.ok(n >= 18, `${n} members`);
        });
    });

    describe('the rest', () => {
        test('of the chats of this machine', async () => {
            const json = { message: 'hi', history: [
                { role: 'user', content: 'a' }] };
            const events = { accept: 'text/event-stream' };
            for (const address of ['/api/cloud-chat', '/api/chat']) {
                await api.call('POST', address, { json });
                const s = await api.call('POST', address,
                    { json, headers: events });
                assert.ok(s.events.length >= 2);
                for (const [options, code] of [[{ json: {} }, 400],
                    [{ json: { message: 'a', image_name: 'b.png' } }, 404],
                    [{ body: 'a', headers: typed('text/xml') }, 415]])
                    assert.equal((await api.call('POST', address, options))
                        .status, code);
            }
            const d = await api.call('POST', '/api/chat',
                { json: { message: 'hi', detach: true } });
            assert.equal(d.status, 202);
        });

        test('of the server itself', async () => {
            const { body } = await api.call('GET', '/status');
            assert.equal(body.version, DOCUMENT.info.version);
            await api.call('GET', '/');
            await api.call('GET', '/',
                { headers: { accept: 'text/html' } }).catch((e) =>
                assert.match(e.message, /has an id/)); /* a file */
            await api.call('GET', '/health');
            const m = await api.call('GET', '/metrics');
            assert.match(m.text, /^# HELP/);
            const p = await api.call('GET', '/probe',
                { query: { events: '2', gap_ms: '1' } });
            assert.equal(p.events.length, 2);
            await api.call('GET', '/probe', { query: { events: '0' } });
            const ws = await api.call('GET', '/ws/{client_id}',
                { in: { client_id: 'me' } });
            assert.equal(ws.status, 501);
        });

        test('of handshakes that are refused', async () => {
            const good = { connection: 'Upgrade', upgrade: 'websocket',
                'sec-websocket-version': '13',
                'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' };
            const op = operations().find((o) => o.op.operationId ===
                'webSocket');
            for (const [address, headers, code] of [
                ['/ws/chat/auth', {}, 401], ['/ws/a/b', {}, 404],
                ['/ws/me?session_id=%3F', {}, 400],
                ['/ws/me', { 'sec-websocket-version': '12' }, 426],
                ['/ws/me', { 'sec-websocket-key': 'a' }, 400],
                ['/ws/me', { origin: 'http://other.example' }, 403],
            ]) {
                const r = await new Promise((resolve, reject) =>
                    http.get(parley.url + address,
                        { headers: { ...good, ...headers } }, resolve)
                        .once('error', reject)
                        .once('upgrade', () => reject(new Error(address))));
                const head = new Headers(r.headers);
                assert.equal(r.statusCode, code);
                api.judge(op, {}, { status: code, headers: head },
                    Buffer.concat(await r.toArray()).toString());
            }
        });

        test('of the errors that every request can end with', async () => {
            const many = Object.fromEntries(Array.from({ length: 130 },
                (_, i) => [`x-${i}`, 'a']));
            const wrong = [
                ['/nowhere', {}, 404], ['/chat', { method: 'PUT' }, 405],
                [`/${'a'.repeat(2100)}`, {}, 414],
                ['/health', { headers: many }, 431],
                ['/sessions?limit=%zz', {}, 400],
            ];
            for (const [address, init, code] of wrong) {
                const r = await call(parley, address, init);
                assert.equal(r.status, code, r.text);
                fits(address, DOCUMENT.components.schemas.Error, r.body);
                assert.ok(generalCodes()[code].includes(r.body.code), r.text);
                assert.equal(r.headers.has('allow'), code === 405);
            }
        });

        test('of accounts and keys', async () => {
            await api.call('GET', '/auth/me');
            for (const step of ['login', 'callback'])
                assert.equal((await api.call('GET', `/auth/oauth2/${step}`))
                    .status, 404);
            for (const [json, code] of [
                [{ username: 'ann', password: PASSWORD }, 200],
                [{ username: 'ann', password: 'wrong' }, 401],
                [{ username: 'ann' }, 400],
            ])
                assert.equal((await api.call('POST', '/auth/login', { json }))
                    .status, code);
            const headers = basic('ann');
            await api.call('GET', '/auth/me', { headers });
            const made = await api.call('POST', '/keys', { headers,
                json: { name: 'one', day_tokens: 10, month_usd: 2.5,
                    expires_in_days: 1 } });
            assert.equal(made.body.month_usd, 2.5);
            assert.equal((await api.call('POST', '/keys', { headers,
                json: { scope: 'all' } })).status, 400);
            assert.equal((await api.call('POST', '/keys', { headers,
                json: { scope: 'admin' } })).status, 403);
            await api.call('GET', '/keys', { headers });
            assert.equal((await api.call('GET', '/keys')).status, 401);
            for (const code of [204, 404])
                assert.equal((await api.call('DELETE', '/keys/{id}', {
                    headers, in: { id: made.body.id } })).status, code);
            const { logins } = (await api.call('GET', '/auth/logins',
                { headers })).body;
            assert.equal((await api.call('GET', '/auth/logins')).status, 401);
            for (const code of [204, 404])
                assert.equal((await api.call('DELETE', '/auth/logins/{id}', {
                    headers, in: { id: logins[0].id } })).status, code);
            await api.call('POST', '/auth/logout', { headers, json: {} });
            assert.equal((await api.call('POST', '/auth/logout',
                { json: { all: true } })).status, 401);
        });

        test('of administrators', async () => {
            const headers = basic('eve');
            const admin = (method, address, more = {}) =>
                api.call(method, `/admin${address}`, { headers, ...more });
            for (const address of ['/', '/usage', '/audit', '/users', '/keys',
                '/logins']) {
                assert.equal((await admin('GET', address)).status, 200);
                for (const [more, code] of [[{}, 401], [basic('ann'), 403]])
                    assert.equal((await admin('GET', address,
                        { headers: more })).status, code);
            }
            for (const by of ['day', 'model', 'user'])
                await admin('GET', '/usage', { query: { by } });
            for (const [address, query] of [['/usage', { from: 'x' }],
                ['/audit', { after: -1 }], ['/users', { limit: 'x' }],
                ['/keys', { limit: 0 }], ['/logins', { limit: 0 }]])
                assert.equal((await admin('GET', address, { query })).status,
                    400);
            const made = await admin('POST', '/keys',
                { json: { owner: 'bob', name: 'his', month_usd: 2.5 } });
            assert.equal(made.status, 201);
            for (const [json, code] of [[{ owner: 7 }, 400], [{}, 400],
                [{ owner: 'bob', scope: 'admin' }, 403]])
                assert.equal((await admin('POST', '/keys', { json })).status,
                    code);
            await admin('GET', '/keys', { query: { owner: 'local/bob' } });
            for (const code of [204, 404])
                assert.equal((await admin('DELETE', '/keys/{id}',
                    { in: { id: made.body.id } })).status, code);
            assert.equal((await admin('DELETE', '/logins')).status, 400);
            assert.equal((await admin('DELETE', '/logins',
                { query: { owner: 'local/bob' } })).status, 200);
        });

        test('of the document', async () => {
            const yaml = await api.call('GET', '/api/openapi.yaml');
            assert.equal(yaml.text, TEXT);
            const json = await api.call('GET', '/api/openapi.json');
            assert.deepEqual(json.body, DOCUMENT);
            const page = await api.call('GET', '/api/docs');
            assert.match(page.headers.get('content-security-policy'),
                /default-src 'none'/);
        });
    });

    test('was asked for all that there is', () => {
        const missing = operations().filter(({ method, address }) =>
            ![...api.called.get(`${method} ${address}`) ?? []]
                .some((code) => code < 300))
            .map(({ method, address }) => `${method} ${address}`);
        /* Their success is no reply, or a redirect to a provider:
         * websocket.test.js and oidc.test.js have them. */
        assert.deepEqual(missing, ['GET /ws/{client_id}',
            'GET /auth/oauth2/login', 'GET /auth/oauth2/callback']);
    });
});

/* --- the page ------------------------------------------------------------ */

describe('the page', () => {
    const BASE = '/a/b';
    let parley;
    let browser;

    before(async () => {
        parley = await startParley({ basePath: BASE });
        browser = await startBrowser();
    });
    after(async () => {
        await browser?.stop();
        await parley?.stop();
    });

    const open = async (hash = '', options = {}) => {
        const page = await (await browser.window(options)).newPage();
        const tab = new Tab(page, new URL(parley.url).origin);
        await page.goto(`${parley.url}/api/docs${hash}`);
        await page.waitForSelector('.operation');
        return tab;
    };

    test('shows every operation, below a folder of the site', async () => {
        const tab = await open();
        assert.equal(await tab.page.locator('.operation').count(),
            operations().length);
        for (const line of await tab.page.locator('.operation').all())
            await line.locator('> summary').click();
        for (const { op, address } of operations()) {
            const text = await tab.page.locator(`#${op.operationId}`)
                .innerText();
            assert.ok(text.includes(address) && text.includes(op.summary));
            for (const status of Object.keys(op.responses))
                assert.ok(text.includes(status), `${address} ${status}`);
        }
        assert.deepEqual(tab.complaints, []);
    });

    test('shows how to call one, and it is so', async () => {
        const tab = await open('#chat');
        const command = await tab.page.locator('#chat pre').first()
            .innerText();
        const out = execFileSync('sh', ['-c', `${command.trim()} -s`],
            { encoding: 'utf8' });
        assert.equal(JSON.parse(out).session_id, 'my-session');
    });

    test('opens what is inside of a member', async () => {
        const tab = await open('#getStatus');
        const line = tab.page.locator('#getStatus');
        await line.locator('.replies summary').first().click();
        await line.locator('summary', { hasText: 'providers' }).click();
        await line.locator('code', { hasText: 'circuit' }).first().waitFor();
        assert.deepEqual(tab.complaints, []);
    });

    test('finds operations by words', async () => {
        const tab = await open();
        await tab.page.fill('#filter', 'session fork');
        const shown = tab.page.locator('.operation:visible');
        assert.equal(await shown.count(), 1);
        assert.equal(await shown.getAttribute('id'), 'forkSession');
        await tab.page.fill('#filter', 'nothing has this');
        assert.equal(await shown.count(), 0);
        assert.match(await tab.page.innerText('#state'), /No operation/);
        await tab.page.fill('#filter', '');
        assert.equal(await shown.count(), operations().length);
    });

    test('fits on a phone, in the dark', async () => {
        const tab = await open('#chat',
            { viewport: { width: 360, height: 640 }, colorScheme: 'dark' });
        const { width, background } = await tab.page.evaluate(() => ({
            width: document.documentElement.scrollWidth,
            background: getComputedStyle(document.body).backgroundColor,
        }));
        assert.equal(width, 360);
        assert.equal(background, 'rgb(23, 24, 26)');
        assert.deepEqual(tab.complaints, []);
    });

    test('has the colours that were chosen in the chat', async () => {
        const tab = await open();
        await tab.page.evaluate((mount) => localStorage.setItem(
            `parley ${mount}/ theme`, '"dark"'), BASE);
        await tab.page.reload();
        assert.equal(await tab.page.evaluate(() =>
            document.documentElement.dataset.theme), 'dark');
    });
});
