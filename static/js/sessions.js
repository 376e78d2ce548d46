/* The list of conversations.
 *
 * A visitor who is not signed in has no list on the server: the ids are known
 * to this browser alone. So the list lives here, in storage, and the server's
 * list is merged in where there is one. The first half is pure. */

import * as api from './api.js';
import { ageGroup } from './time.js';

const TITLE_MAX = 60;      /* characters */
const LIST_MAX = 500;      /* the oldest are forgotten beyond that */

/* A title from the first words of a message. */
export function titleOf(text) {
    const line = text.trim().split(/\n/, 1)[0].replace(/\s+/g, ' ').trim();
    const words = [...line];
    if (words.length <= TITLE_MAX)
        return line || 'New chat';
    const cut = words.slice(0, TITLE_MAX).join('');
    return `${cut.replace(/\s+\S{0,14}$/, '')}…`;
}

/* What a server's entry says, in our words; null if it says nothing usable. */
export function fromServer(entry) {
    const id = entry?.id ?? entry?.session_id;
    if (typeof id !== 'string' || id === '')
        return null;
    const when = entry.updated_at ?? entry.last_message_at ??
        entry.timestamp ?? entry.created_at;
    const at = typeof when === 'number' ? when : Date.parse(when ?? '');
    return {
        id,
        title: typeof entry.title === 'string' ? entry.title : '',
        at: Number.isFinite(at) ? at : 0,
    };
}

/* Ours and the server's, by id: the later time wins, a name given here wins
 * over none there, the server's name over one made from first words. */
export function mergeSessions(local, remote) {
    const all = new Map(local.map((s) => [s.id, s]));
    for (const r of remote) {
        const mine = all.get(r.id);
        all.set(r.id, {
            ...r, ...mine,
            title: (mine?.named && mine.title) || r.title || mine?.title ||
                'Untitled',
            at: Math.max(r.at, mine?.at ?? 0),
        });
    }
    return sortSessions([...all.values()]);
}

export function sortSessions(list) {
    return list.toSorted((a, b) => b.at - a.at || (a.id < b.id ? -1 : 1))
        .slice(0, LIST_MAX);
}

/* [{name, sessions}] in the list's order. */
export function groupSessions(list, nowMs) {
    const groups = [];
    for (const s of list) {
        const name = ageGroup(s.at, nowMs);
        if (groups.at(-1)?.name !== name)
            groups.push({ name, sessions: [] });
        groups.at(-1).sessions.push(s);
    }
    return groups;
}

/* The list in storage. changed() is called after every change, also one made
 * by another tab. */
export class Sessions {
    #store;
    #changed;

    constructor(store, changed) {
        this.#store = store;
        this.#changed = changed;
    }

    get list() {
        const list = this.#store.get('sessions');
        return Array.isArray(list) ? list : [];
    }

    find(id) {
        return this.list.find((s) => s.id === id);
    }

    #save(list) {
        this.#store.set('sessions', sortSessions(list));
        this.#changed();
    }

    /* Adds the session or moves it to the top. */
    touch(id, text, at = Date.now()) {
        const list = this.list;
        const entry = list.find((s) => s.id === id);
        if (entry)
            entry.at = Math.max(entry.at, at);
        else
            list.push({ id, title: titleOf(text), at });
        this.#save(list);
    }

    /* The server named it so. */
    named(id, title) {
        this.#save(this.list.map((s) =>
            (s.id === id ? { ...s, title, named: true } : s)));
    }

    /* The new name shows at once; one the server refuses is taken back. */
    async rename(id, title) {
        const old = this.find(id);
        this.named(id, title);
        try {
            await api.renameSession(id, title);
        } catch (e) {
            /* Not known there, or names are not kept there: ours stays. */
            if ([404, 405, 501].includes(e.status))
                return;
            this.#save(this.list.map((s) => (s.id === id ? old : s)));
            throw e;
        }
    }

    async remove(id) {
        try {
            await api.deleteSession(id);
        } catch (e) {
            if (e.status !== 404)
                throw e;
        }
        this.forget(id);
    }

    forget(id) {
        this.#store.remove(`draft ${id}`);
        this.#store.remove(`turn ${id}`);
        this.#save(this.list.filter((s) => s.id !== id));
    }

    /* Merges the server's list; one that offers none changes nothing. */
    async load() {
        const reply = await api.listSessions();
        const remote = (reply.sessions ?? []).map(fromServer).filter(Boolean);
        if (remote.length > 0)
            this.#save(mergeSessions(this.list, remote));
    }
}
