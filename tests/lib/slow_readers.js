/* Many readers who hardly read, one who does: the slow ones may cost a cursor
 * and a socket buffer each, not memory that grows, and nobody's time. */

import assert from 'node:assert/strict';
import { askEvents, ask, attach, postJson } from './client.js';
import { replyEvents } from './openai_bytes.js';
import { slowReader } from './raw.js';
import { assertWholeTurn } from './sse.js';
import { assertGrownBelow, memoryKib } from './server.js';
import { inParallel, until } from './wait.js';

const STUCK_MAX_KIB = 64; /* what a reader that stops reading may cost */

/* An answer of `events` pieces of about 1 KiB each. */
function longAnswer(events) {
    return replyEvents(Array.from({ length: events },
        (_, i) => `${String(i).padStart(8)} ${'text '.repeat(200)}\n`));
}

/* A provider that sends the first event, waits for open(), sends the rest. */
function gated(events) {
    let open;
    const opened = new Promise((resolve) => { open = resolve; });
    const script = async (peer) => {
        await peer.write('HTTP/1.1 200 OK\r\n' +
            'Content-Type: text/event-stream\r\nConnection: close\r\n\r\n' +
            events.slice(0, 2).join(''));
        await opened;
        for (const event of events.slice(2)) {
            if (peer.gone)
                return;
            await peer.write(event);
        }
        peer.end();
    };
    script.open = open;
    return script;
}

/* `count` readers at n bytes every ms follow one long answer. */
export async function slowReaders(parley, replay, { count, n, ms, events }) {
    const script = gated(longAnswer(events));
    replay.on('a long story', script);
    const { body } = await postJson(parley, '/chat',
        { message: 'a long story', detach: true });
    const path = `/chat/stream?turn_id=${body.turn_id}`;
    const fast = await attach(parley, body.turn_id);
    await fast.event('response_chunk');
    const slow = await inParallel(Array.from({ length: count }), 20,
        () => slowReader(parley.port, path, n, ms));
    const pid = parley.chatPid();
    try {
        await until('every slow reader to have begun',
            () => slow.every((r) => r.received > 0));
        const before = memoryKib(pid);
        script.open();
        /* The fast reader sees it all while the others have hardly begun. */
        const all = await fast.all(120000);
        assertWholeTurn(all);
        assert.equal(all.at(-1).type, 'response_complete');
        assert.equal(all.at(-1).data.content, fast.text());
        assert.ok(slow.every((r) => !r.closed), 'the slow ones stay');

        /* Nor does anybody else wait. */
        for (let i = 0; i < 5; i++)
            await ask(parley, { message: 'hi', provider: 'offline' });
        const s = await askEvents(parley,
            { message: 'hi', provider: 'offline' });
        assertWholeTurn(await s.all());

        /* Besides the readers: the answer itself, the map of the log, and what
         * it takes to put its words into the index. */
        const own = 12 * 1024 + 4 * events;
        const grown = assertGrownBelow(pid, before,
            own + count * STUCK_MAX_KIB, `for ${count} stuck readers`);
        return { grown_kib: grown, events: all.length };
    } finally {
        await Promise.all(slow.map((r) => r.leave()));
    }
}

/* After the readers left, the server must say so. */
export async function noConnectionsLeft(parley, call, expected = 1) {
    await until('the readers to be freed', async () => {
        const r = await call(parley, '/status');
        return r.body.active_connections <= expected;
    });
}
