/* Older messages, page by page, when the reader scrolls up to them. */

import { sessionMessages } from './api.js';

const REST_MS = 3000;       /* after a page could not be loaded */

/* before: where the shown messages begin, as the server said. Ends when there
 * are no older ones, and with the signal. */
export function awaitOlder(thread, id, { before, limit, signal }) {
    if (before === null || before === undefined || before === '') {
        thread.onOlder(null);
        return;
    }
    const next = (from) => awaitOlder(thread, id,
        { before: from, limit, signal });
    thread.onOlder(async () => {
        try {
            const page = await sessionMessages(id, { before, limit, signal });
            if (signal.aborted)
                return;
            thread.addStored(page.messages ?? []);
            next(page.next_before);
        } catch {
            setTimeout(() => {
                if (!signal.aborted)
                    next(before);
            }, REST_MS);
        }
    });
}
