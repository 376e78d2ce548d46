/* Readers who read slowly, or stop, or leave. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ask, attach, call, postJson } from '../lib/client.js';
import { replyEvents, SSE_HEAD } from '../lib/openai_bytes.js';
import { hold, startReplay } from '../lib/replay.js';
import { assertGrownBelow, memoryKib, startParley } from '../lib/server.js';
import { noConnectionsLeft, slowReaders } from '../lib/slow_readers.js';
import { inParallel } from '../lib/wait.js';

let replay;
let parley;

before(async () => {
    replay = await startReplay();
    parley = await startParley({ env: replay.env() });
});
after(async () => {
    await parley?.stop();
    await replay?.stop();
});

test('100 readers at 10 bytes a second hold up nobody and cost little',
    async (t) => {
        const result = await slowReaders(parley, replay,
            { count: 100, n: 1, ms: 100, events: 1500 });
        t.diagnostic(JSON.stringify(result));
        await noConnectionsLeft(parley, call);
    });

test('readers who leave are freed while the turn runs on', async () => {
    const script = hold(SSE_HEAD + replyEvents(['a']).slice(0, 2).join(''));
    replay.on('crowd', script);
    const { body } = await postJson(parley, '/chat',
        { message: 'crowd', detach: true });
    const active = async () =>
        (await call(parley, '/status')).body.active_connections;
    await noConnectionsLeft(parley, call); /* who asked has its reply */
    const readers = await inParallel(Array.from({ length: 60 }), 20,
        () => attach(parley, body.turn_id));
    await Promise.all(readers.map((r) => r.event('response_chunk')));
    assert.ok(await active() >= 60, 'they are counted');
    await Promise.all(readers.map((r) => r.close()));
    await noConnectionsLeft(parley, call);
    assert.equal((await script.started).gone, false, 'the turn goes on');
    script.release(replyEvents(['b']).slice(1).join(''));
    const s = await attach(parley, body.turn_id);
    await s.event('response_complete');
    assert.equal(s.text(), 'ab');
});

test('a thousand turns do not make the program grow', async () => {
    const many = (n) => inParallel(Array.from({ length: n }), 16,
        (_, i) => ask(parley, { message: `turn ${i}`, provider: 'offline' }));
    await many(300);
    const before = memoryKib(parley.chatPid());
    await many(1000);
    /* Pages of the store's map count as well: a few KiB for each turn. */
    assertGrownBelow(parley.chatPid(), before, 16 * 1024, 'for 1000 turns');
});
