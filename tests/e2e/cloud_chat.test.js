/* POST /api/cloud-chat where what it makes is more than a client is sent. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertError, postJson } from '../lib/client.js';
import { startParley } from '../lib/server.js';

const MIB = 1 << 20;
let parley;

before(async () => {
    parley = await startParley({ env: { BODY_MAX_KIB: String(64 * 1024) } });
});
after(() => parley?.stop());

const ask = (mib) => ({ message: 'What is Parley?',
    history: Array.from({ length: mib },
        () => ({ role: 'user', content: 'x'.repeat(MIB) })) });

test('a result that is too large is refused, and never sent in part',
    async () => {
        const post = (mib, accept) => postJson(parley, '/api/cloud-chat',
            ask(mib), { accept });
        for (const accept of ['application/json', 'text/event-stream'])
            assertError(await post(33, accept), 413, 'result_too_big');
        const fine = await post(31, 'application/json');
        assert.equal(fine.status, 200);
        assert.ok(fine.text.length > 31 * MIB);
    });
