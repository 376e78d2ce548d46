/* kill -9. Whatever was seen or promised before it is still there after it. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ask, askEvents, attach, messagesOf, newSession, postJson, serving }
    from '../lib/client.js';
import { runLedger } from '../lib/ledger.js';
import { replyEvents, SSE_HEAD } from '../lib/openai_bytes.js';
import { hold, startReplay } from '../lib/replay.js';
import { startParley } from '../lib/server.js';
import { assertGapless, assertWholeTurn } from '../lib/sse.js';
import { until } from '../lib/wait.js';

const SAID = SSE_HEAD + replyEvents(['Seen ', 'text ']).slice(0, 3).join('');

for (const door of ['fastcgi', 'lighttpd-cgi'])
    describe(`kill -9 of the chat program behind ${door}`, () => {
        let replay;
        let parley;

        before(async () => {
            replay = await startReplay();
            parley = await startParley({
                door, env: { ...replay.env(), AI_PROVIDER: 'offline' } });
        });
        after(async () => {
            await parley?.stop();
            await replay?.stop();
        });

        /* A turn that has said something; then the process is killed. */
        async function killedTurn(word, bytes = SAID) {
            const session_id = newSession();
            const script = hold(bytes);
            replay.on(word, script);
            const s = await askEvents(parley,
                { message: word, session_id, provider: 'openai' });
            await s.event(bytes === SAID
                ? (e) => e.data.content === 'text ' || s.text() === 'Seen text '
                : 'response_start');
            await script.started;
            await parley.kill9();
            await s.done;
            return { session_id, turn: s.events[0].turn, events: s.events };
        }

        test('a reader who comes back is told, with the text that was seen',
            async () => {
                const { session_id, turn, events } = await killedTurn('died 1');
                await serving(parley);
                const s = await attach(parley, turn, events.at(-1).id);
                const rest = await s.all();
                assertGapless(rest, events.at(-1).seq + 1);
                assertWholeTurn([...events, ...rest]);
                const last = rest.at(-1);
                assert.equal(last.type, 'error');
                assert.equal(last.data.code, 'interrupted');
                assert.equal(last.data.retryable, true);
                assert.equal(last.data.content, 'Seen text ');
                const [user, answer] = await messagesOf(parley, session_id);
                assert.equal(user.content, 'died 1');
                assert.equal(answer.content, 'Seen text ');
                assert.equal(answer.finish_reason, 'interrupted');
            });

        test('all readers are told the same, from any place', async () => {
            const { turn, events } = await killedTurn('died 2');
            await serving(parley);
            const readers = await Promise.all([undefined, events[0].id,
                events.at(-1).id].map((id) => attach(parley, turn, id)));
            const all = await Promise.all(readers.map((r) => r.all()));
            assertWholeTurn(all[0]);
            assert.deepEqual(all[0].slice(0, events.length), events);
            assert.deepEqual(all[1], all[0].slice(1));
            assert.deepEqual(all[2], all[0].slice(events.length));
        });

        test('the session shows it even if nobody asks for the turn',
            async () => {
                const { session_id } = await killedTurn('died 3');
                await serving(parley);
                const stored = await until('the answer to be closed',
                    async () => (await messagesOf(parley, session_id))[1]);
                assert.equal(stored.finish_reason, 'interrupted');
                assert.equal(stored.content, 'Seen text ');
            });

        test('a turn that had said nothing is closed as well', async () => {
            const { session_id, turn } = await killedTurn('died 4', SSE_HEAD);
            await serving(parley);
            const s = await attach(parley, turn);
            const last = (await s.all()).at(-1);
            assert.equal(last.data.code, 'interrupted');
            assert.equal(last.data.content ?? '', '');
            const answer = await until('the empty answer', async () =>
                (await messagesOf(parley, session_id))[1]);
            assert.equal(answer.content, '');
            assert.equal(answer.finish_reason, 'interrupted');
        });

        test('the session goes on', async () => {
            const { session_id } = await killedTurn('died 5');
            await serving(parley);
            const body = await ask(parley, { message: 'And now?', session_id });
            assert.equal(body.conversation_length, 4);
        });

        test('the same Idempotency-Key does not make a second turn',
            async () => {
                const session_id = newSession();
                const key = { 'idempotency-key': 'after-a-crash' };
                const fields = { message: 'died 6', session_id,
                    provider: 'openai' };
                const script = hold(SAID);
                replay.on('died 6', script);
                const s = await askEvents(parley, fields, key);
                await s.event((e) => s.text() === 'Seen text ');
                await parley.kill9();
                await s.done;
                await serving(parley);
                const r = await postJson(parley, '/chat', fields, key);
                assert.equal(r.body.code ?? r.body.finish_reason,
                    'interrupted', r.text);
                assert.equal(replay.about('died 6').length, 1);
                assert.equal((await messagesOf(parley, session_id)).length, 2);
            });

        test('what was finished before is untouched', async () => {
            const first = await askEvents(parley, { message: 'finished' });
            await first.all();
            await parley.kill9();
            await serving(parley);
            const again = await attach(parley, first.events[0].turn);
            assert.deepEqual(await again.all(), first.events);
        });
    });

/* Fifty in all; the torture suite does more. lighttpd starts a FastCGI program again within a second;
 * an engine below plain CGI is started by the next request. */
describe('kill -9 under load', { concurrency: true }, () => {
    for (const [door, kills] of [
        ['fastcgi', 20], ['lighttpd-cgi', 20], ['apache-cgi', 10],
    ])
        test(`${kills} times behind ${door}: each promised message is there ` +
            'once', async (t) => {
            const parley = await startParley(
                { door, env: { OFFLINE_DELAY_MS: '2' } });
            try {
                const total = await runLedger(parley, { kills, clients: 20 });
                t.diagnostic(JSON.stringify(total));
                assert.ok(total.entries > kills, 'the clients were at work');
                assert.ok(total.repeated > 0, 'the kills were felt');
                assert.ok(total.seen > 0, 'some died while they were read');
            } catch (error) {
                console.error(parley.log().split('\n').slice(-100).join('\n'));
                throw error;
            } finally {
                await parley.stop();
            }
        });
});
