/* Fifty kills under load, behind two doors: each promised message is there
 * once, however often the program died. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runLedger } from '../lib/ledger.js';
import { startParley } from '../lib/server.js';

for (const [door, kills] of [['fastcgi', 50], ['lighttpd-cgi', 20]])
    test(`${kills} kills under load behind ${door}`, async (t) => {
        const parley = await startParley(
            { door, env: { OFFLINE_DELAY_MS: '2' } });
        try {
            const total = await runLedger(parley,
                { kills, clients: 24, everyMs: 900 });
            t.diagnostic(JSON.stringify(total));
            assert.ok(total.entries > kills);
            assert.ok(total.repeated > 0, 'the kills were felt');
        } finally {
            await parley.stop();
        }
    });
