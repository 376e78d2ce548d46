/* Five hundred kills under load, behind each door: each promised message is
 * there once, however often the program died. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runLedger } from '../lib/ledger.js';
import { startParley } from '../lib/server.js';

describe('kill -9 under load', { concurrency: true }, () => {
    for (const [door, kills] of [
        ['fastcgi', 200], ['lighttpd-cgi', 200], ['apache-cgi', 100],
    ])
        test(`${kills} times behind ${door}`, async (t) => {
            const parley = await startParley(
                { door, env: { OFFLINE_DELAY_MS: '2' } });
            try {
                const total = await runLedger(parley, { kills, clients: 20 });
                t.diagnostic(JSON.stringify(total));
                assert.ok(total.entries > kills);
                assert.ok(total.repeated > 0, 'the kills were felt');
                assert.ok(total.seen > 0, 'some died while they were read');
            } finally {
                await parley.stop();
            }
        });
});
