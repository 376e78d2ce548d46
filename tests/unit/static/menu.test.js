/* Where a menu goes. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placeFor } from '../../../static/js/later/menu.js';

const view = { width: 400, height: 600 };
const box = { width: 200, height: 300 };
const button = (left, top) =>
    ({ left, top, right: left + 30, bottom: top + 30 });

test('below the button and in line with it, if there is room', () => {
    assert.deepEqual(placeFor(button(20, 40), box, view),
        { top: 74, left: 20 });
});

test('at the right edge it ends where the button ends', () => {
    assert.deepEqual(placeFor(button(350, 40), box, view),
        { top: 74, left: 180 });
});

test('low down it stands above the button', () => {
    assert.deepEqual(placeFor(button(20, 560), box, view),
        { top: 256, left: 20 });
});

test('with room on neither side it stays inside the window', () => {
    const place = placeFor(button(20, 290), { width: 200, height: 560 }, view);
    assert.deepEqual(place, { top: 32, left: 20 });
    assert.equal(placeFor(button(20, 290), { width: 900, height: 900 }, view)
        .left, 8);
});
