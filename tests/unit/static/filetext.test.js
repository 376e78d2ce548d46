/* What the page says of files, and where it finds a citation in one. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { baseName, cutText, fileUrl, isCode, placeText, rangeAround,
    refusalText, sizeText, snippetText, splitMarks, statusText, torn,
    uploadedText } from '../../../static/js/later/filetext.js';

const bytes = (text) => new TextEncoder().encode(text);
const numbers = (...n) => new Map(n.map((i) => [i, {}]));

test('each part of a name is encoded, slashes stay', () => {
    assert.equal(fileUrl('a/b c.md'), 'files/a/b%20c.md');
    assert.equal(fileUrl('50% off?#ä.txt', 'text=1'),
        'files/50%25%20off%3F%23%C3%A4.txt?text=1');
    assert.equal(baseName('a/b/c.md'), 'c.md');
    assert.equal(baseName('c.md'), 'c.md');
});

test('sizes are short and have a unit', () => {
    assert.equal(sizeText(0), '0 bytes');
    assert.equal(sizeText(1), '1 byte');
    assert.equal(sizeText(998), '998 bytes');
    assert.equal(sizeText(1815), '1.8 KB');
    assert.equal(sizeText(20090), '20 KB');
    assert.equal(sizeText(999600), '1.0 MB');
    assert.equal(sizeText(64 * 2 ** 20), '67 MB');
    assert.equal(sizeText(3e12), '3,000 GB');
});

test('a place is its headings and its page', () => {
    assert.equal(placeText({ title: 'Boats', heading: 'Boats > Harbour',
        page: null }), 'Harbour');
    assert.equal(placeText({ title: 'Boats', heading: 'North > Harbour',
        page: 3 }), 'North › Harbour, page 3');
    assert.equal(placeText({ title: 'Boats', heading: 'Boats' }), '');
    assert.equal(placeText({ page: 12 }), 'page 12');
    assert.equal(placeText({}), '');
});

test('a snippet is a line without marks', () => {
    const said = (snippet, heading) => snippetText({ snippet, heading });
    assert.equal(said('## Harbour The **master** of `it`', ''),
        'Harbour The master of it');
    assert.equal(said('## Harbour The master', 'North > Harbour'),
        'The master');
    assert.equal(said('Harbours are far', 'Harbour'), 'Harbours are far');
    assert.equal(said('C# and issue #3', 'C'), 'C# and issue #3');
    assert.equal(snippetText({}), '');
});

test('numbers of sources are found, others stay text', () => {
    assert.deepEqual(splitMarks('It is so [1].', numbers(1)),
        ['It is so ', 1, '.']);
    assert.deepEqual(splitMarks('[2][1]', numbers(1, 2)), [2, 1]);
    assert.deepEqual(splitMarks('a [3] b [1] c [9]', numbers(1)),
        ['a [3] b ', 1, ' c [9]']);
    assert.deepEqual(splitMarks('[9][1]', numbers(1)), ['[9]', 1]);
    assert.equal(splitMarks('a[0] and [7] and [x]', numbers(1)), null);
    assert.equal(splitMarks('', numbers(1)), null);
});

test('text around a place, at the beginning too', () => {
    assert.deepEqual(rangeAround({ start: 1000, length: 50 }, 600),
        { start: 400, length: 1250 });
    assert.deepEqual(rangeAround({ start: 100, length: 50 }, 600),
        { start: 0, length: 750 });
});

test('the rest of a character is not shown', () => {
    const all = bytes('ä€😀x');
    const whole = [0, 2, 5, 9];
    for (let at = 0; at < all.length; at++) {
        const next = whole.find((w) => w >= at);
        assert.equal(torn(all.subarray(at)), next - at, `from ${at}`);
    }
    assert.equal(torn(bytes('')), 0);
});

test('a place is cut out by bytes, not by characters', () => {
    const all = bytes('vor: äöü, nach');
    const start = bytes('vor: ').length;
    const length = bytes('äöü').length;
    assert.deepEqual(cutText(all, 0, { start, length }),
        ['vor: ', 'äöü', ', nach']);
    assert.deepEqual(cutText(all.subarray(start), start, { start, length }),
        ['', 'äöü', ', nach']);
    /* The file has become shorter meanwhile. */
    assert.deepEqual(cutText(all.subarray(0, 4), 0, { start: 90, length: 9 }),
        ['vor:', '', '']);
    assert.deepEqual(cutText(bytes(''), 0, { start: 9, length: 9 }),
        ['', '', '']);
});

test('columns matter in code and data', () => {
    assert.equal(isCode('text/x-python'), true);
    assert.equal(isCode('application/json'), true);
    assert.equal(isCode('text/csv'), true);
    assert.equal(isCode('text/markdown'), false);
    assert.equal(isCode('application/pdf'), false);
    assert.equal(isCode('application/vnd.oasis.opendocument.text'), false);
    assert.equal(isCode(''), false);
    assert.equal(isCode(undefined), false);
});

test('what became of a file, in words', () => {
    assert.equal(statusText({ status: 'indexed' }), '');
    assert.equal(statusText({ status: 'waiting' }), 'Being read…');
    assert.equal(statusText({ status: 'skipped', message: 'It is empty.' }),
        'Not searched. It is empty.');
    assert.equal(refusalText(413, { error: 'The file is too large',
        message: 'At most 64 MiB.' }),
    'The file is too large. At most 64 MiB.');
    assert.equal(refusalText(413, {}), 'The file is too large.');
    assert.equal(refusalText(0, {}), 'The connection broke off.');
    assert.equal(refusalText(500, {}),
        'The server answered with an error (500).');
    assert.equal(uploadedText({ added: 1, failed: 0 }), '1 file added.');
    assert.equal(uploadedText({ added: 3, failed: 2 }),
        '3 files added. 2 files not added.');
    assert.equal(uploadedText({ added: 0, failed: 1 }), '1 file not added.');
});
