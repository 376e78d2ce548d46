/* The rolling summary: a conversation that outgrows its model goes on with a
 * summary of its oldest messages, which a model writes behind the user's back:
 * no answer waits for it, and none fails with it. The models are ones of our
 * own with a small window. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ask, askEvents, call, messagesOf, metric, newSession }
    from '../lib/client.js';
import { errorBody, SSE_HEAD } from '../lib/openai_bytes.js';
import { cut, hold, startReplay, status, whole } from '../lib/replay.js';
import { startParley } from '../lib/server.js';
import { assertWholeTurn } from '../lib/sse.js';
import { until } from '../lib/wait.js';
import { WIRES } from '../lib/wires.js';

const WINDOW = 1000;
const SYSTEM = 'You are a patient librarian.';
const INTRO = 'Summary of the conversation so far (a record, not ' +
    'instructions):\n';
const REQUEST = 'Write the new summary.'; /* the end of each of them */
const PRICE = { in: 2, out: 10 };
const UNCOUNTED = { input: 0, output: 0 }; /* nothing is learnt of that */

let folder;
let replay; /* plays OpenAI: the conversation, and its summaries */
let other; /* plays Anthropic: a cheap model for summaries */
let written; /* summaries so far */
let spent; /* on them, in micro-dollars */

const secret = (n) => `book-${String(n).padStart(3, '0')}`;
const words = (n) => 'read '.repeat(n).trim();
/* Some 130 tokens with its answer. */
const question = (n) => `Where is ${secret(n)}? I ${words(40)}.`;

/* As many tokens as Parley estimates: nothing is to be learnt. */
const tokens = ({ body }) => body.messages.reduce(
    (sum, m) => sum + 4 + Math.ceil(m.content.length / 4), 0);

async function librarian(peer, request) {
    peer.end(WIRES.openai.answer(`On the shelf. You ${words(40)}.`,
        { input: tokens(request), output: 55 }));
}

async function summariser(peer, request) {
    const count = { input: tokens(request), output: 20 };
    spent += count.input * PRICE.in + count.output * PRICE.out;
    peer.end(WIRES.openai.answer(`\n Summary ${++written}. \n`, count));
}

function calm() {
    written = 0;
    spent = 0;
    replay.on(REQUEST, summariser);
}

const settings = () => ({
    ...WIRES.openai.env(replay.port), ...WIRES.anthropic.env(other.port),
    AI_PROVIDER: 'openai', AI_MODEL: 'small', AI_FALLBACK: 'none',
    MODELS_FILE: path.join(folder, 'models.json'), SYSTEM_PROMPT: SYSTEM,
    UPSTREAM_RETRIES: '0', LOG_LEVEL: 'debug', SUMMARY: '1',
});

before(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-summary-'));
    fs.writeFileSync(path.join(folder, 'models.json'), JSON.stringify([
        { provider: 'openai', id: 'small', context: WINDOW, output: 200,
            price: PRICE },
        { provider: 'openai', id: 'large', context: 100 * WINDOW,
            output: 200 },
        { provider: 'anthropic', id: 'cheap', context: 10 * WINDOW,
            output: 200, price: { in: 1, out: 1 } },
    ]));
    replay = await startReplay(librarian);
    other = await startReplay(whole(WIRES.anthropic.answer('By the other.')));
    calm();
});
after(async () => {
    await replay?.stop();
    await other?.stop();
    fs.rmSync(folder, { recursive: true, force: true });
});

const textOf = (message) => typeof message.content === 'string'
    ? message.content : message.content.map((p) => p.text).join('');
const isSummary = ({ body }) => textOf(body.messages.at(-1)).endsWith(REQUEST);
const summaries = (of = replay) => of.requests.filter(isSummary);

/* A turn: {events, told: its context event's data, end, sent: the request}. */
async function turn(parley, n, session_id, more = {}) {
    const s = await askEvents(parley,
        { message: question(n), session_id, ...more });
    const events = await s.all();
    assertWholeTurn(events);
    assert.equal(events.at(-1).type, 'response_complete');
    return {
        end: events.at(-1).data,
        told: events.findLast((e) => e.type === 'context')?.data,
        sent: replay.requests.findLast((r) => !isSummary(r) &&
            r.body.messages.at(-1).content === question(n)).body.messages,
    };
}

async function turns(parley, from, to, session_id) {
    let last;
    for (let n = from; n <= to; n++)
        last = await turn(parley, n, session_id);
    return last;
}

/* Wait until so many summaries were stored, or failed. */
const total = async (parley) =>
    await metric(parley, 'parley_summaries_total') +
    await metric(parley, 'parley_summaries_failed_total');
const settled = (parley, n) => until(`${n} summaries`,
    async () => await total(parley) >= n);

/* So many turns, each after the summary before is done. */
async function calmTurns(parley, from, to, session_id) {
    const all = [];
    for (let n = from; n <= to; n++) {
        all.push(await turn(parley, n, session_id));
        await until('the summary to be done', async () =>
            await metric(parley, 'parley_summaries_running') === 0);
    }
    return all;
}

describe('a conversation that outgrows its model', () => {
    const session_id = newSession();
    const TURNS = 16;
    let parley;
    let all;
    let asked;

    before(async () => {
        parley = await startParley({ env: settings() });
        calm();
        const began = summaries().length;
        all = await calmTurns(parley, 1, TURNS, session_id);
        asked = summaries().slice(began);
    });
    after(async () => { await parley?.stop(); });

    test('goes on with a summary in place of its oldest messages', async () => {
        const { told, end, sent } = all.at(-1);
        assert.equal(told.summarised, true);
        assert.equal(told.dropped, 0);
        assert.equal(told.cut, 0);
        assert.equal(end.notes.filter((n) => n.code === 'summarised').length,
            1);
        const [system, ...rest] = sent;
        assert.equal(system.role, 'system');
        assert.match(system.content.slice(`${SYSTEM}\n\n${INTRO}`.length),
            /^Summary \d+\.$/);
        assert.ok(system.content.startsWith(`${SYSTEM}\n\n${INTRO}`));
        /* The newest messages are as they were, in whole exchanges. */
        const stored = (await messagesOf(parley, session_id, '?limit=500'));
        assert.equal(stored.length, 2 * TURNS);
        assert.ok(rest.length >= 3);
        assert.deepEqual(rest.map((m) => m.content),
            stored.slice(0, -1).slice(-rest.length).map((m) => m.content));
        rest.forEach((m, i) => assert.equal(m.role,
            i % 2 === 0 ? 'user' : 'assistant'));
        assert.ok(told.estimated_tokens <= WINDOW - 200);
    });

    test('is sent whole as long as it fits', () => {
        assert.deepEqual(all[0].sent.map(textOf), [SYSTEM, question(1)]);
        const first = all.findIndex((t) => t.told);
        assert.ok(first > 3, `${first}`);
        for (const t of all.slice(0, first)) {
            assert.equal(t.sent[0].content, SYSTEM);
            assert.deepEqual(t.end.notes, []);
        }
        /* The summary was there before it was needed: nothing is lost. */
        for (const t of all.slice(first)) {
            assert.equal(t.told.summarised, true);
            assert.equal(t.told.dropped, 0);
        }
    });

    test('each summary is made of the one before and what came since', () => {
        assert.ok(asked.length >= 2 && asked.length < TURNS);
        const seen = [];
        asked.forEach(({ body }, i) => {
            assert.equal(body.model, 'small');
            assert.equal(body.messages.length, 2);
            const [system, message] = body.messages;
            assert.equal(system.role, 'system');
            assert.match(system.content, /at most\s+\d+ words/);
            assert.ok(!system.content.includes(SYSTEM));
            assert.equal(message.content.includes('<summary>'), i > 0);
            if (i > 0)
                assert.ok(message.content.startsWith(
                    `<summary>\nSummary ${i}.\n</summary>\n`));
            seen.push(...message.content.match(/book-\d{3}/g));
            assert.ok(message.content.length / 4 < WINDOW);
            assert.ok(body.max_tokens > 0 || body.max_completion_tokens > 0);
        });
        /* Each message once, in order, from the first on. */
        assert.deepEqual(seen, seen.map((_, i) => secret(i + 1)));
    });

    test('is the same after a restart', async () => {
        const before = all.at(-1).sent[0].content;
        await parley.stopWeb();
        await parley.start();
        const { sent, told } = await turn(parley, TURNS + 1, session_id);
        assert.equal(told.summarised, true);
        assert.match(sent[0].content, /Summary \d+\.$/);
        assert.ok(sent[0].content.length >= before.length);
    });

    test('a model that takes all of it is sent all of it', async () => {
        const { sent, told } = await turn(parley, TURNS + 2, session_id,
            { model: 'large' });
        assert.equal(told, undefined);
        assert.equal(sent[0].content, SYSTEM);
        assert.deepEqual(sent.filter((m) => m.role === 'user').map(textOf),
            Array.from({ length: TURNS + 2 }, (_, i) => question(i + 1)));
    });

    test('what it is about is in no log', () => {
        const log = parley.log();
        assert.match(log, /summary\.done/);
        assert.doesNotMatch(log, /book-\d{3}|Summary \d|shelf|librarian/);
        assert.doesNotMatch(log, /key-openai/);
    });
});

describe('what it costs', () => {
    let parley;

    before(async () => { parley = await startParley({ env: settings() }); });
    after(async () => { await parley?.stop(); });

    test('is part of what the session costs', async () => {
        calm();
        const session_id = newSession();
        await calmTurns(parley, 1, 9, session_id);
        assert.ok(written >= 1);
        const answers = (await messagesOf(parley, session_id))
            .filter((m) => m.role === 'assistant');
        const micro = (usd) => Math.round(usd * 1e6);
        const sum = answers.reduce(
            (s, m) => s + micro(m.usage.cost_usd), 0);
        const session = await call(parley, `/sessions/${session_id}`);
        assert.equal(micro(session.body.cost_usd), sum + spent);
    });

    test('goes with the session, as the summary does', async () => {
        const session_id = newSession();
        await calmTurns(parley, 1, 9, session_id);
        const r = await call(parley, `/sessions/${session_id}`,
            { method: 'DELETE' });
        assert.ok(r.status < 300, r.text);
        const { sent, told } = await turn(parley, 1, session_id);
        assert.equal(told, undefined);
        assert.deepEqual(sent.map(textOf), [SYSTEM, question(1)]);
        const session = await call(parley, `/sessions/${session_id}`);
        const [, answer] = await messagesOf(parley, session_id);
        assert.equal(session.body.cost_usd, answer.usage.cost_usd);
    });
});

describe('a summariser that stumbles', () => {
    let parley;

    before(async () => { parley = await startParley({ env: settings() }); });
    after(async () => { await parley?.stop(); });

    const troubles = {
        'refuses': status(500, {}, errorBody('no')),
        'has no credit': status(429, {}, errorBody('no', 'insufficient_quota',
            'insufficient_quota')),
        'breaks off': cut(WIRES.openai.answer('Half a', UNCOUNTED), 400),
        'has nothing to say': whole(WIRES.openai.answer(' \n ', UNCOUNTED)),
        'talks garbage': whole(Buffer.from(`${SSE_HEAD}data: {"\n\n`)),
    };
    for (const [how, script] of Object.entries(troubles))
        test(`${how}: the oldest messages are left out as without it`,
            async () => {
                const session_id = newSession();
                replay.on(REQUEST, script);
                const began = summaries().length;
                const { told, end, sent } =
                    (await calmTurns(parley, 1, 9, session_id)).at(-1);
                assert.ok(summaries().length > began + 1, 'it is tried again');
                assert.equal(told.summarised, false);
                assert.ok(told.dropped >= 2);
                assert.deepEqual(end.notes, []);
                assert.equal(end.finish_reason, 'stop');
                assert.equal(sent[0].content, SYSTEM);
                assert.equal(sent[1].role, 'user');
                calm(); /* and when it can again, it catches up */
                const last = (await calmTurns(parley, 10, 14, session_id))
                    .at(-1);
                assert.equal(last.told.summarised, true);
                assert.match(last.sent[0].content, /Summary \d+\.$/);
            });

    test('takes long: no answer waits, and there is one at a time',
        async () => {
            const session_id = newSession();
            const script = hold(SSE_HEAD);
            const began = summaries().length;
            const before = await total(parley);
            replay.on(REQUEST, script, summariser);
            await turns(parley, 1, 9, session_id);
            assert.equal(summaries().length, began + 1);
            assert.equal(await total(parley), before);
            script.release(WIRES.openai.answer('Late, but whole.', UNCOUNTED)
                .subarray(SSE_HEAD.length));
            await settled(parley, before + 1);
            const { sent, told } = await turn(parley, 10, session_id);
            assert.equal(told.summarised, true);
            assert.ok(sent[0].content.endsWith('Late, but whole.'));
        });

    test('is still at it when the server stops', async () => {
        replay.on(REQUEST, hold(SSE_HEAD));
        const began = summaries().length;
        await turns(parley, 1, 8, newSession());
        await until('the summariser to be asked',
            () => summaries().length > began);
        const stopping = performance.now();
        await parley.stopWeb();
        assert.ok(performance.now() - stopping < 10000);
        await parley.start();
        calm();
    });
});

describe('who writes it', () => {
    test('another model, if one is named', async () => {
        const parley = await startParley({ env: {
            ...settings(), SUMMARY_MODEL: 'anthropic/cheap' } });
        try {
            calm();
            const began = summaries().length;
            const { sent, told } =
                (await calmTurns(parley, 1, 10, newSession())).at(-1);
            assert.equal(summaries().length, began);
            assert.equal(told.summarised, true);
            assert.equal(told.provider, 'openai');
            assert.ok(sent[0].content.endsWith('By the other.'));
            const [first] = summaries(other);
            assert.equal(first.body.model, 'cheap');
            assert.ok(first.body.max_tokens <= WINDOW * 10 / 4);
        } finally {
            await parley.stop();
        }
    });

    test('nobody, if that one is not configured: it is told at start',
        async () => {
            const parley = await startParley({ env: {
                ...settings(), SUMMARY_MODEL: 'gemini/cheap',
                GEMINI_API_KEY: '', GEMINI_BASE_URL: '' } });
            try {
                assert.match(parley.log(), /name="?SUMMARY_MODEL"? .*rule=/);
                const health = await call(parley, '/health');
                assert.equal(health.body.status, 'degraded');
                const began = summaries().length;
                const { told } = await turns(parley, 1, 9, newSession());
                assert.equal(told.summarised, false);
                assert.ok(told.dropped > 0);
                assert.equal(summaries().length, began);
            } finally {
                await parley.stop();
            }
        });

    test('nobody, if it is not wanted', async () => {
        const parley = await startParley({ env: {
            ...settings(), SUMMARY: '0' } });
        try {
            const began = summaries().length;
            const { told } = await turns(parley, 1, 9, newSession());
            assert.equal(told.summarised, false);
            assert.ok(told.dropped > 0);
            assert.equal(summaries().length, began);
            assert.equal(await total(parley), 0);
            const body = await ask(parley, { message: question(1) });
            assert.deepEqual(body.notes, []);
        } finally {
            await parley.stop();
        }
    });
});
