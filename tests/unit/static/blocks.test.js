/* Streamed Markdown is cut where nothing can change any more: whatever the
 * pieces, the finished blocks are those of the whole text. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Blocks, normalise } from '../../../static/js/blocks.js';
import { Marked } from '../../../static/vendor/marked.js';

const marked = new Marked({ gfm: true });

function lex(source, links = {}) {
    const lexer = new marked.Lexer(marked.defaults);
    Object.assign(lexer.tokens.links, links);
    return lexer.lex(source);
}

const html = (tokens) => marked.parser(tokens);

const TEXT = normalise(`# Title

A paragraph with **bold** and \`code\`.\r
Its second line.

Setext
------

1. one
2. two

   more of two

   \`\`\`c
   int x;

   int y;
   \`\`\`
3. three
- another list
  - inside

~~~text
\`\`\`
not the end

~~~

    indented

    code

| a | b |
|---|:-:|
| 1 | 2 |

> quoted
lazily

***

The end.
`);

/* The HTML of all blocks when the text comes in these pieces. Two more
 * paragraphs make sure that all before them is finished. */
function streamed(ends) {
    const blocks = new Blocks(lex);
    let out = '';
    for (const end of [...ends, TEXT.length]) {
        const { closed } = blocks.push(TEXT.slice(0, end));
        out += html(closed);
    }
    return out + html(blocks.push(`${TEXT}\n\nx\n\ny\n`).closed);
}

const whole = html(lex(`${TEXT}\n\nx\n`));

test('character by character', () => {
    assert.equal(streamed([...TEXT].map((_, i) => i + 1)), whole);
});

test('at once', () => {
    assert.equal(streamed([]), whole);
});

test('cut in two at every place', () => {
    for (let i = 0; i <= TEXT.length; i++)
        assert.equal(streamed([i]), whole, `cut at ${i}`);
});

test('only the last block is open', () => {
    const blocks = new Blocks(lex);
    const first = blocks.push('One\n\nTwo\n\nThr');
    assert.deepEqual(first.closed.filter((t) => t.type !== 'space')
        .map((t) => t.text), ['One', 'Two']);
    assert.deepEqual(first.open.map((t) => t.text), ['Thr']);
    const second = blocks.push('One\n\nTwo\n\nThree');
    assert.equal(second.closed.length, 0);
    assert.deepEqual(second.open.map((t) => t.text), ['Three']);
});

test('a list waits, another item may come', () => {
    const blocks = new Blocks(lex);
    const { closed, open } = blocks.push('- one\n- two\n\n');
    assert.equal(closed.length, 0);
    assert.equal(open[0].type, 'list');
});

test('a fence shows its code before it is closed', () => {
    const blocks = new Blocks(lex);
    assert.deepEqual(blocks.push('```py').open, []);
    const [code] = blocks.push('```py\nx = 1\n``').open;
    assert.equal(code.type, 'code');
    assert.equal(code.lang, 'py');
    assert.equal(code.text, 'x = 1');
    const { open } = blocks.push('```py\nx = 1\n```');
    assert.equal(open[0].text, 'x = 1');
});

test('a line that is not complete does not end the block before it', () => {
    const blocks = new Blocks(lex);
    for (const text of ['- one\n\n2', 'text\n#', 'text\n**b**\n|--|'])
        assert.equal(new Blocks(lex).push(text).closed.length, 0, text);
    assert.equal(blocks.push('1. one\n\n2').closed.length, 0);
    const [list] = blocks.push('1. one\n\n2. two').open;
    assert.equal(list.items.length, 2);
});

test('a link defined before is known after', () => {
    const blocks = new Blocks(lex);
    blocks.push('[a]: https://e.org\n\nText\n\n');
    const { open } = blocks.push('[a]: https://e.org\n\nText\n\nSee [a].');
    assert.match(html(open), /href="https:\/\/e.org"/);
});
