/* The list of conversations.
 *
 * A visitor who is not signed in has no list on the server: the ids are known
 * to this browser alone. So the list lives here, in storage, and the server's
 * list is merged in where there is one. The first half is pure. */

import * as api from './api.js';
import { ageGroup } from './time.js';

const TITLE_MAX = 60;      /* characters */
const LIST_MAX = 500;      /* the oldest are forgotten beyond that */

/* A title from the first words of a message, much as the server makes it. */
export function titleOf(text) {
    const line = text.trim().split(/\n/, 1)[0].replace(/\s+/g, ' ').trim();
    const words = [...line];
    if (words.length > 0)
        words[0] = words[0].toLocaleUpperCase();
    if (words.length <= TITLE_MAX)
        return words.join('') || 'New chat';
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
    const s = {
        id,
        title: typeof entry.title === 'string' ? entry.title : '',
        at: Number.isFinite(at) ? at : 0,
    };
    for (const name of ['pinned', 'archived'])
        if (name in entry)
            s[name] = entry[name] === true;
    if (Array.isArray(entry.tags))
        s.tags = entry.tags.map(String);
    return s;
}

/* Ours and the server's, by id: the later time wins, a name given here wins if
 * the server does not keep names, else the server's; so do pins and tags. */
export function mergeSessions(local, remote) {
    const all = new Map(local.map((s) => [s.id, s]));
    for (const r of remote) {
        const mine = all.get(r.id);
        all.set(r.id, {
            ...mine, ...r,
            title: (mine?.named && mine.title) || r.title || mine?.title ||
                'Untitled',
            at: Math.max(r.at, mine?.at ?? 0),
        });
    }
    return sortSessions([...all.values()]);
}

export function sortSessions(list) {
    return list.toSorted((a, b) => b.at - a.at || (a.id < b.id ? -1 : 1))
        .filter((s, i) => s.pinned || i < LIST_MAX);
}

/* [{name, sessions}] in the list's order, after those that are pinned. */
export function groupSessions(list, nowMs) {
    const groups = [];
    for (const s of list.toSorted((a, b) => !a.pinned - !b.pinned)) {
        const name = s.pinned ? 'Pinned' : ageGroup(s.at, nowMs);
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
    #gone = new Set();      /* ids that this page deleted or forgot */

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

    /* Adds the session or moves it to the top. One that is held stays out. */
    touch(id, text, at = Date.now()) {
        if (this.#store.holds(id))
            return;
        this.#gone.delete(id);
        const list = this.list;
        const entry = list.find((s) => s.id === id);
        if (entry)
            entry.at = Math.max(entry.at, at);
        else
            list.push({ id, title: titleOf(text), at });
        this.#save(list);
    }

    #set(id, fields) {
        this.#save(this.list.map((s) => (s.id === id ? { ...s, ...fields }
            : s)));
    }

    /* What the server says of one; true if that is news. */
    told(entry) {
        const s = fromServer(entry);
        const mine = s && this.find(s.id);
        if (!mine)
            return false;
        const [merged] = mergeSessions([mine], [s]);
        if (JSON.stringify(merged) === JSON.stringify(mine))
            return false;
        this.#set(s.id, merged);
        return true;
    }

    /* Title, pinned, archived or tags. The change shows at once; one that the
     * server refuses is taken back. */
    async change(id, fields) {
        const old = this.find(id);
        this.#set(id, 'title' in fields ? { ...fields, named: true } : fields);
        try {
            await api.patchSession(id, fields);
            if ('title' in fields)
                this.#set(id, { named: false });
        } catch (e) {
            /* Not known there, or such things are not kept there. */
            if ([404, 405, 501].includes(e.status))
                return;
            if (old)
                this.#save(this.list.map((o) => (o.id === id ? old : o)));
            throw e;
        }
    }

    /* This page has it deleted; other devices need not be thought of. */
    leaving(id) {
        return this.#gone.has(id);
    }

    async remove(id) {
        this.#gone.add(id);
        try {
            await api.deleteSession(id);
        } catch (e) {
            if (e.status !== 404) {
                this.#gone.delete(id);
                throw e;
            }
        }
        this.forget(id);
    }

    forget(...ids) {
        for (const id of ids) {
            this.#gone.add(id);
            this.#store.remove(`draft ${id}`);
            this.#store.remove(`turn ${id}`);
        }
        this.#save(this.list.filter((s) => !ids.includes(s.id)));
    }

    /* Merges the server's list; one that offers none changes nothing. What was
     * on it, and is not on the whole of it now, was deleted elsewhere. */
    async load() {
        const reply = await api.listSessions();
        const remote = (reply.sessions ?? []).map(fromServer).filter((s) =>
            s && !this.#gone.has(s.id));
        if (remote.length === 0)
            return;
        const ids = new Set(remote.map((s) => s.id));
        const mine = this.list.filter((s) =>
            !s.listed || reply.next_cursor || ids.has(s.id));
        this.#save(mergeSessions(mine,
            remote.map((s) => ({ ...s, listed: true }))));
    }
}
