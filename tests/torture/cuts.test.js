/* Every way to split or end a provider's reply: each byte on its own, and the
 * end of the connection after each byte, over a longer reply with text of many
 * scripts, usage, and escapes. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ask, askEvents } from '../lib/client.js';
import { replyEvents, SSE_HEAD } from '../lib/openai_bytes.js';
import { cut, drip, startReplay } from '../lib/replay.js';
import { startParley } from '../lib/server.js';
import { assertWholeTurn } from '../lib/sse.js';
import { inParallel } from '../lib/wait.js';

const PIECES = ['Zwölf ', 'Boxkämpfer ', '中文 ', '👩‍👩‍👧 ',
    '"\\/\n', '\u2028', 'end'];
const EVENTS = replyEvents(PIECES, { usage: { prompt_tokens: 1,
    completion_tokens: 2, total_tokens: 3 } });
const WIRE = Buffer.from(SSE_HEAD + EVENTS.join(''));
const TEXT = PIECES.join('');

for (const door of ['fastcgi', 'apache-cgi']) {
    let replay;
    let parley;

    before(async () => {
        replay = await startReplay();
        parley = await startParley({ door,
            env: { ...replay.env(), UPSTREAM_RETRIES: '0' } });
    });
    after(async () => {
        await parley?.stop();
        await replay?.stop();
    });

    test(`${door}: pieces of any size make the same answer`, async () => {
        await inParallel([1, 2, 3, 4, 5, 7, 11, 16, 64, 333], 4, async (n) => {
            const word = `pieces of ${n}.`;
            replay.on(word, drip(WIRE, n, 0));
            const body = await ask(parley, { message: word });
            assert.equal(body.message, TEXT);
            assert.equal(body.usage.output_tokens, 2);
        });
    });

    test(`${door}: a cut after any byte is an honest prefix`, async () => {
        const all = Array.from({ length: WIRE.length }, (_, n) => n);
        await inParallel(all, 8, async (n) => {
            const word = `cut after ${n}.`;
            replay.on(word, cut(WIRE, n));
            const s = await askEvents(parley, { message: word });
            const events = await s.all();
            assertWholeTurn(events);
            assert.ok(TEXT.startsWith(s.text()), word);
            if (events.at(-1).type === 'response_complete')
                assert.equal(s.text(), TEXT, word);
        });
    });
}
