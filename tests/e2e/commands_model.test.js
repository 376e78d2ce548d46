/* Commands that ask a model: what it is sent, how its answer is told, and what
 * a failure, a cancel or a second reader does. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import {
    ask, askEvents, assertError, attach, call, messagesOf, newSession, postJson,
} from '../lib/client.js';
import { errorBody, replyEvents, replyWire, SSE_HEAD }
    from '../lib/openai_bytes.js';
import { echo, hold, lastMessage, startReplay, status, whole }
    from '../lib/replay.js';
import { ROOT, startParley } from '../lib/server.js';
import { assertWholeTurn } from '../lib/sse.js';
import { until } from '../lib/wait.js';

const SYSTEM = 'You are a patient librarian.';
const CONTEXT = 'The user is a baker.';
const REQUEST = 'Summarize our conversation so far.';
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk' +
    '+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const USAGE = { prompt_tokens: 50, completion_tokens: 7 };

let replay;
let parley;

before(async () => {
    replay = await startReplay(echo((r) => `You said: ${lastMessage(r)}`));
    parley = await startParley({ env: {
        ...replay.env(), AI_FALLBACK: 'none', UPSTREAM_RETRIES: '0',
        SYSTEM_PROMPT: SYSTEM,
    } });
});
after(async () => {
    await parley?.stop();
    await replay?.stop();
});

const instruction = (name) => fs.readFileSync(
    path.join(ROOT, 'etc/prompts', `${name}.txt`), 'utf8');
const run = (line, session_id, more = {}) =>
    ask(parley, { message: line, session_id, ...more });

/* A session with a context and so many pairs of messages. */
async function talked(pairs = 2) {
    const session_id = newSession();
    await run(`/setcontext ${CONTEXT}`, session_id);
    for (let i = 0; i < pairs; i++)
        await ask(parley, { message: `remark ${i}`, session_id });
    return session_id;
}

/* What a command leaves alone: the session as others see it. */
async function seen(session) {
    const { body } = await call(parley, `/sessions/${session}`);
    return { ...body, messages: await messagesOf(parley, session) };
}

/* Word that nothing else says, for the scripts of one test. */
const mark = () => `mark-${randomUUID()}`;

/* The model was sent the instruction, then these, and nothing of the session's
 * context or of the general system text. */
function assertSent(request, system, rest) {
    const { messages } = request.body;
    assert.deepEqual(messages[0], { role: 'system', content: system });
    assert.deepEqual(messages.slice(1), rest);
    assert.ok(!request.text.includes(CONTEXT));
    assert.ok(!request.text.includes(SYSTEM));
}

describe('what the model is sent', () => {
    test('/summarize: the conversation and its instruction', async () => {
        const session_id = await talked(3);
        const before = await seen(session_id);
        const n = replay.requests.length;
        const body = await run('/summarize', session_id);
        assert.equal(replay.requests.length, n + 1, 'it is asked once');
        assertSent(replay.requests.at(-1), instruction('summarize'), [
            ...before.messages.map(({ role, content }) => ({ role, content })),
            { role: 'user', content: REQUEST },
        ]);
        assert.deepEqual(body.result,
            { status: 'success', summary: `You said: ${REQUEST}` });
        assert.equal(body.message, body.result.summary);
        assert.equal(body.conversation_length, 6);
        assert.deepEqual(await seen(session_id), before);
    });

    test('/summarize of a text: that alone', async () => {
        const session_id = await talked(1);
        const word = mark();
        const { result } = await run(`/summarize text="${word} is long"`,
            session_id);
        assert.equal(result.summary, `You said: ${word} is long`);
        assertSent(replay.about(word)[0], instruction('summarize'),
            [{ role: 'user', content: `${word} is long` }]);
    });

    test('/summarize of a history that the client gives: that', async () => {
        const history = [{ role: 'user', content: mark() },
            { role: 'assistant', content: 'Indeed.' }];
        await run('/summarize', await talked(1), { history });
        assertSent(replay.requests.at(-1), instruction('summarize'),
            [...history, { role: 'user', content: REQUEST }]);
    });

    test('/summarize of nothing asks nobody', async () => {
        const n = replay.requests.length;
        const body = await run('/summarize', newSession());
        assert.equal(body.result.code, 'nothing_to_summarize');
        assert.equal(body.provider, null);
        assert.equal(body.model, null);
        assert.equal(replay.requests.length, n);
    });

    test('/analyze: the text alone', async () => {
        const session_id = await talked(1);
        const before = await seen(session_id);
        const text = `${mark()} "quoted"\nand 🙂`;
        const body = await run(
            `/analyze text="${text.replaceAll('"', '\\"')}"`, session_id);
        assertSent(replay.about(text)[0], instruction('analyze'),
            [{ role: 'user', content: text }]);
        assert.deepEqual(body.result,
            { status: 'success', analysis: `You said: ${text}` });
        assert.deepEqual(await seen(session_id), before);
    });

    test('/translate: the text alone, and the language', async () => {
        const session_id = await talked(1);
        const before = await seen(session_id);
        const word = mark();
        const body = await run(`/translate text="${word}, please" ` +
            'target_language="Brazilian Portuguese"', session_id);
        assertSent(replay.about(word)[0], instruction('translate')
            .replaceAll('{target_language}', 'Brazilian Portuguese'),
        [{ role: 'user', content: `${word}, please` }]);
        assert.deepEqual(body.result, {
            status: 'success', translation: `You said: ${word}, please`,
            source_text: `${word}, please`,
            target_language: 'Brazilian Portuguese',
        });
        assert.equal(body.conversation_length, 2);
        assert.deepEqual(await seen(session_id), before);
    });

    test('a mistake asks nobody', async () => {
        const n = replay.requests.length;
        for (const line of ['/translate text="Hi"', '/analyze', '/nope',
            '/translate text="Hi target_language=x'])
            assert.equal((await run(line)).result.status, 'error', line);
        assert.equal(replay.requests.length, n);
    });

    test('an image is left out, and a note says so', async () => {
        const word = mark();
        const body = await run(`/translate text="${word}" ` +
            'target_language=French', newSession(), { attachments: [
            { media_type: 'image/png', data: PIXEL }] });
        assert.equal(body.result.source_text, word);
        assert.deepEqual(replay.about(word)[0].body.messages.slice(1),
            [{ role: 'user', content: word }]);
        assert.deepEqual(body.notes.map((n) => n.code), ['image_ignored']);
    });

    test('100 kB go through', async () => {
        const text = `${mark()} ${'word '.repeat(20000)}end`;
        const { result } = await run(
            `/translate text="${text}" target_language=French`);
        assert.equal(result.source_text, text);
        assert.equal(result.translation, `You said: ${text}`);
    });

    test('the request and the session choose the model', async () => {
        const session_id = newSession();
        const word = mark();
        await run('/model openai/of-session', session_id);
        const body = await run(`/analyze ${word}`, session_id);
        assert.equal(body.provider, 'openai');
        assert.equal(replay.about(word)[0].body.model, 'of-session');
        await run(`/analyze ${word}`, session_id,
            { model: 'of-request', provider: 'openai' });
        assert.equal(replay.about(word)[1].body.model, 'of-request');
    });
});

describe('how it is told', () => {
    test('piece by piece, then the result; a later reader sees the same',
        async () => {
            const word = mark();
            const events = replyEvents(['Guten ', 'Tag'], { usage: USAGE });
            const script = hold(SSE_HEAD + events.slice(0, 2).join(''));
            replay.on(word, script);
            const session_id = newSession();
            const s = await askEvents(parley, { session_id, message:
                `/translate text="${word}" target_language=German` });
            const start = await s.event('response_start');
            assert.equal(start.data.provider, 'openai');
            assert.equal(start.data.message_id, null);
            await s.event((e) => e.data.content === 'Guten ');
            const other = await attach(parley, start.turn);
            await other.event((e) => e.data.content === 'Guten ');
            script.release(events.slice(2).join(''));
            const all = await s.all();
            assertWholeTurn(all);
            assert.deepEqual(await other.all(), all);
            assert.deepEqual(await (await attach(parley, start.turn)).all(),
                all);
            const end = all.at(-1).data;
            assert.equal(end.type, 'response_complete');
            assert.equal(end.command, 'translate');
            assert.equal(end.result.translation, 'Guten Tag');
            assert.equal(end.content, 'Guten Tag');
            assert.equal(end.model, 'replay-1');
            assert.equal(end.usage.input_tokens, USAGE.prompt_tokens);
            assert.equal(end.usage.output_tokens, USAGE.completion_tokens);
        });

    test('as plain text', async () => {
        const word = mark();
        const r = await postJson(parley, '/chat', { message:
            `/translate text="${word}" target_language=French` },
        { accept: 'text/plain' });
        assert.equal(r.text, `You said: ${word}`);
    });

    test('an answer that reached its limit is told with its reason',
        async () => {
            const word = mark();
            replay.on(word, whole(replyWire(['Half'], { finish: 'length' })));
            const body = await run(`/analyze ${word}`);
            assert.equal(body.finish_reason, 'length');
            assert.equal(body.result.analysis, 'Half');
        });
});

describe('when it fails', () => {
    test('the error is told, the session is untouched, and it can be repeated',
        async () => {
            const session_id = await talked(1);
            const before = await seen(session_id);
            const word = mark();
            const line = `/translate text="${word}" target_language=French`;
            replay.on(word, status(500, {}, errorBody('boom')),
                status(500, {}, errorBody('boom')),
                echo((r) => `Voilà ${lastMessage(r)}`));
            const r = await postJson(parley, '/chat',
                { message: line, session_id });
            assertError(r, 502);
            const s = await askEvents(parley, { message: line, session_id });
            const events = await s.all();
            assertWholeTurn(events);
            const end = events.at(-1);
            assert.equal(end.type, 'error');
            assert.equal(end.data.command, 'translate');
            assert.equal(end.data.result, undefined);
            assert.equal(typeof end.data.code, 'string');
            assert.deepEqual(await seen(session_id), before);
            const { result } = await run(line, session_id);
            assert.equal(result.translation, `Voilà ${word}`);
            assert.deepEqual(await seen(session_id), before);
        });

    test('what had come is in the error, and is no result', async () => {
        const word = mark();
        replay.on(word, async (peer) => {
            await peer.write(SSE_HEAD +
                replyEvents(['Half a ']).slice(0, 2).join(''));
            peer.reset();
        });
        const s = await askEvents(parley, { message: `/analyze ${word}` });
        const end = (await s.all()).at(-1);
        assert.equal(end.type, 'error');
        assert.equal(end.data.content, 'Half a ');
        assert.equal(end.data.result, undefined);
    });

    test('/chat/stop ends it at once, there and at the provider', async () => {
        const session_id = await talked(1);
        const before = await seen(session_id);
        const script = hold(SSE_HEAD +
            replyEvents(['So far ']).slice(0, 2).join(''));
        replay.on(REQUEST, script);
        try {
            const s = await askEvents(parley,
                { message: '/summarize', session_id });
            const other = await attach(parley,
                (await s.event('response_chunk')).turn);
            await other.event('response_chunk');
            const r = await postJson(parley, '/chat/stop',
                { turn_id: s.events[0].turn });
            assert.equal(r.status, 200, r.text);
            const events = await s.all();
            assertWholeTurn(events);
            assert.equal(events.at(-1).type, 'response_cancelled');
            assert.equal(events.at(-1).data.content, 'So far ');
            assert.equal(events.at(-1).data.result, undefined);
            assert.deepEqual(await other.all(), events);
            await (await script.started).closed;
        } finally {
            replay.on(REQUEST,
                echo((r) => `You said: ${lastMessage(r)}`));
        }
        assert.deepEqual(await seen(session_id), before);
        await run('/summarize', session_id);
    });

    test('a process that dies under it leaves an honest end', async () => {
        const session_id = await talked(1);
        const before = await seen(session_id);
        const word = mark();
        const script = hold(SSE_HEAD +
            replyEvents(['Never ']).slice(0, 2).join(''));
        replay.on(word, script);
        const s = await askEvents(parley,
            { message: `/analyze ${word}`, session_id });
        const { turn } = await s.event('response_chunk');
        await parley.kill9();
        const events = await until('the stream to be served again', async () => {
            const again = await attach(parley, turn);
            return again.status === 200 && again.all();
        });
        assertWholeTurn(events);
        const end = events.at(-1);
        assert.equal(end.type, 'error');
        assert.equal(end.data.code, 'interrupted');
        assert.equal(end.data.retryable, true);
        assert.equal(end.data.content, 'Never ');
        assert.equal(end.data.message_id, null);
        assert.deepEqual(await seen(session_id), before);
    });
});

describe('an idempotency key', () => {
    test('joins the command that runs', async () => {
        const session_id = newSession();
        const word = mark();
        const script = hold(SSE_HEAD + replyEvents(['One ']).slice(0, 2)
            .join(''));
        replay.on(word, script);
        const fields = { message: `/analyze ${word}`, session_id,
            client_message_id: randomUUID() };
        const first = await askEvents(parley, fields);
        await first.event('response_chunk');
        const second = await askEvents(parley, fields);
        await second.event('response_chunk');
        script.release(replyEvents(['answer.']).slice(1).join(''));
        assert.deepEqual(await second.all(), await first.all());
        assert.equal(replay.about(word).length, 1);
    });

    test('of a command that ended gives its answer again', async () => {
        const session_id = newSession();
        const word = mark();
        const fields = { message: `/analyze ${word}`, session_id };
        const key = { 'idempotency-key': randomUUID() };
        const first = await ask(parley, fields, key);
        const second = await ask(parley, fields, key);
        assert.deepEqual(second, first);
        assert.equal(replay.about(word).length, 1);
        const other = await ask(parley,
            { ...fields, session_id: newSession() }, key);
        assert.notEqual(other.turn_id, first.turn_id, 'it is of a session');
    });

    test('is one of messages and commands alike', async () => {
        const session_id = newSession();
        const said = { message: mark(), session_id };
        const done = { message: '/title A title', session_id };
        const keys = [randomUUID(), randomUUID()]
            .map((key) => ({ 'idempotency-key': key }));
        const message = await ask(parley, said, keys[0]);
        assert.deepEqual(await ask(parley, done, keys[0]), message);
        const command = await ask(parley, done, keys[1]);
        assert.deepEqual(await ask(parley, said, keys[1]), command);
        assert.equal((await messagesOf(parley, session_id)).length, 2);
    });

    test('brings a failure back, as that of a message does', async () => {
        const session_id = newSession();
        for (const before of ['', '/analyze ']) {
            const word = mark();
            replay.on(word, status(500, {}, errorBody('boom')),
                echo(() => 'Now.'));
            const fields = { message: before + word, session_id };
            const key = { 'idempotency-key': randomUUID() };
            const first = await postJson(parley, '/chat', fields, key);
            assertError(first, 502);
            const again = await postJson(parley, '/chat', fields, key);
            assert.equal(again.status, 502, again.text);
            assert.equal(replay.about(word).length, 1);
        }
    });
});

describe('the offline provider', () => {
    test('does not stand in for a model that fails', async () => {
        const lone = await startParley({ env: { ...replay.env(),
            AI_FALLBACK: 'offline', UPSTREAM_RETRIES: '0' } });
        try {
            const word = mark();
            replay.on(word, status(500, {}, errorBody('boom')));
            const spoken = await ask(lone, { message: word });
            assert.equal(spoken.provider, 'offline');
            const r = await postJson(lone, '/chat', { message:
                `/translate text="${word}" target_language=French` });
            assertError(r, 502);
        } finally {
            await lone.stop();
        }
    });
});
