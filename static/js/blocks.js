/* Cuts streamed Markdown into blocks that are finished and one that grows.
 *
 * An answer of a hundred blocks must not be parsed and painted again for every
 * token. The lexer (marked's, handed in) reads only what follows the last cut;
 * every block but the last that is not blank is finished, because only the
 * last one can still change (a paragraph into a heading or a table, a list by
 * another item). What reaches across blocks, a link's definition for instance,
 * is put right when the answer is complete and read as a whole. Pure. */

import { mend } from './mend.js';

export function normalise(text) {
    return text.replace(/\r\n?/g, '\n');
}

/* A fence that is still being typed: no name half read, no end half shown. */
function mendCode(token) {
    if (!/^ {0,3}(`{3,}|~{3,})/.test(token.raw))
        return [token];
    if (!token.raw.includes('\n'))
        return [];
    return [{ ...token, text: token.text.replace(/\n?^ {0,3}[`~]{1,2}$/m,
        (end, at, all) => (at + end.length === all.length ? '' : end)) }];
}

/* The place of the last block before place n that is not blank; or -1. */
function lastBlock(tokens, n) {
    return tokens.slice(0, n).findLastIndex((t) => t.type !== 'space');
}

/* A last line that is not complete may yet belong to the block before it: "3"
 * is a paragraph and "3. x" the list's next item, "#" is a heading and "#x"
 * more of the paragraph above. Gives the place of the first open block. */
function stillOpen(tokens, last) {
    const before = lastBlock(tokens, Math.max(last, 0));
    if (before < 0)
        return last;
    const now = tokens[last];
    const settled = now.raw.includes('\n') &&
        !(now.type === 'table' && now.rows.length === 0);
    if (settled)
        return last;
    const { type, raw } = tokens[before];
    const touching = before === last - 1 && !raw.endsWith('\n\n');
    return touching || type === 'list' || type === 'code' ? before : last;
}

export class Blocks {
    #lex;
    #done = 0;       /* characters of the text that are cut off */
    #defs = {};      /* link definitions met so far */

    constructor(lex) {
        this.#lex = lex;
    }

    #tokens(source) {
        const tokens = this.#lex(source, this.#defs);
        Object.assign(this.#defs, tokens.links);
        return tokens;
    }

    /* Takes the whole text so far, of which the beginning never changes.
     * Gives the blocks finished since the last call and those that may still
     * change, mended for the eye. */
    push(text) {
        const tail = text.slice(this.#done);
        const tokens = this.#tokens(tail);
        let last = lastBlock(tokens, tokens.length);
        if (!tail.endsWith('\n'))
            last = stillOpen(tokens, last);
        const closed = tokens.slice(0, Math.max(last, 0));
        const cut = closed.reduce((n, t) => n + t.raw.length, 0);
        this.#done += cut;
        if (last < 0)
            return { closed, open: [] };
        const open = tokens.slice(last);
        if (open.length === 1 && open[0].type === 'code')
            return { closed, open: mendCode(open[0]) };
        const source = tail.slice(cut);
        const mended = mend(source.trimEnd());
        return {
            closed,
            open: mended === source ? open : this.#tokens(mended),
        };
    }
}
