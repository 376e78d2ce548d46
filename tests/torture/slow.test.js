/* Two hundred readers at ten bytes a second on one very long answer, again
 * and again on the same program: what they cost must be given back. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call } from '../lib/client.js';
import { startReplay } from '../lib/replay.js';
import { memoryKib, startParley } from '../lib/server.js';
import { noConnectionsLeft, slowReaders } from '../lib/slow_readers.js';

test('200 slow readers, five times over', async (t) => {
    const replay = await startReplay();
    const parley = await startParley({ env: replay.env() });
    try {
        const sizes = [];
        for (let round = 0; round < 5; round++) {
            const result = await slowReaders(parley, replay,
                { count: 200, n: 1, ms: 100, events: 4000 });
            await noConnectionsLeft(parley, call);
            sizes.push(memoryKib(parley.chatPid()));
            t.diagnostic(JSON.stringify({ ...result, after: sizes.at(-1) }));
        }
        /* The map of the stream log is counted, and four more answers. */
        assert.ok(sizes[4] - sizes[0] < 4 * 40 * 1024, String(sizes));
    } finally {
        await parley.stop();
        await replay.stop();
    }
});
