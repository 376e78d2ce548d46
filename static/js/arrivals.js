/* Brings what other devices did onto the page, in order.
 *
 * While an answer is running here, it waits: the server lets one turn of a
 * conversation come after the other, too. What this page knows already (its own
 * messages come back as news) is not shown twice. What cannot be joined to the
 * end of what is shown, another branch for instance, is read anew. */

const TOGETHER_MS = 40;     /* news that come that close belong together */

export class Arrivals {
    #on;
    #news = [];
    #timer = 0;

    /* on.busy() while an answer is running; on.known(message) if it is shown;
     * on.last(), the id of the last one or null; on.keep(message) for a known;
     * on.add(message) and on.follow(message) for a question without answer;
     * on.again() to read all anew; on.session(session), on.cleared() and
     * on.deleted(). */
    constructor(on) {
        this.#on = on;
    }

    clear() {
        clearTimeout(this.#timer);
        this.#news = [];
    }

    take(type, data) {
        this.#news.push({ type, ...data });
        this.soon();
    }

    /* Also when the running answer has ended. */
    soon() {
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.drain(), TOGETHER_MS);
    }

    drain() {
        while (this.#news.length > 0 && !this.#on.busy()) {
            const item = this.#news.shift();
            if (item.type === 'message_added')
                this.#message(item.message);
            else if (item.type === 'session_cleared')
                this.#on.cleared();
            else if (item.type === 'session_deleted')
                this.#on.deleted();
            else
                this.#on.session({ ...item.session, ...item });
        }
    }

    get #messages() {
        return this.#news.filter((n) => n.type === 'message_added')
            .map((n) => n.message);
    }

    #message(m) {
        const { turn_id: turn, role } = m;
        if (this.#on.known(m)) {
            this.#on.keep(m);
            return;
        }
        const last = this.#on.last();
        const later = this.#messages;
        if (('parent_id' in m && last && m.parent_id !== last) ||
            later.some((n) => this.#on.known(n))) {
            this.clear();
            this.#on.again();
        } else if (role === 'user' && turn &&
            !later.some((n) => n.turn_id === turn)) {
            this.#on.follow(m);
        } else {
            this.#on.add(m);
        }
    }
}
