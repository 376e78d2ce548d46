/* Waiting in tests, always for something and never for ever.
 *
 * A test that sleeps for a fixed time is either slow or flaky. Everything here
 * waits for a condition and fails with the name of what did not happen. The
 * default limit is generous on purpose: it is there to end a hang, not to
 * measure anything. */

export const PATIENCE_MS = 20000;

export function delay(ms) {
    return new Promise((resolve) => setTimeout(resolve, ms));
}

/* Poll probe() until it gives something truthy, and return that. */
export async function until(what, probe, limitMs = PATIENCE_MS) {
    const end = Date.now() + limitMs;
    let pause = 2;
    for (;;) {
        const value = await probe();
        if (value)
            return value;
        if (Date.now() > end)
            throw new Error(`waited ${limitMs} ms in vain for: ${what}`);
        await delay(pause);
        pause = Math.min(pause * 2, 50);
    }
}

/* The value of the promise, or an error that names what was awaited. */
export async function within(what, promise, limitMs = PATIENCE_MS) {
    let timer;
    const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(
            `waited ${limitMs} ms in vain for: ${what}`)), limitMs);
    });
    try {
        return await Promise.race([promise, late]);
    } finally {
        clearTimeout(timer);
    }
}

/* A promise with its handles outside. */
export function deferred() {
    const d = {};
    d.promise = new Promise((resolve, reject) => {
        d.resolve = resolve;
        d.reject = reject;
    });
    return d;
}

/* Run work(item, index) over the items, at most `width` at a time; the results
 * come in the order of the items. */
export async function inParallel(items, width, work) {
    const results = new Array(items.length);
    let next = 0;
    const lane = async () => {
        while (next < items.length) {
            const i = next++;
            results[i] = await work(items[i], i);
        }
    };
    await Promise.all(Array.from({ length: Math.min(width, items.length) },
        lane));
    return results;
}
