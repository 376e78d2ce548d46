/* The clients' own books of what they were promised, against kill -9.
 *
 * Many clients post messages with a text of their own each, under a key of
 * their own (Idempotency-Key), and try again when that fails, as a careful
 * client does: half of them wait for the answer in one piece and send the same
 * request once more, the others read it as events, go on where they were torn
 * off, and write down what they have seen. A reply of 200, or the event
 * response_complete, is a promise: the question and the answer are on disk.
 *
 * Meanwhile the chat program is killed again and again, as soon as some more
 * promises were made. At the end each entry of the books is compared with what
 * the server kept: nothing promised may be missing, nothing may be there
 * twice, and an answer that died has the text that its reader saw. */

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { allMessagesOf, attach, askEvents, postJson } from './client.js';
import { assertWholeTurn, isLast, textOf } from './sse.js';
import { delay, until } from './wait.js';

const PATIENCE = 100; /* attempts for one message */
const JITTER_MS = 60; /* of the moment of a kill */

/* A connection that was refused or broken off is part of the game. */
function torn(error) {
    if (error instanceof TypeError) /* what fetch makes of it */
        return { status: 0, text: String(error) };
    throw error;
}

/* Anything but a promise must be a failure that a client may try again. */
function assertPassing(attempt, text, r) {
    assert.ok(r.status === 0 || r.status >= 500,
        `attempt ${attempt} of "${text}": ${r.status} ${r.text}`);
}

/* As one reply: post until the server commits itself. */
async function settleWhole(parley, session, text) {
    const key = { 'idempotency-key': randomUUID() };
    for (let attempt = 1; attempt <= PATIENCE; attempt++) {
        const r = await postJson(parley, '/chat',
            { message: text, session_id: session }, key).catch(torn);
        if (r.status === 200)
            return { text, attempt, answer: r.body };
        /* The turn died with the process: settled, and not to be made again
         * under this key. */
        if (r.body?.code === 'interrupted')
            return { text, attempt, answer: null };
        assertPassing(attempt, text, r);
        await delay(20 * Math.min(attempt, 10));
    }
    throw new Error(`"${text}" was never settled`);
}

/* As events: the first ones by asking, the rest from where it broke off. */
async function settleEvents(parley, session, text) {
    const key = { 'idempotency-key': randomUUID() };
    const events = [];
    for (let attempt = 1; attempt <= PATIENCE; attempt++) {
        const s = await (events.length === 0
            ? askEvents(parley, { message: text, session_id: session }, key)
            : attach(parley, events[0].turn, events.at(-1).id)).catch(torn);
        if (s.status === 200) {
            const more = await s.all();
            events.push(...more);
            if (more.length > 0 && isLast(more.at(-1)))
                return fromEvents(text, attempt, events);
        } else {
            await s.done;
            assertPassing(attempt, text, s);
        }
        await delay(20 * Math.min(attempt, 10));
    }
    throw new Error(`"${text}" was never settled`);
}

function fromEvents(text, attempt, events) {
    const { type, data } = events.at(-1);
    const seen = textOf(events);
    assertWholeTurn(events);
    if (type === 'response_complete')
        return { text, attempt, seen, answer: {
            message_id: data.message_id, message: seen,
            finish_reason: data.finish_reason } };
    assert.equal(data.code, 'interrupted', text);
    return { text, attempt, seen, answer: null };
}

async function client(parley, session, settle, running, note) {
    for (let n = 0; running(); n++)
        note(await settle(parley, session,
            `${session} says ${n} ${randomUUID()}`));
}

function count(list, wanted) {
    return list.filter(wanted).length;
}

function compare(session, entry, stored) {
    const { text, answer, seen } = entry;
    assert.equal(count(stored, (m) => m.content === text), 1,
        `${session}: "${text}" is there once`);
    const at = stored.findIndex((m) => m.content === text);
    assert.equal(stored[at].role, 'user');
    const next = stored[at + 1];
    assert.equal(next?.role, 'assistant', `"${text}" has its answer`);
    if (seen !== undefined)
        assert.equal(next.content, seen, `what was seen of "${text}"`);
    if (answer === null)
        return assert.equal(next.finish_reason, 'interrupted', text);
    assert.equal(next.id, answer.message_id, text);
    assert.equal(next.content, answer.message, text);
    assert.equal(next.finish_reason, answer.finish_reason, text);
    assert.equal(count(stored, (m) => m.id === answer.message_id), 1, text);
}

/* Compare the books of all sessions with the store; what happened, in sum. */
async function audit(parley, books) {
    const total = { entries: 0, interrupted: 0, seen: 0, repeated: 0 };
    for (const [session, book] of books) {
        const stored = await allMessagesOf(parley, session);
        for (const entry of book)
            compare(session, entry, stored);
        assert.equal(stored.length, 2 * book.length,
            `${session}: nothing besides what was asked`);
        assert.equal(new Set(stored.map((m) => m.id)).size, stored.length);
        total.entries += book.length;
        total.interrupted += count(book, (e) => e.answer === null);
        total.seen += count(book, (e) => e.answer === null && e.seen);
        total.repeated += count(book, (e) => e.attempt > 1);
    }
    return total;
}

/* Kill `kills` times with `clients` at work, each time when some of them (by
 * the dice) have been promised something by the process that runs. Returns
 * what happened, for a line in the report. */
export async function runLedger(parley, { kills, clients }) {
    const books = new Map(Array.from({ length: clients },
        (_, i) => [`ledger-${i}-${randomUUID().slice(0, 8)}`, []]));
    let going = true;
    let promised = 0;
    const work = Promise.all([...books].map(([session, book], i) =>
        client(parley, session, i % 2 ? settleEvents : settleWhole,
            () => going, (entry) => {
                book.push(entry);
                promised += entry.answer === null ? 0 : 1;
            })));
    const killing = (async () => {
        try {
            for (let i = 0; i < kills && going; i++) {
                const enough = promised + 1 + clients * Math.random();
                await until('promises of the process that runs',
                    () => promised >= enough || !going);
                await delay(JITTER_MS * Math.random());
                await parley.kill9();
            }
        } finally {
            going = false;
        }
    })();
    try {
        await Promise.all([work, killing]);
    } finally {
        going = false; /* a client that found something wrong ends it all */
        await Promise.allSettled([work, killing]);
    }
    return audit(parley, books);
}
