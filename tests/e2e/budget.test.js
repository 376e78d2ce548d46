/* Budgets: what does not fit is refused before a model is asked, also when it
 * comes all at once and at two processes; what is used is settled, whatever
 * becomes of the turn; and a report says it. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import OpenAI from 'openai';
import WebSocket from 'ws';
import { accounts, basic, bearer } from '../lib/accounts.js';
import { ask, askEvents, assertError, call, metric, newSession, postJson,
    serving } from '../lib/client.js';
import { replyEvents, replyWire, SSE_HEAD } from '../lib/openai_bytes.js';
import { CHAT } from '../lib/programs.js';
import { cut, hold, silence, startReplay, status, whole }
    from '../lib/replay.js';
import { signal, startParley } from '../lib/server.js';
import { complete, openaiFor, user } from '../lib/v1.js';
import { inParallel, until, within } from '../lib/wait.js';
import { WIRES } from '../lib/wires.js';

const USAGE = { prompt_tokens: 30, completion_tokens: 10, total_tokens: 40 };
const ANSWER = replyWire(['fine'], { usage: USAGE });
const HALF = SSE_HEAD + replyEvents(['Half ']).slice(0, 2).join('');
const REST = replyEvents(['Half '], { usage: USAGE }).slice(2).join('');
const MAX_TOKENS = 1000;
const PRICE = { in: 2, out: 10 }; /* dollars per million tokens */
/* All of one length, so that all cost the same at most. */
const message = (i) => `number ${String(i).padStart(4, '0')}`;

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-budget-'));
const models = path.join(folder, 'models.json');
fs.writeFileSync(models, JSON.stringify([
    { provider: 'openai', id: 'replay-1', price: PRICE }]));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

let files = 0;
function limitsFile(limits) {
    const file = path.join(folder, `limits-${++files}.json`);
    fs.writeFileSync(file, typeof limits === 'string'
        ? limits : JSON.stringify(limits));
    return file;
}

const settings = (replay, env) => ({ ...replay.env(), UPSTREAM_RETRIES: '0',
    TITLE_MODEL: 'off', MODELS_FILE: models,
    LIMITS_FILE: limitsFile({}), ...env });

async function usage(parley, query = '') {
    const r = await call(parley, `/usage${query}`);
    assert.equal(r.status, 200, r.text);
    return r.body;
}

const used = async (parley) => (await usage(parley)).total;
const tokensUsed = (total) => total.input_tokens + total.output_tokens;
const settled = (parley, turns) => until(`${turns} turns are settled`,
    async () => {
        const u = await usage(parley);
        return u.total.turns === turns ? u : null;
    });

const send = (parley, text, more = {}) => postJson(parley, '/chat',
    { message: text, session_id: newSession(), max_tokens: MAX_TOKENS,
        ...more });

/* What one of the questions reserves. */
async function worstOf(replay) {
    const parley = await startParley({ env: settings(replay,
        { BUDGET_DAY_TOKENS: '1000000', BUDGET_DAY_USD: '1000' }) });
    try {
        const script = hold(HALF);
        replay.on(message(9999), script);
        const asked = send(parley, message(9999));
        await script.started;
        const { budget } = await usage(parley);
        script.release(REST);
        assert.equal((await asked).status, 200);
        return {
            tokens: budget.day_tokens.limit - budget.day_tokens.left,
            micro: Math.round(1e6 *
                (budget.day_usd.limit - budget.day_usd.left)),
        };
    } finally {
        await parley.stop();
    }
}

let replay;
let worst;

before(async () => {
    replay = await startReplay(whole(ANSWER));
    worst = await worstOf(replay);
    assert.ok(worst.tokens > MAX_TOKENS && worst.tokens < 2 * MAX_TOKENS);
    assert.equal(worst.micro, (worst.tokens - MAX_TOKENS) * PRICE.in +
        MAX_TOKENS * PRICE.out);
});
after(async () => {
    await replay?.stop();
});

describe('200 turns at once over two processes', () => {
    for (const [what, env] of [
        ['tokens', () => ({ BUDGET_DAY_TOKENS: String(10 * worst.tokens) })],
        ['money', () => ({
            BUDGET_MONTH_USD: (10 * worst.micro / 1e6).toFixed(6) })],
        ['turns', () => ({ TURNS_AT_ONCE: '10' })],
    ])
        test(`of a budget of ten, in ${what}, exactly ten begin`, async () => {
            const one = await startParley({ env: settings(replay, env()) });
            const dataDir = path.join(one.folder, 'same');
            fs.symlinkSync(one.dataDir, dataDir);
            const two = await startParley({ env: settings(replay, env()),
                dataDir });
            const held = hold(HALF);
            replay.on('number', held);
            try {
                const before = replay.about('number').length;
                const numbers = Array.from({ length: 200 }, (_, i) => i);
                const replies = [];
                const all = inParallel(numbers, 200, async (i) => {
                    const r = await send([one, two][i % 2], message(i));
                    replies.push(r);
                });
                await until('190 were refused', () => replies.length >= 190);
                await until('ten were asked', () =>
                    replay.about('number').length >= before + 10);
                assert.equal(replies.length, 190);
                for (const r of replies) {
                    assertError(r, 429, what === 'turns'
                        ? 'too_many_turns' : 'budget_exceeded');
                    assert.ok(Number(r.headers.get('retry-after')) >= 1);
                }
                held.release(REST);
                await all;
                assert.equal(replies.filter((r) => r.status === 200).length,
                    10);
                assert.equal(replay.about('number').length, before + 10,
                    'nobody else was asked');
                const { total, budget } = await settled(two, 10);
                assert.deepEqual(total, { turns: 10, input_tokens: 300,
                    output_tokens: 100, cached_tokens: 0,
                    cost_usd: 10 * (30 * PRICE.in + 10 * PRICE.out) / 1e6 });
                if (what === 'tokens')
                    assert.equal(budget.day_tokens.left,
                        10 * worst.tokens - 400);
            } finally {
                replay.on('number', whole(ANSWER));
                await two.stop();
                await one.stop();
            }
        });
});

describe('a budget', () => {
    test('holds up to itself, and not one token less', async () => {
        for (const [limit, status] of [[worst.tokens, 200],
            [worst.tokens - 1, 429]]) {
            const parley = await startParley({ env: settings(replay,
                { BUDGET_MONTH_TOKENS: String(limit) }) });
            try {
                const r = await send(parley, message(1));
                assert.equal(r.status, status, r.text);
                if (status === 200)
                    continue;
                assertError(r, 429, 'budget_exceeded');
                assert.equal(r.headers.get('x-ratelimit-limit-tokens'),
                    String(limit));
                assert.equal(r.headers.get('x-ratelimit-remaining-tokens'),
                    String(limit));
                const wait_s = Number(r.headers.get('retry-after'));
                assert.equal(r.headers.get('x-ratelimit-reset-tokens'),
                    `${wait_s}s`);
                const { budget } = await usage(parley);
                const ends = Date.parse(budget.month_ends_at);
                assert.ok(Math.abs(Date.now() + 1000 * wait_s - ends) < 60000);
                assert.match(budget.month_ends_at, /-01T00:00:00\.000Z$/);
            } finally {
                await parley.stop();
            }
        }
    });

    test('in dollars says what is left of them', async () => {
        const parley = await startParley({ env: settings(replay,
            { BUDGET_DAY_USD: '0.0001' }) });
        try {
            const r = await send(parley, message(1));
            assertError(r, 429, 'budget_exceeded');
            assert.equal(r.headers.get('x-budget-limit-usd'), '0.000100');
            assert.equal(r.headers.get('x-budget-remaining-usd'), '0.000100');
        } finally {
            await parley.stop();
        }
    });

    test('is told to who waits for events, and over WebSocket', async () => {
        const parley = await startParley({ env: settings(replay,
            { BUDGET_DAY_TOKENS: '10' }) });
        try {
            const asked = replay.requests.length;
            assertError(await postJson(parley, '/chat',
                { message: message(2), session_id: newSession() },
                { accept: 'text/event-stream' }), 429, 'budget_exceeded');
            const ws = new WebSocket(
                `${parley.url.replace('http:', 'ws:')}/ws/client-1`);
            const got = [];
            ws.on('message', (m) => got.push(JSON.parse(m)));
            await within('the handshake', new Promise((resolve, reject) => {
                ws.once('open', resolve);
                ws.once('error', reject);
            }));
            ws.send(JSON.stringify({ type: 'chat_message',
                message: { content: message(3) } }));
            const error = await until('the error',
                () => got.find((m) => m.type === 'error'));
            assert.equal(error.code, 'budget_exceeded');
            assert.match(error.message, /budget/);
            ws.close();
            assert.equal(replay.requests.length, asked);
        } finally {
            await parley.stop();
        }
    });

    test('of a file is for who it names, and for a model', async () => {
        const parley = await startParley({ env: settings(replay, {
            BUDGET_DAY_TOKENS: '1',
            LIMITS_FILE: limitsFile({
                users: { 'anon/*': { day_tokens: 0 } },
                models: { 'openai/replay-2': { day_tokens: 5 } },
            }) }) });
        try {
            assert.equal((await send(parley, message(1))).status, 200);
            const r = await send(parley, message(2), { model: 'replay-2' });
            assertError(r, 429, 'budget_exceeded');
            assert.match(r.body.message, /model/);
        } finally {
            await parley.stop();
        }
    });

    test('of all who are anonymous is one', async () => {
        const parley = await startParley({ env: settings(replay, {
            LIMITS_FILE: limitsFile({
                anonymous: { day_tokens: worst.tokens + 39 } }) }) });
        try {
            assert.equal((await send(parley, message(1))).status, 200);
            assertError(await send(parley, message(2)), 429,
                'budget_exceeded');
        } finally {
            await parley.stop();
        }
    });

    for (const [name, text, told] of [
        ['no JSON', '{"users":', 'line=1'],
        ['a limit that is none', '{"users": {"local/ann": {"day": 1}}}',
            'local/ann: day is no limit'],
        ['a name that is none', '{"users": {"ann": {"day_tokens": 1}}}',
            'users: ann must be realm/name'],
        ['an amount that is none',
            '{"models": {"openai/x": {"day_tokens": 1.5}}}',
            'openai/x: day_tokens must be a whole number'],
    ])
        test(`of a file with ${name} is not served`, async () => {
            const dataDir = path.join(folder, `data-${files}`);
            const { status, stderr } = spawnSync(CHAT, ['--engine'], {
                encoding: 'utf8', timeout: 60000, env: {
                    ...process.env, ...settings(replay,
                        { LIMITS_FILE: limitsFile(text) }),
                    DATA_DIR: dataDir } });
            assert.ok(status > 0, 'it began to serve');
            assert.match(stderr, /limits\.file file="[^"]*limits-/);
            assert.ok(stderr.includes(told), stderr);
        });
});

describe('who is signed in', () => {
    let parley;

    before(async () => {
        parley = await startParley({ env: settings(replay, {
            ...accounts(folder).env,
            LIMITS_FILE: limitsFile({ users: {
                'local/ann': { day_tokens: worst.tokens + 39 },
            } }) }) });
    });
    after(async () => {
        await parley?.stop();
    });

    const sendAs = (headers, i, more) => postJson(parley, '/chat', {
        message: message(i), session_id: newSession(), max_tokens: MAX_TOKENS,
        ...more }, headers);

    test('has a budget of their own', async () => {
        assert.equal((await sendAs(basic('ann'), 1)).status, 200);
        assertError(await sendAs(basic('ann'), 2), 429, 'budget_exceeded');
        assert.equal((await sendAs(basic('bob'), 3)).status, 200);
        assert.equal((await sendAs({}, 4)).status, 200);
        const r = await call(parley, '/usage?by=user',
            { headers: basic('ann') });
        assert.deepEqual(r.body.rows.map((row) => [row.user, row.turns]),
            [['local/ann', 1]]);
        assert.equal((await call(parley, '/usage?all=1',
            { headers: basic('bob') })).status, 403);
        const all = await call(parley, '/usage?by=user&all=1',
            { headers: basic('eve') });
        assert.deepEqual(all.body.rows.map((row) => [row.user, row.turns]),
            [['', 1], ['local/ann', 1], ['local/bob', 1]]);
    });

    test('pays, in whosever session it is', async () => {
        const session_id = newSession();
        await ask(parley, { message: 'anybody may go on', session_id });
        assertError(await sendAs(basic('ann'), 5, { session_id }), 429,
            'budget_exceeded');
    });

    test('may have a key with a budget', async () => {
        const made = await postJson(parley, '/keys',
            { name: 'small', day_tokens: worst.tokens + 39 }, basic('bob'));
        assert.ok(made.status < 300, made.text);
        const key = bearer(made.body.secret ?? made.body.key);
        assert.equal((await sendAs(key, 6)).status, 200);
        const r = await sendAs(key, 7);
        assertError(r, 429, 'budget_exceeded');
        assert.match(r.body.message, /key/);
        const fields = { model: 'replay-1', max_tokens: 2 * MAX_TOKENS,
            messages: user(message(8)) };
        assert.equal((await complete(parley, fields, key)).status, 429);
        assert.equal((await complete(parley, fields, basic('bob'))).status,
            200, 'it is the key that has no more');
    });
});

describe('what was used', () => {
    let parley;

    before(async () => {
        parley = await startParley({ env: settings(replay,
            { BUDGET_DAY_TOKENS: '1000000', TURNS_AT_ONCE: '3' }) });
    });
    after(async () => {
        await parley?.stop();
    });

    /* What was used by this, and that nothing stays reserved. */
    async function costOf(work) {
        const before = await used(parley);
        await work();
        const u = await settled(parley, before.turns + 1);
        assert.equal(u.budget.turns_at_once.left, 3);
        assert.equal(u.budget.day_tokens.left,
            1000000 - tokensUsed(u.total));
        return { input: u.total.input_tokens - before.input_tokens,
            output: u.total.output_tokens - before.output_tokens };
    }

    test('is what the provider counted', async () => {
        assert.deepEqual(await costOf(() => ask(parley,
            { message: 'counted', session_id: newSession() })),
        { input: 30, output: 10 });
    });

    test('is of a temporary chat too', async () => {
        assert.deepEqual(await costOf(() => ask(parley, { message: 'temporary',
            session_id: newSession(), temporary: true })),
        { input: 30, output: 10 });
    });

    test('is of the compatible API too, whole or as a stream', async () => {
        const fields = { model: 'replay-1', messages: user('by v1') };
        assert.deepEqual(await costOf(() => complete(parley, fields)),
            { input: 30, output: 10 });
        assert.deepEqual(await costOf(() => complete(parley,
            { ...fields, stream: true })), { input: 30, output: 10 });
    });

    test('is estimated where an answer was cancelled', async () => {
        const script = hold(HALF);
        replay.on('to be cancelled', script);
        const cost = await costOf(async () => {
            const s = await askEvents(parley, { message: 'to be cancelled',
                session_id: newSession() });
            await s.event('response_chunk');
            const r = await postJson(parley, '/chat/stop',
                { turn_id: s.events[0].turn });
            assert.equal(r.status, 200, r.text);
            await s.all();
        });
        assert.ok(cost.input > 0 && cost.input < 1000);
        assert.equal(cost.output, 2, '"Half "');
    });

    test('is of a session that was deleted meanwhile, too', async () => {
        const script = hold(HALF);
        replay.on('to be deleted', script);
        const session_id = newSession();
        const cost = await costOf(async () => {
            const s = await askEvents(parley,
                { message: 'to be deleted', session_id });
            await s.event('response_chunk');
            const r = await call(parley, `/sessions/${session_id}`,
                { method: 'DELETE' });
            assert.ok(r.status < 300, r.text);
        });
        assert.ok(cost.input > 0);
    });

    test('is what a title took as well', async () => {
        const titled = await startParley({ env: settings(replay,
            { BUDGET_DAY_TOKENS: '1000000', TITLE_MODEL: 'replay-1' }) });
        try {
            await ask(titled, { message: 'what is it called?',
                session_id: newSession() });
            const { total } = await until('the title is paid for', async () => {
                const u = await usage(titled);
                return tokensUsed(u.total) === 80 ? u : null;
            });
            assert.equal(total.turns, 1, 'a title is no turn');
        } finally {
            await titled.stop();
        }
    });

    test('is nothing where nobody answered', async () => {
        const before = await used(parley);
        replay.on('refused', async (peer) => peer.reset());
        const r = await send(parley, 'refused');
        assert.ok(r.status >= 500, r.text);
        const u = await usage(parley);
        assert.deepEqual(u.total, before);
        assert.equal(u.budget.turns_at_once.left, 3);
    });

    test('is said by day, model and user', async () => {
        const today = new Date().toISOString().slice(0, 10);
        const total = await used(parley);
        const byDay = await usage(parley, '?by=day');
        assert.deepEqual(byDay.rows, [{ day: byDay.to, ...total }]);
        assert.ok([today, byDay.to].includes(byDay.to));
        const byModel = await usage(parley, '?by=model');
        assert.deepEqual(byModel.rows,
            [{ model: 'openai/replay-1', ...total }]);
        const byUser = await usage(parley, '?by=user');
        assert.deepEqual(byUser.rows, [{ user: '', ...total }]);
        const then = await usage(parley, '?from=2020-01-01&to=2020-12-31');
        assert.deepEqual(then.rows, []);
        assert.equal(then.total.turns, 0);
    });

    test('is not said of days that are none', async () => {
        for (const query of ['?from=2026-02-30', '?to=yesterday', '?by=hour',
            '?from=2026-02-02&to=2026-02-01', '?from=1990-01-01'])
            assert.equal((await call(parley, `/usage${query}`)).status, 400,
                query);
    });
});

describe('another model that answers instead', () => {
    const FIRST = 'openai/replay-1', SECOND = 'anthropic/second-1';
    const COUNTED = Buffer.from(SSE_HEAD +
        replyEvents([], { finish: null, usage: USAGE, done: false }).join(''));
    let second; /* plays Anthropic and Gemini */

    before(async () => {
        second = await startReplay(whole(WIRES.anthropic.answer('by another')));
        replay.on('stumbles', status(503, {}, {}));
        replay.on('counts', cut(COUNTED, COUNTED.length));
    });
    after(async () => {
        await second?.stop();
    });

    const start = (limits, env) => startParley({ env: settings(replay, {
        ...WIRES.anthropic.env(second.port), ...WIRES.gemini.env(second.port),
        AI_PROVIDER: 'openai', AI_MODEL: 'replay-1', AI_FALLBACK: SECOND,
        LIMITS_FILE: limitsFile({ models: limits }), ...env }) });
    const rowsOf = async (parley) => Object.fromEntries(
        (await usage(parley, '?by=model')).rows.map((r) =>
            [r.model, [r.turns, r.input_tokens, r.output_tokens]]));

    test('has a budget of its own: who has none left is not asked', async () => {
        const parley = await start({ [SECOND]: { day_tokens: 5 } });
        try {
            for (const more of [{}, { temporary: true }]) {
                const r = await send(parley, 'stumbles', more);
                assertError(r, 429, 'budget_exceeded');
                assert.match(r.body.message, /This model's budget/);
                assert.ok(Number(r.headers.get('retry-after')) >= 1);
            }
            const r = await complete(parley, { model: 'replay-1',
                messages: user('stumbles') });
            assert.equal(r.status, 429, r.text);
            assert.equal(r.body.error.code, 'insufficient_quota');
            assert.equal(second.requests.length, 0);
            const { total } = await usage(parley);
            assert.equal(tokensUsed(total), 0);
        } finally {
            await parley.stop();
        }
    });

    test('is passed over for the one behind it', async () => {
        const parley = await start({ [SECOND]: { day_usd: 0.000001,
            day_tokens: 5 } }, { AI_FALLBACK: `${SECOND}, gemini/third-1` });
        try {
            second.on('stumbles', whole(WIRES.gemini.answer('by the third')));
            const r = await send(parley, 'stumbles');
            assert.equal(r.status, 200, r.text);
            assert.equal(r.body.message, 'by the third');
            assert.equal(r.body.provider, 'gemini');
            assert.ok(r.body.notes.some((n) =>
                /anthropic.*budget_exceeded.*gemini/.test(n.message)));
            assert.deepEqual(await rowsOf(parley),
                { 'gemini/third-1': [1, 7, 3] });
        } finally {
            second.on('stumbles', whole(WIRES.anthropic.answer('by another')));
            await parley.stop();
        }
    });

    for (const temporary of [false, true])
        test(`is who it is counted for${temporary ? ', when temporary' : ''}`,
            async () => {
                const parley = await start({
                    [FIRST]: { day_tokens: 100000 },
                    [SECOND]: { day_tokens: worst.tokens + 100 } });
                second.on('stumbles', whole(WIRES.anthropic.answer(
                    'by another', { input: 700, output: 300 })));
                try {
                    const r = await send(parley, 'stumbles', { temporary });
                    assert.equal(r.status, 200, r.text);
                    assert.equal(r.body.provider, 'anthropic');
                    await settled(parley, 1);
                    assert.deepEqual(await rowsOf(parley),
                        { [SECOND]: [1, 700, 300] });
                    assertError(await send(parley, 'stumbles', { temporary }),
                        429, 'budget_exceeded');
                    assert.equal((await send(parley, message(1))).status, 200,
                        'the first one has enough');
                } finally {
                    second.on('stumbles',
                        whole(WIRES.anthropic.answer('by another')));
                    await parley.stop();
                }
            });

    test('does not take away what the first one has counted', async () => {
        const parley = await start({ [SECOND]: { day_tokens: 100000 } });
        try {
            const r = await send(parley, 'counts');
            assert.equal(r.status, 200, r.text);
            assert.equal(r.body.usage.input_tokens, 7);
            await settled(parley, 1);
            assert.deepEqual(await rowsOf(parley),
                { [FIRST]: [0, 30, 10], [SECOND]: [1, 7, 3] });
            await complete(parley, { model: 'replay-1',
                messages: user('counts') });
            await settled(parley, 2);
            assert.deepEqual(await rowsOf(parley),
                { [FIRST]: [0, 60, 20], [SECOND]: [2, 14, 6] });
            const audit = path.join(parley.dataDir, 'audit.log');
            const calls = () => (fs.existsSync(audit)
                ? fs.readFileSync(audit, 'utf8') : '').split('\n')
                .filter((line) => line.includes('"provider_call"'))
                .map((line) => JSON.parse(line))
                .map((e) => `${e.for} ${e.model} ${e.input_tokens}`);
            await until('all are noted', () => calls().length >= 4);
            assert.deepEqual(calls(), ['turn', 'relay'].flatMap((what) => [
                `${what} replay-1 30`, `${what} claude-replay 7`]));
        } finally {
            await parley.stop();
        }
    });

    test('is charged also where its process dies', async () => {
        const parley = await start({ [SECOND]: { day_tokens: 100000 } });
        try {
            const text = String(WIRES.anthropic.answer('by another'));
            const script = hold(text.slice(0,
                text.indexOf('event: content_block_stop')));
            second.on('stumbles', script);
            const s = await askEvents(parley, { message: 'stumbles',
                session_id: newSession(), max_tokens: MAX_TOKENS });
            await s.event('response_chunk');
            await parley.kill9();
            await s.done;
            await serving(parley);
            await settled(parley, 1);
            const rows = await rowsOf(parley);
            assert.deepEqual(Object.keys(rows), [SECOND]);
            assert.ok(rows[SECOND][1] > 0);
        } finally {
            second.on('stumbles', whole(WIRES.anthropic.answer('by another')));
            await parley.stop();
        }
    });
});

describe('what Parley asks by itself', () => {
    const titled = (env) => startParley({ env: settings(replay,
        { TITLE_MODEL: 'replay-2', ...env }) });
    const titles = () => replay.requests.filter((r) =>
        r.body.model === 'replay-2');

    test('is not asked where a budget is used up', async () => {
        const parley = await titled({ LIMITS_FILE: limitsFile({
            models: { 'openai/replay-2': { day_tokens: 5 } } }) });
        try {
            const before = titles().length;
            const { session_id } = await ask(parley,
                { message: 'a name?', session_id: newSession() });
            await until('there will be no title', async () =>
                await metric(parley, 'parley_titles_failed_total') === 1);
            assert.equal(titles().length, before);
            const r = await call(parley, `/sessions/${session_id}`);
            assert.equal(r.body.title, 'A name?');
            assert.equal(r.body.titled ?? false, false);
        } finally {
            await parley.stop();
        }
    });

    test('is counted and noted when a stop cuts it off', async () => {
        const parley = await titled({ BUDGET_DAY_TOKENS: '1000000' });
        try {
            replay.on('Write the title.', silence());
            const before = titles().length;
            await ask(parley, { message: 'stop me', session_id: newSession() });
            await until('the title is asked for',
                () => titles().length > before);
            const pid = parley.chatPid();
            signal(pid, 'SIGTERM');
            await until('the process leaves',
                () => !parley.pids().includes(pid));
            await serving(parley);
            const { rows } = await usage(parley, '?by=model');
            const row = rows.find((r) => r.model === 'openai/replay-2');
            assert.ok(row.input_tokens > 0 && row.input_tokens < 1000);
            assert.equal(row.turns, 0);
            const { budget, total } = await usage(parley);
            assert.equal(budget.day_tokens.left, 1000000 - tokensUsed(total));
            const log = fs.readFileSync(
                path.join(parley.dataDir, 'audit.log'), 'utf8');
            assert.match(log,
                /"for":"background".*"outcome":"shutting_down"/);
        } finally {
            replay.on('Write the title.', whole(ANSWER));
            await parley.stop();
        }
    });
});

describe('a process that dies', () => {
    for (const temporary of [false, true])
        test(`leaves no reserve${temporary ? ' of a temporary chat' : ''}`,
            async () => {
                const parley = await startParley({ env: settings(replay,
                    { BUDGET_DAY_TOKENS: '1000000', TURNS_AT_ONCE: '1' }) });
                try {
                    const script = hold(HALF);
                    replay.on('dies', script);
                    const s = await askEvents(parley, { message: 'dies',
                        session_id: newSession(), temporary,
                        max_tokens: MAX_TOKENS });
                    await s.event('response_chunk');
                    assertError(await send(parley, message(1)), 429,
                        'too_many_turns');
                    await parley.kill9();
                    await s.done;
                    await serving(parley);
                    const u = await settled(parley, 1);
                    assert.equal(u.budget.turns_at_once.left, 1);
                    assert.equal(u.budget.day_tokens.left,
                        1000000 - tokensUsed(u.total));
                    if (temporary)
                        assert.equal(u.total.output_tokens, MAX_TOKENS);
                    else
                        assert.equal(u.total.output_tokens, 2);
                    assert.ok(u.total.input_tokens > 0);
                    assert.equal((await send(parley, message(2))).status, 200);
                } finally {
                    await parley.stop();
                }
            });
});

describe('over the compatible API a budget', () => {
    test('is a quota that the openai package understands', async () => {
        const parley = await startParley({ env: settings(replay,
            { BUDGET_DAY_TOKENS: String(MAX_TOKENS) }) });
        try {
            const openai = openaiFor(parley);
            for (const stream of [false, true])
                await assert.rejects(openai.chat.completions.create({
                    model: 'replay-1', stream, max_tokens: MAX_TOKENS,
                    messages: user('too much') }), (e) => {
                    assert.ok(e instanceof OpenAI.RateLimitError, String(e));
                    assert.equal(e.status, 429);
                    assert.equal(e.code, 'insufficient_quota');
                    assert.equal(e.type, 'insufficient_quota');
                    assert.ok(Number(e.headers.get('retry-after')) > 0);
                    assert.equal(
                        e.headers.get('x-ratelimit-remaining-tokens'),
                        String(MAX_TOKENS));
                    return true;
                });
            assert.equal(replay.about('too much').length, 0);
            const r = await openai.chat.completions.create({
                model: 'replay-1', max_tokens: 100, messages: user('little') });
            assert.equal(r.choices[0].message.content, 'fine');
            /* Where nobody says how long, it is said. */
            await assert.rejects(openai.chat.completions.create({
                model: 'replay-1', messages: user('long') }));
        } finally {
            await parley.stop();
        }
    });

    test('of turns at once is a limit that ends', async () => {
        const parley = await startParley({ env: settings(replay,
            { TURNS_AT_ONCE: '1' }) });
        try {
            const script = hold(HALF);
            replay.on('goes on', script);
            const fields = { model: 'replay-1', messages: user('goes on'),
                stream: true };
            const first = complete(parley, fields);
            await script.started;
            const r = await complete(parley, { ...fields,
                messages: user('another') });
            assert.equal(r.status, 429);
            assert.equal(r.body.error.code, 'rate_limit_exceeded');
            assert.equal(r.headers.get('retry-after'), '1');
            script.release(REST);
            await first;
            await until('there is room again', async () =>
                (await complete(parley, { ...fields,
                    messages: user('another') })).status === 200);
        } finally {
            await parley.stop();
        }
    });
});
