/* An answer on the page while it grows.
 *
 * Text may come a thousand times a second; the page is painted at most once a
 * frame, and less often when painting turns out to be slow. Only the block that
 * still grows is rendered again (blocks.js), and of that only what changed is
 * touched (morph.js). */

import { Blocks, normalise } from './blocks.js';
import { highlightIn } from './code.js';
import { morphChildren } from './morph.js';
import { lex, renderMarkdown, renderTokens } from './render.js';

const REST = 4;             /* rest at least that many times the work */

export class LiveText {
    #node;
    #blocks = new Blocks(lex);
    #text = '';
    #shown = 0;             /* child nodes that belong to finished blocks */
    #frame = 0;
    #notBefore = 0;

    constructor(node) {
        this.#node = node;
    }

    /* The whole text so far. */
    set(text) {
        this.#text = text;
        if (!this.#frame)
            this.#frame = requestAnimationFrame(() => this.#tick());
    }

    #tick() {
        this.#frame = 0;
        const start = performance.now();
        if (start < this.#notBefore) {
            this.#frame = requestAnimationFrame(() => this.#tick());
            return;
        }
        this.#paint();
        const now = performance.now();
        this.#notBefore = now + Math.min((now - start) * REST, 500) - 16;
    }

    #paint() {
        const { closed, open } = this.#blocks.push(normalise(this.#text));
        const fragment = renderTokens(closed);
        const added = fragment.childNodes.length;
        fragment.append(renderTokens(open));
        morphChildren(this.#node, fragment, this.#shown);
        const finished = [...this.#node.children].slice(this.#shown,
            this.#shown + added);
        this.#shown += added;
        for (const node of finished)
            highlightIn(node);
    }

    /* The text as it stays, read as a whole; what is right is not touched. */
    finish(text) {
        cancelAnimationFrame(this.#frame);
        morphChildren(this.#node, renderMarkdown(text));
        highlightIn(this.#node);
    }
}
