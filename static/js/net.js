/* Whether the server can be reached, and saying so.
 *
 * Short interruptions pass without a word. While there is no connection the
 * page asks again by itself, and back() is called once when it returns. */

import { ping, watchReach } from './api.js';
import { backoffMs } from './time.js';

const DOUBT_MS = 1200;      /* a connection may be gone this long unnoticed */

export class Net {
    #banner;
    #back;
    #down = false;
    #missed = false;        /* something failed since it was last reached */
    #timer = 0;
    #tries = 0;

    constructor(banner, back) {
        this.#banner = banner;
        this.#back = back;
        watchReach((ok) => (ok ? this.ok() : this.fail()));
        addEventListener('offline', () => this.#show());
        addEventListener('online', () => this.#probe());
        if (!navigator.onLine)
            this.#show();
    }

    /* The server answered. */
    ok() {
        clearTimeout(this.#timer);
        this.#timer = 0;
        this.#tries = 0;
        const back = this.#missed || this.#down;
        this.#missed = false;
        this.#down = false;
        this.#banner.textContent = '';
        if (back)
            this.#back();
    }

    /* A request did not get through. */
    fail() {
        this.#missed = true;
        this.doubt();
    }

    /* Something else looks broken; a request will tell. */
    doubt() {
        if (!this.#timer && !this.#down)
            this.#timer = setTimeout(() => this.#probe(), DOUBT_MS);
    }

    #show() {
        this.#missed = true;
        this.#down = true;
        this.#banner.textContent = navigator.onLine
            ? 'The server cannot be reached. Trying again…'
            : 'You are offline. This page catches up when you are back.';
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.#probe(),
            backoffMs(this.#tries++, 1000, 10000));
    }

    async #probe() {
        clearTimeout(this.#timer);
        try {
            await ping();       /* ok() follows from the answer */
        } catch {
            this.#show();
        }
    }
}
