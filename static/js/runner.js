/* The running turn: sending the question, following the answer, stopping.
 *
 * One turn at a time, drawn from its first moment. A question that cannot be
 * sent stays in place and goes out later, or back to the composer; sending it
 * twice is harmless, because the server knows it by its id. */

import { announce } from './announce.js';
import { applyEvent, isFinal } from './answer.js';
import * as api from './api.js';
import { endingOf, offersFor } from './ending.js';
import { AnswerMessage, UserMessage } from './message.js';
import { Follower } from './stream.js';

const TRIES_MAX = 5;        /* automatic repeats of a POST */
const DAY_MS = 24 * 60 * 60 * 1000;
const SPOKEN_MAX = 400;     /* characters of an answer read out by itself */

/* What a Follower needs. That a path buffers is remembered for a day, in the
 * entry that parley-client.js has, too. */
function surroundings(store) {
    return {
        EventSource: globalThis.EventSource,
        setTimeout: (fn, ms) => setTimeout(fn, ms),
        clearTimeout: (timer) => clearTimeout(timer),
        streamUrl: api.streamUrl,
        turnEvents: api.turnEvents,
        pollOnly: () => {
            const { way, at } = store.get('transport') ?? {};
            return way === 'polling' && Date.now() - at < DAY_MS;
        },
        buffers: () => store.set('transport',
            { way: 'polling', at: Date.now() }),
    };
}

export class Runner {
    #store;
    #sessions;
    #thread;
    #composer;
    #net;
    #on;
    #env;
    #turn = null;

    /* on.taken(text) when the server has taken a question; on.ended(info) after
     * each turn; on.again(text) to ask once more;
     * on.stored(gone) when the record knows better than this page, gone: the
     * id of a turn without events; on.unsaid() when the only message of a
     * conversation was taken back. */
    constructor({ store, sessions, thread, composer, net }, on) {
        this.#store = store;
        this.#sessions = sessions;
        this.#thread = thread;
        this.#composer = composer;
        this.#net = net;
        this.#on = on;
        this.#env = surroundings(store);
    }

    get turn() {
        return this.#turn;
    }

    /* Another conversation is opened; the turn goes on without us. */
    leave() {
        this.#turn?.follower?.close();
        this.#turn = null;
        this.#composer.state = 'idle';
    }

    /* Draws the turn, makes it the running one, and sends or follows it. */
    run(turn) {
        this.#turn = turn;
        turn.question ??= this.#thread.add(new UserMessage(
            { text: turn.text, at: turn.at }));
        turn.reply = this.#thread.add(new AnswerMessage());
        turn.reply.work();
        this.#composer.state = 'running';
        if (turn.id)
            this.#follow(turn);
        else
            this.#submit(turn);
    }

    async #submit(turn) {
        turn.unsent = false;
        turn.reply.say(null);
        turn.reply.work();
        let reply;
        try {
            reply = await api.postTurn(turn, this.#store.get('files'));
        } catch (e) {
            this.#notSent(turn, e);
            return;
        }
        turn.id = reply.turn_id;
        turn.save(this.#store);
        if (turn !== this.#turn)
            return;
        this.#on.taken(turn.text);
        if (this.#thread.hasTurn(turn.id)) {
            /* It had arrived the first time, and the record has it. */
            this.#on.stored(null);
            return;
        }
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
        turn.unsent = true;
        turn.repeats = e.network;
        if (e.network) {
            turn.tries++;
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
            this.#sessions.forget(turn.sessionId);
            this.#on.unsaid();
        }
        this.#composer.give(turn.text);
    }

    /* ---- following ---- */

    #follow(turn) {
        turn.question.turn = turn.id;
        turn.reply.turn = turn.id;
        turn.follower?.close();
        turn.follower = new Follower(turn.id, turn.answer.seq, {
            event: (seq, event) => this.#event(turn, seq, event),
            state: (state) => this.#state(turn, state),
            end: (how) => this.#over(turn, how),
        }, this.#env);
    }

    #event(turn, seq, event) {
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
            this.#on.stored(turn.id);
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
        const finish = answer.info.finish_reason;
        const ending = endingOf(finish);
        const failed = problem || answer.status === 'error';
        const actions = answer.error?.retryable === false ? []
            : offersFor(failed ? 'error' : finish ?? answer.status, {
                question: turn.text,
                answer: answer.text,
                ask: (text) => {
                    reply.say(null);
                    this.#on.again(text);
                },
            });
        if (failed)
            reply.say({
                text: problem || sentence(answer.error.message),
                hint: answer.error?.hint, actions,
            });
        else if (ending || answer.status === 'cancelled')
            reply.say({ text: ending || endingOf('cancelled'), quiet: true,
                actions });
        announce(spoken(answer, reply.body.textContent));
        if (answer.info.result)
            this.#on.commanded(answer.info);
        this.#on.ended(answer.info);
    }

    /* ---- stopping and going on ---- */

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

    /* The connection is back. */
    kick() {
        const turn = this.#turn;
        if (turn?.follower)
            turn.follower.kick();
        else if (turn?.unsent && turn.repeats && turn.tries <= TRIES_MAX)
            this.#submit(turn);
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
