/* Half-typed Markdown looks like what it will be. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mend } from '../../../static/js/mend.js';

const cases = [
    /* what has come,          what is shown */
    ['plain text', 'plain text'],
    ['some **bold', 'some **bold**'],
    ['some **bold ', 'some **bold**'],
    ['some **bold*', 'some **bold**'],
    ['some **', 'some '],
    ['some *', 'some '],
    ['some *it', 'some *it*'],
    ['some **bold and *both', 'some **bold and *both***'],
    ['some **bold** and', 'some **bold** and'],
    ['some `code', 'some `code`'],
    ['some ``co`de', 'some ``co`de``'],
    ['some ``co`de`', 'some ``co`de``'],
    ['some `**code`', 'some `**code`'],
    ['some ~~gone', 'some ~~gone~~'],
    ['2 * 3 * 4', '2 * 3 * 4'],
    ['a*b and snake_case', 'a*b and snake_case'],
    ['an escaped \\*star', 'an escaped \\*star'],
    ['see [the docs](https://exam', 'see the docs'],
    ['see [the docs](https://e.org) and', 'see [the docs](https://e.org) and'],
    ['an ![image](data:image/png;base64,iVBO', 'an '],
    ['**done**\n\n- item *one', '**done**\n\n- item *one*'],
    ['- **open\n- next', '- **open\n- next'],
    ['Intro:\n-', 'Intro:\n'],
    ['Intro:\n==', 'Intro:\n'],
    ['- one\n- [', '- one\n'],
    ['- one\n- [ ]', '- one\n'],
    ['- one\n- **', '- one\n'],
    ['text\n``', 'text\n'],
    ['- item\n  ```js\n  a ** b', '- item\n  ```js\n  a ** b'],
    ['| a | b |', ''],
    ['| a | b |\n|--', ''],
    ['| a | b |\n|---|---|\n| **x', '| a | b |\n|---|---|\n| **x**'],
    ['', ''],
];

for (const [source, shown] of cases)
    test(JSON.stringify(source), () => assert.equal(mend(source), shown));

test('any beginning of any text is taken', () => {
    const text = cases.map(([source]) => source).join('\n\n');
    for (let i = 0; i <= text.length; i++)
        assert.equal(typeof mend(text.slice(0, i)), 'string');
});

/* Long enough that a step for each pair of marks would not end. */
test('time grows no faster than the text, nearly', () => {
    for (const piece of ['**a `b ', '**a *b ', '[a](b ', '`', '`a ``b '])
        assert.equal(typeof mend(piece.repeat(200000)), 'string');
});
