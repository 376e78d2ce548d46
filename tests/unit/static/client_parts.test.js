/* The parts of parley-client.js that ask nobody: the parser of events, what is
 * heard of an answer, the choice of a transport, credentials. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Heard } from '../../../static/js/client/heard.js';
import { Login } from '../../../static/js/client/login.js';
import { SseParser } from '../../../static/js/client/sse.js';
import { Ways } from '../../../static/js/client/ways.js';
import { world } from '../../../static/js/client/world.js';
import { ParleyClient } from '../../../static/js/parley-client.js';

/* ---- the parser ---- */

function parsed(...texts) {
    const events = [];
    const parser = new SseParser((e) => events.push(e));
    texts.forEach((text) => parser.push(text));
    return events;
}

const STREAM = '\ufeff: hello\nretry: 1000\n\n' +
    'id: t.1\nevent: a\ndata: {"x":1}\n\n' +
    'id: t.2\r\nevent: b\r\ndata:one\r\ndata: two\r\n\r\n' +
    'data\rid\r\r' +
    'event: nothing\n\n' +
    'unknown: field\ndata:  spaced: é😀\n\n' +
    'data: without an end\n';
const EVENTS = [
    { id: 't.1', type: 'a', data: '{"x":1}' },
    { id: 't.2', type: 'b', data: 'one\ntwo' },
    { id: '', type: 'message', data: '' },
    { id: '', type: 'message', data: ' spaced: é😀' },
];

test('events are read as the standard says', () => {
    assert.deepEqual(parsed(STREAM), EVENTS);
});

test('any split of a stream gives the same events', () => {
    assert.deepEqual(parsed(...STREAM), EVENTS, 'by characters');
    for (let at = 0; at <= STREAM.length; at++)
        assert.deepEqual(parsed(STREAM.slice(0, at), '', STREAM.slice(at)),
            EVENTS, `at ${at}`);
});

test('an id with a NUL is none', () => {
    assert.deepEqual(parsed('id: a\nid: b\0\ndata: x\n\n'),
        [{ id: 'a', type: 'message', data: 'x' }]);
});

test('a line without an end is not kept for ever', () => {
    const mebi = 'x'.repeat(1024 * 1024);
    assert.throws(() => parsed('data: ', ...Array(129).fill(mebi)), RangeError);
});

/* ---- what is heard ---- */

const START = { type: 'response_start', turn_id: 'turn' };
const chunk = (content) => ({ type: 'response_chunk', content });
const complete = (content) => ({ type: 'response_complete', content });

function hearing() {
    const told = { text: '', types: [] };
    const heard = new Heard({
        chunk: (text) => { told.text += text; },
        event: (e) => told.types.push(e.type),
    });
    return { heard, told };
}

test('each event counts once, whichever way it came', () => {
    const { heard, told } = hearing();
    assert.ok(heard.take(1, START));
    assert.ok(heard.take(2, chunk('Hel')));
    assert.ok(heard.take(1, START));
    assert.ok(heard.take(2, chunk('Hel')));
    assert.ok(heard.takeAll({ events: [
        { seq: 2, event: chunk('Hel') }, { seq: 3, event: chunk('lo') }] }));
    assert.ok(heard.take(4, complete('Hello')));
    assert.ok(heard.take(5, chunk('!')));
    assert.equal(told.text, 'Hello');
    assert.equal(heard.turnId, 'turn');
    assert.deepEqual(told.types, ['response_start', 'response_chunk',
        'response_chunk', 'response_complete']);
});

test('an event is not taken before the one that precedes it', () => {
    const { heard, told } = hearing();
    heard.take(1, START);
    assert.equal(heard.take(3, chunk('lo')), false);
    assert.equal(heard.takeAll({ events: [
        { seq: 3, event: chunk('lo') }, { seq: 4, event: complete('x') }] }),
    false);
    assert.equal(told.text, '');
    assert.equal(heard.end, null);
});

test('a transport that leaves numbers out is believed', () => {
    const { heard, told } = hearing();
    heard.take(1, START, true);
    assert.ok(heard.take(7, chunk('Hel'), true));
    assert.ok(heard.take(8, chunk('lo')));
    assert.equal(told.text, 'Hello');
});

test('the end brings what was not told, and only that', () => {
    const { heard, told } = hearing();
    heard.take(1, START);
    heard.take(2, chunk('Hel'));
    heard.take(90, complete('Hello'));
    assert.equal(told.text, 'Hello');
    assert.equal(heard.text, 'Hello');
});

test('an end without a text leaves it as it is', () => {
    const { heard } = hearing();
    heard.take(1, chunk('Half'));
    heard.take(null, { type: 'error', code: 'x' });
    assert.equal(heard.text, 'Half');
    assert.equal(heard.end.code, 'x');
});

/* ---- the choice ---- */

const DAY_MS = 24 * 60 * 60 * 1000;

function surroundings() {
    const map = new Map();
    const env = world({
        WebSocket: class {},
        storage: { getItem: (k) => map.get(k) ?? null,
            setItem: (k, v) => map.set(k, v) },
        now: () => env.ms,
    });
    env.ms = 1000;
    env.map = map;
    return env;
}

const BASE = 'http://x.example/chat/';
const ways = (env, forced = null, base = BASE) => new Ways(base, forced, env);

test('a choice is remembered for a day, for this server', () => {
    const env = surroundings();
    assert.equal(ways(env).next, null);
    ways(env).chose('sse', false);
    assert.equal(ways(env).next, null, 'what is not sure is not remembered');
    ways(env).chose('polling', true);
    assert.equal(ways(env).next, 'polling');
    assert.equal(ways(env, null, 'http://x.example/other/').next, null);
    env.ms += DAY_MS - 1;
    assert.equal(ways(env).next, 'polling');
    env.ms += 1;
    assert.equal(ways(env).next, null);
});

test('nonsense in the storage is nothing', () => {
    const env = surroundings();
    ways(env).chose('polling', true);
    const [key] = env.map.keys();
    for (const s of ['', '{', 'null', '{"way":"pigeon","at":1}',
        '{"way":"sse"}', '{"way":"sse","at":99999}']) {
        env.map.set(key, s);
        assert.equal(ways(env).next, null, s);
    }
    env.storage = { getItem() { throw new Error('no'); },
        setItem() { throw new Error('no'); } };
    ways(env).chose('polling', true);
    assert.equal(ways(env).next, null);
});

test('where there is no storage, this program remembers', () => {
    const env = { ...surroundings(), storage: null };
    const base = 'http://without.example/';
    ways(env, null, base).chose('sse', true);
    assert.equal(ways(env, null, base).next, 'sse');
});

test('a remembered WebSocket needs one', () => {
    const env = surroundings();
    ways(env).chose('websocket', true);
    assert.equal(ways(env).next, 'websocket');
    env.WebSocket = undefined;
    assert.equal(ways(env).next, null);
});

test('a forced choice stays, and is not remembered', () => {
    const env = surroundings();
    const w = ways(env, 'sse');
    w.begin();
    for (let i = 0; i < 9; i++)
        w.lost('sse', false);
    w.held('sse', false);
    w.chose('polling', true);
    w.done();
    assert.equal(w.next, 'sse');
    assert.equal(w.now, 'sse');
    assert.equal(env.map.size, 0);
});

test('a WebSocket that loses one answer is used again, one that loses two in ' +
    'a row is not', () => {
    const env = surroundings();
    const w = ways(env);
    w.chose('websocket', true);
    w.begin();
    w.lost('websocket', true);
    assert.equal(w.now, 'sse');
    w.done();
    assert.equal(w.now, 'websocket');
    w.begin();
    w.done();
    w.begin();
    w.lost('websocket', true);
    w.done();
    assert.equal(w.next, 'websocket');
    w.begin();
    w.lost('websocket', false);
    assert.equal(w.next, 'sse');
    assert.equal(ways(env).next, 'sse');
});

test('streams that bring nothing give way to polling, those that bring ' +
    'something do not', () => {
    const env = surroundings();
    const w = ways(env);
    w.chose('sse', true);
    w.begin();
    for (let i = 0; i < 9; i++)
        w.lost('sse', true);
    assert.equal(w.now, 'sse');
    for (let i = 0; i < 3; i++)
        w.lost('sse', false);
    assert.equal(w.now, 'polling');
    assert.equal(w.next, 'sse', 'perhaps nothing went through at all');
    w.polled();
    assert.equal(w.next, 'polling');
});

test('a stream that is held back is polled from then on', () => {
    const env = surroundings();
    const w = ways(env);
    w.chose('sse', true);
    w.begin();
    w.held('sse', true);
    assert.equal(w.now, 'sse', 'a dead connection is only made anew');
    w.held('sse', false);
    assert.equal(w.now, 'polling');
    assert.equal(ways(env).next, 'polling');
    const again = ways(surroundings());
    again.chose('sse', true);
    again.begin();
    again.held('sse', true);
    again.held('sse', true);
    assert.equal(again.next, 'polling', 'two in one answer did not die');
});

/* ---- credentials ---- */

test('credentials as headers and as a frame', async () => {
    const none = new Login({});
    assert.deepEqual(await none.headers(), {});
    assert.equal(none.frame(), null);

    let n = 0;
    const token = new Login({ token: async () => `t${++n}` });
    assert.deepEqual(await token.headers(), { Authorization: 'Bearer t1' });
    assert.deepEqual(await token.headers(), { Authorization: 'Bearer t2' });
    assert.equal(token.frame(), null);

    const key = new Login({ api_key: 'k' });
    assert.deepEqual(await key.headers(), { 'X-API-Key': 'k' });
    assert.deepEqual(key.frame(), { type: 'auth', auth_type: 'api_key',
        api_key: 'k', api_key_header: 'X-API-Key' });

    const basic = new Login({ username: 'ü', password: 'p:q' });
    assert.deepEqual(await basic.headers(),
        { Authorization: 'Basic w7w6cDpx' });
    assert.equal(basic.frame().auth_type, 'basic_auth');
    basic.forget();
    assert.deepEqual(await basic.headers(), {});
    assert.equal(basic.frame(), null);
});

/* ---- configuration ---- */

test('an address tells the server and, if it is a WebSocket\'s, the transport',
    async () => {
        const asked = [];
        const env = { storage: null, fetch: async (url) => {
            asked.push(url);
            return Response.json({ transports: ['sse'] });
        } };
        for (const url of ['http://h.example/x', 'http://h.example/x/?q#f',
            'ws://h.example/x/ws/chat', 'https://h.example']) {
            const c = new ParleyClient({ url, env });
            await c.ping();
            assert.equal(c.transport, /^ws/.test(url) ? 'websocket' : null);
        }
        assert.deepEqual(asked, ['http://h.example/x/status',
            'http://h.example/x/status', 'http://h.example/x/status',
            'https://h.example/status']);
        assert.throws(() => new ParleyClient(), { code: 'invalid_url' },
            'outside of a browser it must be told');
    });

test('a failed call is told to who listens, and need not be caught then',
    async () => {
        const c = new ParleyClient({ url: 'http://h.example/', env: {
            fetch: async () => Response.json({}) } });
        const said = [];
        const off = c.on('error', (e) => said.push(e.code));
        c.connect();
        await assert.rejects(c.connect(), { code: 'no_parley' });
        off();
        await assert.rejects(c.connect(), { code: 'no_parley' });
        assert.deepEqual(said, ['no_parley', 'no_parley']);
    });
