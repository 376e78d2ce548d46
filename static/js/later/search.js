/* Finding conversations: by their names, which this browser knows, and by what
 * was said in them, which the server finds. What is found stands in the place
 * of the list while something is being looked for. */

import * as api from '../api.js';
import { announce } from '../announce.js';
import { el } from '../dom.js';
import { fromServer } from '../sessions.js';

const REST_MS = 200;   /* of the keyboard before the server is asked */
const LEAD_MAX = 24;   /* characters before the first mark */

/* Pure: the parts of a snippet, [{text, mark}]; marks are [at, length] in
 * characters. */
export function markedParts(snippet, marks) {
    const chars = [...snippet];
    const parts = [];
    let at = 0;
    const add = (to, mark) => {
        if (to > at)
            parts.push({ text: chars.slice(at, to).join(''), mark });
        at = Math.max(at, to);
    };
    for (const [from, length] of marks) {
        add(from, false);
        add(from + length, true);
    }
    add(chars.length, false);
    return parts;
}

/* Pure: the same from shortly before the first mark on, so that it is seen
 * where there is room for two lines; and without the signs of Markdown. */
export function shortParts(snippet, marks) {
    const parts = markedParts(snippet, marks).map((p) => (
        { ...p, text: p.text.replace(/[*`]+|^#+ /g, '') }));
    const [lead] = parts;
    if (lead && !lead.mark && parts.length > 1 && lead.text.length > LEAD_MAX)
        lead.text = `…${lead.text.slice(-LEAD_MAX).replace(/^\S*\s/, '')}`;
    return parts;
}

/* Pure: what is found, names first, each conversation once. */
export function mergeFound(q, local, remote) {
    const word = q.toLowerCase();
    const found = remote.map((r) => ({
        ...fromServer(r), match: r.matches?.[0] ?? null }))
        .filter((r) => r.id);
    const ids = new Set(found.map((r) => r.id));
    const named = local.filter((s) => !ids.has(s.id) &&
        s.title.toLowerCase().includes(word));
    return [...named.map((s) => ({ ...s, match: null })), ...found];
}

class Search {
    #input;
    #box;
    #list;
    #sessions;
    #timer = 0;
    #asked = new AbortController();

    /* box is shown instead of list while input holds something. */
    constructor({ input, box, list }, sessions) {
        this.#input = input;
        this.#box = box;
        this.#list = list;
        this.#sessions = sessions;
        input.addEventListener('input', () => this.#changed());
        input.addEventListener('keydown', (e) => this.#keyed(e));
        box.addEventListener('keydown', (e) => this.#keyed(e));
        box.addEventListener('click', (e) => {
            if (e.target.closest('a'))
                this.clear();
        });
        this.#changed(); /* it was typed in before this was loaded */
    }

    clear() {
        this.#input.value = '';
        this.#changed();
    }

    #keyed(e) {
        const links = [...this.#box.querySelectorAll('a.open')];
        const at = links.indexOf(document.activeElement);
        if (e.key === 'Escape' && this.#input.value) {
            this.clear();
            this.#input.focus();
            e.stopPropagation();
        } else if (e.key === 'ArrowDown') {
            links[at + 1]?.focus();
        } else if (e.key === 'ArrowUp' && at >= 0) {
            (links[at - 1] ?? this.#input).focus();
        } else {
            return;
        }
        e.preventDefault();
    }

    #changed() {
        const q = this.#input.value.trim();
        clearTimeout(this.#timer);
        this.#asked.abort();
        this.#asked = new AbortController();
        this.#box.hidden = !q;
        this.#list.hidden = Boolean(q);
        if (!q)
            return;
        this.#show(q, [], false);
        this.#timer = setTimeout(() => this.#ask(q), REST_MS);
    }

    async #ask(q) {
        const { signal } = this.#asked;
        let remote = [];
        try {
            remote = (await api.findSessions(q, { signal })).sessions ?? [];
        } catch {
            /* Names are found all the same. */
        }
        if (!signal.aborted)
            this.#show(q, remote, true);
    }

    #show(q, remote, whole) {
        const found = mergeFound(q, this.#sessions.list, remote);
        const at = document.activeElement.hash;
        this.#box.replaceChildren(el('ul', {},
            ...found.map((s) => this.#entry(s))));
        [...this.#box.querySelectorAll('a')]
            .find(({ hash }) => hash === at)?.focus();
        if (found.length === 0 && whole)
            this.#box.append(el('p', { class: 'none' }, 'Nothing found.'));
        if (whole)
            announce(found.length === 1 ? '1 conversation found'
                : `${found.length} conversations found`);
    }

    #entry({ id, title, match }) {
        const name = title || 'Untitled';
        return el('li', {},
            el('a', { href: `#${encodeURIComponent(id)}`, class: 'open',
                title: name }, name,
            match && el('span', { class: 'snippet' },
                ...shortParts(match.snippet, match.marks ?? []).map((p) =>
                    (p.mark ? el('mark', {}, p.text) : p.text)))));
    }
}

let search = null;

/* As Search has it; once is enough. */
export function startSearch(parts, sessions) {
    search ??= new Search(parts, sessions);
}
