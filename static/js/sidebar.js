/* The list of conversations: those in use or those in the archive, all or the
 * ones with a tag.
 *
 * Each entry is a link, so that it opens in another tab like any link, and has
 * a menu (later/actions.js). The list is built again only when it changed, and
 * keeps the focus where it was. */

import { el, iconButton } from './dom.js';
import { groupSessions } from './sessions.js';
import { allTags, inView, tagButtons } from './tags.js';

export class Sidebar {
    #box;
    #sessions;
    #act;
    #archive;
    #current = null;
    #view = { archived: false, tag: null };
    #drawn = '';
    #place = 0;         /* of the entry that had the focus last */

    /* archive: the button that changes between the two lists. act(name, …)
     * does one of the actions. */
    constructor({ box, archive }, sessions, act) {
        this.#box = box;
        this.#archive = archive;
        this.#sessions = sessions;
        this.#act = act;
        box.addEventListener('keydown', (e) => this.#keyed(e));
        box.addEventListener('focusin', (e) => {
            const row = e.target.closest('[data-session]');
            if (row)
                this.#place = this.#rows.indexOf(row);
        });
        archive.addEventListener('click', () => {
            this.#view = { archived: !this.#view.archived, tag: null };
            this.draw();
        });
    }

    set current(id) {
        this.#current = id;
        this.draw();
    }

    get #rows() {
        return [...this.#box.querySelectorAll('[data-session]')];
    }

    draw() {
        const { archived } = this.#view;
        const list = this.#sessions.list;
        const tags = allTags(inView(list, { archived, tag: null }));
        if (!tags.includes(this.#view.tag))
            this.#view.tag = null;
        const groups = groupSessions(inView(list, this.#view), Date.now());
        const state = JSON.stringify([groups, this.#current, this.#view, tags]);
        if (state === this.#drawn)
            return;
        this.#drawn = state;
        this.#archive.setAttribute('aria-pressed', String(archived));
        const focused = document.activeElement;
        const back = this.#box.contains(focused) && {
            id: focused.closest('[data-session]')?.dataset.session,
            what: focused.className, text: focused.textContent,
        };
        this.#box.replaceChildren(...this.#head(tags),
            ...groups.map((g) => this.#group(g)));
        if (groups.length === 0)
            this.#box.append(el('p', { class: 'none' }, archived
                ? 'Nothing is archived.' : 'Conversations appear here.'));
        if (back)
            this.#refocus(back);
    }

    /* The focus returns to what it was on, or to what is now in its place. */
    #refocus({ id, what, text }) {
        const same = [...this.#box.querySelectorAll(`[class="${what}"]`)].find(
            (n) => (id ? n.closest('[data-session]')?.dataset.session === id
                : n.textContent === text));
        if (same)
            same.focus();
        else
            this.focus(id);
    }

    /* Puts the focus on an entry; on its neighbour when it is gone. */
    focus(id) {
        const rows = this.#rows;
        const row = rows.find((r) => r.dataset.session === id) ??
            rows[Math.min(this.#place, rows.length - 1)];
        (row?.querySelector('a.open') ?? this.#archive).focus();
    }

    #head(tags) {
        const { archived, tag } = this.#view;
        const parts = [];
        if (archived)
            parts.push(el('h2', { class: 'view' }, 'Archive'));
        if (tags.length > 0)
            parts.push(el('div', { class: 'chips', role: 'group',
                'aria-label': 'Only with the tag' },
            ...tagButtons(tags, (t) => t === tag, (t) => {
                this.#view.tag = t === tag ? null : t;
                this.draw();
            })));
        return parts;
    }

    #group({ name, sessions }) {
        return el('section', {},
            el('h2', {}, name),
            el('ul', {}, ...sessions.map((s) => this.#entry(s))));
    }

    #entry({ id, title, tags = [] }) {
        const here = id === this.#current;
        const more = iconButton('more', `What to do with “${title}”`,
            () => this.#act('menu', more, id),
            { class: 'icon-button more', 'aria-haspopup': 'menu' });
        return el('li', { 'data-session': id, class: here && 'current' },
            el('a', {
                href: `#${encodeURIComponent(id)}`, class: 'open', title,
                'aria-current': here && 'page',
            }, title, tags.length > 0 ? el('span', { class: 'tags' },
                tags.map((t) => `#${t}`).join(' ')) : null),
            more);
    }

    #keyed(e) {
        const row = e.target.closest('[data-session]');
        if (!row || e.target.nodeName !== 'A')
            return;
        const id = row.dataset.session;
        if (e.key === 'F2')
            this.#act('rename', id);
        else if (e.key === 'Delete')
            this.#act('remove', id);
        else if (e.key === 'ArrowDown' || e.key === 'ArrowUp')
            this.#step(row, e.key === 'ArrowDown' ? 1 : -1);
        else if (e.key === 'ContextMenu' || (e.shiftKey && e.key === 'F10'))
            this.#act('menu', row.querySelector('.more'), id);
        else
            return;
        e.preventDefault();
    }

    #step(row, by) {
        const rows = this.#rows;
        rows[rows.indexOf(row) + by]?.querySelector('a.open').focus();
    }
}
