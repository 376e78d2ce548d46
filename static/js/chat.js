/* The open conversation: what it holds, and finding everything again after a
 * reload. Asking and following the answer is runner.js.
 *
 * The server's record is the truth. What is drawn before the server has it (the
 * question just sent) is drawn so that the record can take its place. */

import { announce } from './announce.js';
import * as api from './api.js';
import { Arrivals } from './arrivals.js';
import { Devices } from './devices.js';
import { offerAgain } from './ending.js';
import { UserMessage } from './message.js';
import { awaitOlder } from './older.js';
import { Runner } from './runner.js';
import { Temporary } from './temporary.js';
import { Turn } from './turn.js';
import { unread } from './unread.js';

const PAGE = 40;            /* messages */
const KEPT = ['setcontext', 'title', 'model']; /* commands that make one */
const GONE = 'This conversation was deleted elsewhere, or its time ran out.';
const LOADING_MS = 250;     /* faster than this needs no word */

const isCommand = (text) => /^\/(?!\/)/.test(text.trim());

export class Chat {
    #store;
    #sessions;
    #thread;
    #scroll;
    #composer;
    #opened;
    #runner;
    #devices;
    #arrivals;
    #id = null;
    #temporary;
    #length = null;         /* messages the server had; null: not known */
    #load = new AbortController();
    #loading = false;       /* its messages are not there yet */
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
        this.#temporary = new Temporary({ store, sessions, composer });
        this.#runner = new Runner({ store, sessions, thread, composer, net }, {
            ended: (info) => this.#ended(info),
            again: (text) => this.send(text),
            stored: (gone) => {
                this.#gone = gone;
                this.open(this.#id);
            },
            unsaid: () => this.#unsaid(),
            commanded: (info) => this.#commanded(info),
            taken: (text) => this.#watch(isCommand(text)),
        });
        this.#arrivals = new Arrivals({
            busy: () => this.#loading || this.#runner.turn !== null,
            known: (m) => this.#thread.shows(m),
            last: () => this.#thread.lastId,
            keep: (m) => this.#thread.keep(m),
            add: (m) => this.#thread.addNew(m),
            follow: (m) => this.#followOther(m),
            again: () => this.open(this.#id),
            session: (s) => this.#told(s),
            cleared: () => this.#cleared(),
            deleted: () => this.#deleted(),
        });
        this.#devices = new Devices((type, data) =>
            this.#arrivals.take(type, data), { visible: !document.hidden });
    }

    get id() {
        return this.#id;
    }

    /* Nothing of it is stored, here or at the server. */
    get temporary() {
        return this.#temporary.on;
    }

    get begun() {
        return this.#id !== null;
    }

    /* ---- opening ---- */

    async open(id) {
        this.#leave(id);
        this.#id = id;
        this.#loading = id !== null;
        /* It may be temporary: that is known when the server has told. */
        if (id !== null && !this.#sessions.find(id))
            this.#store.hold(id);
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
        this.#loading = false;
        this.#thread.say(null);
        if (page)
            this.#showPage(page, turn);
        else
            this.#pageFailed(problem, turn);
        this.#arrivals.soon();
    }

    #leave(id) {
        if (id !== this.#id || id === null)
            this.#close();
        this.#arrivals.clear();
        this.#load.abort();
        this.#load = new AbortController();
        this.#loadFailed = false;
        this.#edited = null;
        this.#runner.leave();
        this.#thread.clear();
    }

    /* Another conversation is opened. */
    #close() {
        this.#devices.open(null);
        this.#length = null;
        this.#temporary.leave(this.#id);
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
        this.#length = page.conversation_length ?? null;
        this.#remember(page.title);
        awaitOlder(this.#thread, this.#id, { before: page.next_before,
            limit: PAGE, signal: this.#load.signal });
        if (open && open !== turn?.id)
            this.#resume(Turn.running(this.#id, open), shown);
        else if (turn && !over)
            this.#resume(turn, shown);
        else
            offerAgain(shown.at(-1), stored.at(-1), {
                question: this.#thread.lastQuestion,
                ask: (text) => this.send(text),
                look: () => this.open(this.#id),
            });
        this.#thread.greet(this.#thread.isEmpty);
        this.#scroll.toEnd();
    }

    /* One that was opened by its address gets a place in the list, unless it
     * is temporary. */
    async #remember(title) {
        const id = this.#id;
        const { signal } = this.#load;
        if (!this.#sessions.find(id) && !this.temporary) {
            let session = {};
            try {
                session = await api.getSession(id, { signal });
            } catch {
                /* It is not known, and so not remembered. */
                return;
            }
            if (signal.aborted)
                return;
            this.#temporary.on = session.temporary === true;
            if (!this.temporary) {
                this.#store.release(id);
                if (!this.#thread.isEmpty)
                    this.#sessions.touch(id, title || this.#thread.firstText);
                this.#sessions.told(session);
            }
            this.#opened(id, true);
        }
        this.#watch();
    }

    /* Other devices can be heard when the server has the conversation; a
     * command alone may not make one. */
    #watch(command = false) {
        if (!command && (this.temporary || this.#sessions.find(this.#id)))
            this.#devices.open(this.#id);
    }

    #pageFailed(e, turn) {
        const id = this.#id;
        if (e.status === 404 && turn && !turn.id) {
            this.#resume(turn, []);
            return;
        }
        if (e.status === 404) {
            turn?.forget(this.#store);
            this.#store.release(id);
        }
        this.#loadFailed = e.network;
        this.#thread.say(unread(e, {
            retry: () => this.open(id),
            remove: this.#sessions.find(id) && (() => {
                this.#sessions.forget(id);
                this.#startOver();
            }),
        }));
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

    /* The only message was taken back. */
    #unsaid() {
        const { temporary } = this;
        this.#startOver();
        if (temporary)
            this.toggleTemporary();
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
        this.#id ??= this.#temporary.begin();
        this.#length = null;
        this.#sessions.touch(this.#id, text);
        if (fresh) {
            this.#opened(this.#id, true);
            this.#composer.open(this.#id);
        }
        const turn = new Turn(this.#id, text);
        turn.follows = edited?.id ?? null;
        turn.temporary = this.temporary;
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
            await api.patchSession(this.#id, { leaf: messageId });
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
            this.#told({ session_id: this.#id, title: result.title });
        } else if (ok && command === 'clear') {
            this.#thread.clear();
            this.#thread.greet(true);
        } else if (length === 0 && !(ok && KEPT.includes(command))) {
            this.#sessions.forget(this.#id);
        }
    }

    /* Another tab may have asked meanwhile. */
    #ended({ message_id: stored }) {
        if (this.#id !== null)
            this.#watch();
        this.#arrivals.soon();
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

    /* ---- temporary conversations ---- */

    /* Changes what a new conversation will be; one that is begun stays. */
    toggleTemporary() {
        if (this.begun)
            return;
        this.#temporary.toggle();
        this.#opened(null, true);
    }

    /* Copies the temporary conversation to one that stays: its id; null if
     * that is not possible now. */
    async keep() {
        if (this.#runner.turn) {
            announce('Wait until the answer is there');
            return null;
        }
        try {
            const copy = await api.forkSession(this.#id);
            this.#sessions.touch(copy.session_id,
                copy.title || this.#thread.firstText);
            return copy.session_id;
        } catch (e) {
            this.#thread.say({ hint: e.hint,
                text: `This chat was not kept. ${e.message}.` });
            return null;
        }
    }

    /* ---- other devices ---- */

    #followOther(m) {
        const turn = Turn.running(this.#id, m.turn_id);
        turn.text = m.content;
        turn.watched = true;
        turn.question = this.#thread.addNew(m);
        this.#runner.run(turn);
    }

    /* What the server says of the conversation as a whole. On the first word
     * it also tells whether more was said since the messages were read; later,
     * whether another branch was gone over to. */
    #told(session) {
        const { type, head, conversation_length: length } = session;
        if (this.#sessions.told({ ...session, session_id: this.#id }))
            this.#opened(this.#id, true);
        const more = type === 'session' && this.#length !== null &&
            length !== this.#length;
        const other = head && this.#thread.lastId && !this.#thread.has(head);
        if (type === 'session' ? more : other)
            this.open(this.#id);
    }

    #cleared() {
        this.#thread.clear();
        this.#thread.greet(true);
        this.#length = null;
    }

    #deleted() {
        if (this.#id === null || this.#sessions.leaving(this.#id))
            return;
        this.#sessions.forget(this.#id);
        this.#startOver();
        this.#thread.say({ quiet: true, text: GONE });
        announce(GONE);
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
        if (sessionId !== this.#id || !entry?.turn || this.#loading ||
            this.#runner.turn || this.#thread.hasTurn(entry.turn))
            return;
        const turn = Turn.restore(sessionId, entry);
        if (!turn)
            return;
        turn.watched = true;
        this.#runner.run(turn);
    }

    visible(on) {
        this.#runner.visible(on);
        this.#devices.visible(on);
    }
}
