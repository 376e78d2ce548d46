/* Following a turn over paths that break, buffer and refuse, on a clock that
 * the test moves. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyEvent, newAnswer } from '../../../static/js/answer.js';
import { Follower } from '../../../static/js/stream.js';

const TURN = 'turn';
const EVENTS = [
    { type: 'response_start', message_id: 'm' },
    { type: 'response_chunk', content: 'Hel' },
    { type: 'response_chunk', content: 'lo' },
    { type: 'response_complete', content: 'Hello' },
];

/* Promises that are ready run before the clock goes on. */
async function settle() {
    for (let i = 0; i < 20; i++)
        await null;
}

/* A world in which nothing happens by itself. */
class World {
    now = 0;
    timers = [];
    sources = [];
    polls = [];
    answer = newAnswer();
    states = [];
    ends = [];
    happened = 0;          /* events that the server has so far */
    pollFails = null;
    pollOnly = false;

    constructor() {
        const world = this;
        this.env = {
            EventSource: class {
                readyState = 0;
                listeners = {};
                constructor(url) {
                    this.url = url;
                    world.sources.push(this);
                }
                addEventListener(type, fn) {
                    this.listeners[type] = fn;
                }
                close() {
                    this.readyState = 2;
                    this.closed = true;
                }
            },
            setTimeout: (fn, ms) => {
                const timer = { at: this.now + ms, fn };
                this.timers.push(timer);
                return timer;
            },
            clearTimeout: (timer) => {
                this.timers = this.timers.filter((t) => t !== timer);
            },
            streamUrl: (turn, after) => `${turn}/${after}`,
            turnEvents: (turn, after, wait, signal) =>
                this.#poll(after, wait, signal),
            pollOnly: () => this.pollOnly,
            buffers: () => {
                this.pollOnly = true;
            },
        };
        this.on = {
            event: (seq, event) => applyEvent(this.answer, seq, event),
            state: (state) => this.states.push(state),
            end: (how) => this.ends.push(how),
        };
    }

    follow(after = 0) {
        this.answer.seq = after;
        this.follower = new Follower(TURN, after, this.on, this.env);
        return this;
    }

    #poll(after, wait) {
        this.polls.push({ after, wait });
        if (this.pollFails !== null)
            return Promise.reject(Object.assign(new Error('no'),
                { status: this.pollFails }));
        const events = EVENTS.slice(after, this.happened)
            .map((event, i) => ({ seq: after + 1 + i, event }));
        return Promise.resolve({
            events, next: Math.max(after, this.happened),
            done: this.happened === EVENTS.length,
        });
    }

    get source() {
        return this.sources.at(-1);
    }

    open() {
        this.source.readyState = 1;
        this.source.onopen();
    }

    /* The open connection delivers events number from to to. */
    deliver(from, to) {
        this.happened = Math.max(this.happened, to);
        const source = this.source;
        for (let seq = from; seq <= to; seq++)
            source.listeners[EVENTS[seq - 1].type]({
                data: JSON.stringify(EVENTS[seq - 1]),
                lastEventId: `${TURN}.${seq}`,
            });
    }

    /* The browser reports trouble; it will reconnect unless closed. */
    trouble(closed) {
        this.source.readyState = closed ? 2 : 0;
        this.source.listeners.error({});
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

function assertWhole(world) {
    assert.equal(world.answer.text, 'Hello');
    assert.equal(world.answer.status, 'complete');
    assert.deepEqual(world.ends, ['done']);
    assert.ok(world.sources.every((s) => s.closed), 'nothing stays open');
    assert.deepEqual(world.timers, [], 'no timer is left');
}

test('a good path needs one connection and no question', async () => {
    const w = new World().follow();
    w.open();
    w.deliver(1, 4);
    await w.pass(60000);
    assertWhole(w);
    assert.equal(w.sources.length, 1);
    assert.equal(w.polls.length, 0);
});

test('the browser reconnects by itself; what came twice counts once',
    async () => {
        const w = new World().follow();
        w.open();
        w.deliver(1, 2);
        w.trouble(false);
        assert.deepEqual(w.states, ['live', 'lost']);
        w.open();
        w.deliver(1, 4);
        await w.pass(1000);
        assertWhole(w);
        assert.equal(w.sources.length, 1);
    });

test('a model that thinks is asked about ever less often, and stays with ' +
    'the stream', async () => {
    const w = new World().follow();
    w.open();
    w.deliver(1, 1);
    await w.pass(60000);
    assert.ok(w.polls.length >= 3 && w.polls.length <= 6,
        String(w.polls.length));
    assert.equal(w.sources.length, 1);
    w.deliver(2, 4);
    await w.pass(1000);
    assertWhole(w);
});

test('a path that buffers is found out and polling takes over', async () => {
    const w = new World().follow();
    w.happened = 3;
    await w.pass(5000);
    assert.equal(w.answer.text, 'Hello');
    assert.ok(w.sources[0].closed);
    assert.equal(w.pollOnly, true, 'the next turn need not find out again');
    w.happened = 4;
    await w.pass(1000);
    assertWhole(w);
});

test('a connection that brought something and dies is made anew, once',
    async () => {
        const w = new World().follow();
        w.open();
        w.deliver(1, 1);
        w.happened = 2;
        await w.pass(5000);
        assert.equal(w.answer.text, 'Hel', 'what was missed is shown at once');
        assert.equal(w.pollOnly, false);
        await w.pass(1000);
        assert.equal(w.sources.length, 2);
        assert.equal(w.source.url, `${TURN}/2`);
        w.open();
        w.deliver(3, 3);
        w.happened = 4;
        await w.pass(6000);
        assert.equal(w.pollOnly, true, 'twice is no accident');
        assertWhole(w);
    });

test('news that arrives while we ask is not mistaken for buffering',
    async () => {
        const w = new World().follow();
        w.open();
        w.happened = 1;
        await w.pass(4000);
        w.deliver(1, 1);
        await w.pass(2000);
        assert.equal(w.sources.length, 1);
        assert.equal(w.pollOnly, false);
        w.deliver(2, 4);
        await w.pass(0);
        assertWhole(w);
    });

test('where polling is known to be needed no stream is opened', async () => {
    const w = new World();
    w.pollOnly = true;
    w.happened = 4;
    w.follow();
    await w.pass(0);
    assertWhole(w);
    assert.equal(w.sources.length, 0);
    assert.equal(w.polls[0].wait, 20);
});

test('a stream that is refused once is opened again, after what was seen',
    async () => {
        const w = new World().follow();
        w.open();
        w.deliver(1, 2);
        w.trouble(true);
        await w.pass(1500);
        assert.equal(w.sources.length, 2);
        assert.equal(w.source.url, `${TURN}/2`);
        w.open();
        w.deliver(3, 4);
        await w.pass(0);
        assertWhole(w);
    });

test('a stream that is always refused gives way to polling', async () => {
    const w = new World().follow();
    for (let i = 0; i < 4 && !w.source.closed; i++) {
        w.trouble(true);
        await w.pass(20000);
    }
    w.happened = 4;
    await w.pass(30000);
    assert.equal(w.answer.text, 'Hello');
    assert.deepEqual(w.ends, ['done']);
});

test('no content means that all was seen', async () => {
    const w = new World();
    w.happened = 4;
    w.follow(4);
    w.trouble(true);
    await w.pass(0);
    assert.deepEqual(w.ends, ['gone']);
});

test('a turn that is not known any more ends as gone', async () => {
    const w = new World().follow();
    w.pollFails = 404;
    w.trouble(true);
    await w.pass(0);
    assert.deepEqual(w.ends, ['gone']);
    assert.deepEqual(w.timers, []);
});

test('a turn that is not ours ends as refused', async () => {
    const w = new World().follow();
    w.pollFails = 403;
    w.trouble(true);
    await w.pass(0);
    assert.deepEqual(w.ends, ['refused']);
});

test('a dead network is tried again, less and less often, then at once when ' +
    'it is back', async () => {
    const w = new World().follow();
    w.open();
    w.deliver(1, 2);
    w.pollFails = 0;
    for (let i = 0; i < 30; i++) {
        if (w.source.readyState !== 2)
            w.trouble(true);
        await w.pass(2000);
    }
    assert.ok(w.sources.length > 4 && w.sources.length < 10,
        String(w.sources.length));
    assert.deepEqual(w.ends, []);
    w.pollFails = null;
    const before = w.sources.length;
    w.follower.kick();
    assert.equal(w.sources.length, before + 1);
    w.open();
    w.deliver(3, 4);
    await w.pass(0);
    assertWhole(w);
});

test('kicking a healthy stream leaves it alone', async () => {
    const w = new World().follow();
    w.open();
    w.follower.kick();
    assert.equal(w.sources.length, 1);
});

test('a gap leads to a new connection after what is held', async () => {
    const w = new World().follow();
    w.open();
    w.deliver(1, 1);
    w.deliver(3, 3);
    await w.pass(1500);
    assert.equal(w.answer.text, '');
    assert.equal(w.sources.length, 2);
    assert.equal(w.source.url, `${TURN}/1`);
});

test('after close() nothing more is heard or asked', async () => {
    const w = new World().follow();
    w.open();
    w.follower.close();
    w.deliver(1, 4);
    await w.pass(60000);
    assert.equal(w.answer.seq, 0);
    assert.deepEqual(w.ends, []);
    assert.equal(w.polls.length, 0);
    assert.deepEqual(w.timers, []);
});

test('bytes that are not JSON are passed over', async () => {
    const w = new World().follow();
    w.open();
    w.source.listeners.response_chunk(
        { data: '{', lastEventId: `${TURN}.1` });
    w.deliver(1, 4);
    await w.pass(0);
    assertWhole(w);
});
