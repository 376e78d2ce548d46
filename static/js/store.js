/* What the browser remembers: a small typed front to localStorage.
 *
 * Keys begin with the path of the page, because several installations may
 * share a host. Storage may be full, forbidden or cleared at any time: then a
 * map in memory stands in and nothing else notices. The same map holds what is
 * said of an id that must not be stored. Another tab's changes come through
 * watch(). */

/* The kinds of entries that belong to one conversation: "draft <id>". */
const KINDS = ['draft', 'turn'];

export function createStore(storage, prefix) {
    const memory = new Map();
    const held = new Set();

    function get(key) {
        if (memory.has(key))
            return memory.get(key);
        try {
            const text = storage.getItem(prefix + key);
            return text === null ? undefined : JSON.parse(text);
        } catch {
            return undefined;
        }
    }

    function set(key, value) {
        if (holds(key.slice(key.indexOf(' ') + 1))) {
            memory.set(key, value);
            return;
        }
        try {
            storage.setItem(prefix + key, JSON.stringify(value));
            memory.delete(key);
        } catch {
            memory.set(key, value);
        }
    }

    function remove(key) {
        memory.delete(key);
        try {
            storage.removeItem(prefix + key);
        } catch {
            /* Nothing is kept where nothing can be. */
        }
    }

    function holds(id) {
        return held.has(id);
    }

    /* From now on, and until release(), what is said of this conversation stays
     * in memory; what was stored of it is taken along. */
    function hold(id) {
        for (const key of KINDS.map((kind) => `${kind} ${id}`)) {
            const value = get(key);
            remove(key);
            if (value !== undefined)
                memory.set(key, value);
        }
        held.add(id);
    }

    function release(id) {
        held.delete(id);
        for (const key of KINDS.map((kind) => `${kind} ${id}`))
            if (memory.has(key))
                set(key, memory.get(key));
    }

    /* Forgets everything but the entries of these keys. */
    function clear(but) {
        memory.clear();
        try {
            for (const key of Object.keys(storage))
                if (key.startsWith(prefix) &&
                    !but.includes(key.slice(prefix.length)))
                    storage.removeItem(key);
        } catch {
            /* Nothing is kept where nothing can be. */
        }
    }

    /* fn(key, value) for each change made by another tab; value is undefined
     * when the key is gone. */
    function watch(target, fn) {
        target.addEventListener('storage', (e) => {
            if (e.key?.startsWith(prefix)) {
                const key = e.key.slice(prefix.length);
                fn(key, get(key));
            }
        });
    }

    return { get, set, remove, clear, hold, holds, release, watch };
}

/* localStorage itself throws on mere mention where cookies are blocked. */
export function openStore(base = document.baseURI) {
    const path = new URL('.', base).pathname;
    let storage = null;
    try {
        storage = localStorage;
    } catch {
        /* null throws on use, and the map takes over. */
    }
    return createStore(storage, `parley ${path} `);
}
