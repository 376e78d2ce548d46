/* Keeps the end of the conversation in view, but only while it is.
 *
 * A reader who scrolls up to read is never pulled back; a button offers the
 * way to the end. Growth is noticed after layout and before paint, so that
 * text and position change in the same frame. */

const NEAR_PX = 40;

export class Scroll {
    #box;
    #jump;
    #stuck = true;
    #top = 0;               /* where it was at the last scroll event */

    constructor(box, content, jump) {
        this.#box = box;
        this.#jump = jump;
        box.addEventListener('scroll', () => this.#moved(), { passive: true });
        new ResizeObserver(() => this.#grown()).observe(content);
        new ResizeObserver(() => this.#grown()).observe(box);
        jump.addEventListener('click', () => this.toEnd(true));
    }

    get #gap() {
        const b = this.#box;
        return b.scrollHeight - b.clientHeight - b.scrollTop;
    }

    /* Upwards lets go at the first pixel; downwards, near the end holds on. */
    #moved() {
        const top = this.#box.scrollTop;
        const gap = this.#gap;
        if (gap <= 1 || (top > this.#top && gap < NEAR_PX))
            this.#stuck = true;
        else if (top < this.#top)
            this.#stuck = false;
        this.#top = top;
        this.#show();
    }

    #grown() {
        if (this.#stuck)
            this.#box.scrollTop = this.#box.scrollHeight;
        this.#show();
    }

    #show() {
        this.#jump.hidden = this.#stuck || this.#gap < NEAR_PX;
    }

    toEnd(smooth = false) {
        this.#stuck = true;
        const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
        this.#box.scrollTo({
            top: this.#box.scrollHeight,
            behavior: smooth && !calm ? 'smooth' : 'instant',
        });
        this.#show();
    }

    /* Runs fn, which adds something above, and stays where the reader is. */
    holding(fn) {
        const b = this.#box;
        const fromEnd = b.scrollHeight - b.scrollTop;
        fn();
        b.scrollTop = b.scrollHeight - fromEnd;
    }
}
