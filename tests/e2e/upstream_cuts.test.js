/* The provider's connection ends after each single byte of its reply.
 *
 * The rule is exact: the text is that of the events that came whole, and the
 * turn is complete only if the provider said so (a finish_reason) before the
 * cut. Everything else is an error that keeps the text, as incomplete. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { askEvents, messagesOf, newSession } from '../lib/client.js';
import { replyEvents, SSE_HEAD } from '../lib/openai_bytes.js';
import { cut, startReplay } from '../lib/replay.js';
import { startParley } from '../lib/server.js';
import { assertWholeTurn } from '../lib/sse.js';
import { inParallel } from '../lib/wait.js';

const PIECES = ['Grüß ', 'Gott', ' 😀'];
const EVENTS = replyEvents(PIECES, { model: 'm' });
const FINISH = EVENTS.length - 2; /* the event with the finish_reason */

let replay;
let parley;

before(async () => {
    replay = await startReplay();
    parley = await startParley({
        env: { ...replay.env(), UPSTREAM_RETRIES: '0' },
    });
});
after(async () => {
    await parley?.stop();
    await replay?.stop();
});

/* Where each event ends, counted from the start of the head. */
function ends(head) {
    let at = Buffer.byteLength(head);
    return EVENTS.map((e) => (at += Buffer.byteLength(e)));
}

async function checkCut(head, wire, n, options) {
    const word = `cut ${options.reset ? 'hard' : 'soft'} at ${n}.`;
    replay.on(word, cut(wire, n, options));
    const session_id = newSession();
    const s = await askEvents(parley, { message: word, session_id });
    const events = await s.all();
    assertWholeTurn(events);
    const last = events.at(-1);

    const came = ends(head).filter((end) => end <= n).length;
    const text = PIECES.slice(0, Math.max(0, came - 1)).join('');
    const finished = came > FINISH;
    /* A reset may overtake bytes that were sent before it. */
    if (options.reset)
        assert.ok(text.startsWith(s.text()), word);
    else
        assert.equal(s.text(), text, word);
    if (!options.reset || last.type === 'error')
        assert.equal(last.type, finished ? 'response_complete' : 'error', word);
    assert.equal(last.data.content ?? '', s.text(), word);

    const stored = (await messagesOf(parley, session_id)).slice(1);
    if (last.type === 'response_complete') {
        assert.equal(stored[0].finish_reason, 'stop', word);
        assert.equal(stored[0].content, s.text(), word);
    } else if (s.text() !== '') {
        assert.equal(stored[0].finish_reason, 'incomplete', word);
        assert.equal(stored[0].content, s.text(), word);
    }
}

test('a reply cut after any byte is an honest prefix', async () => {
    const wire = Buffer.from(SSE_HEAD + EVENTS.join(''));
    const all = Array.from({ length: wire.length + 1 }, (_, n) => n);
    await inParallel(all, 8, (n) => checkCut(SSE_HEAD, wire, n, {}));
});

test('so is one whose connection is reset', async () => {
    const wire = Buffer.from(SSE_HEAD + EVENTS.join(''));
    const some = Array.from({ length: wire.length / 13 | 0 }, (_, i) => i * 13);
    await inParallel(some, 8,
        (n) => checkCut(SSE_HEAD, wire, n, { reset: true }));
});

test('so is one of a promised length that falls short', async () => {
    const body = EVENTS.join('');
    const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n' +
        `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
    const wire = Buffer.from(head + body);
    const some = Array.from({ length: wire.length / 29 | 0 },
        (_, i) => wire.length - i * 29);
    await inParallel(some, 8, (n) => checkCut(head, wire, n, {}));
});
