/* What the client needs of its surroundings: requests, sockets, storage, time.
 *
 * Browsers have all of it; Node 20 has no WebSocket of its own and no
 * localStorage. Whoever makes a client may hand in any of these, tests do. */

export function world(given = {}) {
    return {
        fetch: (...args) => globalThis.fetch(...args),
        WebSocket: globalThis.WebSocket,
        storage: browserStorage(),
        setTimeout: (fn, ms) => globalThis.setTimeout(fn, ms),
        clearTimeout: (timer) => globalThis.clearTimeout(timer),
        now: () => Date.now(),
        ...given,
    };
}

/* Mere mention of localStorage throws where cookies are blocked, and newer
 * Nodes warn of it. */
function browserStorage() {
    try {
        return typeof document === 'undefined' ? null
            : globalThis.localStorage ?? null;
    } catch {
        return null;
    }
}

/* Resolves after so long, or when the signal says stop. */
export function pause(env, ms, signal) {
    return new Promise((resolve) => {
        const done = () => {
            env.clearTimeout(timer);
            signal?.removeEventListener('abort', done);
            resolve();
        };
        const timer = env.setTimeout(done, ms);
        signal?.addEventListener('abort', done);
        if (signal?.aborted)
            done();
    });
}

/* An AbortController that follows a signal; free() lets go of that. */
export function linked(signal) {
    const abort = new AbortController();
    const cancel = () => abort.abort();
    signal?.addEventListener('abort', cancel);
    if (signal?.aborted)
        cancel();
    return {
        abort: cancel, signal: abort.signal,
        free: () => signal?.removeEventListener('abort', cancel),
    };
}
