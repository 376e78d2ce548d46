/* Follows one turn to its end, whatever the path does.
 *
 * The first means is EventSource: it reconnects by itself and says where it
 * stopped. It has three blind spots, and one request closes them all: asking
 * GET chat/events what there is after the last event seen.
 *   - EventSource gives up on an error status without telling which; the same
 *     question by fetch tells (gone, refused, or try again).
 *   - A proxy that buffers delivers nothing, which looks like a model that
 *     thinks. After a few quiet seconds we ask: if there is news that did not
 *     arrive, the path buffers, and polling takes over.
 *   - A connection can die without a word; the same question finds out.
 * Events are handed over once each, in order, and the last is final. Time, the
 * EventSource class and the requests are handed in, for tests. */

import { EVENT_TYPES, isLast, parseEventId } from './answer.js';
import { backoffMs } from './time.js';

const QUIET_MS = 4000;         /* silence before the first doubt */
const QUIET_MAX_MS = 16000;
const GRACE_MS = 700;          /* for news that is just arriving */
const WAIT_S = 20;             /* how long a poll waits for news */
const POLL_REST_MS = 200;      /* between polls that bring news */
const CLOSED_MAX = 3;          /* refusals before polling takes over */

/* on.event(seq, event) gives 'new', 'old' or 'gap' (answer.js);
 * on.state('live' | 'lost') tells of the connection;
 * on.end('done' | 'gone' | 'refused') comes once, last. */
export class Follower {
    #turnId;
    #on;
    #env;
    #seen;
    #source = null;
    #timer = 0;
    #quietMs = QUIET_MS;
    #failures = 0;
    #abort = null;
    #epoch = 0;      /* counts means dropped: what came later is void */
    #polling = false;
    #brought = false; /* this connection had an event */
    #stalled = false; /* one that had was dead */
    #closed = false;

    constructor(turnId, after, on, env) {
        this.#turnId = turnId;
        this.#seen = after;
        this.#on = on;
        this.#env = env;
        if (env.pollOnly?.())
            this.#poll();
        else
            this.#open();
    }

    close() {
        this.#closed = true;
        this.#drop();
    }

    /* The network came back: try at once instead of when the pause is over. */
    kick() {
        if (this.#closed || this.#source?.readyState === 1)
            return;
        this.#failures = 0;
        if (this.#polling)
            this.#poll();
        else
            this.#open();
    }

    #drop() {
        this.#epoch++;
        this.#env.clearTimeout(this.#timer);
        this.#abort?.abort();
        this.#source?.close();
        this.#source = null;
    }

    #after(ms, fn) {
        this.#env.clearTimeout(this.#timer);
        this.#timer = this.#env.setTimeout(fn, ms);
    }

    #finish(how) {
        if (this.#closed)
            return;
        this.close();
        this.#on.end(how);
    }

    /* Hands one event over. True unless something before it is missing. */
    #take(seq, event) {
        const result = this.#on.event(seq, event);
        if (result === 'gap')
            return false;
        if (result === 'new')
            this.#seen = seq;
        if (isLast(event))
            this.#finish('done');
        return true;
    }

    #open() {
        this.#drop();
        const source = new this.#env.EventSource(
            this.#env.streamUrl(this.#turnId, this.#seen));
        this.#source = source;
        this.#brought = false;
        source.onopen = () => this.#on.state('live');
        for (const type of EVENT_TYPES)
            source.addEventListener(type, (e) => {
                if (source !== this.#source)
                    return;
                /* 'error' is both an event of ours and EventSource's own. */
                if (typeof e.data === 'string')
                    this.#message(e);
                else
                    this.#broken();
            });
        this.#watch();
    }

    #message(e) {
        const id = parseEventId(e.lastEventId);
        let event;
        try {
            event = JSON.parse(e.data);
        } catch {
            return;
        }
        this.#failures = 0;
        this.#brought = true;
        this.#quietMs = QUIET_MS;
        this.#watch();
        if (id && !this.#take(id.seq, event))
            this.#retry();
    }

    #watch() {
        this.#after(this.#quietMs, () => this.#doubt());
    }

    #broken() {
        this.#on.state('lost');
        if (this.#source.readyState === 2)
            this.#ask();
        else
            this.#watch();
    }

    /* Silence: is the model thinking, or does the path hold things back? */
    async #doubt() {
        const epoch = this.#epoch;
        const news = await this.#events(0);
        if (epoch !== this.#epoch)
            return;
        if (!news) {
            this.#retry();
        } else if (news.next > this.#seen || news.done) {
            this.#after(GRACE_MS, () => {
                if (news.next > this.#seen) {
                    this.#held(news);
                } else if (news.done) {
                    this.#finish('gone');
                } else {
                    this.#watch();
                }
            });
        } else {
            this.#quietMs = Math.min(this.#quietMs * 2, QUIET_MAX_MS);
            this.#watch();
        }
    }

    /* News did not arrive. If others did on this connection it is dead, once;
     * else the path buffers. */
    #held(news) {
        const dead = this.#brought && !this.#stalled;
        this.#drop();
        this.#stalled = true;
        if (!dead)
            this.#env.buffers?.();
        if (!this.#takeAll(news))
            return;
        if (dead)
            this.#retry();
        else
            this.#poll();
    }

    /* EventSource has given up. Ask why, and go on as the answer says. */
    async #ask() {
        this.#drop();
        const epoch = this.#epoch;
        const news = await this.#events(0);
        if (epoch !== this.#epoch)
            return;
        if (!news)
            this.#retry();
        else if (!this.#takeAll(news))
            return;
        else if (this.#failures >= CLOSED_MAX)
            this.#poll();
        else
            this.#retry();
    }

    #retry() {
        this.#drop();
        this.#on.state('lost');
        this.#after(backoffMs(this.#failures++), () => this.#open());
    }

    /* One request. null: it failed and may work later. */
    async #events(waitS) {
        const epoch = this.#epoch;
        this.#abort = new AbortController();
        try {
            return await this.#env.turnEvents(
                this.#turnId, this.#seen, waitS, this.#abort.signal);
        } catch (e) {
            if (epoch !== this.#epoch)
                return null;
            if (e.status === 404 || e.status === 410)
                this.#finish('gone');
            else if (e.status === 401 || e.status === 403)
                this.#finish('refused');
            return null;
        }
    }

    /* True if the turn goes on after these events. */
    #takeAll(news) {
        for (const { seq, event } of news.events) {
            this.#take(seq, event);
            if (this.#closed)
                return false;
        }
        if (news.done)
            this.#finish('gone');
        return !this.#closed;
    }

    async #poll() {
        this.#polling = true;
        this.#drop();
        const epoch = this.#epoch;
        const news = await this.#events(WAIT_S);
        if (epoch !== this.#epoch)
            return;
        if (!news) {
            this.#on.state('lost');
            this.#after(backoffMs(this.#failures++), () => this.#poll());
            return;
        }
        this.#failures = 0;
        this.#on.state('live');
        if (this.#takeAll(news))
            this.#after(POLL_REST_MS, () => this.#poll());
    }
}
