/* Hears what happens to the open conversation on other devices.
 *
 * One EventSource, only while the page is looked at: a browser has few
 * connections for each host. Where it was left it goes on from the last event
 * it saw. A server or a path that does not offer this is not asked again. */

import { watchUrl } from './api.js';
import { backoffMs } from './time.js';

const TYPES = ['session', 'message_added', 'session_changed',
    'session_cleared', 'session_deleted'];
const HIDDEN_MS = 15000;    /* out of sight, before it is left */
const FIRST_MS = 4000;      /* before the first new try */
const CEILING_MS = 60000;
const TRIES_MAX = 8;        /* that bring nothing */

const BROWSER = {
    open: (url) => new EventSource(url),
    setTimeout: (fn, ms) => setTimeout(fn, ms),
    clearTimeout: (timer) => clearTimeout(timer),
};

export class Devices {
    #event;
    #env;
    #id = null;
    #last = '';
    #source = null;
    #timer = 0;
    #tries = 0;
    #over = false;       /* it was deleted */
    #offered = true;
    #heard = false;      /* anything, of any conversation */
    #visible;

    /* event(type, data) for each event of the conversation that is open. */
    constructor(event, { visible = true, env = BROWSER } = {}) {
        this.#event = event;
        this.#env = env;
        this.#visible = visible;
    }

    /* Changes to this conversation; null to none. */
    open(id) {
        if (id === this.#id)
            return;
        this.#drop();
        this.#id = id;
        this.#over = false;
        this.#last = '';
        this.#tries = 0;
        this.#connect();
    }

    visible(on) {
        this.#visible = on;
        this.#env.clearTimeout(this.#timer);
        if (on)
            this.#connect();
        else
            this.#timer = this.#env.setTimeout(() => this.#drop(), HIDDEN_MS);
    }

    #drop() {
        this.#env.clearTimeout(this.#timer);
        this.#source?.close();
        this.#source = null;
    }

    #connect() {
        if (this.#id === null || this.#source || this.#over ||
            !this.#visible || !this.#offered)
            return;
        const source = this.#env.open(watchUrl(this.#id, this.#last));
        this.#source = source;
        for (const type of TYPES)
            source.addEventListener(type, (e) => {
                if (source === this.#source)
                    this.#take(type, e);
            });
        source.onerror = () => {
            if (source === this.#source && source.readyState === 2)
                this.#refused();
        };
    }

    #take(type, e) {
        let data;
        try {
            data = JSON.parse(e.data);
        } catch {
            return;
        }
        this.#heard = true;
        this.#tries = 0;
        this.#last = e.lastEventId || this.#last;
        if (type === 'session_deleted') {
            this.#drop();
            this.#over = true;
        }
        this.#event(type, data);
    }

    /* The browser has given up, and does not tell why. */
    #refused() {
        this.#source = null;
        if (!this.#heard && this.#tries > 0)
            this.#offered = false;
        if (!this.#offered || this.#tries >= TRIES_MAX || !this.#visible)
            return;
        this.#timer = this.#env.setTimeout(() => this.#connect(),
            backoffMs(this.#tries++, FIRST_MS, CEILING_MS));
    }
}
