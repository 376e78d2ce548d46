/* Server-sent events out of text that comes in pieces, as the HTML standard
 * reads them.
 *
 * Any split of the same text gives the same events. Comments and the retry
 * time are passed over: who reads with fetch decides himself when to come
 * back. A line without an end is kept in parts, so a long one costs no more
 * than its length. */

const MESSAGE_MAX = 128 * 1024 * 1024; /* characters of one event */

export class SseParser {
    #on;
    #parts = [];        /* of the line that has no end yet */
    #kept = 0;          /* characters in these, and in the event's data */
    #cr = false;        /* a line feed would belong to the line before */
    #first = true;
    #id = '';
    #type = '';
    #data = [];

    /* on({id, type, data}) is called for each event. */
    constructor(on) {
        this.#on = on;
    }

    push(text) {
        let at = 0;
        if (this.#first && text) {
            this.#first = false;
            if (text[0] === '\ufeff')
                at = 1;
        }
        if (this.#cr && text) {
            this.#cr = false;
            if (text[at] === '\n')
                at++;
        }
        const ends = /[\r\n]/g;
        for (;;) {
            ends.lastIndex = at;
            const end = ends.exec(text)?.index ?? -1;
            if (end < 0)
                break;
            this.#parts.push(text.slice(at, end));
            this.#line(this.#parts.join(''));
            this.#parts = [];
            at = end + 1;
            if (text[end] !== '\r')
                continue;
            if (at === text.length)
                this.#cr = true;
            else if (text[at] === '\n')
                at++;
        }
        if (at < text.length)
            this.#keep(this.#parts, text.slice(at));
    }

    #keep(list, text) {
        this.#kept += text.length;
        if (this.#kept > MESSAGE_MAX)
            throw new RangeError('an event is too long');
        list.push(text);
    }

    #line(line) {
        if (line === '') {
            this.#dispatch();
            return;
        }
        const colon = line.indexOf(':');
        const name = colon < 0 ? line : line.slice(0, colon);
        let value = colon < 0 ? '' : line.slice(colon + 1);
        if (value[0] === ' ')
            value = value.slice(1);
        if (name === 'data')
            this.#keep(this.#data, value);
        else if (name === 'event')
            this.#type = value;
        else if (name === 'id' && !value.includes('\0'))
            this.#id = value;
    }

    #dispatch() {
        const data = this.#data;
        const type = this.#type || 'message';
        this.#data = [];
        this.#type = '';
        this.#kept = 0;
        if (data.length > 0)
            this.#on({ id: this.#id, type, data: data.join('\n') });
    }
}
