/* Two devices on one session see each other: GET /sessions/{id}/events. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';
import { createParser } from 'eventsource-parser';
import { EventSource } from 'eventsource';
import { ask, attach, call, messagesOf, newSession, postJson, serving,
    TIMESTAMP, UUID } from '../lib/client.js';
import { replyEvents, replyWire, SSE_HEAD } from '../lib/openai_bytes.js';
import { hold, startReplay, whole } from '../lib/replay.js';
import { answerOne } from '../lib/one.js';
import { rawRequest, tearingProxy } from '../lib/raw.js';
import { startParley } from '../lib/server.js';
import { until } from '../lib/wait.js';

const TYPES = ['session', 'message_added', 'session_changed',
    'session_cleared', 'session_deleted'];
const ID = /^[0-9a-f]{16}\.(gone|\d+\.([0-9a-f-]{36}|-)\.[0-9a-f]{16})$/;

function eventsUrl(parley, session, query = '') {
    return `${parley.url}/sessions/${session}/events${query}`;
}

function checked(event, session) {
    const data = JSON.parse(event.data);
    assert.equal(data.type, event.type, 'data repeats the event name');
    assert.equal(data.session_id, session);
    assert.match(event.lastEventId, ID);
    return { type: event.type, id: event.lastEventId, data };
}

/* A device: all that a page needs is an EventSource. */
function device(parley, session, url = eventsUrl(parley, session)) {
    const source = new EventSource(url);
    const seen = { source, events: [], losses: 0 };
    source.addEventListener('error', () => { seen.losses++; });
    for (const type of TYPES)
        source.addEventListener(type, (e) =>
            seen.events.push(checked(e, session)));
    seen.types = () => seen.events.map((e) => e.type);
    seen.contents = () => seen.events.filter((e) => e.type === 'message_added')
        .map((e) => e.data.message.content);
    seen.event = (wanted) => until(`the event ${wanted}`, () =>
        seen.events.find(typeof wanted === 'string'
            ? (e) => e.type === wanted : wanted));
    seen.stopped = () => until('EventSource to stop by itself',
        () => source.readyState === EventSource.CLOSED);
    return seen;
}

async function opened(parley, session) {
    const seen = device(parley, session);
    await seen.event('session');
    return seen;
}

/* The events of one request that ends by itself or is cut after `enough`. */
async function readEvents(parley, session, { last, query, enough } = {}) {
    const abort = new AbortController();
    const r = await fetch(eventsUrl(parley, session, query), {
        headers: last === undefined ? {} : { 'last-event-id': last },
        signal: abort.signal,
    });
    const got = { status: r.status, headers: r.headers, events: [],
        comments: [], retry: undefined };
    const parser = createParser({
        onEvent: (m) => got.events.push(checked(
            { type: m.event, data: m.data, lastEventId: m.id }, session)),
        onComment: (c) => got.comments.push(c.trim()),
        onRetry: (ms) => { got.retry = ms; },
    });
    const text = new TextDecoder();
    for await (const bytes of r.body ?? []) {
        parser.feed(text.decode(bytes, { stream: true }));
        if (enough?.(got))
            break;
    }
    abort.abort();
    return got;
}

const change = (parley, session, fields) => call(parley,
    `/sessions/${session}`, { method: 'PATCH', body: JSON.stringify(fields),
        headers: { 'content-type': 'application/json' } });
const remove = (parley, session) =>
    call(parley, `/sessions/${session}`, { method: 'DELETE' });

/* What a device that follows from the beginning holds is what is stored. */
async function assertMirrors(parley, session, seen, before = []) {
    const stored = (await messagesOf(parley, session)).map((m) => m.id);
    const told = seen.events.filter((e) => e.type === 'message_added')
        .map((e) => e.data.message.id);
    assert.deepEqual([...before, ...told], stored);
}

describe('devices', () => {
    let replay;
    let parley;

    before(async () => {
        replay = await startReplay(whole(replyWire(['Hi ', 'there'])));
        parley = await startParley({ env: replay.env() });
    });
    after(async () => {
        await parley?.stop();
        await replay?.stop();
    });

    test('a device is told how the session is, and no old messages',
        async () => {
            const session = newSession();
            const { turn_id } = await ask(parley,
                { message: 'before', session_id: session });
            const got = await readEvents(parley, session,
                { enough: (g) => g.events.length > 0 });
            assert.equal(got.status, 200);
            assert.match(got.headers.get('content-type'),
                /^text\/event-stream/);
            assert.match(got.headers.get('cache-control'), /no-store/);
            assert.equal(got.retry, 1000);
            const [{ type, data }] = got.events;
            assert.equal(type, 'session');
            const [, answer] = await messagesOf(parley, session);
            assert.equal(answer.turn_id, turn_id);
            const listed = (await call(parley, `/sessions/${session}`)).body;
            for (const name of ['session_id', 'title', 'created_at',
                'updated_at', 'conversation_length', 'pinned', 'archived',
                'tags', 'model', 'expires_at', 'open_turn_id'])
                assert.deepEqual(data.session[name], listed[name], name);
            assert.equal(data.session.head, answer.id);
            assert.equal(data.session.has_context, false);
        });

    test('what one device asks the other sees, and can follow at once',
        async () => {
            const session = newSession();
            const script = hold(SSE_HEAD + replyEvents(['one ']).slice(0, 2)
                .join(''));
            replay.on('held question', script);
            await ask(parley, { message: 'first', session_id: session });
            const seen = await opened(parley, session);
            const { body } = await postJson(parley, '/chat', {
                message: 'held question', session_id: session, detach: true });
            const asked = await seen.event('message_added');
            assert.deepEqual(Object.keys(asked.data.message).sort(),
                ['content', 'id', 'role', 'seq', 'timestamp', 'turn_id']);
            assert.equal(asked.data.message.content, 'held question');
            assert.equal(asked.data.message.role, 'user');
            assert.equal(asked.data.message.turn_id, body.turn_id);
            assert.match(asked.data.message.timestamp, TIMESTAMP);
            const stream = await attach(parley,
                asked.data.message.turn_id);
            await stream.event('response_chunk');
            script.release(replyEvents(['one ', 'two']).slice(2).join(''));
            await stream.all();
            const answered = await seen.event((e) =>
                e.data.message?.role === 'assistant');
            const [, , , answer] = await messagesOf(parley, session);
            assert.deepEqual(answered.data.message, answer);
            assert.deepEqual(seen.types(),
                ['session', 'message_added', 'message_added']);
            seen.source.close();
        });

    test('who opens while an answer runs finds its turn', async () => {
        const session = newSession();
        const script = hold(SSE_HEAD);
        replay.on('still running', script);
        const { body } = await postJson(parley, '/chat', {
            message: 'still running', session_id: session, detach: true });
        const seen = await opened(parley, session);
        assert.equal(seen.events[0].data.session.open_turn_id, body.turn_id);
        script.release(replyEvents(['done']).join(''));
        await seen.event('message_added');
        assert.deepEqual(seen.contents(), ['done']);
        seen.source.close();
    });

    test('titles, pins, tags and the like are told, each once', async () => {
        const session = newSession();
        await ask(parley, { message: 'hello', session_id: session });
        const seen = await opened(parley, session);
        const steps = [{ title: 'A name' }, { pinned: true },
            { tags: ['one', 'two'] }, { archived: true },
            { context: 'Be brief.' }, { context: 'Be long.' },
            { context: null }, { expires_at: '2099-01-01T00:00:00.000Z' }];
        for (const [i, step] of steps.entries()) {
            assert.equal((await change(parley, session, step)).status, 200);
            const { data } = await until('the change', () =>
                seen.events[i + 1]);
            assert.equal(data.type, 'session_changed');
            for (const [name, value] of Object.entries(step))
                if (name !== 'context')
                    assert.deepEqual(data.session[name], value);
            assert.equal(data.session.has_context,
                i === 4 || i === 5);
        }
        await change(parley, session, { pinned: true }); /* no news */
        await ask(parley, { message: 'again', session_id: session });
        await until('both messages', () => seen.contents().length === 2);
        assert.equal(seen.events.length, 1 + steps.length + 2);
        seen.source.close();
    });

    test('commands are seen by what they do', async () => {
        const session = newSession();
        await ask(parley, { message: 'hello', session_id: session });
        const seen = await opened(parley, session);
        await ask(parley, { message: '/title Named', session_id: session });
        await seen.event((e) => e.data.session?.title === 'Named');
        await ask(parley, { message: '/clear', session_id: session });
        await seen.event('session_cleared');
        await ask(parley, { message: 'anew', session_id: session });
        await until('both messages', () => seen.contents().length === 2);
        assert.equal(seen.contents()[0], 'anew');
        assert.equal(seen.events.at(-2).data.message.seq, 0);
        seen.source.close();
    });

    test('versions of a question come with their place', async () => {
        const session = newSession();
        await ask(parley, { message: 'first', session_id: session });
        await ask(parley, { message: 'second', session_id: session });
        const [, answer, question] = await messagesOf(parley, session);
        const seen = await opened(parley, session);
        await ask(parley, { message: 'another second', session_id: session,
            parent_message_id: answer.id });
        await until('both', () => seen.contents().length === 2);
        const [q, a] = seen.events.slice(1).map((e) => e.data.message);
        assert.equal(q.parent_id, answer.id);
        assert.deepEqual(q.siblings, [question.id, q.id]);
        assert.equal(a.parent_id, q.id);
        assert.equal(a.siblings, undefined);
        await change(parley, session, { leaf: question.id });
        const { data } = await seen.event('session_changed');
        assert.notEqual(data.session.head, a.id);
        seen.source.close();
    });

    test('a deletion ends the stream, and EventSource stops', async () => {
        const session = newSession();
        await ask(parley, { message: 'hello', session_id: session });
        const seen = await opened(parley, session);
        assert.equal((await remove(parley, session)).status, 200);
        await seen.event('session_deleted');
        await seen.stopped();
        assert.deepEqual(seen.types(), ['session', 'session_deleted']);
        const again = await readEvents(parley, session,
            { last: seen.events.at(-1).id });
        assert.equal(again.status, 404);
    });

    test('another session of that name is told to be another one',
        async () => {
            const session = newSession();
            await ask(parley, { message: 'old', session_id: session });
            const old = await readEvents(parley, session,
                { enough: (g) => g.events.length > 0 });
            await remove(parley, session);
            await ask(parley, { message: 'new', session_id: session });
            const got = await readEvents(parley, session,
                { last: old.events[0].id });
            assert.deepEqual(got.events.map((e) => e.type),
                ['session_deleted']);
            const fresh = await readEvents(parley, session, {
                last: got.events[0].id, enough: (g) => g.events.length > 0 });
            assert.equal(fresh.events[0].type, 'session');
        });

    test('a session whose time comes is told as deleted', async () => {
        const session = newSession();
        await ask(parley, { message: 'soon gone', session_id: session });
        const seen = await opened(parley, session);
        await change(parley, session, { expires_at:
            new Date(Date.now() + 400).toISOString() });
        await seen.event('session_deleted');
        await seen.stopped();
    });

    test('from any id the rest follows, without a gap or a repetition',
        async () => {
            const session = newSession();
            await ask(parley, { message: 'm0', session_id: session });
            const seen = await opened(parley, session);
            for (const message of ['m1', 'm2', 'm3'])
                await ask(parley, { message, session_id: session });
            await change(parley, session, { title: 'Renamed' });
            await seen.event('session_changed');
            assert.equal(seen.events.length, 8);
            for (const [i, { id }] of seen.events.entries()) {
                const rest = seen.events.slice(i + 1);
                const how = i % 2 ? { last: id } :
                    { query: `?last_event_id=${id}` };
                const got = rest.length === 0 ? { events: [] } :
                    await readEvents(parley, session, { ...how,
                        enough: (g) => g.events.length >= rest.length });
                assert.deepEqual(got.events.map((e) => e.id),
                    rest.map((e) => e.id));
                assert.deepEqual(got.events.map((e) => e.data.message),
                    rest.map((e) => e.data.message));
            }
            seen.source.close();
        });

    test('a connection that tears loses nothing', async () => {
        const session = newSession();
        await ask(parley, { message: 'm0', session_id: session });
        const before = (await messagesOf(parley, session)).map((m) => m.id);
        const proxy = await tearingProxy(parley.port);
        const seen = device(parley, session, eventsUrl(parley, session)
            .replace(`:${parley.port}/`, `:${proxy.port}/`));
        await seen.event('session');
        for (let i = 1; i <= 6; i++) {
            await ask(parley, { message: `m${i}`, session_id: session });
            if (i % 2)
                proxy.tear();
        }
        await until('all of it', () => seen.contents().length === 12);
        assert.ok(proxy.connections >= 2, `${proxy.connections}`);
        await assertMirrors(parley, session, seen, before);
        seen.source.close();
        await proxy.stop();
    });

    test('many devices see the same', async () => {
        const session = newSession();
        await ask(parley, { message: 'm0', session_id: session });
        const all = await Promise.all(Array.from({ length: 5 },
            () => opened(parley, session)));
        await Promise.all(Array.from({ length: 4 }, (_, i) =>
            ask(parley, { message: `at once ${i}`, session_id: session })));
        for (const seen of all)
            await until('all', () => seen.contents().length === 8);
        for (const seen of all) {
            assert.deepEqual(seen.events.slice(1), all[0].events.slice(1));
            seen.source.close();
        }
        await until('nobody is counted any more', async () =>
            (await call(parley, '/status')).body.active_connections === 0);
    });

    test('what is wrong has a status', async () => {
        const session = newSession();
        let r = await call(parley, `/sessions/${session}/events`);
        assert.equal(r.status, 404);
        assert.equal(r.body.code, 'session_not_found');
        await ask(parley, { message: 'hello', session_id: session });
        for (const id of ['x', '1.2', 'gone', `${'0'.repeat(16)}.1.-.x`]) {
            r = await call(parley, `/sessions/${session}/events`,
                { headers: { 'last-event-id': id } });
            assert.equal(r.status, 400, id);
            assert.equal(r.body.code, 'invalid_event_id');
        }
        r = await call(parley, `/sessions/${session}/events`,
            { method: 'POST' });
        assert.equal(r.status, 405);
        r = await call(parley, `/sessions/${session}/events`,
            { method: 'HEAD' });
        assert.equal(r.status, 200);
        assert.match(r.headers.get('content-type'), /^text\/event-stream/);
    });

    test('an old client by hand gets whole events', async () => {
        const session = newSession();
        await ask(parley, { message: 'hello', session_id: session });
        const first = await readEvents(parley, session,
            { enough: (g) => g.events.length > 0 });
        await remove(parley, session);
        await ask(parley, { message: 'again', session_id: session });
        const { status, body } = await rawRequest(parley.port, Buffer.from(
            `GET /sessions/${session}/events HTTP/1.1\r\nHost: x\r\n` +
            `Last-Event-ID: ${first.events[0].id}\r\n` +
            'Connection: close\r\n\r\n'));
        assert.equal(status, 200);
        assert.match(body, /^: ok[^\n]*\n\nretry: 1000\n\nid: [^\n]+\n/);
        assert.match(body, /\nevent: session_deleted\ndata: \{[^\n]+\}\n\n$/);
    });

    test('a device that does not read is told all when it does, and holds ' +
        'nobody up', async () => {
        const session = newSession();
        await ask(parley, { message: 'm0', session_id: session });
        const words = Array.from({ length: 3000 }, (_, i) =>
            `<é${i}\n${'x'.repeat(1000)}`);
        replay.on('the long one', whole(replyWire(words)));
        const still = net.connect(parley.port, '127.0.0.1');
        still.write(`GET /sessions/${session}/events HTTP/1.0\r\n\r\n`);
        const parts = [];
        const begun = once(still, 'data');
        still.on('data', (d) => parts.push(d));
        await begun;
        const seen = await opened(parley, session);
        still.pause();
        await ask(parley, { message: 'the long one', session_id: session });
        await ask(parley, { message: 'a short one', session_id: session });
        await until('the other device to have all', () =>
            seen.contents().length === 4);
        assert.equal(seen.contents()[1], words.join(''));
        still.resume();
        const last = seen.events.at(-1).id;
        const text = () => Buffer.concat(parts).toString('latin1');
        await until('the last event', () => text().includes(last));
        for (const { id } of seen.events.slice(1))
            assert.equal(text().split(`id: ${id}\n`).length, 2);
        still.destroy();
        seen.source.close();
    });
});

describe('devices and what happens to the server', () => {
    test('pings fill the silence', async () => {
        const parley = await startParley({ env: { PING_MS: '1000' } });
        try {
            const session = newSession();
            await ask(parley, { message: 'hello', session_id: session });
            const got = await readEvents(parley, session, { enough: (g) =>
                g.comments.filter((c) => c === 'ping').length >= 2 });
            assert.equal(got.events.length, 1);
        } finally {
            await parley.stop();
        }
    });

    test('a killed server, and one that was stopped, are survived',
        async () => {
            const parley = await startParley();
            try {
                const session = newSession();
                await ask(parley, { message: 'm0', session_id: session });
                const before = (await messagesOf(parley, session))
                    .map((m) => m.id);
                const seen = await opened(parley, session);
                await ask(parley, { message: 'm1', session_id: session });
                await parley.kill9();
                await serving(parley);
                await ask(parley, { message: 'm2', session_id: session });
                await until('all of it', () => seen.contents().length === 4);
                await assertMirrors(parley, session, seen, before);
                assert.equal(seen.types().filter((t) => t === 'session')
                    .length, 1);
                seen.source.close();
            } finally {
                await parley.stop();
            }
        });

    test('what another process does is seen, too', async () => {
        const parley = await startParley();
        try {
            const session = newSession();
            await ask(parley, { message: 'here', session_id: session });
            const seen = await opened(parley, session);
            const r = await answerOne(parley.dataDir, 'POST', '/chat',
                `message=there&session_id=${session}`);
            assert.equal(r.code, 0, r.out);
            await until('both', () => seen.contents().length === 2);
            assert.equal(seen.contents()[0], 'there');
            seen.source.close();
        } finally {
            await parley.stop();
        }
    });

    test('a stop does not wait for those who watch', async () => {
        const parley = await startParley({ env: { SHUTDOWN_MS: '60000' } });
        const session = newSession();
        await ask(parley, { message: 'hello', session_id: session });
        const reading = readEvents(parley, session);
        await until('it is counted', async () =>
            (await call(parley, '/status')).body.active_connections >= 1);
        await parley.stop();
        const got = await reading.catch((e) => e);
        if (got.events) /* lighttpd may have cut it before we could end it */
            assert.deepEqual(got.events.map((e) => e.type), ['session']);
    });

    test('there are as many as streams, and one more is told so',
        async () => {
            const parley = await startParley({ env: { MAX_STREAMS: '2' } });
            try {
                const session = newSession();
                await ask(parley, { message: 'hello', session_id: session });
                const two = [await opened(parley, session),
                    await opened(parley, session)];
                const r = await call(parley, `/sessions/${session}/events`);
                assert.equal(r.status, 503);
                assert.equal(r.body.code, 'too_many_streams');
                assert.ok(Number(r.headers.get('retry-after')) > 0);
                await ask(parley, { message: 'still', session_id: session });
                for (const seen of two) {
                    await until('it came', () => seen.contents().length === 2);
                    seen.source.close();
                }
            } finally {
                await parley.stop();
            }
        });
});

for (const door of ['lighttpd-cgi', 'apache-cgi'])
    describe(`devices behind ${door}`, () => {
        test('the same, live', async () => {
            const parley = await startParley({ door });
            try {
                const session = newSession();
                await ask(parley, { message: 'm0', session_id: session });
                const seen = await opened(parley, session);
                await ask(parley, { message: 'm1', session_id: session });
                await until('both', () => seen.contents().length === 2);
                assert.equal(seen.contents()[0], 'm1');
                assert.match(seen.events[1].data.message.id, UUID);
                await remove(parley, session);
                await seen.event('session_deleted');
                await seen.stopped();
            } finally {
                await parley.stop();
            }
        });
    });
