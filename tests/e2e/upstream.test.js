/* A provider that behaves: what is asked of it, what is made of its answer.
 *
 * Two providers take part: aimock, an independent imitation of OpenAI's API,
 * for the ordinary wire; and our own replay server, for the shapes that are
 * allowed and rare. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { LLMock } from '@copilotkit/aimock';
import { ask, askEvents, call, messagesOf, newSession }
    from '../lib/client.js';
import { replyBody, replyEvents, replyWire, SSE_HEAD, textEvent }
    from '../lib/openai_bytes.js';
import { echo, lastMessage, startReplay, whole } from '../lib/replay.js';
import { startParley } from '../lib/server.js';
import { assertWholeTurn } from '../lib/sse.js';

const LONG = 'The quick brown fox jumps over the lazy dog. '.repeat(40);

describe('aimock as the provider', () => {
    let mock;
    let parley;

    before(async () => {
        mock = new LLMock({ port: 0, logLevel: 'silent' });
        mock.onMessage('hello', { content: 'Hi there!' });
        mock.onMessage('long', { content: LONG });
        mock.onMessage('unicode', { content: 'Grüße 你好 👩‍👩‍👧 ∑' });
        mock.onMessage('counted', {
            content: 'Counted.',
            usage: { prompt_tokens: 21, completion_tokens: 9,
                total_tokens: 30 },
        });
        mock.onMessage('call a tool', { toolCalls: [
            { name: 'get_weather', arguments: '{"city":"Oslo"}' }] });
        mock.onMessage('broken', { error: { message: 'mock failure',
            type: 'server_error' }, status: 503 });
        await mock.start();
        parley = await startParley({ env: {
            AI_PROVIDER: '', OPENAI_API_KEY: 'mock-key', AI_MODEL: 'gpt-4',
            OPENAI_BASE_URL: `${mock.url}/v1`, UPSTREAM_RETRIES: '0',
        } });
    });
    after(async () => {
        await parley?.stop();
        await mock?.stop();
    });

    test('a key makes OpenAI the provider with nothing else set', async () => {
        const body = await ask(parley, { message: 'hello' });
        assert.equal(body.message, 'Hi there!');
        assert.equal(body.provider, 'openai');
        assert.equal(body.finish_reason, 'stop');
    });

    test('the answer streams in several chunks', async () => {
        const s = await askEvents(parley, { message: 'a long one' });
        assertWholeTurn(await s.all());
        assert.equal(s.text(), LONG);
        assert.equal(s.events.at(-1).data.content, LONG);
    });

    test('text of other scripts arrives as it was', async () => {
        const body = await ask(parley, { message: 'unicode' });
        assert.equal(body.message, 'Grüße 你好 👩‍👩‍👧 ∑');
    });

    test('the usage that the provider reports is the usage', async () => {
        const body = await ask(parley, { message: 'counted' });
        assert.equal(body.usage.input_tokens, 21);
        assert.equal(body.usage.output_tokens, 9);
        const [, answer] = await messagesOf(parley, body.session_id);
        assert.equal(answer.usage.output_tokens, 9);
    });

    test('the second turn carries the first one', async () => {
        const session_id = newSession();
        await ask(parley, { message: 'hello', session_id });
        await ask(parley, { message: 'long', session_id });
        const { body } = mock.getLastRequest();
        assert.deepEqual(body.messages.filter((m) => m.role !== 'system')
            .map((m) => m.content), ['hello', 'Hi there!', 'long']);
    });

    test('a tool call that nobody asked for breaks nothing', async () => {
        const s = await askEvents(parley, { message: 'call a tool' });
        const events = await s.all();
        assertWholeTurn(events);
        await ask(parley, { message: 'hello' });
    });

    test('an error is an error event and leaves the session usable',
        async () => {
            const session_id = newSession();
            const s = await askEvents(parley,
                { message: 'broken', session_id });
            const events = await s.all();
            assert.equal(events.at(-1).type, 'error');
            const body = await ask(parley, { message: 'hello', session_id });
            assert.equal(body.message, 'Hi there!');
        });

    test('fifty turns at once all get their own answer', async () => {
        const all = await Promise.all(Array.from({ length: 50 },
            () => ask(parley, { message: 'hello' })));
        assert.ok(all.every((b) => b.message === 'Hi there!'));
        assert.equal(new Set(all.map((b) => b.session_id)).size, 50);
    });
});

/* The body as one HTTP/1.1 chunk on a connection that stays open. */
function keptAlive(body) {
    return async (peer) => peer.write(Buffer.concat([
        Buffer.from('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n' +
            'Transfer-Encoding: chunked\r\n\r\n' +
            `${body.length.toString(16)}\r\n`),
        body, Buffer.from('\r\n0\r\n\r\n')]));
}

const head = (body) => whole(SSE_HEAD + body);

describe('what OpenAI-compatible providers may send', () => {
    let replay;
    let parley;

    before(async () => {
        replay = await startReplay(whole(replyWire(['fine'])));
        parley = await startParley({ env: replay.env('sk-secret-1') });
    });
    after(async () => {
        await parley?.stop();
        await replay?.stop();
    });

    const answer = (message) => ask(parley, { message });

    test('the request is a streamed chat completion with the key', async () => {
        await answer('look at the request');
        const r = await replay.request('look at the request');
        assert.equal(r.method, 'POST');
        assert.equal(r.path, '/v1/chat/completions');
        assert.equal(r.headers.authorization, 'Bearer sk-secret-1');
        assert.match(r.headers['content-type'], /^application\/json/);
        assert.equal(r.body.model, 'replay-1');
        assert.equal(r.body.stream, true);
        assert.equal(r.body.stream_options.include_usage, true);
        assert.equal(lastMessage(r), 'look at the request');
        assert.equal(r.body.messages.at(-1).role, 'user');
    });

    test('cached tokens are counted', async () => {
        replay.on('cached', whole(replyWire(['x'], { usage: {
            prompt_tokens: 11, completion_tokens: 7, total_tokens: 18,
            prompt_tokens_details: { cached_tokens: 3 } } })));
        const { usage } = await answer('cached');
        assert.equal(usage.input_tokens, 11);
        assert.equal(usage.output_tokens, 7);
        assert.equal(usage.cached_tokens, 3);
    });

    test('what the provider did not count is null, never a number',
        async () => {
            replay.on('half counted', whole(replyWire(['x'],
                { usage: { completion_tokens: 7 } })));
            const body = await answer('half counted');
            assert.equal(body.usage.input_tokens, null);
            assert.equal(body.usage.output_tokens, 7);
            const stored = await messagesOf(parley, body.session_id);
            assert.equal(stored[1].usage.input_tokens ?? null, null);
            assert.equal(stored[1].usage.output_tokens, 7);
        });

    test('finish_reason length and content_filter are passed on', async () => {
        for (const finish of ['length', 'content_filter']) {
            replay.on(`ends by ${finish}`,
                whole(replyWire(['part'], { finish })));
            const body = await answer(`ends by ${finish}`);
            assert.equal(body.finish_reason, finish);
            assert.equal(body.message, 'part');
        }
    });

    test('a finish_reason without [DONE] is an end', async () => {
        replay.on('no done', whole(replyWire(['all'], { done: false })));
        assert.equal((await answer('no done')).finish_reason, 'stop');
    });

    test('line ends may be CRLF or CR, with comments and odd fields between',
        async () => {
            const body = replyEvents(['a', 'b']).join('');
            replay.on('crlf', head(body.replaceAll('\n', '\r\n')));
            replay.on('cr only', head(body.replaceAll('\n', '\r')));
            replay.on('comments', head(`: hello\n\n${body.replaceAll('data: ',
                ': keep-alive\nretry: 5\nunknown: x\nevent\ndata:')}`));
            replay.on('padded', head(body.replaceAll('\n\n', '   \n\n')));
            for (const word of ['crlf', 'cr only', 'comments', 'padded'])
                assert.equal((await answer(word)).message, 'ab', word);
        });

    test('one event over several data lines is one event', async () => {
        const [role, text, ...rest] = replyEvents(['spread']);
        replay.on('several lines', head(
            role + text.replace(',"choices"', '\ndata: ,"choices"') +
            rest.join('')));
        assert.equal((await answer('several lines')).message, 'spread');
    });

    test('unknown members, null and empty deltas, other choices: ignored',
        async () => {
            const odd = (o) => `data: ${JSON.stringify(o)}\n\n`;
            replay.on('oddities', head([
                odd({ object: 'something.new' }), odd({ choices: null }),
                odd({ choices: [] }), odd({ choices: [{}] }),
                odd({ choices: [{ index: 0, delta: { content: null } }] }),
                odd({ choices: [{ index: 0, delta: { thing: 1 } }] }),
                odd({ choices: [{ index: 1, delta: { content: 'NOT' } }] }),
                odd({ choices: [{ index: 0, delta: { content: 7 } }] }),
                ...replyEvents(['kept']),
            ].join('')));
            assert.equal((await answer('oddities')).message, 'kept');
        });

    test('an emoji whose halves come in two chunks is one emoji', async () => {
        const half = (escape) => textEvent('@').replace('@', escape);
        replay.on('two halves', head([half('\\ud83d'), half('\\ude00'),
            ...replyEvents(['!']).slice(1)].join('')));
        const s = await askEvents(parley, { message: 'two halves' });
        await s.all();
        assert.ok(['😀!', '\ufffd\ufffd!'].includes(s.text()), s.text());
    });

    test('a very long answer comes whole', async () => {
        const pieces = Array.from({ length: 2000 }, (_, i) => `piece ${i}. `);
        replay.on('two thousand', whole(replyWire(pieces)));
        assert.equal((await answer('two thousand')).message, pieces.join(''));
    });

    test('an answer of no text at all is an answer', async () => {
        replay.on('speechless', whole(replyWire([])));
        const body = await answer('speechless');
        assert.equal(body.message, '');
        assert.equal(body.finish_reason, 'stop');
    });

    test('connections to the provider are used again', async () => {
        replay.on('again', keptAlive(replyBody(['kept ', 'alive'])));
        await answer('again 0');
        const before = replay.connections;
        for (let i = 1; i <= 5; i++)
            assert.equal((await answer(`again ${i}`)).message, 'kept alive');
        assert.equal(replay.connections, before, 'no new connection');
    });

    test('what the user said arrives at the provider, byte for byte',
        async () => {
            const message = 'mirror: "\\/ \u2028 ß 😀 \t\n end';
            replay.on('mirror:', echo((r) => lastMessage(r)));
            assert.equal((await answer(message)).message, message);
        });

    test('neither keys nor what was said are in the log', async () => {
        await answer('Xylophone secret sentence');
        const log = parley.log();
        assert.doesNotMatch(log, /sk-secret-1/);
        assert.doesNotMatch(log, /Xylophone|quick brown fox/);
        const status = await call(parley, '/status');
        assert.doesNotMatch(status.text, /sk-secret-1/);
    });
});
