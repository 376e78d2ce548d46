/* Finding out what a path does, and following an answer over it, on a clock
 * that the test moves. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Following } from '../../../static/js/client/follow.js';
import { Heard } from '../../../static/js/client/heard.js';
import { Http, ParleyError, unreachable }
    from '../../../static/js/client/http.js';
import { Ways, findWay, flows } from '../../../static/js/client/ways.js';
import { pause, world } from '../../../static/js/client/world.js';

/* Promises that are ready run before the clock goes on; those of streams need
 * some turns of node's own loop. */
async function settle() {
    for (let i = 0; i < 8; i++)
        await new Promise((resolve) => setImmediate(resolve));
}

class Clock {
    now = 1000;
    timers = [];

    env(more = {}) {
        return world({
            storage: null, WebSocket: undefined, now: () => this.now,
            setTimeout: (fn, ms) => {
                const timer = { at: this.now + ms, fn };
                this.timers.push(timer);
                return timer;
            },
            clearTimeout: (timer) => {
                this.timers = this.timers.filter((t) => t !== timer);
            },
            ...more,
        });
    }

    async pass(ms) {
        const until = this.now + ms;
        for (;;) {
            await settle();
            const due = this.timers.filter((t) => t.at <= until)
                .sort((a, b) => a.at - b.at)[0];
            if (!due)
                break;
            this.now = due.at;
            this.timers = this.timers.filter((t) => t !== due);
            due.fn();
        }
        this.now = until;
        await settle();
    }
}

const EVENT_STREAM = { headers: { 'Content-Type': 'text/event-stream' } };

/* A Response whose body the test writes; it breaks off when the signal says
 * so, as that of a fetch does. */
function stream(signal) {
    let to;
    const body = new ReadableStream({ start(c) { to = c; } });
    const utf8 = new TextEncoder();
    signal?.addEventListener('abort',
        () => to.error(new TypeError('aborted')));
    return {
        response: new Response(body, EVENT_STREAM),
        write: (text) => signal?.aborted || to.enqueue(utf8.encode(text)),
        end: () => signal?.aborted || to.close(),
        fail: () => to.error(new TypeError('terminated')),
    };
}

const tick = (ms) => `event: probe\ndata: {"type":"probe","ms":${ms}}\n\n`;

/* ---- the probe ---- */

/* What flows() says if the events of its probes come when these lists say:
 * [ms since the request, ms that the server wrote, …]. */
async function probed(...probes) {
    const clock = new Clock();
    const env = clock.env();
    const http = { open: async (m, p, { signal }) => {
        const s = stream(signal);
        for (const [at, ...sent] of probes.shift() ?? [])
            pause(env, at, signal).then(() => sent.forEach((ms) =>
                (ms === 'end' ? s.end() : s.write(tick(ms)))));
        return s.response;
    } };
    let said;
    flows(http, env).then((v) => { said = v; });
    await clock.pass(5000);
    assert.deepEqual(clock.timers, []);
    return said;
}

const TOGETHER = [[300, 0, 120, 240, 'end']];

test('events that come as they are sent flow', async () => {
    assert.equal(await probed([[0, 0], [120, 120], [240, 240]]), true);
    assert.equal(await probed([[600, 0], [665, 120], [900, 240]]), true,
        'a slow and uneven path');
});

test('events that come together do not, if they do so twice', async () => {
    assert.equal(await probed(TOGETHER, TOGETHER), false);
    assert.equal(await probed(TOGETHER,
        [[240, 0, 120], [245, 240, 'end']]), false);
    assert.equal(await probed(TOGETHER, [[0, 0], [120, 120]]), true);
});

test('a probe that does not end in time tells nothing', async () => {
    assert.equal(await probed(), null);
    assert.equal(await probed([[100, 0]]), null);
    assert.equal(await probed([[100, 'end']]), null);
    assert.equal(await probed(TOGETHER), null);
});

test('nor does one that is refused', async () => {
    const clock = new Clock();
    const http = { open: async () => { throw unreachable(); } };
    assert.equal(await flows(http, clock.env()), null);
    assert.deepEqual(clock.timers, []);
});

/* ---- the way ---- */

/* findWay() where the handshake takes greetMs (null: for ever, 0: it fails) and
 * the probe probeMs. */
async function found(greetMs, probeMs, free, hasSocket = true) {
    const clock = new Clock();
    const env = clock.env();
    const socket = { closed: false, close() { this.closed = true; } };
    const http = { open: async (m, p, { signal }) => {
        const s = stream(signal);
        if (free)
            pause(env, probeMs, signal).then(() => {
                s.write(tick(0));
                pause(env, 150, signal).then(() => s.write(tick(150)));
            });
        else
            pause(env, probeMs, signal).then(() => {
                s.write(tick(0) + tick(150) + tick(300));
                s.end();
            });
        return s.response;
    } };
    const open = hasSocket && (async (signal) => {
        if (greetMs === 0)
            throw unreachable();
        await pause(env, greetMs ?? 1e9, signal);
        if (greetMs === null)
            throw unreachable();
        return socket;
    });
    let way;
    let at;
    findWay(http, env, open || null).then((w) => {
        way = w;
        at = clock.now - 1000;
    });
    await clock.pass(20000);
    assert.ok(at < 2000, `it took ${at} ms`);
    assert.deepEqual(clock.timers, [], 'nothing is left');
    return { ...way, unused: way.way !== 'websocket' && socket.closed };
}

test('a WebSocket that greets is taken, at once or while the probe runs',
    async () => {
        assert.equal((await found(30, 0, true)).way, 'websocket');
        assert.equal((await found(600, 500, true)).way, 'websocket');
    });

test('without one the probe decides', async () => {
    for (const greets of [0, null]) {
        const free = await found(greets, 20, true);
        assert.deepEqual([free.way, free.sure], ['sse', true]);
        const held = await found(greets, 450, false);
        assert.deepEqual([held.way, held.sure], ['polling', true]);
    }
    assert.equal((await found(0, 20, true, false)).way, 'sse');
});

test('where nothing tells, events are tried and nothing is remembered',
    async () => {
        const way = await found(null, 1e8, true);
        assert.deepEqual([way.way, way.sure], ['sse', false]);
    });

/* ---- following ---- */

const EVENTS = [
    { type: 'response_start', turn_id: 'turn' },
    { type: 'response_chunk', content: 'Hel' },
    { type: 'response_chunk', content: 'lo' },
    { type: 'response_complete', content: 'Hello' },
];

/* A world with one answer in it; `replies` are what requests get, by path. */
class Path {
    clock = new Clock();
    requests = [];
    states = [];
    text = '';
    happened = 4;
    abort = new AbortController();

    constructor(way, replies = {}, patienceMs = 60000) {
        this.replies = {
            'chat': () => Response.json({ turn_id: 'turn' }, { status: 202 }),
            'chat/events': () => this.events(), ...replies,
        };
        const env = this.clock.env({ fetch: (...a) => this.#fetch(...a) });
        this.http = new Http('http://x.example/sub/', async () => ({}), env);
        this.ways = new Ways('http://x.example/sub/', way, env);
        this.heard = new Heard({
            chunk: (text) => { this.text += text; }, event: () => {} });
        this.following = new Following(
            { message: 'x', client_message_id: 'key' }, this.heard, {
                http: this.http, ways: this.ways, env, patienceMs,
                signal: this.abort.signal,
                on: { state: (name) => this.states.push(name),
                    answered: () => {} },
            });
        this.following.run().then(() => { this.done = true; },
            (e) => { this.error = e; });
    }

    async #fetch(href, { method, body, signal }) {
        const url = new URL(href);
        const path = url.pathname.replace('/sub/', '');
        const query = Object.fromEntries(url.searchParams);
        const request = { method, path, query, signal,
            body: body && JSON.parse(body) };
        this.requests.push(request);
        const reply = this.replies[path]?.(request, this.about(path).length);
        if (reply === 'hangs')
            return new Promise((resolve, reject) => signal.addEventListener(
                'abort', () => reject(new TypeError('aborted'))));
        if (!reply)
            throw new TypeError('fetch failed');
        return reply;
    }

    about(path) {
        return this.requests.filter((r) => r.path === path);
    }

    events() {
        const after = Number(this.requests.at(-1).query.after);
        return Response.json({
            events: EVENTS.slice(after, this.happened)
                .map((e, i) => ({ ...e, seq: after + 1 + i })),
            next: Math.max(after, this.happened), done: this.happened === 4 });
    }

    assertWhole() {
        assert.equal(this.error, undefined);
        assert.ok(this.done);
        assert.equal(this.text, 'Hello');
        assert.deepEqual(this.clock.timers, [], 'no timer is left');
    }
}

const refusal = (status, body = {}, headers = {}) => () =>
    Response.json(body, { status, headers });

test('a question is sent again under its key until it is taken', async () => {
    const p = new Path('polling', { chat: (r, n) => [
        null, new Response('<html>', { status: 502 }),
        Response.json({ code: 'busy' },
            { status: 429, headers: { 'Retry-After': '7' } }),
        Response.json({ turn_id: 'turn' })][n - 1] });
    await p.clock.pass(3000);
    assert.equal(p.about('chat').length, 3);
    await p.clock.pass(4000);
    assert.equal(p.about('chat').length, 3, 'not before it is wanted');
    await p.clock.pass(2000);
    p.assertWhole();
    assert.ok(p.about('chat').every((r) => r.method === 'POST' &&
        r.body.client_message_id === 'key' && r.body.detach === true));
});

for (const [status, body, headers] of [
    [400, { code: 'invalid_parameter', error: 'No' }, {}],
    [401, { code: 'unauthorized' }, {}], [404, {}, {}],
    [429, { code: 'limit' }, { 'Retry-After': '600' }],
    [503, { code: 'stopping' }, { 'Retry-After': '99' }]])
    test(`a question that is refused with ${status} is not repeated`,
        async () => {
            const p = new Path('sse', { chat: refusal(status, body, headers) });
            await p.clock.pass(70000);
            assert.equal(p.about('chat').length, 1);
            assert.ok(p.error instanceof ParleyError);
            assert.equal(p.error.status, status);
            assert.equal(p.error.code, body.code ?? `http_${status}`);
            assert.deepEqual(p.clock.timers, []);
        });

test('a server that does not answer is given up after a while', async () => {
    const p = new Path('sse', { chat: () => null });
    await p.clock.pass(50000);
    assert.equal(p.error, undefined);
    await p.clock.pass(30000);
    assert.equal(p.error.code, 'unreachable');
    assert.ok(p.requests.length < 20, 'not too often');
});

test('one that hangs is, too', async () => {
    const p = new Path('polling', { 'chat/events': () => 'hangs' });
    await p.clock.pass(200000);
    assert.equal(p.error.code, 'unreachable');
});

test('polls that are cut wait less, and lose nothing', async () => {
    const p = new Path('polling', { 'chat/events': (r) =>
        (Number(r.query.wait) > 0 ? null : p.events()) });
    await p.clock.pass(5000);
    p.assertWhole();
    assert.deepEqual(p.about('chat/events').map((r) => r.query.wait),
        ['20', '5', '1', '0']);
    assert.deepEqual(p.states.filter((s) => s === 'reconnected').length, 1);
});

test('a page of somebody else in the midst of an answer is passed over',
    async () => {
        const p = new Path('polling', { 'chat/events': (r, n) =>
            (n < 3 ? new Response('<html>Sign in</html>') : p.events()) });
        await p.clock.pass(5000);
        p.assertWhole();
    });

test('a stream that breaks off goes on behind what was heard', async () => {
    const streams = [];
    const frame = (seq) => `id: turn.${seq}\nevent: x\ndata: ` +
        `${JSON.stringify(EVENTS[seq - 1])}\n\n`;
    const p = new Path('sse', { 'chat/stream': (r) => {
        const s = stream(r.signal);
        streams.push(s);
        return s.response;
    } });
    await p.clock.pass(0);
    streams[0].write(frame(1) + frame(2) + frame(3).slice(0, 30));
    await p.clock.pass(100);
    assert.equal(p.text, 'Hel');
    streams[0].fail();
    await p.clock.pass(100);
    assert.equal(p.about('chat/stream')[1].query.last_event_id, 'turn.2');
    streams[1].write(frame(2) + frame(3));
    streams[1].end();
    await p.clock.pass(100);
    streams[2].write(frame(4));
    await p.clock.pass(100);
    p.assertWhole();
    assert.deepEqual(p.states, ['reconnecting', 'reconnected',
        'reconnecting', 'reconnected']);
});

test('a gap in a stream is asked for again', async () => {
    const p = new Path('sse', { 'chat/stream': (r, n) => {
        const frames = n === 1 ? [1, 3] : [1, 2, 3, 4];
        return new Response(frames.map((seq) => `id: turn.${seq}\ndata: ` +
            `${JSON.stringify(EVENTS[seq - 1])}\n\n`).join(''), EVENT_STREAM);
    } });
    await p.clock.pass(1000);
    p.assertWhole();
    assert.equal(p.about('chat/stream').length, 2);
});

test('a quiet stream is asked about, ever less often', async () => {
    let s;
    const p = new Path('sse', { 'chat/stream': (r) => {
        s = stream(r.signal);
        return s.response;
    } });
    p.happened = 1;
    await p.clock.pass(0);
    s.write(`id: turn.1\ndata: ${JSON.stringify(EVENTS[0])}\n\n`);
    await p.clock.pass(60000);
    const asked = p.about('chat/events').length;
    assert.ok(asked >= 3 && asked <= 7, String(asked));
    assert.equal(p.about('chat/stream').length, 1);
    assert.deepEqual(p.states, []);
    p.abort.abort();
    await p.clock.pass(0);
    assert.ok(p.done);
    assert.deepEqual(p.clock.timers, []);
});

test('an end that nobody knows any more is told as such', async () => {
    const p = new Path('polling', { 'chat/events': () =>
        Response.json({ events: [], next: 9, done: true }) });
    await p.clock.pass(100);
    assert.equal(p.error.code, 'gone');
    const q = new Path('polling', { 'chat/events':
        refusal(404, { code: 'not_found', error: 'Not found' }) });
    await q.clock.pass(100);
    assert.equal(q.error.code, 'not_found');
});
