/* Which transport: what is known of the path to a server, and finding it out.
 *
 * WebSocket if the server offers it and greets, else server-sent events if the
 * path lets them through as they come, else polling, which works everywhere.
 * What was found out is remembered per server, for a day: paths change. What a
 * path does to an answer is a better witness than any test; so what happens to
 * answers changes the choice, too. */

import { SseParser } from './sse.js';
import { linked, pause } from './world.js';

export const WAYS = ['websocket', 'sse', 'polling'];

const REMEMBERED_MS = 24 * 60 * 60 * 1000;
const PROBE = 'probe?events=3&gap_ms=120';
const PROBES = 2;           /* that must agree on what is bad */
export const PROBE_MS = 1500; /* when they must be over */
const HEAD_START_MS = 400;  /* of a handshake, and its last chance */
const CUTS_MAX = 2;         /* answers in a row that a WebSocket lost */
const BARREN_MAX = 3;       /* streams in a row that brought nothing */
const STALLS_MAX = 2;       /* streams in one answer that stopped bringing */

/* Stands in where there is no storage. */
const memory = new Map();

/* Of an address, what tells it from others on the same storage; as the page has
 * it (store.js). */
function place(base) {
    const { origin, pathname } = new URL(base);
    return origin === globalThis.location?.origin ? pathname : base;
}

export class Ways {
    next = null;            /* for the next question; null: not known */
    #forced;
    #env;
    #key;
    #now = null;            /* for the rest of the one that runs */
    #cuts = 0;
    #barren = 0;
    #stalls = 0;

    /* forced: one of WAYS, or null. */
    constructor(base, forced, env) {
        this.#forced = forced;
        this.#env = env;
        this.#key = `parley ${place(base)} transport`;
        this.next = forced ?? this.#recall();
        if (this.next === 'websocket' && !forced && !env.WebSocket)
            this.next = null;
    }

    get forced() {
        return this.#forced !== null;
    }

    get now() {
        return this.#now ?? this.next;
    }

    #recall() {
        try {
            const s = this.#env.storage ? this.#env.storage.getItem(this.#key)
                : memory.get(this.#key);
            const { way, at } = JSON.parse(s);
            const age = this.#env.now() - at;
            return WAYS.includes(way) && age >= 0 && age < REMEMBERED_MS
                ? way : null;
        } catch {
            return null;
        }
    }

    #remember() {
        const s = JSON.stringify({ way: this.next, at: this.#env.now() });
        try {
            if (this.#env.storage)
                this.#env.storage.setItem(this.#key, s);
            else
                memory.set(this.#key, s);
        } catch {
            /* It is found out again. */
        }
    }

    /* The choice, and whether it is sure enough to be remembered. */
    chose(way, sure) {
        if (this.forced)
            return;
        this.next = way;
        if (sure)
            this.#remember();
    }

    /* A question is asked. */
    begin() {
        this.#now = this.next;
        this.#barren = 0;
        this.#stalls = 0;
    }

    /* The answer is there, or nobody waits for it any more. */
    done() {
        if (this.#now === 'websocket')
            this.#cuts = 0;
        this.#now = null;
    }

    /* A transport broke off in an answer; moved: it had brought something. */
    lost(way, moved) {
        if (this.forced)
            return;
        if (way === 'websocket') {
            this.#now = 'sse';
            if (++this.#cuts >= CUTS_MAX)
                this.chose('sse', true);
        } else if (way === 'sse') {
            this.#barren = moved ? 0 : this.#barren + 1;
            if (this.#barren >= BARREN_MAX)
                this.#now = 'polling';
        }
    }

    /* A poll brought what streams did not. */
    polled() {
        if (this.#barren >= BARREN_MAX && this.next !== 'polling')
            this.chose('polling', true);
    }

    /* What had been sent did not arrive. If something else had come on the same
     * connection, it is dead; else, or if that happens again, the path holds
     * things back. */
    held(way, brought) {
        if (this.forced)
            return;
        if (way === 'websocket' || (brought && ++this.#stalls < STALLS_MAX)) {
            this.lost(way, brought);
        } else {
            this.#now = 'polling';
            this.chose('polling', true);
        }
    }
}

/* Do events arrive as they are sent? True or false; null: there was no telling
 * in time. A page that is busy reads late, so one "no" is not enough. */
export async function flows(http, env, signal) {
    const line = linked(signal);
    const timer = env.setTimeout(line.abort, PROBE_MS);
    try {
        let free = false;
        for (let i = 0; i < PROBES && free === false; i++)
            free = await spread(await http.open('GET', PROBE, {
                accept: 'text/event-stream', signal: line.signal }), env);
        return free;
    } catch {
        return null;
    } finally {
        env.clearTimeout(timer);
        line.abort();
        line.free();
    }
}

/* Two events that came as far from each other as they were sent, or nearly so,
 * were not held back. */
async function spread(response, env) {
    const reader = response.body.getReader();
    const utf8 = new TextDecoder();
    let first = null;
    let last = null;
    const parser = new SseParser(({ data }) => {
        last = { at: env.now(), ms: JSON.parse(data).ms };
        first ??= last;
    });
    for (;;) {
        const { value, done } = await reader.read();
        if (done)
            return last ? false : null;
        parser.push(utf8.decode(value, { stream: true }));
        if (last && last.ms > first.ms &&
            last.at - first.at >= (last.ms - first.ms) / 2)
            return true;
    }
}

/* Finds a way: {way, sure, socket}. openSocket(signal) gives a promise of one;
 * null: there is none to be had. The handshake has a head start; the probe runs
 * beside it. */
export async function findWay(http, env, openSocket, signal) {
    const line = linked(signal);
    let socket = null;
    let over = false;
    let free = null;
    const opening = (openSocket ? openSocket(line.signal)
        : Promise.reject(new Error('none'))).then((s) => {
        if (over)
            s.close();
        else
            socket = s;
    }, () => {});
    const chance = () => Promise.race([opening,
        pause(env, HEAD_START_MS, line.signal)]);

    await chance();
    if (!socket) {
        const greeted = opening.then(() => socket ?? new Promise(() => {}));
        free = await Promise.race([flows(http, env, line.signal), greeted]);
        if (!socket && free === true)
            await chance();
    }
    over = true;
    line.abort();
    line.free();
    if (socket)
        return { way: 'websocket', sure: true, socket };
    /* Where there is no telling, the first answer tells. */
    return { way: free === false ? 'polling' : 'sse', sure: free !== null,
        socket };
}
