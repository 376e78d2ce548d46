/* Temporary chats: by their id they are chats as any, nothing lists or finds
 * them, they end, and no file and no line of the log ever has a word of them. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { EventSource } from 'eventsource';
import { ask, askEvents, assertError, attach, call, messagesOf, newSession,
    postJson, serving } from '../lib/client.js';
import { replyEvents, SSE_HEAD, textEvent } from '../lib/openai_bytes.js';
import { echo, hold, lastMessage, startReplay } from '../lib/replay.js';
import { startParley } from '../lib/server.js';
import { assertWholeTurn, openEvents } from '../lib/sse.js';
import { until } from '../lib/wait.js';

const json = { 'content-type': 'application/json' };
const send = (method) => (parley, at, body) => call(parley, at,
    { method, headers: json,
        body: body === undefined ? undefined : JSON.stringify(body) });
const patch = send('PATCH');
const remove = send('DELETE');
const session = (parley, id) => call(parley, `/sessions/${id}`);
const texts = async (parley, id, query) =>
    (await messagesOf(parley, id, query)).map((m) => m.content);
/* What the model says: what it was told, so that it is in the answer too. */
const repeating = echo((rq) => `You said: ${lastMessage(rq)}`);
const temporary = (parley, message, session_id = newSession(), more = {}) =>
    ask(parley, { message, session_id, temporary: true, ...more });

/* All files of a folder. */
function filesOf(folder) {
    return fs.readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((e) => e.isFile())
        .map((e) => path.join(e.parentPath, e.name));
}

/* What a file holds; nothing when the server that comes back after a kill
 * has just removed it (SQLite's -shm and -wal come and go). */
function bytesOf(file) {
    try {
        return fs.readFileSync(file);
    } catch (error) {
        if (error.code === 'ENOENT')
            return Buffer.alloc(0);
        throw error;
    }
}

/* Where any of the words is to be read: in a file or in the log. Long texts
 * may lie in pieces, so a word is short. */
function placesOf(parley, words) {
    return [...filesOf(parley.dataDir), parley.logFile].flatMap((file) => {
        const bytes = bytesOf(file);
        return words.filter((w) => bytes.includes(w) ||
            bytes.includes(Buffer.from(w, 'utf16le')))
            .map((w) => `${w} in ${path.relative(parley.folder, file)}`);
    });
}

const assertNowhere = (parley, words) =>
    assert.deepEqual(placesOf(parley, words), []);

describe('a temporary chat', () => {
    let parley;
    let replay;

    before(async () => {
        replay = await startReplay(repeating);
        parley = await startParley({ env: { ...replay.env(),
            LIST_ANONYMOUS: 'all' } });
    });
    after(async () => {
        await parley?.stop();
        await replay?.stop();
    });

    test('goes on by its id, said again or not', async () => {
        const session_id = newSession();
        const one = await temporary(parley, 'one', session_id);
        assert.equal(one.session_id, session_id);
        const two = await ask(parley, { message: 'two', session_id });
        await temporary(parley, 'three', session_id);
        assert.deepEqual(await texts(parley, session_id), ['one',
            'You said: one', 'two', 'You said: two', 'three',
            'You said: three']);
        assert.deepEqual(replay.about('three').at(-1).body.messages
            .filter((m) => m.role !== 'system').map((m) => m.content),
        ['one', 'You said: one', 'two', 'You said: two', 'three']);
        const r = await session(parley, session_id);
        assert.equal(r.status, 200, r.text);
        assert.equal(r.body.temporary, true);
        assert.equal(r.body.title, 'One');
        assert.equal(r.body.conversation_length, 6);
        for (const turn of [one.turn_id, two.turn_id]) {
            const state = await call(parley, `/chat/turns/${turn}`);
            assert.equal(state.body.state, 'ended', state.text);
            assertWholeTurn(await (await attach(parley, turn)).all());
        }
    });

    test('can be begun in a form, in a query and as a session', async () => {
        const form = await call(parley, '/chat', { method: 'POST',
            headers: { 'content-type': 'application/x-www-form-urlencoded' },
            body: 'message=hello&temporary=1' });
        assert.equal(form.status, 200, form.text);
        const id = newSession();
        await (await openEvents(`${parley.url}/chat/stream?message=hello` +
            `&session_id=${id}&temporary=1`)).all();
        const made = await postJson(parley, '/sessions', { temporary: true,
            title: 'Mine', context: 'Be brief.', tags: ['x'] });
        assert.equal(made.status, 201, made.text);
        assert.equal(made.body.temporary, true);
        assert.equal(made.body.context, 'Be brief.');
        for (const s of [form.body.session_id, id, made.body.session_id])
            assert.equal((await session(parley, s)).body.temporary, true);
        assertError(await postJson(parley, '/chat', { message: 'x',
            temporary: 'yes' }), 400);
    });

    test('is changed, branched, copied out and carried on as any', async () => {
        const session_id = newSession();
        const one = await temporary(parley, 'one', session_id);
        const r = await patch(parley, `/sessions/${session_id}`, {
            title: 'Renamed', context: 'Be brief.', pinned: true,
            temporary: true });
        assert.equal(r.status, 200, r.text);
        assert.equal(r.body.title, 'Renamed');
        await ask(parley, { message: 'two', session_id,
            parent_message_id: one.message_id });
        assert.match(JSON.stringify(replay.about('two').at(-1).body),
            /Be brief\./);
        const [question] = await messagesOf(parley, session_id);
        await ask(parley, { message: 'other', session_id,
            parent_message_id: question.id });
        assert.deepEqual(await texts(parley, session_id),
            ['other', 'You said: other']);
        const file = await call(parley,
            `/sessions/${session_id}/export?format=md`);
        assert.equal(file.status, 200, file.text);
        assert.match(file.text, /You said: other/);
        assert.equal((await postJson(parley,
            `/messages/${one.message_id}/feedback`,
            { rating: 1 })).status, 200);
    });

    test('takes commands, and is not stored by them', async () => {
        const session_id = newSession();
        const set = await temporary(parley, '/setcontext text="Be kind."',
            session_id);
        assert.equal(set.result?.status ?? set.status, 'success',
            JSON.stringify(set));
        assert.equal((await session(parley, session_id)).body.temporary, true);
        await ask(parley, { message: 'one', session_id });
        const history = await ask(parley, { message: '/history', session_id });
        assert.match(history.message, /You said: one/);
        await ask(parley, { message: '/clear', session_id });
        assert.deepEqual(await texts(parley, session_id), []);
        const s = (await session(parley, session_id)).body;
        assert.equal(s.temporary, true);
        assert.equal(s.context, 'Be kind.');
        await ask(parley, { message: '/forget', session_id });
        assertError(await session(parley, session_id), 404);
    });

    test('is resumed, stopped and asked once', async () => {
        const session_id = newSession();
        const script = hold(SSE_HEAD + textEvent('first ') +
            textEvent('second'));
        replay.on('held', script);
        const reading = await askEvents(parley, { message: 'held', session_id,
            temporary: true });
        const first = await reading.event('response_chunk');
        await script.started;
        await reading.close();
        const again = await attach(parley, first.turn, `${first.turn}.1`);
        assert.equal((await again.event('response_chunk')).seq, 2);
        const stop = await postJson(parley, '/chat/stop',
            { turn_id: first.turn });
        assert.equal(stop.status, 200, stop.text);
        assert.equal((await again.all()).at(-1).type, 'response_cancelled');
        const key = { 'idempotency-key': 'the-same' };
        const one = await ask(parley, { message: 'once', session_id }, key);
        const two = await ask(parley, { message: 'once', session_id }, key);
        assert.equal(two.turn_id, one.turn_id);
        assert.equal(replay.about('once').length, 1);
    });

    test('serves /v1 too', async () => {
        const session_id = newSession();
        await temporary(parley, 'one', session_id);
        const r = await postJson(parley, '/v1/chat/completions', {
            model: 'replay-1',
            messages: [{ role: 'user', content: 'by the library' }] },
        { 'x-parley-session': session_id });
        assert.equal(r.status, 200, r.text);
        assert.deepEqual(await texts(parley, session_id), ['one',
            'You said: one', 'by the library', 'You said: by the library']);
        assert.equal((await session(parley, session_id)).body.temporary, true);
    });

    test('is seen by another device', async () => {
        const session_id = newSession();
        await temporary(parley, 'one', session_id);
        const source = new EventSource(
            `${parley.url}/sessions/${session_id}/events`);
        const seen = { state: [], added: [], deleted: [] };
        const take = (name, list, what) => source.addEventListener(name,
            (e) => list.push(what(JSON.parse(e.data))));
        take('session', seen.state, (d) => d.session.temporary);
        take('message_added', seen.added, (d) => d.message.content);
        take('session_deleted', seen.deleted, (d) => d.session_id);
        try {
            await until('its state', () => seen.state.length > 0);
            assert.equal(seen.state[0], true);
            await ask(parley, { message: 'two', session_id });
            await until('both messages', () => seen.added.length === 2);
            assert.deepEqual(seen.added, ['two', 'You said: two']);
            await remove(parley, `/sessions/${session_id}`);
            await until('its end', () => seen.deleted.length > 0);
        } finally {
            source.close();
        }
    });

    test('is listed, found and exported nowhere', async () => {
        const kept = newSession();
        const session_id = newSession();
        await ask(parley, { message: 'marigold kept', session_id: kept });
        await temporary(parley, 'marigold hidden', session_id);
        const all = await call(parley, '/sessions?limit=500&archived=any');
        const ids = all.body.sessions.map((s) => s.session_id);
        assert.ok(ids.includes(kept));
        assert.ok(!ids.includes(session_id));
        await until('the stored one to be found', async () =>
            (await call(parley, '/sessions?q=marigold')).body.sessions
                .some((s) => s.session_id === kept));
        const found = await call(parley, '/sessions?q=marigold');
        assert.deepEqual(found.body.sessions.map((s) => s.session_id), [kept]);
        const file = await call(parley, '/export');
        assert.match(file.text, /marigold kept/);
        assert.doesNotMatch(file.text, /marigold hidden/);
    });

    test('is kept as a copy, if that is wanted', async () => {
        const session_id = newSession();
        await temporary(parley, 'worth it', session_id,
            { context: 'for this turn' });
        await patch(parley, `/sessions/${session_id}`, { title: 'Good' });
        const r = await postJson(parley, `/sessions/${session_id}/fork`, {});
        assert.equal(r.status, 201, r.text);
        assert.equal(r.body.temporary, false);
        assert.equal(r.body.title, 'Good');
        assert.deepEqual(await texts(parley, r.body.session_id),
            ['worth it', 'You said: worth it']);
        assert.ok((await call(parley, '/sessions?limit=500')).body.sessions
            .some((s) => s.session_id === r.body.session_id));
        await remove(parley, `/sessions/${session_id}`);
        assert.deepEqual(await texts(parley, r.body.session_id),
            ['worth it', 'You said: worth it']);
    });

    test('is gone when it is deleted', async () => {
        const session_id = newSession();
        const { turn_id } = await temporary(parley, 'one', session_id);
        assert.deepEqual((await remove(parley, `/sessions/${session_id}`)).body,
            { deleted: true, session_id });
        for (const at of [`/sessions/${session_id}`,
            `/sessions/${session_id}/messages`, `/chat/turns/${turn_id}`,
            `/chat/stream?turn_id=${turn_id}`])
            assertError(await call(parley, at), 404);
        assertError(await remove(parley, `/sessions/${session_id}`), 404);
    });

    test('is not made of a stored one', async () => {
        const session_id = newSession();
        await ask(parley, { message: 'stored', session_id });
        for (const message of ['more', '/history'])
            assertError(await postJson(parley, '/chat', { message, session_id,
                temporary: true }), 422, 'not_temporary');
        assertError(await postJson(parley, '/chat', { message: 'more',
            session_id, temporary: true, stream: true }), 422, 'not_temporary');
        assertError(await patch(parley, `/sessions/${session_id}`,
            { temporary: true }), 422, 'not_temporary');
        assertError(await postJson(parley, '/sessions', { session_id,
            temporary: true }), 409, 'session_exists');
        assert.equal((await session(parley, session_id)).body.temporary, false);
        assert.deepEqual(await texts(parley, session_id),
            ['stored', 'You said: stored']);
        const id = newSession();
        await temporary(parley, 'x', id);
        assertError(await patch(parley, `/sessions/${id}`,
            { temporary: false }), 422, 'is_temporary');
    });
});

describe('a word that is only said in a temporary chat', () => {
    /* In the question, the answer, the context, the title, a tag, a key, the
     * session's own id, a command, an answer that fails and one that is cut. */
    const words = ['vermilion', 'VRML-key', 'VRML-session'];
    const session_id = 'VRML-session-1';
    let replay;

    async function saySo(parley) {
        replay.always(repeating);
        await temporary(parley, 'vermilion question', session_id,
            { client_message_id: 'VRML-key-of-some-length' });
        await patch(parley, `/sessions/${session_id}`, {
            title: 'vermilion title', context: 'vermilion context',
            tags: ['vermilion'] });
        await ask(parley, { message: 'vermilion again', session_id });
        await ask(parley, { message: '/history', session_id });
        await ask(parley, { message: '/setcontext text="vermilion command"',
            session_id });
        const [question, answer] = await messagesOf(parley, session_id);
        await ask(parley, { message: 'vermilion branch', session_id,
            parent_message_id: question.id });
        await postJson(parley, `/messages/${answer.id}/feedback`,
            { rating: 1, comment: 'vermilion comment' });
        await call(parley, `/sessions/${session_id}/export?format=json`);
        await (await openEvents(`${parley.url}/chat/stream?temporary=1` +
            `&session_id=${session_id}-2&message=vermilion+stream`)).all();
        await ask(parley, { message: 'vermilion deleted', temporary: true,
            session_id: `${session_id}-3` });
        await remove(parley, `/sessions/${session_id}-3`);
        await ask(parley, { message: 'an ordinary word: cerulean' });
    }

    /* An answer that is being written. */
    async function beginAnswer(parley) {
        const script = hold(SSE_HEAD + textEvent('vermilion half'));
        replay.on('vermilion hold', script);
        const reading = await askEvents(parley, {
            message: 'vermilion hold', session_id });
        await reading.event('response_chunk');
        return { script, reading };
    }

    before(async () => { replay = await startReplay(repeating); });
    after(async () => { await replay?.stop(); });
    const start = () => startParley({ env: { ...replay.env(), SHUTDOWN_MS: '0',
        CACHE_TTL_S: '60', LOG_LEVEL: 'debug', STREAM_GRACE_MS: '100' } });
    const toBeFound = (parley) => until('the index to have an ordinary word',
        async () => (await call(parley, '/sessions?q=cerulean')).body.sessions
            .length > 0);

    test('is in no file and no log, while it runs and after SIGTERM',
        async () => {
            const parley = await start();
            try {
                await saySo(parley);
                await toBeFound(parley);
                for (const part of ['store', 'streams', 'search'])
                    assert.ok(placesOf(parley, ['cerulean'])
                        .some((p) => p.includes(`/${part}/`)), part);
                assertNowhere(parley, words);
                const { script, reading } = await beginAnswer(parley);
                assertNowhere(parley, words);
                await parley.stopWeb();
                script.release();
                await reading.close();
                assertNowhere(parley, words);
                await parley.start();
                assertError(await session(parley, session_id), 404);
                assertNowhere(parley, words);
            } finally {
                await parley.stop();
            }
        });

    test('is in no file and no log after kill -9', async () => {
        const parley = await start();
        try {
            await saySo(parley);
            const { script, reading } = await beginAnswer(parley);
            const { turn } = reading.events[0];
            await parley.kill9();
            script.release();
            await reading.close();
            assertNowhere(parley, words);
            await serving(parley);
            await toBeFound(parley);
            assertError(await session(parley, session_id), 404);
            assertError(await call(parley, `/chat/stream?turn_id=${turn}`),
                404);
            assertNowhere(parley, words);
        } finally {
            await parley.stop();
        }
    });

    test('is not in an answer that is given again', async () => {
        const parley = await start();
        try {
            for (let i = 0; i < 2; i++)
                await ask(parley, { message: 'vermilion twice',
                    temporary: true });
            await ask(parley, { message: 'vermilion twice' });
            assert.equal(replay.about('vermilion twice').length, 3);
        } finally {
            await parley.stop();
        }
    });

    test('is gone with the process that answers one request', async () => {
        const parley = await startParley({ door: 'lighttpd-cgi',
            env: replay.env() });
        try {
            const { session_id: id } = await ask(parley,
                { message: 'vermilion CGI', temporary: true });
            assert.deepEqual(await texts(parley, id), ['vermilion CGI',
                'You said: vermilion CGI']); /* an engine keeps it */
            await parley.kill9();
            assertError(await session(parley, id), 404);
            assertNowhere(parley, words);
        } finally {
            await parley.stop();
        }
    });
});

describe('the time of a temporary chat', () => {
    test('is over when it is not used', async () => {
        const parley = await startParley({ env: { TEMPORARY_TTL: '1' } });
        try {
            const session_id = newSession();
            const { turn_id } = await temporary(parley, 'one', session_id);
            const stored = await ask(parley, { message: 'stored' });
            await until('it to be gone', async () =>
                (await session(parley, session_id)).status === 404);
            assertError(await call(parley, `/chat/turns/${turn_id}`), 404);
            const r = await session(parley, stored.session_id);
            assert.equal(r.status, 200, r.text);
            /* and its id can be had again */
            await temporary(parley, 'two', session_id);
            assert.equal((await texts(parley, session_id))[0], 'two');
        } finally {
            await parley.stop();
        }
    });
});

describe('the room for temporary chats', () => {
    let replay;

    before(async () => { replay = await startReplay(repeating); });
    after(async () => { await replay?.stop(); });

    test('has an end, which harms nothing else', async () => {
        const parley = await startParley({ env: { ...replay.env(),
            TEMPORARY_MIB: '1' } });
        try {
            const session_id = newSession();
            const big = 'x'.repeat(100 * 1024);
            let r;
            for (let i = 0; i < 20; i++) {
                r = await postJson(parley, '/chat', { message: big, session_id,
                    temporary: true });
                if (r.status !== 200)
                    break;
            }
            assertError(r, 503, 'temporary_full');
            const pairs = await messagesOf(parley, session_id);
            assert.equal(pairs.length % 2, 0);
            const stored = await ask(parley, { message: 'stored' });
            assert.equal(stored.message, 'You said: stored');
            await remove(parley, `/sessions/${session_id}`);
            await temporary(parley, big);
        } finally {
            await parley.stop();
        }
    });

    test('is that of contexts, too', async () => {
        const parley = await startParley({ env: { TEMPORARY_MIB: '1' } });
        try {
            const context = 'y'.repeat(64 * 1024);
            const made = [];
            let r;
            for (let i = 0; i < 20; i++) {
                r = await postJson(parley, '/sessions',
                    { temporary: true, context });
                if (r.status !== 201)
                    break;
                made.push(r.body.session_id);
            }
            assertError(r, 503, 'temporary_full');
            assert.ok(Number(r.headers.get('retry-after')) > 0);
            assert.ok(made.length > 10);
            const small = await postJson(parley, '/sessions',
                { temporary: true });
            assert.equal(small.status, 201, small.text);
            const at = `/sessions/${small.body.session_id}`;
            assertError(await patch(parley, at, { context }), 503,
                'temporary_full');
            assert.equal((await call(parley, at)).body.context, '');
            await remove(parley, `/sessions/${made[0]}`);
            assert.equal((await patch(parley, at, { context })).status, 200);
        } finally {
            await parley.stop();
        }
    });

    test('ends an answer that does not fit with what there is', async () => {
        const parley = await startParley({ env: { ...replay.env(),
            TEMPORARY_MIB: '1' } });
        try {
            const piece = 'z'.repeat(200 * 1024);
            replay.on('long', async (peer) => peer.end(SSE_HEAD +
                replyEvents(Array(20).fill(piece)).join('')));
            const session_id = newSession();
            const reading = await askEvents(parley, { message: 'long',
                session_id, temporary: true });
            const events = await reading.all();
            assertWholeTurn(events);
            assert.equal(events.at(-1).type, 'error');
            assert.equal(events.at(-1).data.code, 'temporary_full');
            const [, answer] = await messagesOf(parley, session_id);
            assert.equal(answer.finish_reason, 'incomplete');
            await remove(parley, `/sessions/${session_id}`);
            await temporary(parley, 'short');
        } finally {
            await parley.stop();
        }
    });

    test('may be none', async () => {
        const parley = await startParley({ env: { TEMPORARY_MIB: '0' } });
        try {
            const session_id = newSession();
            for (const message of ['one', '/help'])
                assertError(await postJson(parley, '/chat', { message,
                    session_id, temporary: true }), 422, 'temporary_off');
            assertError(await postJson(parley, '/sessions',
                { session_id, temporary: true }), 422, 'temporary_off');
            assertError(await session(parley, session_id), 404);
            await ask(parley, { message: 'one', session_id,
                temporary: false });
            assert.equal((await session(parley, session_id)).body.temporary,
                false);
        } finally {
            await parley.stop();
        }
    });
});
