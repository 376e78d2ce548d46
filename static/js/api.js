/* The server, as functions.
 *
 * Every address is relative to the page, so the application works below any
 * path. Every failure is an ApiError that says what the reader may be told and
 * whether trying again makes sense. watchReach() reports, after each request,
 * whether the server could be reached at all. */

import { retryAfterMs } from './time.js';

const TIMEOUT_MS = 30000;
const LONG_MS = 300000;

/* What to say where the body says nothing (a proxy's own error page). */
const SENTENCES = {
    401: 'Please sign in',
    403: 'This is not allowed',
    404: 'This was not found',
    413: 'This message is too long',
    429: 'Too many requests',
    502: 'The model could not be reached',
    503: 'The server is busy',
    504: 'The model took too long',
};

let reached = () => {};
let refused = () => {};

export function watchReach(fn) {
    reached = fn;
}

/* fn is called when the server wants somebody to sign in. */
export function watchRefusals(fn) {
    refused = fn;
}

export class ApiError extends Error {
    /* status 0: no answer at all, the request may or may not have arrived. */
    constructor(status, body = {}, waitMs = null) {
        super(body.error || SENTENCES[status] || (status
            ? `The server answered with an error (${status})`
            : 'The server cannot be reached'));
        this.status = status;
        this.code = body.code ?? '';
        this.hint = body.message ?? '';
        this.requestId = body.request_id ?? '';
        this.waitMs = waitMs;
    }

    get network() {
        return this.status === 0;
    }

    get retryable() {
        return this.network || this.status >= 500 || this.waitMs !== null ||
            this.status === 408 || this.status === 429;
    }
}

async function readBody(response) {
    try {
        const text = await response.text();
        const body = text ? JSON.parse(text) : {};
        return typeof body === 'object' && body !== null ? body : {};
    } catch {
        return {};
    }
}

export async function call(method, path, { body, signal, timeoutMs } = {}) {
    const abort = new AbortController();
    const cancel = () => abort.abort();
    const timer = setTimeout(cancel, timeoutMs ?? TIMEOUT_MS);
    signal?.addEventListener('abort', cancel);
    try {
        const response = await fetch(path, {
            method,
            headers: body && { 'Content-Type': 'application/json' },
            body: body && JSON.stringify(body),
            signal: abort.signal,
            cache: 'no-store',
        });
        reached(true);
        const data = await readBody(response);
        if (response.ok)
            return data;
        if (response.status === 401 && !path.startsWith('auth/'))
            refused();
        throw new ApiError(response.status, data, retryAfterMs(
            response.headers.get('Retry-After'), Date.now()));
    } catch (e) {
        if (e instanceof ApiError)
            throw e;
        if (!signal?.aborted)
            reached(false);
        throw new ApiError(0);
    } finally {
        clearTimeout(timer);
        signal?.removeEventListener('abort', cancel);
    }
}

const at = (id) => encodeURIComponent(id);

/* Starts a turn (turn.js); the same messageId never starts a second one.
 * follows: the question that this one takes the place of, on a branch of its
 * own. temporary: the conversation is not to be stored. files: are they looked
 * into? (undefined: as the server is set) */
export function postTurn({ sessionId, messageId, text, follows, temporary },
    files) {
    return call('POST', 'chat', { body: {
        message: text, session_id: sessionId, client_message_id: messageId,
        detach: true, ...(follows && { parent_message_id: follows }),
        ...(temporary && { temporary }), files,
    } });
}

export function stopTurn(turnId) {
    return call('POST', 'chat/stop', { body: { turn_id: turnId } });
}

/* The address of a turn's events after number `after`. */
export function streamUrl(turnId, after) {
    const id = at(turnId);
    return `chat/stream?turn_id=${id}` +
        (after > 0 ? `&last_event_id=${id}.${after}` : '');
}

/* {events: [{seq, event}], next, done}; waits up to waitS for news. */
export async function turnEvents(turnId, after, waitS, signal) {
    const r = await call('GET',
        `chat/events?turn_id=${at(turnId)}&after=${after}&wait=${waitS}`,
        { signal, timeoutMs: waitS * 1000 + 10000 });
    return {
        events: r.events.map((event) => ({ seq: event.seq, event })),
        done: r.done, next: r.next,
    };
}

/* Archived ones, too. */
export function listSessions() {
    return call('GET', 'sessions?limit=500&archived=any');
}

/* Those in which something was said, each with its best places. */
export function findSessions(q, { signal } = {}) {
    return call('GET', `sessions?limit=30&q=${at(q)}`, { signal });
}

export function sessionMessages(sessionId, { before, limit, signal } = {}) {
    const page = before === undefined ? '' : `&before=${at(before)}`;
    return call('GET',
        `sessions/${at(sessionId)}/messages?limit=${limit}${page}`, { signal });
}

export function getSession(sessionId, { signal } = {}) {
    return call('GET', `sessions/${at(sessionId)}`, { signal });
}

/* fields: title, pinned, archived, tags, context, model, expires_at; leaf: the
 * message whose branch is gone over to. */
export function patchSession(sessionId, fields) {
    return call('PATCH', `sessions/${at(sessionId)}`, { body: fields });
}

/* A copy under an id of its own. */
export function forkSession(sessionId) {
    return call('POST', `sessions/${at(sessionId)}/fork`);
}

export function deleteSession(sessionId) {
    return call('DELETE', `sessions/${at(sessionId)}`);
}

export function deleteSessions() {
    return call('DELETE', 'sessions', { body: { confirm: true },
        timeoutMs: LONG_MS });
}

/* rating: 1, -1, or 0 for none. */
export function rateMessage(messageId, rating) {
    return call('POST', `messages/${at(messageId)}/feedback`,
        { body: { rating } });
}

export function listModels() {
    return call('GET', 'v1/models');
}

/* The address of a file with one conversation, or (null) with all; format:
 * md, json or jsonl. */
export function exportUrl(sessionId, format) {
    const of = sessionId === null ? '' : `sessions/${at(sessionId)}/`;
    return `${of}export?format=${format}`;
}

/* The address of what happens to a conversation, from other devices too. */
export function watchUrl(sessionId, lastId) {
    return `sessions/${at(sessionId)}/events` +
        (lastId ? `?last_event_id=${at(lastId)}` : '');
}

/* What is at this address, as text. */
export async function getText(url) {
    const response = await fetch(url, { cache: 'no-store' });
    if (!response.ok)
        throw new ApiError(response.status, await readBody(response));
    return response.text();
}

/* Resolves if there is something at this address. */
export function probe(url) {
    return call('HEAD', url);
}

/* Resolves if the server answers anything at all. */
export async function ping() {
    try {
        await call('GET', 'health', { timeoutMs: 8000 });
    } catch (e) {
        if (e.network)
            throw e;
    }
}
