/* POST /chat and its three shapes of answer: JSON, events, bare text. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
    TIMESTAMP, UUID, ask, askEvents, assertError, call, messagesOf, newSession,
    postJson,
} from '../../lib/client.js';
import { replyWire } from '../../lib/openai_bytes.js';
import { drip, whole } from '../../lib/replay.js';
import { assertWholeTurn } from '../../lib/sse.js';

function assertAnswer(body) {
    assert.equal(typeof body.session_id, 'string');
    assert.equal(typeof body.message, 'string');
    assert.ok(body.message.length > 0, 'an answer says something');
    assert.ok(Number.isInteger(body.conversation_length));
    assert.match(body.timestamp, TIMESTAMP);
    assert.match(body.turn_id, UUID);
    assert.match(body.message_id, UUID);
    assert.equal(typeof body.provider, 'string');
    assert.equal(typeof body.model, 'string');
    assert.equal(body.finish_reason, 'stop');
    /* null: the provider did not say. */
    for (const member of ['input_tokens', 'output_tokens', 'cached_tokens'])
        assert.ok(body.usage[member] === null ||
            Number.isInteger(body.usage[member]), member);
    assert.ok('cost_usd' in body.usage);
    for (const list of ['tool_calls', 'tool_results', 'citations', 'notes'])
        assert.ok(Array.isArray(body[list]), list);
}

const blank = [
    ['missing', {}], ['null', { message: null }], ['empty', { message: '' }],
    ['blanks', { message: ' \t\r\n ' }],
];

export function turns(world) {
    describe('POST /chat', () => {
        test('answers JSON with every field of the contract', async () => {
            const body = await ask(world.parley, { message: 'What is this?' });
            assertAnswer(body);
            assert.match(body.session_id, UUID);
            assert.equal(body.conversation_length, 2);
            const age = Date.now() - Date.parse(body.timestamp);
            assert.ok(age > -60000 && age < 60000, body.timestamp);
        });

        test('continues a session and counts its messages', async () => {
            const first = await ask(world.parley, { message: 'One' });
            const second = await ask(world.parley,
                { message: 'Two', session_id: first.session_id });
            assert.equal(second.session_id, first.session_id);
            assert.equal(second.conversation_length, 4);
            assert.notEqual(second.turn_id, first.turn_id);
        });

        test('creates a session under the id that the client chose',
            async () => {
                const session = newSession();
                const body = await ask(world.parley,
                    { message: 'Hello', session_id: session });
                assert.equal(body.session_id, session);
                assert.equal(body.conversation_length, 2);
            });

        test('treats a null session_id as none', async () => {
            const body = await ask(world.parley,
                { message: 'Hello', session_id: null });
            assert.match(body.session_id, UUID);
        });

        test('takes a form, as curl -d sends it', async () => {
            const session = newSession();
            const r = await call(world.parley, '/chat', {
                method: 'POST',
                body: new URLSearchParams({
                    message: 'héllo & good+bye', session_id: session,
                }),
            });
            assert.equal(r.status, 200, r.text);
            assertAnswer(r.body);
            const [user] = await messagesOf(world.parley, session);
            assert.equal(user.content, 'héllo & good+bye');
        });

        for (const [name, body] of blank)
            test(`refuses a message that is ${name}, in the exact words`,
                async () => {
                    const r = await postJson(world.parley, '/chat', body);
                    assertError(r, 400);
                    assert.equal(r.body.error,
                        'Missing required parameter: message');
                    assert.equal(r.body.message,
                        "Please provide a 'message' field");
                });

        test('refuses a form without a message in the same words', async () => {
            const r = await call(world.parley, '/chat', {
                method: 'POST', body: new URLSearchParams({ other: 'x' }),
            });
            assertError(r, 400);
            assert.equal(r.body.error, 'Missing required parameter: message');
        });

        test('routes one turn to the provider and model it names',
            async () => {
                const body = await ask(world.parley, {
                    message: 'route this', provider: 'openai',
                    model: 'other-model',
                });
                assert.equal(body.provider, 'openai');
                assert.equal(body.message, 'Replayed answer.');
                const request = await world.replay.request('route this');
                assert.equal(request.body.model, 'other-model');
            });

        test('does not know a provider that is not there', async () => {
            const r = await postJson(world.parley, '/chat',
                { message: 'x', provider: 'no-such-provider' });
            assert.ok([400, 422].includes(r.status), r.text);
            assertError(r, r.status);
        });

        test('passes context and settings of the turn on', async () => {
            await ask(world.parley, {
                message: 'with settings', provider: 'openai',
                context: 'Speak like a pirate.', temperature: 0.25, top_p: 0.5,
                max_tokens: 77, stop: ['END'],
            });
            const { body } = await world.replay.request('with settings');
            assert.match(JSON.stringify(body.messages[0]), /like a pirate/);
            assert.ok(['system', 'developer'].includes(body.messages[0].role));
            assert.equal(body.temperature, 0.25);
            assert.equal(body.top_p, 0.5);
            assert.equal(body.max_completion_tokens ?? body.max_tokens, 77);
            assert.deepEqual([].concat(body.stop), ['END']);
        });
    });

    describe('POST /chat as events', () => {
        test('stream: true answers server-sent events', async () => {
            const r = await postJson(world.parley, '/chat',
                { message: 'Hi', stream: true });
            assert.equal(r.status, 200);
            assert.match(r.headers.get('content-type'), /^text\/event-stream/);
            assert.match(r.text, /^event: response_complete$/m);
        });

        test('Accept: text/event-stream does the same, with the headers that ' +
            'keep proxies from buffering', async () => {
            const s = await askEvents(world.parley, { message: 'Hi' });
            assert.equal(s.status, 200);
            assert.match(s.headers.get('content-type'), /^text\/event-stream/);
            assert.match(s.headers.get('cache-control'), /no-store/);
            assert.equal(s.headers.get('x-accel-buffering'), 'no');
            assert.ok(s.headers.get('x-request-id'));
            await s.all();
            assert.equal(s.retry, 1000);
            assert.ok(s.raw.startsWith(':'), 'the first bytes are a comment');
        });

        test('stream: false wins over nothing, and means JSON', async () => {
            const r = await postJson(world.parley, '/chat',
                { message: 'Hi', stream: false });
            assertAnswer(r.body);
        });

        test('a turn is response_start, chunks, response_complete, numbered ' +
            'without a gap', async () => {
            const session = newSession();
            const s = await askEvents(world.parley,
                { message: 'Tell me more', session_id: session });
            const events = await s.all();
            assertWholeTurn(events);
            const types = events.map((e) => e.type)
                .filter((t) => t !== 'context');
            assert.equal(types[0], 'response_start');
            assert.equal(types.at(-1), 'response_complete');
            assert.ok(types.length > 2, 'at least one chunk');
            assert.ok(types.slice(1, -1).every((t) => t === 'response_chunk'),
                String(types));

            const start = events[0].data;
            assert.equal(start.session_id, session);
            assert.equal(start.turn_id, events[0].turn);
            assert.match(start.message_id, UUID);
            assert.match(start.timestamp, TIMESTAMP);
            assert.equal(typeof start.model, 'string');
            assert.equal(typeof start.provider, 'string');

            const end = events.at(-1).data;
            assertAnswer({ ...end, message: end.content });
            assert.equal(end.content, s.text(), 'the whole is its parts');
            assert.equal(end.message_id, start.message_id);
            assert.equal(end.conversation_length, 2);
        });

        test('data is one line of JSON', async () => {
            world.replay.on('two lines',
                whole(replyWire(['a\nb\r\nc\u2028d', '\n\n'])));
            const s = await askEvents(world.parley,
                { message: 'two lines', provider: 'openai' });
            await s.all();
            assert.equal(s.text(), 'a\nb\r\nc\u2028d\n\n');
            for (const line of s.raw.split(/\r\n|\r|\n/))
                assert.match(line, /^(id: |event: |data: |retry: |:|$)/);
        });

        test('an answer of many scripts is cut only between characters',
            async () => {
                const text = 'a€😀e\u0301中\u{10FFFF}'.repeat(5);
                /* Three bytes at a time: characters arrive in pieces. */
                world.replay.on('many scripts',
                    drip(replyWire([text, text]), 3, 0));
                const s = await askEvents(world.parley,
                    { message: 'many scripts', provider: 'openai' });
                await s.all();
                assert.equal(s.text(), text + text);
            });
    });

    describe('POST /chat as bare text', () => {
        test('Accept: text/plain streams the answer and nothing else',
            async () => {
                const r = await postJson(world.parley, '/chat',
                    { message: 'plain please', provider: 'openai' },
                    { accept: 'text/plain' });
                assert.equal(r.status, 200);
                assert.match(r.headers.get('content-type'),
                    /^text\/plain; ?charset=utf-8/i);
                assert.equal(r.text.trimEnd(), 'Replayed answer.');
            });
    });
}
