/* The title of a session: the first words at once, and after the first answer
 * what a cheap model makes of it, behind the user's back: no answer waits for
 * it, none fails with it, and a name that the user gives stays. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ask, askEvents, call, messagesOf, metric, newSession, postJson }
    from '../lib/client.js';
import { errorBody } from '../lib/openai_bytes.js';
import { cut, hold, silence, startReplay, status, whole }
    from '../lib/replay.js';
import { startParley } from '../lib/server.js';
import { assertWholeTurn } from '../lib/sse.js';
import { until } from '../lib/wait.js';
import { WIRES } from '../lib/wires.js';

const REQUEST = 'Write the title.'; /* the end of each of them */
const QUESTION = 'Hello! How do I back up my laptop?';
const FIRST_WORDS = 'How do I back up my laptop?';
const ANSWER = 'Copy it to a disk.';
const TITLE = 'Laptop backups';

let replay; /* plays OpenAI: the conversation, and titles */
let other; /* plays Anthropic: a model that is named for titles */

const answer = (text, count) => whole(WIRES.openai.answer(text, count));
const titles = (of = replay) => of.requests.filter(({ body }) => {
    const { content } = body.messages.at(-1);
    return JSON.stringify(content).includes(REQUEST);
});

const settings = () => ({
    ...WIRES.openai.env(replay.port), ...WIRES.anthropic.env(other.port),
    AI_PROVIDER: 'openai', AI_MODEL: 'gpt-4o', AI_FALLBACK: 'none',
    UPSTREAM_RETRIES: '0', LOG_LEVEL: 'debug', TITLE_MODEL: 'auto',
});

before(async () => {
    replay = await startReplay(answer(ANSWER));
    other = await startReplay(whole(WIRES.anthropic.answer('By the other')));
    replay.on(REQUEST, answer(TITLE));
});
after(async () => {
    await replay?.stop();
    await other?.stop();
});

const sessionOf = async (parley, id) =>
    (await call(parley, `/sessions/${id}`)).body;
const titleOf = async (parley, id) => (await sessionOf(parley, id)).title;
const patch = (parley, id, body) => call(parley, `/sessions/${id}`, {
    method: 'PATCH', headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body) });

/* So many titles were written, or could not be. */
const total = async (parley) => await metric(parley, 'parley_titles_total') +
    await metric(parley, 'parley_titles_failed_total');
const settled = (parley, n) => until(`${n} titles`,
    async () => await total(parley) >= n);

describe('a session', () => {
    let parley;

    before(async () => { parley = await startParley({ env: settings() }); });
    after(async () => { await parley?.stop(); });

    /* Runs f, then waits for the title that it must have started. */
    async function withTitle(f) {
        const n = await total(parley);
        const r = await f();
        await settled(parley, n + 1);
        return r;
    }

    test('is named by a model after its first answer, once', async () => {
        const session_id = newSession();
        const began = titles().length;
        await withTitle(() => ask(parley, { message: QUESTION, session_id }));
        assert.equal(await titleOf(parley, session_id), TITLE);
        const [{ body }] = titles().slice(began);
        const [system, message] = body.messages;
        assert.match(system.content, /at most six words/);
        assert.match(message.content, /User: Hello! How do I back up/);
        assert.match(message.content, /Assistant: Copy it to a disk\./);
        assert.equal(body.model, 'gpt-4o', 'whom a base URL leads to');
        assert.ok((body.max_tokens ?? body.max_completion_tokens) <= 64);
        await ask(parley, { message: 'And then?', session_id });
        await ask(parley, { message: 'And then?', session_id });
        assert.equal(titles().length, began + 1);
        const all = await messagesOf(parley, session_id);
        assert.equal(all.length, 6, 'nothing of it is a message');
        assert.ok(replay.requests.filter((r) => !titles().includes(r))
            .every((r) => !JSON.stringify(r.body).includes(TITLE)));
    });

    test('has the first words as its title until then', async () => {
        const session_id = newSession();
        const script = hold(Buffer.alloc(0));
        replay.on(REQUEST, script);
        try {
            const s = await askEvents(parley,
                { message: QUESTION, session_id });
            const events = await s.all();
            assertWholeTurn(events);
            assert.equal(events.at(-1).type, 'response_complete');
            await script.started;
            assert.equal(await titleOf(parley, session_id), FIRST_WORDS);
            /* The next answer does not wait either. */
            const r = await ask(parley, { message: 'And then?', session_id });
            assert.equal(r.message, ANSWER);
        } finally {
            script.release();
            replay.on(REQUEST, answer(TITLE));
        }
    });

    test('that is named by its user keeps the name', async () => {
        const session_id = newSession();
        const began = titles().length;
        const made = await postJson(parley, '/sessions',
            { session_id, title: 'Mine' });
        assert.equal(made.status, 201, made.text);
        await ask(parley, { message: QUESTION, session_id });
        assert.equal(await titleOf(parley, session_id), 'Mine');
        /* One behind it has its title: none was asked for before. */
        await withTitle(() => ask(parley, { message: QUESTION }));
        assert.equal(titles().length, began + 1);
    });

    test('that is named meanwhile keeps that name', async () => {
        const session_id = newSession();
        const bytes = WIRES.openai.answer(TITLE);
        let go;
        const asked = new Promise((resolve) => {
            replay.on(REQUEST, async (peer) => {
                const wait = new Promise((r) => { go = r; });
                resolve();
                await wait;
                peer.end(bytes);
            });
        });
        await withTitle(async () => {
            await ask(parley, { message: QUESTION, session_id });
            await asked;
            const r = await patch(parley, session_id, { title: 'Mine' });
            assert.equal(r.status, 200, r.text);
            go();
        });
        replay.on(REQUEST, answer(TITLE));
        assert.equal(await titleOf(parley, session_id), 'Mine');
    });

    test('deleted meanwhile stays deleted, and one made anew is another',
        async () => {
            const session_id = newSession();
            let go;
            const asked = new Promise((resolve) => {
                replay.on(REQUEST, async (peer) => {
                    const wait = new Promise((r) => { go = r; });
                    resolve();
                    await wait;
                    peer.end(WIRES.openai.answer('Of the deleted one'));
                });
            });
            await ask(parley, { message: QUESTION, session_id });
            await asked;
            const r = await call(parley, `/sessions/${session_id}`,
                { method: 'DELETE' });
            assert.ok(r.status < 300, r.text);
            const made = await postJson(parley, '/sessions', { session_id });
            assert.equal(made.status, 201, made.text);
            go();
            replay.on(REQUEST, answer(TITLE));
            await withTitle(() => ask(parley, { message: QUESTION }));
            assert.equal(await titleOf(parley, session_id), '');
        });

    test('begun by a command gets no title for it', async () => {
        const session_id = newSession();
        const began = titles().length;
        const r = await ask(parley, { session_id,
            message: '/translate text="Good" target_language="French"' });
        assert.equal(r.result.translation, ANSWER);
        await ask(parley, { message: '/help', session_id });
        await withTitle(() => ask(parley, { message: QUESTION }));
        assert.equal(titles().length, began + 1);
        assert.equal((await call(parley, `/sessions/${session_id}`)).status,
            404);
    });

    test('answered over /v1 is named as well', async () => {
        const session = newSession();
        await withTitle(() => postJson(parley, '/v1/chat/completions', {
            model: 'gpt-4o', messages: [{ role: 'user', content: QUESTION }],
        }, { 'x-parley-session': session }));
        assert.equal(await titleOf(parley, session), TITLE);
    });

    test('costs what its title costs, too', async () => {
        const session_id = newSession();
        replay.on(REQUEST, answer(TITLE, { input: 1000, output: 10 }));
        await withTitle(() => ask(parley, { message: QUESTION, session_id }));
        replay.on(REQUEST, answer(TITLE));
        const [, said] = await messagesOf(parley, session_id);
        const micro = (usd) => Math.round(usd * 1e6);
        const { cost_usd } = await sessionOf(parley, session_id);
        /* gpt-4o: 2.50 and 10 dollars a million */
        assert.equal(micro(cost_usd),
            micro(said.usage.cost_usd) + 1000 * 2.5 + 10 * 10);
        const usage = await ask(parley, { message: '/usage', session_id });
        assert.equal(micro(usage.result.usage.cost_usd), micro(cost_usd));
    });

    test('keeps its title over a restart', async () => {
        const session_id = newSession();
        await withTitle(() => ask(parley, { message: QUESTION, session_id }));
        await parley.stopWeb();
        await parley.start();
        assert.equal(await titleOf(parley, session_id), TITLE);
    });

    test('and what it is about are in no log', () => {
        const log = parley.log();
        assert.match(log, /title\.done/);
        assert.doesNotMatch(log, /Laptop|laptop|Mine|deleted one/);
    });
});

describe('what the model says', () => {
    let parley;

    before(async () => { parley = await startParley({ env: settings() }); });
    after(async () => {
        replay.on(REQUEST, answer(TITLE));
        await parley?.stop();
    });

    async function titled(script) {
        const session_id = newSession();
        const n = await total(parley);
        replay.on(REQUEST, script);
        const r = await ask(parley, { message: QUESTION, session_id });
        assert.equal(r.message, ANSWER);
        assert.deepEqual(r.notes, []);
        await settled(parley, n + 1);
        return titleOf(parley, session_id);
    }

    for (const [said, want] of [
        ['**Title:** "Laptop backups."', TITLE],
        ['# Laptop backups\n\nIt is short.', TITLE],
        ['Sauvegarder un portable', 'Sauvegarder un portable'],
        ['ノートパソコンのバックアップ', 'ノートパソコンのバックアップ'],
        ['é'.repeat(200), 'é'.repeat(128)],
    ])
        test(`is made plain: ${JSON.stringify(said.slice(0, 30))}`, async () => {
            assert.equal(await titled(answer(said)), want);
        });

    for (const [how, script] of Object.entries({
        'nothing': answer(''),
        'no words': answer('...'),
        'an error': status(500, {}, errorBody('no')),
        'that it has no credit': status(429, {}, errorBody('no',
            'insufficient_quota', 'insufficient_quota')),
        'half of it': cut(WIRES.openai.answer(TITLE), 400),
    }))
        test(`${how}: the first words stay`, async () => {
            assert.equal(await titled(script), FIRST_WORDS);
        });
});

describe('a stop', () => {
    test('does not wait for a title', async () => {
        const parley = await startParley({ env: { ...settings(),
            SHUTDOWN_MS: '60000' } });
        try {
            const session_id = newSession();
            const began = titles().length;
            replay.on(REQUEST, silence());
            await ask(parley, { message: QUESTION, session_id });
            await until('the title to be asked for',
                () => titles().length > began);
            await parley.stopWeb(); /* throws if it takes long */
            await parley.start();
            assert.equal(await titleOf(parley, session_id), FIRST_WORDS);
        } finally {
            replay.on(REQUEST, answer(TITLE));
            await parley.stop();
        }
    });
});

describe('who writes it', () => {
    async function withSetting(env, f) {
        const parley = await startParley({ env: { ...settings(), ...env } });
        try {
            await f(parley);
        } finally {
            await parley.stop();
        }
    }

    test('another model, if one is named', () => withSetting(
        { TITLE_MODEL: 'anthropic/claude-haiku-4-5' }, async (parley) => {
            const session_id = newSession();
            const began = titles().length;
            await ask(parley, { message: QUESTION, session_id });
            await settled(parley, 1);
            assert.equal(await titleOf(parley, session_id), 'By the other');
            assert.equal(titles().length, began);
            assert.equal(titles(other).at(-1).body.model, 'claude-haiku-4-5');
        }));

    test('nobody, if it is off', () => withSetting(
        { TITLE_MODEL: 'off' }, async (parley) => {
            const session_id = newSession();
            const began = replay.requests.length;
            await ask(parley, { message: QUESTION, session_id });
            await ask(parley, { message: QUESTION, session_id });
            assert.equal(replay.requests.length, began + 2);
            assert.equal(await titleOf(parley, session_id), FIRST_WORDS);
        }));

    test('nobody, where no model answered', () => withSetting(
        { AI_PROVIDER: 'offline', TITLE_MODEL: 'anthropic/claude-haiku-4-5' },
        async (parley) => {
            const began = other.requests.length;
            const r = await ask(parley, { message: QUESTION });
            await ask(parley, { message: 'And then?',
                session_id: r.session_id });
            assert.equal(other.requests.length, began);
            assert.equal(await titleOf(parley, r.session_id), FIRST_WORDS);
        }));

    test('nobody, if that one is not configured: it is told at start',
        () => withSetting({ TITLE_MODEL: 'gemini/x', GEMINI_API_KEY: '',
            GEMINI_BASE_URL: '' }, async (parley) => {
            assert.match(parley.log(), /name="?TITLE_MODEL"? .*rule=/);
            const r = await ask(parley, { message: QUESTION });
            assert.equal(r.message, ANSWER);
            assert.equal(await titleOf(parley, r.session_id), FIRST_WORDS);
        }));
});
