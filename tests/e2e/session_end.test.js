/* How sessions end: deleted, one or all; out of time; and how many there may
 * be, who sees them, and what is left of one that is gone: nothing. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ask, askEvents, assertError, attach, call, messagesOf, newSession,
    postJson } from '../lib/client.js';
import { replyEvents, replyWire, SSE_HEAD } from '../lib/openai_bytes.js';
import { hold, startReplay, whole } from '../lib/replay.js';
import { startParley } from '../lib/server.js';
import { inParallel, until, within } from '../lib/wait.js';

const json = { 'content-type': 'application/json' };
const send = (method) => (parley, path, body, headers = {}) => call(parley,
    path, { method, headers: { ...json, ...headers },
        body: body === undefined ? undefined : JSON.stringify(body) });
const patch = send('PATCH');
const remove = send('DELETE');
const sessionPath = (id) => `/sessions/${id}`;
const ids = async (parley, query = '', headers = {}) => {
    const r = await call(parley, `/sessions${query}`, { headers });
    assert.equal(r.status, 200, r.text);
    return r.body.sessions.map((s) => s.session_id);
};
const soon = (ms) => new Date(Date.now() + ms).toISOString();
const gone = (parley, id) => until(`${id} to be gone`, async () =>
    (await call(parley, sessionPath(id))).status === 404);

/* No request shows anything of it any more. */
async function assertGone(parley, session_id, turns = []) {
    for (const path of ['', '/messages', '/messages?leaf=' + (turns[0] ?? '')])
        assertError(await call(parley, sessionPath(session_id) + path), 404);
    assertError(await patch(parley, sessionPath(session_id), { title: 'x' }),
        404, 'session_not_found');
    for (const turn of turns)
        for (const path of [`/chat/turns/${turn}`,
            `/chat/turns/${turn}/context`, `/chat/stream?turn_id=${turn}`,
            `/chat/events?turn_id=${turn}`])
            assertError(await call(parley, path), 404);
    assert.ok(!(await ids(parley, '?limit=500&archived=any'))
        .includes(session_id));
}

describe('deleting a session', () => {
    let parley;
    let replay;

    before(async () => {
        replay = await startReplay(whole(replyWire(['Yes.'])));
        parley = await startParley({ env: replay.env() });
    });
    after(async () => {
        await parley?.stop();
        await replay?.stop();
    });

    test('leaves nothing that could be asked for', async () => {
        const session_id = newSession();
        const turns = [];
        await postJson(parley, '/sessions',
            { session_id, context: 'Be brief.', tags: ['x'] });
        for (const message of ['one', 'two'])
            turns.push((await ask(parley, { message, session_id })).turn_id);
        const r = await remove(parley, sessionPath(session_id));
        assert.equal(r.status, 200, r.text);
        assert.deepEqual(r.body, { deleted: true, session_id });
        await assertGone(parley, session_id, turns);
        assertError(await remove(parley, sessionPath(session_id)), 404,
            'session_not_found');
    });

    test('leaves nothing in another of the same id either', async () => {
        const session_id = newSession();
        await postJson(parley, '/sessions', { session_id, title: 'Old',
            context: 'You are a pirate.', tags: ['x'], pinned: true });
        const old = await ask(parley, { message: 'secret-word', session_id },
            { 'idempotency-key': 'k' });
        await remove(parley, sessionPath(session_id));
        const r = await ask(parley, { message: 'another', session_id },
            { 'idempotency-key': 'k' });
        assert.notEqual(r.turn_id, old.turn_id, 'the key is forgotten');
        assert.equal(r.conversation_length, 2);
        const sent = replay.about('another').at(-1).text;
        assert.ok(!/secret-word|pirate/.test(sent), sent);
        const { body } = await call(parley, sessionPath(session_id));
        assert.equal(body.title, 'Another');
        assert.equal(body.context, '');
        assert.deepEqual(body.tags, []);
        assert.equal(body.pinned, false);
        assert.deepEqual((await messagesOf(parley, session_id))
            .map((m) => m.content), ['another', 'Yes.']);
    });

    test('ends the turn that runs, for its provider and its readers',
        async () => {
            const session_id = newSession();
            const script = hold(SSE_HEAD +
                replyEvents(['Never ', 'ending']).slice(0, 3).join(''));
            replay.on('never ends', script);
            const s = await askEvents(parley,
                { message: 'never ends', session_id });
            const peer = await script.started;
            await s.event((e) => e.type === 'response_chunk');
            const waits = postJson(parley, '/chat',
                { message: 'behind it', session_id });
            const { turn } = s.events[0];
            await until('the second to wait', async () => (await call(parley,
                '/status')).body.active_connections !== undefined);
            const r = await remove(parley, sessionPath(session_id));
            assert.equal(r.status, 200, r.text);
            await within('the provider to be left', peer.closed);
            const events = await s.all();
            assert.match(events.at(-1).type, /^(error|response_cancelled)$/);
            /* It was refused, or came too late to be: then it is new. */
            const second = await waits;
            assert.ok([200, 409].includes(second.status), second.text);
            if (second.status === 200)
                await remove(parley, sessionPath(session_id));
            await until('its stream to be gone', async () =>
                (await call(parley, `/chat/stream?turn_id=${turn}`))
                    .status === 404);
            await assertGone(parley, session_id, [turn]);
        });

    test('a reader that comes back to it is told', async () => {
        const session_id = newSession();
        const { turn_id } = await ask(parley, { message: 'bye', session_id });
        await remove(parley, sessionPath(session_id));
        assert.equal((await attach(parley, turn_id, `${turn_id}.1`)).status,
            404);
    });

    test('all of them: only if it is confirmed', async () => {
        await ask(parley, { message: 'stays' });
        const before = await ids(parley, '?archived=any');
        for (const body of [undefined, {}, { confirm: false },
            { confirm: null }])
            assertError(await remove(parley, '/sessions', body), 400,
                'not_confirmed');
        for (const body of [{ confirm: 'true' }, { confirm: 1 }, [], 'text'])
            assertError(await remove(parley, '/sessions', body), 400);
        assert.deepEqual(await ids(parley, '?archived=any'), before);
    });

    test('all of them: more than are looked at in one go', async () => {
        const had = (await ids(parley, '?limit=500&archived=any')).length;
        await inParallel(Array.from({ length: 130 }), 16, (_, i) =>
            postJson(parley, '/sessions', { archived: i % 2 === 0 }));
        const r = await remove(parley, '/sessions', { confirm: true });
        assert.equal(r.status, 200, r.text);
        assert.deepEqual(r.body, { deleted: had + 130 });
        assert.deepEqual(await ids(parley, '?archived=any'), []);
        assert.deepEqual((await remove(parley, '/sessions',
            { confirm: true })).body, { deleted: 0 });
    });

    test('is still done after a restart', async () => {
        const kept = await ask(parley, { message: 'kept' });
        const lost = await ask(parley, { message: 'lost' });
        await remove(parley, sessionPath(lost.session_id));
        await parley.stopWeb();
        await parley.start();
        await assertGone(parley, lost.session_id, [lost.turn_id]);
        assert.deepEqual(await ids(parley), [kept.session_id]);
    });
});

describe('a session whose time is over', () => {
    let parley;
    let replay;

    before(async () => {
        replay = await startReplay(whole(replyWire(['Yes.'])));
        parley = await startParley({ env: replay.env() });
    });
    after(async () => {
        await parley?.stop();
        await replay?.stop();
    });

    async function expired(fields = {}) {
        const session_id = newSession();
        const { turn_id } = await ask(parley,
            { message: 'old-words', session_id });
        const r = await patch(parley, sessionPath(session_id),
            { ...fields, expires_at: soon(300) });
        assert.equal(r.status, 200, r.text);
        await gone(parley, session_id);
        return { session_id, turn_id };
    }

    test('is not there at once', async () => {
        const { session_id, turn_id } = await expired();
        assertError(await call(parley, `${sessionPath(session_id)}/messages`),
            404, 'session_not_found');
        assertError(await patch(parley, sessionPath(session_id),
            { expires_at: null }), 404, 'session_not_found');
        assertError(await call(parley, `/chat/turns/${turn_id}`), 404);
        assert.ok(!(await ids(parley)).includes(session_id));
    });

    test('makes room for a new one by a message', async () => {
        const { session_id, turn_id } = await expired(
            { context: 'You are a pirate.', title: 'Old' });
        const r = await ask(parley, { message: 'new-words', session_id });
        assert.equal(r.conversation_length, 2);
        assert.ok(!/old-words|pirate/.test(
            replay.about('new-words').at(-1).text));
        const { body } = await call(parley, sessionPath(session_id));
        assert.equal(body.expires_at, null);
        assert.equal(body.title, 'New-words');
        assert.equal(body.context, '');
        assertError(await call(parley, `/chat/turns/${turn_id}`), 404);
    });

    test('makes room for a new one that is made', async () => {
        const { session_id } = await expired();
        const r = await postJson(parley, '/sessions', { session_id });
        assert.equal(r.status, 201, r.text);
        assert.equal(r.body.conversation_length, 0);
        assert.equal(r.body.expires_at, null);
    });

    test('makes room for many messages at once', async () => {
        const { session_id } = await expired();
        const got = await inParallel(Array.from({ length: 10 }), 10,
            (_, i) => ask(parley, { message: `after ${i}`, session_id }));
        assert.deepEqual(got.map((r) => r.conversation_length)
            .sort((a, b) => a - b), got.map((_, i) => 2 * i + 2));
    });

    test('cannot be one that was over before', async () => {
        const { session_id } = await ask(parley, { message: 'stays' });
        for (const expires_at of [soon(-1000), '1970-01-01T00:00:00Z',
            '1969-12-31T00:00:00Z'])
            assertError(await patch(parley, sessionPath(session_id),
                { expires_at }), 400, 'invalid_expires_at');
        assert.equal((await call(parley, sessionPath(session_id))).status, 200);
    });
});

describe('SESSION_TTL', () => {
    let parley;

    before(async () => {
        parley = await startParley({ env: { SESSION_TTL: '4' } });
    });
    after(async () => { await parley?.stop(); });

    test('counts from the last use; a time of its own goes before it',
        async () => {
            const idle = await ask(parley, { message: 'idle' });
            const own = await ask(parley, { message: 'own' });
            const used = await ask(parley, { message: 'used' });
            await patch(parley, sessionPath(own.session_id),
                { expires_at: soon(3600000) });
            let length = 2;
            await until('the idle one to be gone', async () => {
                const r = await ask(parley, { message: 'used again',
                    session_id: used.session_id });
                assert.equal(r.conversation_length, length += 2);
                return (await call(parley, sessionPath(idle.session_id)))
                    .status === 404;
            });
            for (const { session_id } of [own, used])
                assert.equal((await call(parley, sessionPath(session_id)))
                    .status, 200);
            assert.deepEqual((await ids(parley)).sort(),
                [own.session_id, used.session_id].sort());
            await gone(parley, used.session_id);
            const r = await ask(parley,
                { message: 'new', session_id: idle.session_id });
            assert.equal(r.conversation_length, 2);
        });
});

describe('how many there may be', () => {
    let parley;

    before(async () => {
        parley = await startParley({ env: {
            MAX_SESSIONS: '3', MAX_MESSAGES: '4' } });
    });
    after(async () => { await parley?.stop(); });

    const assertLimit = (r, code) => {
        assertError(r, 429, code);
        assert.match(r.headers.get('retry-after') ?? '', /^\d+$/);
    };

    test('messages of a session, on all its branches', async () => {
        const session_id = newSession();
        const one = await ask(parley, { message: 'one', session_id });
        await ask(parley, { message: 'two', session_id });
        for (const fields of [{}, { parent_message_id: one.message_id }])
            assertLimit(await postJson(parley, '/chat',
                { message: 'three', session_id, ...fields }), 'session_full');
        assert.deepEqual((await messagesOf(parley, session_id))
            .filter((m) => m.role === 'user').map((m) => m.content),
        ['one', 'two']);
        /* Commands are not messages, and this one makes room. */
        await ask(parley, { message: '/clear', session_id });
        await ask(parley, { message: 'three', session_id });
        await remove(parley, sessionPath(session_id));
    });

    test('sessions, however they are made', async () => {
        const own = [];
        for (let i = 0; i < 3; i++)
            own.push((await ask(parley, { message: 'Hi' })).session_id);
        assertLimit(await postJson(parley, '/chat', { message: 'Hi' }),
            'too_many_sessions');
        assertLimit(await postJson(parley, '/sessions', {}),
            'too_many_sessions');
        assert.equal((await ids(parley)).length, 3);
        await ask(parley, { message: 'Hi', session_id: own[0] });
        await remove(parley, sessionPath(own[0]));
        const r = await postJson(parley, '/sessions', {});
        assert.equal(r.status, 201, r.text);
        assertLimit(await postJson(parley, '/chat', { message: 'Hi' }),
            'too_many_sessions');
    });
});

describe('who sees the list without signing in', () => {
    const HEADERS = [{}, { 'x-forwarded-for': '203.0.113.9' },
        { forwarded: 'for=203.0.113.9' }, { 'x-real-ip': '203.0.113.9' }];

    for (const [who, local, far] of [['local', true, false],
        ['all', true, true], ['none', false, false]])
        test(`LIST_ANONYMOUS=${who}`, async () => {
            const parley = await startParley({ env: { LIST_ANONYMOUS: who } });
            try {
                const { session_id } = await ask(parley, { message: 'Hi' });
                for (const headers of HEADERS) {
                    const sees = headers === HEADERS[0] ? local : far;
                    assert.deepEqual(await ids(parley, '', headers),
                        sees ? [session_id] : []);
                    /* By its id everybody finds it. */
                    const r = await call(parley, sessionPath(session_id),
                        { headers });
                    assert.equal(r.status, 200, r.text);
                    if (!sees)
                        assert.deepEqual((await remove(parley, '/sessions',
                            { confirm: true }, headers)).body, { deleted: 0 });
                }
                assert.equal((await call(parley, sessionPath(session_id)))
                    .status, 200);
            } finally {
                await parley.stop();
            }
        });
});
