/* The list of conversations: titles, merging, grouping, and what is kept. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
    Sessions, fromServer, groupSessions, mergeSessions, sortSessions, titleOf,
} from '../../../static/js/sessions.js';
import { createStore } from '../../../static/js/store.js';

test('a title is the beginning of the first line', () => {
    assert.equal(titleOf('  hello   there \nmore'), 'Hello there');
    assert.equal(titleOf(' \n '), 'New chat');
    const long = titleOf('word '.repeat(40));
    assert.ok([...long].length <= 61, long);
    assert.match(long, /word…$/);
    assert.equal(titleOf('中'.repeat(100)), `${'中'.repeat(60)}…`);
    assert.doesNotMatch(titleOf('😀'.repeat(100)), /[\ud800-\udbff]…/);
});

test('a server entry of any age is understood', () => {
    assert.deepEqual(
        fromServer({ id: 'a', title: 'T', updated_at: '2024-05-01T00:00:00Z' }),
        { id: 'a', title: 'T', at: Date.UTC(2024, 4, 1) });
    assert.deepEqual(fromServer({ session_id: 'b', timestamp: 5 }),
        { id: 'b', title: '', at: 5 });
    assert.deepEqual(
        fromServer({ id: 'c', at: 1, pinned: true, archived: 0, tags: ['x'] }),
        { id: 'c', title: '', at: 0, pinned: true, archived: false,
            tags: ['x'] });
    for (const bad of [null, {}, { id: '' }, { id: 3 }])
        assert.equal(fromServer(bad), null);
});

test('merging: ids are united, the later time and the given name win', () => {
    const local = [
        { id: 'a', title: 'first words', at: 10 },
        { id: 'b', title: 'My name', named: true, at: 20 },
        { id: 'c', title: 'only here', at: 30 },
    ];
    const remote = [
        { id: 'a', title: 'A', at: 40 },
        { id: 'b', title: 'B', at: 15 },
        { id: 'd', title: '', at: 5 },
    ];
    const merged = mergeSessions(local, remote);
    assert.deepEqual(merged.map((s) => [s.id, s.title, s.at]), [
        ['a', 'A', 40], ['c', 'only here', 30], ['b', 'My name', 20],
        ['d', 'Untitled', 5],
    ]);
});

test('merging with nothing changes nothing', () => {
    const local = [{ id: 'a', title: 'x', at: 1 }];
    assert.deepEqual(mergeSessions(local, []), local);
    assert.deepEqual(mergeSessions([], []), []);
});

test('the newest come first and the list has an end', () => {
    const many = Array.from({ length: 700 }, (_, i) =>
        ({ id: String(i), title: '', at: i }));
    const sorted = sortSessions(many);
    assert.equal(sorted[0].at, 699);
    assert.equal(sorted.length, 500);
});

test('what is pinned is not forgotten, and comes first', () => {
    const many = Array.from({ length: 700 }, (_, i) =>
        ({ id: String(i), title: '', at: i, pinned: i === 3 }));
    const sorted = sortSessions(many);
    assert.equal(sorted.length, 501);
    const [first] = groupSessions(sorted, 700);
    assert.equal(first.name, 'Pinned');
    assert.deepEqual(first.sessions.map((s) => s.id), ['3']);
});

test('groups follow the calendar, not 24 hours', () => {
    const now = new Date(2024, 4, 10, 0, 30).getTime();
    const at = (...date) => new Date(2024, ...date).getTime();
    const groups = groupSessions([
        { id: 'a', at: at(4, 10, 0, 10) }, { id: 'b', at: at(4, 9, 23, 50) },
        { id: 'c', at: at(4, 6) }, { id: 'd', at: at(3, 20) },
        { id: 'e', at: at(0, 2) }, { id: 'f', at: at(0, 1) },
    ], now);
    assert.deepEqual(groups.map((g) => g.sessions.map((s) => s.id).join('')),
        ['a', 'b', 'c', 'd', 'ef']);
    assert.deepEqual(groups.slice(0, 4).map((g) => g.name),
        ['Today', 'Yesterday', 'Past week', 'Past month']);
});

/* ---- the list in storage, with a server of the test's own ---- */

function made(answer) {
    const requests = [];
    globalThis.fetch = async (path, { method }) => {
        requests.push(`${method} ${path}`);
        const [status, body] = answer(method, path);
        return new Response(JSON.stringify(body ?? {}), { status });
    };
    const map = new Map();
    const store = createStore({
        getItem: (k) => map.get(k) ?? null,
        setItem: (k, v) => map.set(k, v),
        removeItem: (k) => map.delete(k),
    }, 'p ');
    let changes = 0;
    const sessions = new Sessions(store, () => changes++);
    return { sessions, store, requests, changes: () => changes };
}

test('touching adds once, then moves to the top', () => {
    const { sessions, changes } = made(() => [200]);
    sessions.touch('a', 'First question', 1);
    sessions.touch('b', 'Other', 2);
    sessions.touch('a', 'Second question', 3);
    assert.deepEqual(sessions.list.map((s) => s.id), ['a', 'b']);
    assert.equal(sessions.find('a').title, 'First question');
    assert.equal(changes(), 3);
});

test('a server without names leaves the name here', async () => {
    for (const status of [404, 405, 501]) {
        const { sessions, requests } = made(() => [status]);
        sessions.touch('a', 'x', 1);
        await sessions.change('a', { title: 'New' });
        assert.equal(sessions.find('a').title, 'New');
        assert.deepEqual(requests, ['PATCH sessions/a']);
        sessions.told({ id: 'a', title: 'Theirs' });
        assert.equal(sessions.find('a').title, 'New');
    }
});

test('a name that the server refuses is taken back', async () => {
    const { sessions } = made(() => [422, { error: 'Too long' }]);
    sessions.touch('a', 'x', 1);
    await assert.rejects(sessions.change('a', { title: 'New' }), /Too long/);
    assert.equal(sessions.find('a').title, 'X');
});

test('a name that the server has taken gives way to a later one', async () => {
    const { sessions } = made(() => [200]);
    sessions.touch('a', 'x', 1);
    await sessions.change('a', { title: 'Mine' });
    assert.equal(sessions.told({ session_id: 'a', title: 'Theirs' }), true);
    assert.equal(sessions.find('a').title, 'Theirs');
});

test('pins, tags and the archive follow the server; what is not told stays',
    async () => {
        const { sessions, changes } = made(() => [200]);
        sessions.touch('a', 'x', 1);
        await sessions.change('a', { pinned: true, tags: ['t'] });
        const before = changes();
        assert.equal(sessions.told({ id: 'a', pinned: true }), false);
        assert.equal(changes(), before, 'no news, no change');
        sessions.told({ id: 'a', pinned: false, archived: true });
        const { pinned, archived, tags } = sessions.find('a');
        assert.deepEqual([pinned, archived, tags], [false, true, ['t']]);
        assert.equal(sessions.told({ id: 'unknown', pinned: true }), false);
    });

test('a pin that the server refuses is taken back', async () => {
    const { sessions } = made(() => [400, { error: 'No' }]);
    sessions.touch('a', 'x', 1);
    await assert.rejects(sessions.change('a', { pinned: true }), /No/);
    assert.equal(Boolean(sessions.find('a').pinned), false);
});

test('a conversation that is held never enters the list', () => {
    const { sessions, store } = made(() => [200]);
    store.hold('t');
    sessions.touch('t', 'secret');
    assert.deepEqual(sessions.list, []);
    store.release('t');
    sessions.touch('t', 'known');
    assert.equal(sessions.list.length, 1);
});

test('deleting forgets the draft and the turn too', async () => {
    const { sessions, store } = made(() => [200]);
    sessions.touch('a', 'x', 1);
    store.set('draft a', 'd');
    store.set('turn a', {});
    await sessions.remove('a');
    assert.deepEqual(sessions.list, []);
    assert.equal(store.get('draft a'), undefined);
    assert.equal(store.get('turn a'), undefined);
});

test('what the server could not delete stays in the list', async () => {
    const { sessions } = made(() => [503]);
    sessions.touch('a', 'x', 1);
    await assert.rejects(sessions.remove('a'), /busy/);
    assert.equal(sessions.list.length, 1);
});

test('what the server never had is deleted all the same', async () => {
    const { sessions } = made(() => [404]);
    sessions.touch('a', 'x', 1);
    await sessions.remove('a');
    assert.deepEqual(sessions.list, []);
});

test('what was deleted on another device leaves the list', async () => {
    let reply = { sessions: [{ id: 'r' }, { id: 's' }], next_cursor: null };
    const { sessions } = made(() => [200, reply]);
    sessions.touch('mine', 'x', 1);
    await sessions.load();
    reply = { ...reply, sessions: [{ id: 's' }], next_cursor: 'more' };
    await sessions.load();
    assert.equal(sessions.list.length, 3, 'a part of the list says nothing');
    reply = { ...reply, next_cursor: null };
    await sessions.load();
    assert.deepEqual(sessions.list.map((s) => s.id).toSorted(),
        ['mine', 's']);
});

test('a list that was asked for before a deletion brings nothing back',
    async () => {
        const { sessions } = made((method) => (method === 'GET'
            ? [200, { sessions: [{ id: 'a' }, { id: 'b' }] }] : [200]));
        sessions.touch('a', 'x', 1);
        const load = sessions.load();
        await sessions.remove('a');
        await load;
        assert.deepEqual(sessions.list.map((s) => s.id), ['b']);
    });

test('the server\'s list is merged in', async () => {
    const { sessions } = made(() => [200,
        { sessions: [{ id: 'r', title: 'Remote', updated_at: 9 }, {}] }]);
    sessions.touch('a', 'x', 1);
    await sessions.load();
    assert.deepEqual(sessions.list.map((s) => s.id), ['r', 'a']);
});
