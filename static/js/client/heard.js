/* What was heard of an answer, over whichever transports it came.
 *
 * Transports come and go while an answer runs; what joins them is here. An
 * event whose number was heard is passed over. A WebSocket leaves numbers out
 * (it does not tell thoughts), and a finished answer is told anew in one piece;
 * so the whole text that comes with the end is compared with what was told,
 * and what is behind that is told then. Thus each character is told once. */

import { isLast } from '../answer.js';

/* Of what a WebSocket tells: news of these kinds must arrive there. */
export const TOLD = ['response_start', 'response_chunk', 'response_complete',
    'response_cancelled', 'error'];

export class Heard {
    turnId = null;
    seq = 0;            /* of the last event */
    text = '';
    end = null;         /* the last event, once it is there */
    #on;

    /* on.chunk(text), on.event(event): in this order, for each event. */
    constructor(on) {
        this.#on = on;
    }

    /* Takes event number seq; null: it has none and comes in order. False: one
     * before it is missing, and it was not taken. sparse: numbers are left out
     * on this transport. */
    take(seq, event, sparse = false) {
        if (this.end || (seq !== null && seq <= this.seq))
            return true;
        const last = isLast(event);
        if (seq > this.seq + 1 && !sparse && !last)
            return false;
        this.seq = seq ?? this.seq;
        this.turnId ??= event.turn_id ?? null;
        if (event.type === 'response_chunk')
            this.#tell(event.content ?? '');
        else if (last)
            this.#tellRest(event.content);
        if (last)
            this.end = event;
        this.#on.event(event);
        return true;
    }

    /* All of a reply of chat/events; false as above. */
    takeAll(news) {
        return news.events.every(({ seq, event }) => this.take(seq, event));
    }

    #tell(text) {
        this.text += text;
        if (text)
            this.#on.chunk(text);
    }

    #tellRest(whole) {
        if (typeof whole !== 'string')
            return;
        if (whole.startsWith(this.text))
            this.#tell(whole.slice(this.text.length));
        this.text = whole;
    }
}
