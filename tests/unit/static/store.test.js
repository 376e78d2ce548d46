/* What the browser remembers, also when it will not. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createStore } from '../../../static/js/store.js';

function storage(map = new Map()) {
    return {
        map,
        getItem: (k) => map.get(k) ?? null,
        setItem: (k, v) => map.set(k, v),
        removeItem: (k) => map.delete(k),
    };
}

test('values come back, keys carry the prefix', () => {
    const s = storage();
    const store = createStore(s, 'p ');
    store.set('a', { x: 1 });
    assert.deepEqual(store.get('a'), { x: 1 });
    assert.deepEqual([...s.map.keys()], ['p a']);
    store.remove('a');
    assert.equal(store.get('a'), undefined);
});

test('two installations on a host do not meet', () => {
    const s = storage();
    createStore(s, '/one/ ').set('a', 1);
    assert.equal(createStore(s, '/two/ ').get('a'), undefined);
});

test('what is not JSON counts as absent', () => {
    const store = createStore(storage(new Map([['p a', '{oops']])), 'p ');
    assert.equal(store.get('a'), undefined);
});

test('full storage: memory stands in until there is room', () => {
    const s = storage();
    let full = true;
    const set = s.setItem;
    s.setItem = (k, v) => {
        if (full)
            throw new Error('QuotaExceededError');
        set(k, v);
    };
    const store = createStore(s, 'p ');
    store.set('a', 1);
    assert.equal(store.get('a'), 1);
    full = false;
    store.set('a', 2);
    assert.equal(store.get('a'), 2);
    assert.equal(s.map.get('p a'), '2');
});

test('no storage at all', () => {
    const store = createStore(null, 'p ');
    assert.equal(store.get('a'), undefined);
    store.set('a', 1);
    assert.equal(store.get('a'), 1);
    store.remove('a');
    assert.equal(store.get('a'), undefined);
});

test('another tab\'s changes are told, other programs\' are not', () => {
    const s = storage();
    const store = createStore(s, 'p ');
    const target = new EventTarget();
    const seen = [];
    store.watch(target, (key, value) => seen.push([key, value]));
    const tell = (key) =>
        target.dispatchEvent(Object.assign(new Event('storage'), { key }));
    s.map.set('p a', '1');
    tell('p a');
    tell('other');
    tell(null);
    s.map.delete('p a');
    tell('p a');
    assert.deepEqual(seen, [['a', 1], ['a', undefined]]);
});

test('what is held never reaches the storage, not even what was there', () => {
    const s = storage();
    const stored = () => [...s.map].join();
    const store = createStore(s, 'p ');
    store.set('draft a', 'secret');
    store.set('draft b', 'other');
    store.hold('a');
    assert.equal(store.holds('a'), true);
    assert.equal(store.get('draft a'), 'secret');
    store.set('turn a', { text: 'secret' });
    store.set('draft a', 'secret, too');
    assert.doesNotMatch(stored(), /secret/);
    assert.match(stored(), /other/);
    store.release('a');
    assert.match(stored(), /secret, too/);
    assert.equal(store.get('turn a').text, 'secret');
});
