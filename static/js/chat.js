/* The open conversation: asking, following the answer, stopping, and finding
 * everything again after a reload or a break.
 *
 * The server's record is the truth. What is drawn before the server has it (the
 * question just sent) is drawn so that the record can take its place. */

import { announce } from './announce.js';
import { applyEvent, isFinal } from './answer.js';
import * as api from './api.js';
import { uuid } from './ids.js';
import { AnswerMessage, UserMessage, endingOf } from './message.js';
import { Follower } from './stream.js';
import { Turn } from './turn.js';

const PAGE = 40;            /* messages */
const TRIES_MAX = 5;        /* automatic repeats of a POST */
const SPOKEN_MAX = 400;     /* characters of an answer read out by itself */
const LOADING_MS = 250;     /* faster than this needs no word */

export class Chat {
    #store;
    #sessions;
    #thread;
    #scroll;
    #composer;
    #net;
    #opened;
    #env;
    #id = null;
    #turn = null;
    #load = new AbortController();
    #loadFailed = false;

    /* opened(id) when a conversation was opened or begun. */
    constructor({ store, sessions, thread, scroll, composer, net, opened }) {
        this.#store = store;
        this.#sessions = sessions;
        this.#thread = thread;
        this.#scroll = scroll;
        this.#composer = composer;
        this.#net = net;
        this.#opened = opened;
        this.#env = {
            EventSource,
            setTimeout: (fn, ms) => setTimeout(fn, ms),
            clearTimeout: (timer) => clearTimeout(timer),
            streamUrl: api.streamUrl,
            turnEvents: api.turnEvents,
            /* A path that buffered once is not tried again by this page. */
            buffers: () => {
                this.#env.pollOnly = () => true;
            },
        };
    }

    get id() {
        return this.#id;
    }

    get running() {
        return this.#turn !== null;
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
        const load = this.#load;
        const slow = setTimeout(() => this.#thread.say(
            { text: 'Loading…', quiet: true }), LOADING_MS);
        const turn = Turn.restore(id, this.#store.get(Turn.key(id)));
        const [page, news] = await Promise.allSettled([
            api.sessionMessages(id, { limit: PAGE, signal: load.signal }),
            turn?.id && api.turnEvents(turn.id, 0, 0, load.signal),
        ]);
        clearTimeout(slow);
        if (load.signal.aborted)
            return;
        this.#thread.say(null);
        if (page.status === 'fulfilled')
            this.#showPage(page.value, turn, news);
        else
            this.#pageFailed(page.reason, turn);
        if (turn)
            this.#resume(turn, news);
        this.#scroll.toEnd();
    }

    #leave() {
        this.#load.abort();
        this.#load = new AbortController();
        this.#loadFailed = false;
        this.#turn?.follower?.close();
        this.#turn = null;
        this.#thread.clear();
        this.#composer.state = 'idle';
    }

    /* The stored messages, without the one that the running turn will show. */
    #showPage(page, turn, news) {
        let messages = page.messages ?? [];
        const events = news.value?.events ?? [];
        const start = events.find(({ event }) => event.message_id)?.event;
        const stored = messages.some((m) => m.id === start?.message_id);
        if (turn?.id && news.status === 'fulfilled' && news.value.done &&
            stored)
            turn.done = true;
        else if (start)
            messages = messages.filter((m) => m.id !== start.message_id);
        const last = this.#thread.addStored(messages).at(-1);
        if (turn && last instanceof UserMessage &&
            last.text.trim() === turn.text.trim())
            turn.question = last;
        if (!turn)
            this.#unanswered(last, messages.at(-1));
        if (messages.length === 0 && !turn)
            this.#thread.greet(true);
        this.#awaitOlder(page.next_before);
    }

    /* An old end that is not a whole answer offers to ask again. */
    #unanswered(last, stored) {
        const text = this.#thread.lastQuestion;
        if (!last || !text)
            return;
        const again = { label: 'Ask again', run: () => {
            last.say(null);
            this.send(text);
        } };
        if (last instanceof UserMessage)
            last.say({
                text: 'No answer is stored yet.', quiet: true,
                actions: [{ label: 'Look again',
                    run: () => this.open(this.#id) }, again],
            });
        else if (['error', 'interrupted', 'incomplete', 'cancelled'].includes(
            stored.finish_reason))
            last.say({ text: endingOf(stored.finish_reason), quiet: true,
                actions: [{ ...again, label: 'Retry' }] });
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
                if (!signal.aborted)
                    setTimeout(() => this.#awaitOlder(before), 3000);
            }
        });
    }

    #pageFailed(e, turn) {
        const id = this.#id;
        if (e.status === 404) {
            if (!turn)
                this.#thread.say({
                    text: 'This conversation is not on the server.',
                    hint: 'It was deleted, or its time ran out.',
                    quiet: true,
                    actions: this.#sessions.find(id) ? [{
                        label: 'Remove from the list',
                        run: () => {
                            this.#sessions.forget(id);
                            this.#store.remove(`draft ${id}`);
                            this.open(null);
                        },
                    }] : [],
                });
            return;
        }
        this.#loadFailed = e.network;
        this.#thread.say({
            text: `The messages were not loaded. ${e.message}.`,
            hint: e.hint, requestId: e.requestId, waitMs: e.waitMs,
            actions: [{ label: 'Retry', run: () => this.open(id) }],
        });
    }

    /* A turn that was under way when the page was left. */
    #resume(turn, news) {
        const gone = news.status === 'rejected' && news.reason.status === 404;
        if (turn.done || gone) {
            turn.forget(this.#store);
            return;
        }
        this.#begin(turn);
        if (!turn.id) {
            this.#submit(turn);
            return;
        }
        for (const { seq, event } of news.value?.events ?? [])
            applyEvent(turn.answer, seq, event);
        turn.reply.update(turn.answer);
        if (isFinal(turn.answer))
            this.#ended(turn);
        else
            this.#follow(turn);
    }

    /* ---- asking ---- */

    send(text) {
        if (this.#turn)
            return;
        if (this.#id === null) {
            this.#id = uuid();
            this.#sessions.touch(this.#id, text);
            this.#opened(this.#id, true);
            this.#composer.open(this.#id);
        }
        this.#thread.say(null);
        const turn = new Turn(this.#id, text);
        turn.save(this.#store);
        this.#begin(turn);
        this.#scroll.toEnd();
        this.#submit(turn);
    }

    /* Draws the turn and makes it the running one. */
    #begin(turn) {
        this.#turn = turn;
        turn.question ??= this.#thread.add(new UserMessage(
            { text: turn.text, at: turn.at }));
        turn.reply ??= this.#thread.add(new AnswerMessage(null));
        turn.reply.work();
        this.#composer.state = 'running';
    }

    async #submit(turn) {
        turn.reply.say(null);
        turn.reply.work();
        let reply;
        try {
            reply = await api.postTurn(
                turn.sessionId, turn.messageId, turn.text);
        } catch (e) {
            this.#notSent(turn, e);
            return;
        }
        turn.id = reply.turn_id;
        turn.save(this.#store);
        this.#sessions.touch(turn.sessionId, turn.text);
        if (turn !== this.#turn)
            return;
        if (turn.stopping)
            this.#cancel(turn);
        this.#follow(turn);
    }

    #notSent(turn, e) {
        if (turn !== this.#turn) {
            /* Nobody looks; what can go out by itself waits in storage. */
            if (!e.retryable)
                this.#giveUp(turn);
            return;
        }
        if (turn.stopping) {
            this.#giveUp(turn);
            return;
        }
        const again = { label: 'Retry', run: () => this.#submit(turn) };
        const edit = { label: 'Edit', run: () => this.#giveUp(turn) };
        turn.reply.work('Not sent yet', false);
        if (e.network) {
            turn.tries++;
            turn.unsent = true;
            turn.reply.say({
                text: 'Your message could not be sent.',
                hint: turn.tries <= TRIES_MAX
                    ? 'It goes out by itself when the connection is back.' : '',
                actions: [again, edit],
            });
        } else {
            if (e.waitMs !== null)
                turn.waits++;
            turn.reply.say({
                text: `${e.message}.`, hint: e.hint, requestId: e.requestId,
                actions: e.retryable ? [again, edit] : [edit],
                waitMs: e.waitMs,
                waited: () => {
                    if (turn === this.#turn && turn.waits <= TRIES_MAX)
                        this.#submit(turn);
                },
            });
        }
        announce(`Your message was not sent. ${e.message}`);
    }

    /* Takes an unsent message off the page and back into the composer. */
    #giveUp(turn) {
        turn.forget(this.#store);
        if (turn !== this.#turn) {
            this.#store.set(`draft ${turn.sessionId}`, turn.text);
            return;
        }
        this.#turn = null;
        this.#thread.drop(turn.question, turn.reply);
        this.#composer.state = 'idle';
        if (this.#thread.isEmpty) {
            /* Nothing was ever said here. */
            this.#sessions.forget(this.#id);
            this.open(null);
            this.#opened(null, true);
        }
        this.#composer.give(turn.text);
    }

    /* ---- following ---- */

    #follow(turn) {
        turn.follower?.close();
        turn.follower = new Follower(turn.id, turn.answer.seq, {
            event: (seq, event) => this.#event(turn, seq, event),
            state: (state) => this.#state(turn, state),
            end: (how) => this.#over(turn, how),
        }, this.#env);
    }

    #event(turn, seq, event) {
        const known = event.type === 'response_start' &&
            turn.reply.id === null && this.#thread.has(event.message_id);
        if (known) {
            /* It was answered while nobody looked: the record has it all. */
            queueMicrotask(() => this.open(this.#id));
            return 'old';
        }
        const result = applyEvent(turn.answer, seq, event);
        if (result === 'new' && !isFinal(turn.answer))
            turn.reply.update(turn.answer);
        return result;
    }

    #state(turn, state) {
        if (state === 'live') {
            this.#net.ok();
            turn.reply.work(turn.stopping ? 'Stopping…' : '');
        } else {
            this.#net.doubt();
            turn.reply.work('Reconnecting…');
        }
    }

    #over(turn, how) {
        if (how === 'done') {
            this.#ended(turn);
        } else if (how === 'gone') {
            turn.forget(this.#store);
            this.open(this.#id);
        } else {
            this.#ended(turn, 'You may not read this answer.');
        }
    }

    #ended(turn, problem = '') {
        const { answer, reply } = turn;
        turn.forget(this.#store);
        this.#turn = null;
        this.#composer.state = 'idle';
        reply.finish(answer);
        this.#sessions.touch(turn.sessionId, turn.text);
        const retry = { label: 'Retry', run: () => {
            reply.say(null);
            this.send(turn.text);
        } };
        const ending = endingOf(answer.info.finish_reason);
        if (problem || answer.status === 'error')
            reply.say({
                text: problem || sentence(answer.error.message),
                hint: answer.text ? 'What came before the error is kept.' : '',
                actions: answer.error?.retryable === false ? [] : [retry],
            });
        else if (answer.status === 'cancelled')
            reply.say({ text: endingOf('cancelled'), quiet: true,
                actions: [retry] });
        else if (ending)
            reply.say({ text: ending, quiet: true });
        announce(spoken(answer, reply.body.textContent));
    }

    /* ---- stopping ---- */

    stop() {
        const turn = this.#turn;
        if (!turn || turn.stopping)
            return;
        turn.stopping = true;
        this.#composer.state = 'stopping';
        if (turn.id)
            this.#cancel(turn);
        else if (turn.unsent)
            this.#giveUp(turn);
    }

    async #cancel(turn) {
        turn.reply.work('Stopping…');
        try {
            await api.stopTurn(turn.id);
        } catch (e) {
            if (turn !== this.#turn)
                return;
            turn.stopping = false;
            turn.reply.work(`It was not stopped. ${e.message}.`);
            this.#composer.state = 'running';
        }
    }

    /* ---- the world outside ---- */

    /* The connection is back. */
    kick() {
        const turn = this.#turn;
        if (turn?.follower)
            turn.follower.kick();
        else if (turn?.unsent && turn.tries <= TRIES_MAX) {
            turn.unsent = false;
            this.#submit(turn);
        } else if (!turn && this.#loadFailed)
            this.open(this.#id);
    }

    /* Another tab changed what is stored about this conversation's turn. */
    entryChanged(sessionId, entry) {
        if (sessionId !== this.#id || !entry?.turn ||
            this.#turn?.messageId === entry.messageId)
            return;
        if (this.#turn)
            return;
        const turn = Turn.restore(sessionId, entry);
        turn.watched = true;
        this.#begin(turn);
        this.#follow(turn);
    }

    /* A tab in the background does not hold one of the browser's few
     * connections for an answer that another tab is receiving. */
    visible(on) {
        const turn = this.#turn;
        if (!turn?.watched)
            return;
        if (on)
            this.#follow(turn);
        else
            turn.follower?.close();
    }
}

function sentence(text) {
    const s = (text || 'The answer failed').trim();
    return /[.!?…]$/.test(s) ? s : `${s}.`;
}

/* What a screen reader says once, when an answer is there. */
function spoken(answer, text) {
    if (answer.status === 'error')
        return `The answer failed. ${sentence(answer.error.message)}`;
    const words = text.replace(/\s+/g, ' ').trim();
    const start = words.length <= SPOKEN_MAX ? words
        : `${words.slice(0, SPOKEN_MAX).replace(/\s\S*$/, '')} …`;
    return answer.status === 'cancelled' ? 'Answer stopped.'
        : `Answer: ${start}`;
}
