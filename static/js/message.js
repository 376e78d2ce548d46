/* One message on the page: what the user said, or the answer to it. */

import { copyWith } from './clipboard.js';
import { highlightIn } from './code.js';
import { el, iconButton } from './dom.js';
import { ratingButtons } from './feedback.js';
import { LiveText } from './livetext.js';
import { Notice } from './notice.js';
import { renderMarkdown } from './render.js';
import { clockTime, fullTime } from './time.js';

const LONG_TEXT = 1800;     /* characters; longer ones are folded */
const LONG_LINES = 24;

function timeNode(when) {
    const date = new Date(when ?? Date.now());
    if (Number.isNaN(date.getTime()))
        return null;
    return el('time', {
        datetime: date.toISOString(), title: fullTime(date),
    }, clockTime(date));
}

/* What both kinds have: a text, a foot and room for one notice. */
class Message {
    text = '';
    id = null;           /* of the record; null: not known, or there is none */
    turn = null;         /* id of the turn it belongs to; null: not known */
    node;
    foot = el('div', { class: 'foot' });
    #notice = null;

    constructor(kind, title) {
        this.node = el('li', { class: `message ${kind}` },
            el('h2', { class: 'sr' }, title));
    }

    /* Shows a notice below the message; null takes it away. */
    say(notice) {
        this.#notice?.remove();
        this.#notice = notice && new Notice(notice);
        if (this.#notice)
            this.node.append(this.#notice.node);
    }

    /* The conversation went on: what was offered here is no longer. */
    settle() {
        this.#notice?.settle();
    }

    remove() {
        this.say(null);
        this.node.remove();
    }

    copyButton(label) {
        const button = iconButton('copy', label,
            () => copyWith(button, this.text));
        return button;
    }
}

/* One that is stored can be said in other words: an "edit" event bubbles, with
 * the message. Where it was, "branch" has the id of the one to go over to. */
export class UserMessage extends Message {
    constructor({ text, at, turn = null, id = null, siblings = [] }) {
        super('user', 'You said');
        this.text = text;
        this.turn = turn;
        const bubble = el('div', { class: 'bubble', dir: 'auto' }, text);
        this.node.append(bubble);
        if (text.length > LONG_TEXT || text.split('\n').length > LONG_LINES)
            this.#fold(bubble);
        this.foot.append(timeNode(at) ?? '', this.copyButton('Copy message'));
        this.node.append(this.foot);
        if (id)
            this.kept({ id, siblings });
    }

    /* The server has it under this id. */
    kept({ id, siblings = [] }) {
        this.id = id;
        this.foot.append(iconButton('edit', 'Edit message',
            () => this.#tell('edit', this)));
        if (siblings.length > 1)
            this.foot.append(this.#branches(siblings));
    }

    #tell(type, detail) {
        this.node.dispatchEvent(
            new CustomEvent(type, { bubbles: true, detail }));
    }

    #branches(siblings) {
        const at = siblings.indexOf(this.id);
        const step = (label, sign, to) => el('button', {
            type: 'button', class: 'step', 'aria-label': label, title: label,
            disabled: to === undefined,
            onclick: () => this.#tell('branch', to),
        }, sign);
        return el('span', { class: 'branches' },
            step('Previous version', '‹', siblings[at - 1]),
            el('span', {}, `${at + 1}/${siblings.length}`),
            step('Next version', '›', siblings[at + 1]));
    }

    #fold(bubble) {
        bubble.classList.add('folded');
        const button = el('button', {
            type: 'button', class: 'button small', 'aria-expanded': 'false',
            onclick: () => {
                const folded = bubble.classList.toggle('folded');
                button.textContent = folded ? 'Show all' : 'Show less';
                button.setAttribute('aria-expanded', String(!folded));
            },
        }, 'Show all');
        this.foot.append(button);
    }
}

export class AnswerMessage extends Message {
    body = el('div', { class: 'prose' });
    #working = el('div', { class: 'working' },
        el('span', { class: 'dots', 'aria-hidden': 'true' },
            el('i'), el('i'), el('i')),
        el('span', { class: 'label' }));
    #live = null;
    #reasoning = null;
    #tools = new Map();

    constructor() {
        super('answer', 'Answer');
        this.node.append(this.body, this.foot);
    }

    /* One from the history. */
    static stored({ text, at, model, turn = null, id = null, feedback,
        citations }) {
        const message = new AnswerMessage();
        message.text = text;
        message.turn = turn;
        message.id = id;
        message.body.append(renderMarkdown(text));
        highlightIn(message.body);
        message.#close({ timestamp: at, model, rating: feedback?.rating,
            citations });
        return message;
    }

    /* Nothing is there yet, or it goes on; label says so where silence would
     * leave the reader guessing. Nothing moves while nothing is done. */
    work(label = '', moving = true) {
        this.#working.querySelector('.label').textContent = label;
        this.#working.querySelector('.dots').hidden = !moving;
        if (!this.#working.isConnected)
            this.foot.replaceChildren(this.#working);
        this.body.setAttribute('aria-busy', 'true');
    }

    update(answer) {
        this.#showReasoning(answer);
        this.#showTools(answer);
        if (answer.text) {
            this.#live ??= new LiveText(this.body);
            this.#live.set(answer.text);
        }
    }

    finish(answer) {
        this.text = answer.text;
        this.id = answer.info.message_id ?? null;
        this.update(answer);
        if (answer.text)
            this.#live.finish(answer.text);
        this.#close(answer.info);
    }

    #close({ timestamp, model, notes = [], rating, citations }) {
        this.body.removeAttribute('aria-busy');
        this.#working.remove();
        this.foot.replaceChildren();
        if (!this.text) {
            this.foot.remove();
            return;
        }
        this.foot.append(this.copyButton('Copy answer'),
            ...(this.id ? ratingButtons(this.id, rating) : []));
        const words = el('span', { class: 'meta' });
        if (model)
            words.append(model, ' · ');
        words.append(timeNode(timestamp) ?? '');
        this.foot.append(words);
        for (const note of notes)
            this.foot.append(el('span', { class: 'meta' },
                typeof note === 'string' ? note : note?.message ?? ''));
        if (citations?.length > 0)
            this.#cite(citations);
    }

    /* Below the answer, the files that it stands on. */
    async #cite(citations) {
        try {
            const { showSources } = await import('./later/sources.js');
            showSources(this.body, citations);
        } catch {
            /* The answer stands without them. */
        }
    }

    #showReasoning({ reasoning }) {
        if (!reasoning)
            return;
        if (!this.#reasoning) {
            this.#reasoning = el('div', { class: 'inner', dir: 'auto' });
            this.body.before(el('details', { class: 'aside' },
                el('summary', {}, 'Reasoning'), this.#reasoning));
        }
        this.#reasoning.textContent = reasoning;
    }

    #showTools({ tools }) {
        for (const tool of tools) {
            let view = this.#tools.get(tool.id);
            if (!view) {
                view = {
                    state: el('span', { class: 'meta' }, 'running'),
                    result: el('pre', { tabindex: '0' }),
                };
                this.#tools.set(tool.id, view);
                const asked = typeof tool.arguments === 'string'
                    ? tool.arguments : JSON.stringify(tool.arguments, null, 2);
                this.body.before(el('details', { class: 'aside' },
                    el('summary', {}, `Tool ${tool.name} · `, view.state),
                    el('div', { class: 'inner' },
                        el('pre', { tabindex: '0' }, asked ?? ''),
                        view.result)));
            }
            if (tool.ok !== undefined) {
                view.state.textContent = tool.ok ? 'done' : 'failed';
                view.result.textContent = typeof tool.content === 'string'
                    ? tool.content : JSON.stringify(tool.content, null, 2);
            }
        }
    }
}
