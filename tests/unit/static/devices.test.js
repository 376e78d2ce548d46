/* Hearing of other devices: one connection, left out of sight, resumed where it
 * was; and what is heard, brought onto the page in order. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { Arrivals } from '../../../static/js/arrivals.js';
import { Devices } from '../../../static/js/devices.js';

class Source {
    readyState = 0;
    #listeners = {};

    constructor(url) {
        this.url = url;
    }

    addEventListener(type, fn) {
        this.#listeners[type] = fn;
    }

    close() {
        this.readyState = 2;
    }

    say(type, data, lastEventId = '') {
        this.readyState = 1;
        this.#listeners[type]({ data: JSON.stringify(data), lastEventId });
    }

    refuse() {
        this.readyState = 2;
        this.onerror();
    }
}

function made(options = {}) {
    const sources = [];
    const heard = [];
    const devices = new Devices((type, data) => heard.push([type, data]), {
        ...options,
        env: {
            open: (url) => {
                sources.push(new Source(url));
                return sources.at(-1);
            },
            setTimeout: (fn, ms) => setTimeout(fn, ms),
            clearTimeout: (t) => clearTimeout(t),
        },
    });
    return { devices, sources, heard };
}

beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
afterEach(() => mock.timers.reset());

test('one connection, of the conversation that is open', () => {
    const { devices, sources, heard } = made();
    devices.open('a b');
    devices.open('a b');
    assert.deepEqual(sources.map((s) => s.url), ['sessions/a%20b/events']);
    sources[0].say('session', { title: 'T' }, '1.x');
    devices.open('c');
    assert.equal(sources[0].readyState, 2);
    sources[0].say('session_changed', { title: 'late' });
    assert.deepEqual(heard, [['session', { title: 'T' }]]);
    assert.equal(sources[1].url, 'sessions/c/events');
    devices.open(null);
    assert.equal(sources[1].readyState, 2);
    assert.equal(sources.length, 2);
});

test('out of sight it is left after a while, and resumed', () => {
    const { devices, sources } = made();
    devices.open('a');
    sources[0].say('session', {}, '4.abc');
    devices.visible(false);
    mock.timers.tick(5000);
    devices.visible(true);
    assert.equal(sources.length, 1, 'a short look away is nothing');
    devices.visible(false);
    mock.timers.tick(60000);
    assert.equal(sources[0].readyState, 2);
    devices.visible(true);
    assert.equal(sources[1].url, 'sessions/a/events?last_event_id=4.abc');
});

test('a tab that opens out of sight takes no connection', () => {
    const { devices, sources } = made({ visible: false });
    devices.open('a');
    assert.equal(sources.length, 0);
    devices.visible(true);
    assert.equal(sources.length, 1);
});

test('where it is not offered it is not asked for again and again', () => {
    const { devices, sources } = made();
    devices.open('a');
    sources[0].refuse();
    mock.timers.tick(100000);
    sources[1].refuse();
    mock.timers.tick(1000000);
    devices.open('b');
    assert.equal(sources.length, 2);
});

test('a server that is away for a time is found again, within bounds', () => {
    const { devices, sources } = made();
    devices.open('a');
    sources[0].say('session', {}, '1.a');
    sources[0].refuse();
    mock.timers.tick(4000);
    assert.match(sources[1].url, /last_event_id=1\.a/);
    sources[1].refuse();
    mock.timers.tick(4000);
    assert.equal(sources.length, 2, 'the pause grows');
    mock.timers.tick(4000);
    sources[2].say('session_changed', {}, '1.b');
    for (let i = 0; i < 30; i++) {
        sources.at(-1).refuse();
        mock.timers.tick(60000);
    }
    assert.equal(sources.length, 3 + 8);
});

test('after a deletion nothing is asked any more', () => {
    const { devices, sources, heard } = made();
    devices.open('a');
    sources[0].say('session_deleted', {});
    assert.equal(sources[0].readyState, 2);
    devices.visible(false);
    devices.visible(true);
    devices.open('a');
    assert.equal(sources.length, 1);
    assert.deepEqual(heard, [['session_deleted', {}]]);
    devices.open('b');
    assert.equal(sources.length, 2);
});

test('what is not JSON is passed over', () => {
    const { devices, sources, heard } = made();
    devices.open('a');
    sources[0].say('session', undefined);
    assert.deepEqual(heard, []);
});

/* ---- arrivals ---- */

const user = (turn_id, more = {}) => ['message_added',
    { message: { id: `u${turn_id}`, turn_id, role: 'user', ...more } }];
const answer = (turn_id, more = {}) => ['message_added',
    { message: { id: `a${turn_id}`, turn_id, role: 'assistant', ...more } }];

function page() {
    const done = [];
    const state = { busy: false, known: new Set(), last: null, done };
    state.arrivals = new Arrivals({
        busy: () => state.busy,
        known: (m) => state.known.has(m.id),
        last: () => state.last,
        keep: (m) => done.push(`keep ${m.id}`),
        add: (m) => {
            done.push(`add ${m.id}`);
            state.known.add(m.id);
            state.last = m.id;
        },
        follow: (m) => {
            done.push(`follow ${m.id}`);
            state.known.add(m.id).add(`a${m.turn_id}`);
            state.busy = true;
        },
        again: () => done.push('again'),
        session: (s) => done.push(`${s.type} ${s.title}`),
        cleared: () => done.push('cleared'),
        deleted: () => done.push('deleted'),
    });
    state.take = (...news) => {
        news.forEach(([type, data]) => state.arrivals.take(type, data));
        mock.timers.tick(1000);
        return done.splice(0);
    };
    state.over = () => {
        state.busy = false;
        state.arrivals.soon();
        mock.timers.tick(1000);
        return done.splice(0);
    };
    return state;
}

test('a question from elsewhere shows and its answer is followed', () => {
    const p = page();
    assert.deepEqual(p.take(user('1')), ['follow u1']);
    assert.deepEqual(p.take(answer('1'), user('2')), [], 'not while it runs');
    assert.deepEqual(p.over(), ['keep a1', 'follow u2']);
});

test('a question whose answer came with it is only shown', () => {
    assert.deepEqual(page().take(user('1'), answer('1'), user('2')),
        ['add u1', 'add a1', 'follow u2']);
});

test('one\'s own messages do not show twice', () => {
    const p = page();
    p.known.add('umine').add('amine');
    p.busy = true;
    assert.deepEqual(p.take(user('mine'), answer('mine')), []);
    assert.deepEqual(p.over(), ['keep umine', 'keep amine']);
});

test('what was asked elsewhere before one\'s own is read in its place', () => {
    const p = page();
    p.known.add('umine').add('amine');
    p.busy = true;
    p.take(user('theirs'), answer('theirs'), user('mine'), answer('mine'));
    assert.deepEqual(p.over(), ['again']);
});

test('another branch is read anew', () => {
    const p = page();
    p.last = 'a1';
    assert.deepEqual(p.take(user('2', { parent_id: 'a1' })), ['follow u2']);
    p.busy = false;
    assert.deepEqual(p.take(user('3', { parent_id: 'a0' })), ['again']);
    assert.deepEqual(p.take(user('4', { parent_id: null })), ['again']);
});

test('what was said elsewhere and brought in belongs to no turn', () => {
    assert.deepEqual(page().take(user(null), answer(null)),
        ['add unull', 'add anull']);
});

test('titles, clearing and deletion come through, in order', () => {
    const p = page();
    p.busy = true;
    p.take(['session_changed', { session: { title: 'T' } }],
        ['session_cleared', {}], ['session_deleted', {}]);
    assert.deepEqual(p.over(), ['session_changed T', 'cleared', 'deleted']);
});

test('another conversation: what waited is forgotten', () => {
    const p = page();
    p.busy = true;
    p.take(user('1'));
    p.arrivals.clear();
    assert.deepEqual(p.over(), []);
});
