/* The client's own book of what it was promised, against kill -9.
 *
 * Many clients post messages with a text of their own each, under a key of
 * their own (Idempotency-Key), and send the same request again when it fails,
 * as a careful client does. A reply of 200 is a promise: the question and the
 * answer are on disk. Meanwhile the chat program is killed again and again. At
 * the end each entry of the book is compared with what the server kept:
 * nothing promised may be missing, and nothing may be there twice. */

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { allMessagesOf, postJson } from './client.js';
import { delay } from './wait.js';

const PATIENCE = 60; /* attempts for one message */

/* Post until the server commits itself; returns the entry for the book. */
async function postUntilSettled(parley, session, text) {
    const key = { 'idempotency-key': randomUUID() };
    for (let attempt = 1; attempt <= PATIENCE; attempt++) {
        const r = await postJson(parley, '/chat',
            { message: text, session_id: session }, key)
            .catch((e) => ({ status: 0, text: String(e) }));
        if (r.status === 200)
            return { text, attempt, answer: r.body };
        /* The turn died with the process: settled, and not to be made again
         * under this key. */
        if (r.body?.code === 'interrupted')
            return { text, attempt, answer: null };
        assert.ok(r.status === 0 || r.status >= 500,
            `attempt ${attempt} of "${text}": ${r.status} ${r.text}`);
        await delay(20 * Math.min(attempt, 10));
    }
    throw new Error(`"${text}" was never settled`);
}

async function client(parley, session, running, book) {
    for (let n = 0; running(); n++)
        book.push(await postUntilSettled(parley, session,
            `${session} says ${n} ${randomUUID()}`));
}

function count(list, wanted) {
    return list.filter(wanted).length;
}

function compare(session, entry, stored) {
    const { text, answer } = entry;
    assert.equal(count(stored, (m) => m.content === text), 1,
        `${session}: "${text}" is there once`);
    const at = stored.findIndex((m) => m.content === text);
    assert.equal(stored[at].role, 'user');
    const next = stored[at + 1];
    assert.equal(next?.role, 'assistant', `"${text}" has its answer`);
    if (answer === null)
        return assert.equal(next.finish_reason, 'interrupted', text);
    assert.equal(next.id, answer.message_id, text);
    assert.equal(next.content, answer.message, text);
    assert.equal(next.finish_reason, answer.finish_reason, text);
    assert.equal(count(stored, (m) => m.id === answer.message_id), 1, text);
}

/* Kill `kills` times, every `everyMs` or so, with `clients` at work. Returns
 * what happened, for a line in the report. */
export async function runLedger(parley, { kills, clients, everyMs }) {
    const sessions = Array.from({ length: clients },
        (_, i) => `ledger-${i}-${randomUUID().slice(0, 8)}`);
    const books = sessions.map(() => []);
    let going = true;
    const work = Promise.all(sessions.map((session, i) =>
        client(parley, session, () => going, books[i])));
    try {
        for (let i = 0; i < kills; i++) {
            await delay(everyMs * (0.5 + Math.random()));
            await parley.kill9();
        }
        await delay(everyMs);
    } finally {
        going = false;
    }
    await work;

    const total = { entries: 0, interrupted: 0, repeated: 0 };
    for (const [i, session] of sessions.entries()) {
        const stored = await allMessagesOf(parley, session);
        for (const entry of books[i])
            compare(session, entry, stored);
        assert.equal(stored.length, 2 * books[i].length,
            `${session}: nothing besides what was asked`);
        assert.equal(new Set(stored.map((m) => m.id)).size, stored.length);
        total.entries += books[i].length;
        total.interrupted += count(books[i], (e) => e.answer === null);
        total.repeated += count(books[i], (e) => e.attempt > 1);
    }
    return total;
}
