/* Requests to one server: its address, who we are, how failures are told.
 *
 * Every failure is a ParleyError. Nothing here asks twice; who may do that
 * depends on what is asked. */

import { retryAfterMs } from '../time.js';
import { linked } from './world.js';

const LIMIT_MS = 15000;     /* for the head of a reply */

/* Something that was asked for did not happen. */
export class ParleyError extends Error {
    /* more: status (of HTTP; 0: none), hint (what to do about it), retryable,
     * waitMs (how long the server wants to be left alone), final (asking again
     * is the user's to do), text (of the answer so far), info (the whole event
     * or body). */
    constructor(code, message, more = {}) {
        super(message);
        this.name = 'ParleyError';
        this.code = code;
        this.status = more.status ?? 0;
        this.hint = more.hint ?? '';
        this.retryable = more.retryable === true;
        this.waitMs = more.waitMs ?? null;
        this.final = more.final === true;
        this.text = more.text ?? '';
        this.info = more.info ?? {};
    }

    /* The error that an event of an answer, or a WebSocket's frame, tells. */
    static told(event, text, more) {
        return new ParleyError(event.code ?? 'error',
            event.error ?? event.message ?? 'The answer failed', {
                hint: event.error ? event.message : '', text, info: event,
                retryable: event.retryable, ...more,
            });
    }
}

export function unreachable(why = '') {
    return new ParleyError('unreachable', 'The server cannot be reached',
        { hint: why, retryable: true });
}

function refused(response, body, nowMs) {
    const { status } = response;
    return new ParleyError(body.code ?? `http_${status}`,
        body.error ?? `The server answered with HTTP status ${status}`, {
            status, hint: body.message, info: body,
            retryable: [408, 425, 429, 502, 503, 504].includes(status),
            waitMs: retryAfterMs(response.headers.get('Retry-After'), nowMs),
        });
}

async function readObject(response) {
    const body = JSON.parse(await response.text());
    if (typeof body !== 'object' || body === null)
        throw new SyntaxError('not an object');
    return body;
}

export class Http {
    #env;
    #login;

    /* login() gives the headers that say who we are, perhaps later. */
    constructor(base, login, env) {
        this.base = base;
        this.#login = login;
        this.#env = env;
    }

    /* A reply as soon as its head is there; 2xx only. Its body ends when the
     * signal says so. */
    async open(method, path, { body, signal, accept = 'application/json',
        limitMs = LIMIT_MS } = {}) {
        const line = linked(signal);
        const timer = this.#env.setTimeout(line.abort, limitMs);
        try {
            const response = await this.#env.fetch(
                new URL(path, this.base).href, {
                    method, signal: line.signal, cache: 'no-store',
                    headers: {
                        Accept: accept, ...await this.#login(),
                        ...(body && { 'Content-Type': 'application/json' }),
                    },
                    body: body && JSON.stringify(body),
                });
            if (response.ok)
                return response;
            throw refused(response, await readObject(response)
                .catch(() => ({})), this.#env.now());
        } catch (e) {
            line.free();
            if (e instanceof ParleyError)
                throw e;
            throw unreachable(e.message);
        } finally {
            this.#env.clearTimeout(timer);
        }
    }

    /* A whole reply, an object. */
    async call(method, path, options = {}) {
        const line = linked(options.signal);
        const timer = this.#env.setTimeout(line.abort,
            options.limitMs ?? LIMIT_MS);
        try {
            const response = await this.open(method, path,
                { ...options, signal: line.signal });
            return await readObject(response);
        } catch (e) {
            if (e instanceof ParleyError)
                throw e;
            throw e instanceof SyntaxError
                ? new ParleyError('no_parley',
                    'There is no Parley at this address')
                : unreachable(e.message);
        } finally {
            this.#env.clearTimeout(timer);
            line.free();
        }
    }

    /* The events of a turn after number `after`: {events: [{seq, event}],
     * done}. The server waits for news as long as waitS. */
    async events(turnId, after, waitS, signal) {
        const r = await this.call('GET', 'chat/events?turn_id=' +
            `${encodeURIComponent(turnId)}&after=${after}&wait=${waitS}`,
        { signal, limitMs: waitS * 1000 + LIMIT_MS });
        return {
            events: r.events.map((event) => ({ seq: event.seq, event })),
            done: r.done,
        };
    }
}
