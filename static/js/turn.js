/* One question on its way to its answer, as the page sees it.
 *
 * What must survive a reload is kept in storage under the session's id: the
 * text, the id that makes sending it twice harmless, and, once the server has
 * taken it, the turn's id. Another tab on the same session reads the same
 * entry. */

import { newAnswer } from './answer.js';
import { uuid } from './ids.js';

export class Turn {
    sessionId;
    messageId;       /* ours, for a repeated POST */
    text;
    at;
    id = null;       /* the server's; null until it took the message */
    temporary = false; /* the conversation is not to be stored */
    follows = null;  /* id of the question that this one takes the place of */
    answer = newAnswer();
    follower = null;
    question = null; /* UserMessage */
    reply = null;    /* AnswerMessage */
    unsent = false;  /* the last POST failed */
    repeats = false; /* and is repeated when the network is back */
    tries = 0;       /* POSTs that got no answer at all */
    waits = 0;       /* POSTs that were told to wait */
    stopping = false;
    watched = false; /* begun by another tab */

    constructor(sessionId, text) {
        this.sessionId = sessionId;
        this.messageId = uuid();
        this.text = text;
        this.at = Date.now();
    }

    static key(sessionId) {
        return `turn ${sessionId}`;
    }

    /* The turn that a storage entry tells of; null if it tells of none. */
    static restore(sessionId, entry) {
        if (typeof entry?.text !== 'string' || !entry.messageId)
            return null;
        const turn = new Turn(sessionId, entry.text);
        turn.messageId = entry.messageId;
        turn.at = entry.at ?? turn.at;
        turn.id = entry.turn ?? null;
        turn.follows = entry.follows ?? null;
        turn.temporary = entry.temporary === true;
        return turn;
    }

    /* One that the server calls running: begun on another device, or by a
     * page whose storage is gone. */
    static running(sessionId, id) {
        const turn = new Turn(sessionId, '');
        turn.id = id;
        return turn;
    }

    save(store) {
        store.set(Turn.key(this.sessionId), {
            messageId: this.messageId, turn: this.id, text: this.text,
            at: this.at, follows: this.follows, temporary: this.temporary,
        });
    }

    /* Forgets the entry, unless a later turn has taken its place. */
    forget(store) {
        const key = Turn.key(this.sessionId);
        if (store.get(key)?.messageId === this.messageId)
            store.remove(key);
    }
}
