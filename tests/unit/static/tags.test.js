/* Tags, and what a view of the list shows. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allTags, inView } from '../../../static/js/tags.js';
import { addTags } from '../../../static/js/later/tagdialog.js';

const list = [
    { id: 'a', tags: ['work', 'x'] },
    { id: 'b', archived: true, tags: ['old'] },
    { id: 'c' },
    { id: 'd', archived: false, tags: ['work'] },
];
const ids = (view) => inView(list, view).map((s) => s.id).join('');

test('each tag once, in order', () => {
    assert.deepEqual(allTags(list), ['old', 'work', 'x']);
    assert.deepEqual(allTags([]), []);
});

test('a view is in use or archived, of all or of one tag', () => {
    assert.equal(ids({ archived: false, tag: null }), 'acd');
    assert.equal(ids({ archived: true, tag: null }), 'b');
    assert.equal(ids({ archived: false, tag: 'work' }), 'ad');
    assert.equal(ids({ archived: true, tag: 'work' }), '');
});

test('tags are added one after each comma, each once', () => {
    assert.deepEqual(addTags(['a'], ' b, #c ,, a,'), ['a', 'b', 'c']);
    assert.deepEqual(addTags(['a'], '  '), ['a']);
});

test('a tag is as long as the server takes it, in whole characters', () => {
    assert.deepEqual(addTags([], 'x'.repeat(60)), ['x'.repeat(50)]);
    assert.deepEqual(addTags([], 'é'.repeat(30)), ['é'.repeat(25)]);
    assert.deepEqual(addTags([], '😀'.repeat(13)), ['😀'.repeat(12)]);
});

test('there are ten at most', () => {
    const ten = [...'abcdefghij'];
    assert.deepEqual(addTags(ten.slice(0, 9), 'j,k'), ten);
});
