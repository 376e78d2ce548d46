/* What is found: marked snippets, and names beside what the server found. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { markedParts, mergeFound, shortParts }
    from '../../../static/js/later/search.js';

test('marks are parts of the snippet, counted in characters', () => {
    assert.deepEqual(markedParts('a 😀 cat sat', [[4, 3]]), [
        { text: 'a 😀 ', mark: false }, { text: 'cat', mark: true },
        { text: ' sat', mark: false },
    ]);
    assert.deepEqual(markedParts('cat', [[0, 3]]),
        [{ text: 'cat', mark: true }]);
    assert.deepEqual(markedParts('none', []), [{ text: 'none', mark: false }]);
    assert.deepEqual(markedParts('', []), []);
    assert.equal(markedParts('over', [[2, 9], [1, 1]])
        .map((p) => p.text).join(''), 'over', 'whatever the marks say');
});

test('names come first, and each conversation once', () => {
    const local = [
        { id: 'a', title: 'About cats', at: 3 },
        { id: 'b', title: 'Dogs', at: 2 },
        { id: 'c', title: 'More CATS', at: 1 },
    ];
    const remote = [
        { session_id: 'c', title: 'More CATS', matches: [
            { snippet: 'a cat', marks: [[2, 3]] }] },
        { session_id: 'd', title: '', matches: [] },
        { nothing: true },
    ];
    const found = mergeFound('Cats', local, remote);
    assert.deepEqual(found.map((f) => f.id), ['a', 'c', 'd']);
    assert.equal(found[0].match, null);
    assert.equal(found[1].match.snippet, 'a cat');
    assert.equal(found[2].match, null);
    assert.deepEqual(mergeFound('x', [], []), []);
});

test('the first mark is near the beginning, and Markdown is left out', () => {
    const text = 'many words that stand far before the **key** of it';
    assert.deepEqual(shortParts(text, [[39, 3]]), [
        { text: '…stand far before the ', mark: false },
        { text: 'key', mark: true }, { text: ' of it', mark: false },
    ]);
    assert.deepEqual(shortParts('a `key`', [[3, 3]]).map((p) => p.text),
        ['a ', 'key', '']);
    assert.deepEqual(shortParts('no mark at all in these many words', []),
        [{ text: 'no mark at all in these many words', mark: false }]);
});
