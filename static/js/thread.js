/* The messages of the open conversation, in order. */

import { copyWith } from './clipboard.js';
import { endingOf } from './ending.js';
import { AnswerMessage, UserMessage } from './message.js';
import { Notice } from './notice.js';

export class Thread {
    #list;
    #empty;
    #scroll;
    #top;
    #messages = [];
    #notice = null;
    #older = null;
    #watcher;

    constructor({ list, empty, scroll, top }) {
        this.#list = list;
        this.#empty = empty;
        this.#scroll = scroll;
        this.#top = top;
        list.addEventListener('click', (e) => {
            const button = e.target.closest('[data-action="copy-code"]');
            if (button)
                copyWith(button, button.closest('figure')
                    .querySelector('code').textContent.replace(/\n$/, ''));
        });
        this.#watcher = new IntersectionObserver((entries) => {
            if (entries.some((e) => e.isIntersecting))
                this.#older?.();
        }, { root: top.parentElement, rootMargin: '600px' });
        this.#watcher.observe(top);
    }

    /* The text of the user's last message; '' if there is none. */
    get lastQuestion() {
        return this.#messages.findLast((m) =>
            m instanceof UserMessage)?.text ?? '';
    }

    get isEmpty() {
        return this.#messages.length === 0;
    }

    /* The first words said. */
    get firstText() {
        return this.#messages[0]?.text ?? '';
    }

    /* The id of the last message; null if it is not known. */
    get lastId() {
        return this.#messages.at(-1)?.id ?? null;
    }

    /* Is this message of the record on the page, even without its id? */
    shows({ id, turn_id: turn, role }) {
        const kind = role === 'user' ? UserMessage : AnswerMessage;
        return this.#messages.some((m) => m.id === id ||
            (turn && m.turn === turn && m instanceof kind));
    }

    has(id) {
        return this.#messages.some((m) => m.id === id);
    }

    hasTurn(id) {
        return this.#messages.some((m) => m.turn === id);
    }

    clear() {
        this.#messages.forEach((m) => m.remove());
        this.#messages = [];
        this.#older = null;
        this.say(null);
        this.greet(false);
    }

    /* Shows or hides the words of an empty conversation. */
    greet(on) {
        this.#empty.hidden = !on;
    }

    /* A notice about the conversation as a whole. */
    say(notice) {
        this.#notice?.remove();
        this.#notice = notice && new Notice(notice);
        if (this.#notice)
            this.#list.before(this.#notice.node);
    }

    add(message) {
        this.greet(false);
        this.#messages.at(-1)?.settle();
        this.#messages.push(message);
        this.#list.append(message.node);
        return message;
    }

    /* The record of a question that was drawn before there was one. */
    keep({ id, siblings, role, turn_id: turn }) {
        const mine = role === 'user' && this.#messages.find((m) =>
            m instanceof UserMessage && m.turn === turn && m.id === null);
        if (mine)
            mine.kept({ id, siblings });
    }

    /* A message, and all that came after it, leave. */
    dropFrom(message) {
        const from = this.#messages.indexOf(message);
        if (from >= 0)
            this.drop(...this.#messages.slice(from));
    }

    /* Two messages that were never sent leave together. */
    drop(...messages) {
        messages.forEach((m) => m.remove());
        this.#messages = this.#messages.filter((m) => !messages.includes(m));
    }

    /* One that the server keeps, behind what is shown. */
    addNew(stored) {
        return this.add(this.#make(stored));
    }

    /* Messages as the server keeps them, before what is shown. */
    addStored(stored) {
        const made = stored
            .filter((m) => m.role === 'user' || m.role === 'assistant')
            .map((m) => this.#make(m));
        this.#scroll.holding(() =>
            this.#list.prepend(...made.map((m) => m.node)));
        this.#messages.unshift(...made);
        return made;
    }

    #make(stored) {
        const { id, role, content, timestamp: at, model, turn_id: turn,
            siblings, feedback, citations } = stored;
        const text = typeof content === 'string' ? content : '';
        if (role === 'user')
            return new UserMessage({ text, at, turn, id, siblings });
        const message = AnswerMessage.stored({ text, at, model, turn, id,
            feedback, citations });
        const ending = endingOf(stored.finish_reason);
        if (ending)
            message.say({ text: ending, quiet: true });
        return message;
    }

    /* fn() is called, once for each page, when the reader nears the top. */
    onOlder(fn) {
        this.#older = fn && (() => {
            this.#older = null;
            fn();
        });
        if (fn) {
            /* Observing anew reports at once where the top is now. */
            this.#watcher.unobserve(this.#top);
            this.#watcher.observe(this.#top);
        }
    }
}
