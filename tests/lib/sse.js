/* Reading server-sent events as a client does, with eventsource-parser.
 *
 * openEvents() sends a request with fetch and gives back a Reading: events in
 * order, comments, the retry time, and ways to wait for one of them. Every
 * event's data is parsed and checked here for what all events owe: one line of
 * JSON that repeats the event's name, an id `<turn>.<seq>`. */

import assert from 'node:assert/strict';
import { createParser } from 'eventsource-parser';
import { PATIENCE_MS, within } from './wait.js';

const LAST = new Set(['response_complete', 'response_cancelled', 'error']);
const ID = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([1-9][0-9]*)$/;

export function isLast(event) {
    return LAST.has(event.type);
}

/* {type, id, turn, seq, data} from a parsed message, checked. */
export function checkedEvent(message) {
    const data = JSON.parse(message.data);
    assert.equal(data.type, message.event, 'data repeats the event name');
    assert.ok((data.content ?? '').isWellFormed(), 'text of whole characters');
    const id = ID.exec(message.id ?? '');
    assert.ok(id, `an id of the form <turn_id>.<seq>: ${message.id}`);
    return {
        type: data.type, id: message.id, turn: id[1], seq: Number(id[2]), data,
    };
}

/* The text that the chunks of these events make up. */
export function textOf(events) {
    return events.filter((e) => e.type === 'response_chunk')
        .map((e) => e.data.content).join('');
}

export function assertGapless(events, from = 1) {
    assert.deepEqual(events.map((e) => e.seq),
        events.map((_, i) => from + i), 'seq counts without a gap');
}

/* What every complete stream of one turn owes: the start first, one end, last,
 * and numbers without a gap. */
export function assertWholeTurn(events) {
    assert.ok(events.length >= 2, 'a turn has a start and an end');
    assert.equal(events[0].type, 'response_start');
    assert.equal(events.filter(isLast).length, 1, 'exactly one end');
    assert.ok(isLast(events.at(-1)), 'the end comes last');
    assertGapless(events);
    assert.equal(new Set(events.map((e) => e.turn)).size, 1, 'one turn');
}

class Reading {
    constructor(response, abort) {
        this.status = response.status;
        this.headers = response.headers;
        this.events = [];
        this.comments = [];
        this.raw = '';
        this.retry = undefined;
        this.finished = false;
        this.abort = abort;
        this.waiting = [];
        this.done = this.pump(response);
        this.done.catch(() => {});
    }

    async pump(response) {
        const parser = createParser({
            onEvent: (m) => this.events.push(checkedEvent(m)),
            onComment: (c) => this.comments.push(c),
            onRetry: (ms) => { this.retry = ms; },
            onError: (e) => { throw e; },
        });
        const utf8 = new TextDecoder('utf-8', { fatal: true });
        try {
            for await (const bytes of response.body ?? []) {
                const text = utf8.decode(bytes, { stream: true });
                this.raw += text;
                parser.feed(text);
                this.wake();
            }
            utf8.decode();
        } catch (e) {
            if (e.name !== 'AbortError' && e.message !== 'terminated')
                this.failure = e;
        } finally {
            this.finished = true;
            this.wake();
        }
    }

    wake() {
        for (const w of this.waiting.splice(0))
            w();
    }

    /* The first event that the predicate (or type name) takes. */
    async event(wanted, limitMs = PATIENCE_MS) {
        const takes = typeof wanted === 'string'
            ? (e) => e.type === wanted : wanted;
        const look = async () => {
            for (;;) {
                const found = this.events.find(takes);
                if (found)
                    return found;
                if (this.failure)
                    throw this.failure;
                if (this.finished)
                    throw new Error(`the stream ended without ${wanted}; ` +
                        `it had ${this.events.map((e) => e.type)}`);
                await new Promise((r) => this.waiting.push(r));
            }
        };
        return within(`the event ${wanted}`, look(), limitMs);
    }

    /* All events, when the server has ended the reply. */
    async all(limitMs = PATIENCE_MS) {
        await within('the end of the stream', this.done, limitMs);
        if (this.failure)
            throw this.failure;
        return this.events;
    }

    text() {
        return textOf(this.events);
    }

    /* Leave, as a closed tab does. */
    async close() {
        this.abort.abort();
        await this.done.catch(() => {});
    }
}

/* Send the request; `body` as an object goes as JSON. */
export async function openEvents(url, { method, headers, body } = {}) {
    const abort = new AbortController();
    const json = body !== undefined && typeof body !== 'string';
    const response = await within(`an answer from ${url}`, fetch(url, {
        method: method ?? (body === undefined ? 'GET' : 'POST'),
        headers: {
            accept: 'text/event-stream',
            ...(json ? { 'content-type': 'application/json' } : {}),
            ...headers,
        },
        body: json ? JSON.stringify(body) : body,
        signal: abort.signal,
    }));
    return new Reading(response, abort);
}
