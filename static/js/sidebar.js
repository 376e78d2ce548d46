/* The list of conversations: open, rename, delete.
 *
 * Each entry is a link, so that it opens in another tab like any link. The list
 * is built again only when it changed, and keeps the focus where it was. */

import { announce } from './announce.js';
import { confirm } from './dialog.js';
import { el, iconButton } from './dom.js';
import { Notice } from './notice.js';
import { groupSessions } from './sessions.js';

export class Sidebar {
    #box;
    #sessions;
    #on;
    #current = null;
    #editing = null;
    #drawn = '';

    /* on.removed(id) after one was deleted. */
    constructor(box, sessions, on) {
        this.#box = box;
        this.#sessions = sessions;
        this.#on = on;
        box.addEventListener('keydown', (e) => this.#keyed(e));
    }

    set current(id) {
        this.#current = id;
        this.draw();
    }

    draw() {
        const groups = groupSessions(this.#sessions.list, Date.now());
        const state = JSON.stringify([groups, this.#current, this.#editing]);
        if (state === this.#drawn)
            return;
        this.#drawn = state;
        const focused = document.activeElement?.closest('[data-session]');
        const back = this.#box.contains(focused) && {
            id: focused.dataset.session,
            what: document.activeElement.className,
        };
        this.#box.replaceChildren(...groups.map((g) => this.#group(g)));
        if (groups.length === 0)
            this.#box.append(el('p', { class: 'none' },
                'Conversations appear here.'));
        if (back && !this.#editing)
            this.#row(back.id)?.querySelector(
                `[class="${back.what}"]`)?.focus();
    }

    #row(id) {
        return [...this.#box.querySelectorAll('[data-session]')]
            .find((row) => row.dataset.session === id);
    }

    #group({ name, sessions }) {
        return el('section', {},
            el('h2', {}, name),
            el('ul', {}, ...sessions.map((s) => this.#entry(s))));
    }

    #entry({ id, title }) {
        if (id === this.#editing)
            return el('li', { 'data-session': id, class: 'editing' },
                this.#nameField(id, title));
        const here = id === this.#current;
        return el('li', { 'data-session': id, class: here && 'current' },
            el('a', {
                href: `#${encodeURIComponent(id)}`, class: 'open', title,
                'aria-current': here && 'page',
            }, title),
            iconButton('edit', `Rename “${title}”`, () => this.#rename(id),
                { class: 'icon-button rename' }),
            iconButton('trash', `Delete “${title}”`, () => this.#remove(id),
                { class: 'icon-button delete' }));
    }

    #keyed(e) {
        const row = e.target.closest('[data-session]');
        if (!row || e.target.nodeName !== 'A')
            return;
        if (e.key === 'F2')
            this.#rename(row.dataset.session);
        else if (e.key === 'Delete')
            this.#remove(row.dataset.session);
        else if (e.key === 'ArrowDown' || e.key === 'ArrowUp')
            this.#step(row, e.key === 'ArrowDown' ? 1 : -1);
        else
            return;
        e.preventDefault();
    }

    #step(row, by) {
        const links = [...this.#box.querySelectorAll('a.open')];
        links[links.indexOf(row.querySelector('a.open')) + by]?.focus();
    }

    #rename(id) {
        this.#editing = id;
        this.draw();
        this.#row(id).querySelector('input').select();
    }

    #nameField(id, title) {
        const input = el('input', {
            class: 'name', value: title, maxlength: '200',
            'aria-label': 'New name', autocomplete: 'off',
        });
        let open = true;
        const close = async (save) => {
            if (!open)
                return;
            open = false;
            const name = input.value.trim();
            const focused = document.activeElement === input;
            this.#editing = null;
            this.draw();
            if (focused)
                this.#row(id)?.querySelector('a.open').focus();
            if (!save || !name || name === title)
                return;
            try {
                await this.#sessions.rename(id, name);
                announce('Renamed');
            } catch (e) {
                this.#say(id, `The name was not saved. ${e.message}.`,
                    e.hint);
            }
        };
        input.addEventListener('keydown', (e) => {
            if (e.isComposing)
                return;
            if (e.key === 'Enter' || e.key === 'Escape') {
                e.preventDefault();
                e.stopPropagation();
                close(e.key === 'Enter');
            }
        });
        input.addEventListener('blur', () => close(true));
        return input;
    }

    async #remove(id) {
        const title = this.#sessions.find(id)?.title ?? '';
        const next = this.#neighbour(id);
        const sure = await confirm({
            title: 'Delete this conversation?',
            text: `“${title}” and all its messages will be deleted. This ` +
                'cannot be undone.',
            action: 'Delete',
        });
        if (!sure)
            return;
        try {
            await this.#sessions.remove(id);
        } catch (e) {
            this.#say(id, `It was not deleted. ${e.message}.`, e.hint);
            return;
        }
        announce('Conversation deleted');
        this.#on.removed(id);
        this.#row(next)?.querySelector('a.open').focus();
    }

    #neighbour(id) {
        const list = this.#sessions.list;
        const i = list.findIndex((s) => s.id === id);
        return (list[i + 1] ?? list[i - 1])?.id;
    }

    #say(id, text, hint) {
        const notice = new Notice({ text, hint,
            actions: [{ label: 'Close', run: () => notice.remove() }] });
        this.#row(id)?.after(el('li', {}, notice.node));
        announce(text);
    }
}
