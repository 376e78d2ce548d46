/* Whether the open conversation is a temporary one.
 *
 * The server keeps it in memory, and so does this page: its id is held
 * (store.js) from the moment on that it is wanted, before a word is written.
 * It ends when it is left. */

import { uuid } from './ids.js';

export class Temporary {
    on = false;
    #store;
    #sessions;
    #composer;
    #next = null;           /* id of one that is not begun */

    constructor({ store, sessions, composer }) {
        this.#store = store;
        this.#sessions = sessions;
        this.#composer = composer;
    }

    /* Changes what a new conversation will be. The draft goes along. */
    toggle() {
        this.on = !this.on;
        this.#next = this.on ? uuid() : null;
        if (this.on)
            this.#store.hold(this.#next);
        this.#composer.move(this.#next);
    }

    /* The id of the conversation that begins now. */
    begin() {
        return this.#next ?? uuid();
    }

    /* The conversation with this id (null: none was begun) is left. */
    leave(id) {
        if (this.on && id !== null)
            this.#sessions.remove(id).catch(() => {
                /* The server forgets it by itself. */
            });
        this.on = false;
        this.#next = null;
    }
}
