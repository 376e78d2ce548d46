/* The open conversation: what it holds, and finding everything again after a
 * reload. Asking and following the answer is runner.js.
 *
 * The server's record is the truth. What is drawn before the server has it (the
 * question just sent) is drawn so that the record can take its place. */

import * as api from './api.js';
import { endingOf, offersFor } from './ending.js';
import { uuid } from './ids.js';
import { UserMessage } from './message.js';
import { Runner } from './runner.js';
import { Turn } from './turn.js';

const PAGE = 40;            /* messages */
const KEPT = ['setcontext', 'title', 'model']; /* commands that make one */
const OLDER_REST_MS = 3000; /* after older messages could not be loaded */
const LOADING_MS = 250;     /* faster than this needs no word */

export class Chat {
    #store;
    #sessions;
    #thread;
    #scroll;
    #composer;
    #opened;
    #runner;
    #id = null;
    #load = new AbortController();
    #loadFailed = false;
    #gone = null;           /* a turn of which the server has no events */
    #edited = null;         /* UserMessage that the next one stands for */

    /* opened(id, fresh) when a conversation was opened; fresh: it takes the
     * place of what was open. */
    constructor({ store, sessions, thread, scroll, composer, net, opened }) {
        this.#store = store;
        this.#sessions = sessions;
        this.#thread = thread;
        this.#scroll = scroll;
        this.#composer = composer;
        this.#opened = opened;
        this.#runner = new Runner({ store, sessions, thread, composer, net }, {
            ended: (info) => this.#ended(info),
            again: (text) => this.send(text),
            stored: (gone) => {
                this.#gone = gone;
                this.open(this.#id);
            },
            unsaid: () => this.#startOver(),
            commanded: (info) => this.#commanded(info),
        });
    }

    get id() {
        return this.#id;
    }

    /* ---- opening ---- */

    async open(id) {
        this.#leave();
        this.#id = id;
        this.#composer.open(id);
        this.#opened(id);
        if (id === null) {
            this.#thread.greet(true);
            return;
        }
        const { signal } = this.#load;
        const slow = setTimeout(() => this.#thread.say(
            { text: 'Loading…', quiet: true }), LOADING_MS);
        const turn = Turn.restore(id, this.#store.get(Turn.key(id)));
        let page = null;
        let problem = null;
        try {
            page = await api.sessionMessages(id, { limit: PAGE, signal });
        } catch (e) {
            problem = e;
        }
        clearTimeout(slow);
        if (signal.aborted)
            return;
        this.#thread.say(null);
        if (page)
            this.#showPage(page, turn);
        else
            this.#pageFailed(problem, turn);
    }

    #leave() {
        this.#load.abort();
        this.#load = new AbortController();
        this.#loadFailed = false;
        this.#edited = null;
        this.#runner.leave();
        this.#thread.clear();
    }

    /* The stored messages, and after them the turn that is running, waits its
     * turn or was not sent. What the server calls open but knows no events of
     * is over. */
    #showPage(page, turn) {
        const open = page.open_turn_id === this.#gone ? null
            : page.open_turn_id;
        const all = page.messages ?? [];
        const over = turn?.id && turn.id !== open && all.some((m) =>
            m.turn_id === turn.id && m.role !== 'user');
        if (over)
            turn.forget(this.#store);
        const stored = all.filter((m) =>
            !open || m.turn_id !== open || m.role === 'user');
        const shown = this.#thread.addStored(stored);
        this.#remember(page.title);
        this.#awaitOlder(page.next_before);
        if (open && open !== turn?.id)
            this.#resume(Turn.running(this.#id, open), shown);
        else if (turn && !over)
            this.#resume(turn, shown);
        else
            this.#unanswered(shown.at(-1), stored.at(-1));
        this.#thread.greet(this.#thread.isEmpty);
        this.#scroll.toEnd();
    }

    /* One that was opened by its address gets a place in the list. */
    #remember(title) {
        if (this.#sessions.find(this.#id) || this.#thread.isEmpty)
            return;
        this.#sessions.touch(this.#id, title || this.#thread.firstText);
    }

    /* An old end that is not a whole answer offers to ask again. */
    #unanswered(last, stored) {
        const question = this.#thread.lastQuestion;
        if (!last || !question)
            return;
        const ask = (text) => {
            last.say(null);
            this.send(text);
        };
        if (last instanceof UserMessage) {
            last.say({
                text: 'No answer is stored yet.', quiet: true,
                actions: [
                    { label: 'Look again', run: () => this.open(this.#id) },
                    { label: 'Ask again', run: () => ask(question) },
                ],
            });
            return;
        }
        const ending = endingOf(stored.finish_reason);
        if (ending)
            last.say({ text: ending, quiet: true,
                actions: offersFor(stored.finish_reason,
                    { question, answer: last.text, ask }) });
    }

    #awaitOlder(before) {
        if (before === null || before === undefined || before === '') {
            this.#thread.onOlder(null);
            return;
        }
        this.#thread.onOlder(async () => {
            const { signal } = this.#load;
            try {
                const page = await api.sessionMessages(this.#id,
                    { before, limit: PAGE, signal });
                if (signal.aborted)
                    return;
                this.#thread.addStored(page.messages ?? []);
                this.#awaitOlder(page.next_before);
            } catch {
                setTimeout(() => {
                    if (!signal.aborted)
                        this.#awaitOlder(before);
                }, OLDER_REST_MS);
            }
        });
    }

    #pageFailed(e, turn) {
        const id = this.#id;
        if (e.status === 404) {
            if (turn && !turn.id)
                this.#resume(turn, []);
            else
                this.#missing(id, turn);
            return;
        }
        this.#loadFailed = e.network;
        this.#thread.say({
            text: `The messages were not loaded. ${e.message}.`,
            hint: e.hint, requestId: e.requestId, waitMs: e.waitMs,
            actions: [{ label: 'Retry', run: () => this.open(id) }],
        });
    }

    #missing(id, turn) {
        turn?.forget(this.#store);
        this.#thread.say({
            text: 'This conversation is not on the server.',
            hint: 'It was deleted, or its time ran out.', quiet: true,
            actions: this.#sessions.find(id) ? [{
                label: 'Remove from the list',
                run: () => {
                    this.#sessions.forget(id);
                    this.#startOver();
                },
            }] : [],
        });
    }

    /* A turn that was under way when the page was left, or elsewhere. */
    #resume(turn, shown) {
        turn.question = shown.find((m) => m.turn && m.turn === turn.id &&
            m instanceof UserMessage) ?? null;
        turn.text ||= turn.question?.text ?? '';
        this.#runner.run(turn);
    }

    /* A new conversation in the place of one that was nothing. */
    #startOver() {
        this.open(null);
        this.#opened(null, true);
    }

    /* ---- asking ---- */

    send(text) {
        if (this.#runner.turn)
            return;
        const edited = this.#edited;
        this.#edited = null;
        if (edited)
            this.#thread.dropFrom(edited);
        this.#thread.say(null);
        const fresh = this.#id === null;
        this.#id ??= uuid();
        this.#sessions.touch(this.#id, text);
        if (fresh) {
            this.#opened(this.#id, true);
            this.#composer.open(this.#id);
        }
        const turn = new Turn(this.#id, text);
        turn.follows = edited?.id ?? null;
        turn.save(this.#store);
        this.#runner.run(turn);
        this.#scroll.toEnd();
    }

    stop() {
        this.#runner.stop();
    }

    /* The next message takes the place of this one, on a branch of its own. */
    edit(message) {
        if (this.#runner.turn)
            return;
        this.#edited?.say(null);
        this.#edited = message;
        message.say({
            text: 'The next message takes the place of this one. What was ' +
                'said stays on a branch of its own.', quiet: true,
            actions: [{ label: 'Cancel', run: () => {
                this.#edited = null;
                message.say(null);
            } }],
        });
        this.#composer.give(message.text);
    }

    async branch(messageId) {
        const { signal } = this.#load;
        if (this.#runner.turn)
            return;
        try {
            await api.chooseBranch(this.#id, messageId);
        } catch (e) {
            if (!signal.aborted)
                this.#thread.say({ hint: e.hint,
                    text: `The other version was not opened. ${e.message}.` });
            return;
        }
        if (!signal.aborted)
            this.open(this.#id);
    }

    /* What a command did to the conversation is seen here, too. One that has
     * nothing but answers to commands is nowhere but on this page. */
    #commanded({ command, result, conversation_length: length }) {
        const ok = result.status === 'success';
        if (ok && command === 'forget') {
            this.#sessions.forget(this.#id);
            this.#startOver();
            return;
        }
        if (ok && command === 'title' && result.title) {
            this.#sessions.named(this.#id, result.title);
            this.#opened(this.#id, true);
        } else if (ok && command === 'clear') {
            this.#thread.clear();
            this.#thread.greet(true);
        } else if (length === 0 && !(ok && KEPT.includes(command))) {
            this.#sessions.forget(this.#id);
        }
    }

    /* Another tab may have asked meanwhile. */
    #ended({ message_id: stored }) {
        this.entryChanged(this.#id, this.#store.get(Turn.key(this.#id)));
        if (stored && this.#id !== null)
            this.#lookUp();
    }

    /* What was just asked is in the record now, and can be edited. */
    async #lookUp() {
        const { signal } = this.#load;
        try {
            const page = await api.sessionMessages(this.#id,
                { limit: 2, signal });
            if (!signal.aborted)
                (page.messages ?? []).forEach((m) => this.#thread.keep(m));
        } catch {
            /* It can be edited after a reload. */
        }
    }

    /* ---- the world outside ---- */

    /* The connection is back. */
    kick() {
        if (this.#loadFailed)
            this.open(this.#id);
        else
            this.#runner.kick();
    }

    /* Another tab changed what is stored about this conversation's turn. */
    entryChanged(sessionId, entry) {
        if (sessionId !== this.#id || !entry?.turn || this.#runner.turn ||
            this.#thread.hasTurn(entry.turn))
            return;
        const turn = Turn.restore(sessionId, entry);
        if (!turn)
            return;
        turn.watched = true;
        this.#runner.run(turn);
    }

    visible(on) {
        this.#runner.visible(on);
    }
}
