/* Sessions as things of their own: made, listed, looked at, changed. What ends
 * them is in session_end.test.js, their branches in branches.test.js. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { allMessagesOf, ask, assertError, call, messagesOf, newSession,
    postJson, TIMESTAMP, UUID } from '../lib/client.js';
import { replyWire } from '../lib/openai_bytes.js';
import { echo, lastMessage, startReplay, whole } from '../lib/replay.js';
import { startParley } from '../lib/server.js';
import { inParallel } from '../lib/wait.js';

const json = { 'content-type': 'application/json' };
const patch = (parley, id, body) => call(parley, `/sessions/${id}`,
    { method: 'PATCH', headers: json, body: JSON.stringify(body) });
const list = async (parley, query = '') => {
    const r = await call(parley, `/sessions${query}`);
    assert.equal(r.status, 200, r.text);
    return r.body;
};
const ids = (page) => page.sessions.map((s) => s.session_id);
const session = async (parley, id) => {
    const r = await call(parley, `/sessions/${id}`);
    assert.equal(r.status, 200, r.text);
    return r.body;
};
async function make(parley, fields = {}) {
    const r = await postJson(parley, '/sessions', fields);
    assert.equal(r.status, 201, r.text);
    return r.body;
}

describe('the list of sessions', () => {
    let parley;

    before(async () => { parley = await startParley(); });
    after(async () => { await parley?.stop(); });

    test('is empty at first', async () => {
        assert.deepEqual(await list(parley),
            { sessions: [], next_cursor: null });
    });

    test('begins with what was used last', async () => {
        const a = newSession();
        const b = newSession();
        const c = newSession();
        for (const id of [a, b, c])
            await ask(parley, { message: `About ${id}`, session_id: id });
        assert.deepEqual(ids(await list(parley)), [c, b, a]);
        await ask(parley, { message: 'once more', session_id: a });
        const page = await list(parley);
        assert.deepEqual(ids(page), [a, c, b]);
        assert.equal(page.next_cursor, null);
        assert.deepEqual(page.sessions.map((s) => s.conversation_length),
            [4, 2, 2]);
        await patch(parley, b, { title: 'It is no use of it' });
        assert.deepEqual(ids(await list(parley)), [a, c, b]);
    });

    test('gives pages that stay whole while sessions come and change',
        async () => {
            const made = [];
            for (let i = 0; i < 14; i++)
                made.push((await make(parley)).session_id);
            const seen = [];
            const touched = [made[3], made[9]];
            let cursor = '';
            for (let n = 0; cursor !== null; n++) {
                const page = await list(parley, `?limit=3${cursor}`);
                assert.ok(page.sessions.length <= 3);
                seen.push(...ids(page));
                await make(parley); /* at the top, which we left */
                if (touched[n])
                    await ask(parley,
                        { message: 'Hi', session_id: touched[n] });
                cursor = page.next_cursor && `&cursor=${page.next_cursor}`;
                assert.ok(n < 20);
            }
            assert.equal(new Set(seen).size, seen.length, 'none twice');
            const still = made.filter((id) => !touched.includes(id));
            assert.deepEqual(seen.filter((id) => still.includes(id)),
                still.reverse());
        });

    test('goes on behind a session that is gone', async () => {
        const page = await list(parley, '?limit=2');
        await call(parley, `/sessions/${ids(page)[1]}`, { method: 'DELETE' });
        const whole = ids(await list(parley, '?limit=500'));
        assert.equal(whole[0], ids(page)[0]);
        assert.deepEqual(
            ids(await list(parley, `?limit=500&cursor=${page.next_cursor}`)),
            whole.slice(1));
    });

    test('does not promise a page that is empty', async () => {
        const all = ids(await list(parley, '?limit=500'));
        const page = await list(parley, `?limit=${all.length}`);
        assert.equal(page.sessions.length, all.length);
        assert.equal(page.next_cursor, null);
        assert.notEqual(
            (await list(parley, `?limit=${all.length - 1}`)).next_cursor, null);
    });

    test('has bounds', async () => {
        for (const query of ['limit=0', 'limit=501', 'limit=-1', 'limit=x',
            'limit=1.5'])
            assertError(await call(parley, `/sessions?${query}`), 400);
        for (const query of ['limit=1', 'limit=500'])
            await list(parley, `?${query}`);
    });

    test('knows its own cursors only', async () => {
        for (const cursor of ['x', '0', 'g'.repeat(32), '0'.repeat(31),
            '0'.repeat(33)])
            assertError(await call(parley, `/sessions?cursor=${cursor}`), 400,
                'invalid_cursor');
        /* Before all time there is nothing, after it all. */
        assert.deepEqual(ids(await list(parley, `?cursor=${'0'.repeat(32)}`)),
            []);
        assert.deepEqual(
            ids(await list(parley, `?limit=500&cursor=${'f'.repeat(32)}`)),
            ids(await list(parley, '?limit=500')));
    });

    test('is narrowed by tag, through all pages', async () => {
        const tagged = [];
        for (let i = 0; i < 5; i++) {
            const { session_id } = await make(parley,
                { tags: i % 2 ? ['work', 'x'] : ['x', 'work'] });
            tagged.unshift(session_id);
            await make(parley, { tags: ['wor', 'works', 'Work'] });
        }
        const seen = [];
        let cursor = '';
        while (cursor !== null) {
            const page = await list(parley, `?limit=2&tag=work${cursor}`);
            seen.push(...ids(page));
            cursor = page.next_cursor && `&cursor=${page.next_cursor}`;
        }
        assert.deepEqual(seen, tagged);
        assert.deepEqual(ids(await list(parley, '?tag=nobody')), []);
        assert.deepEqual(await list(parley, '?tag=&cursor='),
            await list(parley));
    });

    test('leaves out what is archived, unless it is asked for', async () => {
        const { session_id } = await make(parley, { archived: true });
        const has = async (query) =>
            ids(await list(parley, `?limit=500${query}`)).includes(session_id);
        assert.equal(await has(''), false);
        assert.equal(await has('&archived=false'), false);
        assert.equal(await has('&archived=true'), true);
        assert.equal(await has('&archived=any'), true);
        assert.deepEqual(ids(await list(parley, '?archived=true')),
            [session_id]);
        assertError(await call(parley, '/sessions?archived=maybe'), 400,
            'invalid_archived');
    });
});

describe('making a session', () => {
    let parley;

    before(async () => { parley = await startParley(); });
    after(async () => { await parley?.stop(); });

    test('needs nothing', async () => {
        const s = await make(parley);
        assert.match(s.session_id, UUID);
        assert.match(s.created_at, TIMESTAMP);
        assert.deepEqual(s, {
            session_id: s.session_id, title: '', created_at: s.created_at,
            updated_at: s.created_at, conversation_length: 0, pinned: false,
            archived: false, temporary: false, tags: [], model: null,
            expires_at: null, open_turn_id: null, context: '', cost_usd: null,
        });
        const r = await call(parley, '/sessions', { method: 'POST' });
        assert.equal(r.status, 201, r.text);
        assert.notEqual(r.body.session_id, s.session_id);
    });

    test('takes all that can be set', async () => {
        const session_id = newSession();
        const fields = {
            session_id, title: 'Über Käse', context: 'Be brief.\nBe kind.',
            model: 'offline/parley-offline', pinned: true, archived: true,
            tags: ['food', 'Käse'], expires_at: '2199-01-31T12:00:00.000Z',
        };
        const s = await make(parley, fields);
        for (const [name, value] of Object.entries(fields))
            assert.deepEqual(s[name], value, name);
        assert.deepEqual(await session(parley, session_id), s);
    });

    test('never changes one that is there', async () => {
        const { session_id } = await make(parley, { title: 'First' });
        assertError(await postJson(parley, '/sessions',
            { session_id, title: 'Second' }), 409, 'session_exists');
        assert.equal((await session(parley, session_id)).title, 'First');
    });

    test('once at a time: of many with one id, one makes it', async () => {
        const session_id = newSession();
        const got = await inParallel(Array.from({ length: 12 }), 12,
            (_, i) => postJson(parley, '/sessions',
                { session_id, title: `Number ${i}` }));
        assert.deepEqual(got.map((r) => r.status).sort(),
            [201, ...Array(11).fill(409)]);
        assert.equal((await session(parley, session_id)).title,
            got.find((r) => r.status === 201).body.title);
    });

    test('says what is wrong', async () => {
        const wrong = [
            [{ session_id: 'no/slash' }, 'invalid_session_id'],
            [{ session_id: 'x'.repeat(65) }, 'invalid_session_id'],
            [{ session_id: 7 }, undefined],
            [[], 'invalid_json'], ['{"title":', 'invalid_json'],
            ['"text"', undefined],
        ];
        const before = (await list(parley, '?archived=any')).sessions.length;
        for (const [body, code] of wrong)
            assertError(await postJson(parley, '/sessions', body), 400, code);
        assertError(await postJson(parley, '/sessions',
            { model: 'anthropic/claude-3-opus' }), 422,
        'provider_not_configured');
        assert.equal((await list(parley, '?archived=any')).sessions.length,
            before);
    });
});

describe('looking at a session and changing it', () => {
    let parley;
    let replay;
    let folder;

    before(async () => {
        folder = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-sessions-'));
        fs.writeFileSync(path.join(folder, 'models.json'), JSON.stringify([
            { provider: 'openai', id: 'replay-1', price: { in: 2, out: 10 } },
            { provider: 'openai', id: 'other', price: { in: 1, out: 1 } }]));
        replay = await startReplay(echo((r) => `You said ${lastMessage(r)}.`));
        parley = await startParley({ env: {
            ...replay.env(), MODELS_FILE: path.join(folder, 'models.json') } });
    });
    after(async () => {
        await parley?.stop();
        await replay?.stop();
        fs.rmSync(folder, { recursive: true, force: true });
    });

    test('says what it has cost', async () => {
        const session_id = newSession();
        replay.on('paid for', whole(replyWire(['Thanks.'], { usage: {
            prompt_tokens: 1000, completion_tokens: 100,
            total_tokens: 1100 } })));
        await ask(parley, { message: 'paid for', session_id });
        assert.equal((await session(parley, session_id)).cost_usd, 0.003);
        await ask(parley, { message: 'paid for again', session_id });
        assert.equal((await session(parley, session_id)).cost_usd, 0.006);
    });

    /* name, values that are taken, what null gives, values that are not */
    const FIELDS = [
        ['title', ['A name', 'x'.repeat(256), 'é'.repeat(128)], '',
            ['x'.repeat(257), 'é'.repeat(129), 7, true, [], {}]],
        ['context', ['Be brief.', ' two\n lines ', 'x'.repeat(65536)], '',
            ['x'.repeat(65537), 7, false, []]],
        ['model', ['openai/replay-1', 'offline/parley-offline'], null,
            ['x'.repeat(129), 7, []]],
        ['pinned', [true, false, true], false, [1, 'true', []]],
        ['archived', [true, false, true], false, [0, 'no', {}]],
        ['tags', [['a'], ['a', 'b'], Array.from({ length: 10 },
            (_, i) => `${i}`.repeat(50)), []], [],
        [Array.from({ length: 11 }, (_, i) => `t${i}`), ['x'.repeat(51)],
            [''], [' '], [7], ['a\nb'], 'a', { a: 1 }]],
        ['expires_at', ['2199-12-31T23:59:59.999Z'], null,
            ['tomorrow', '2199-13-01T00:00:00Z', 7, true, '']],
    ];

    for (const [name, good, none, bad] of FIELDS)
        test(`${name}: set, taken back by null, refused`, async () => {
            const { session_id } = await make(parley);
            const shown = async () => (await session(parley, session_id))[name];
            for (const value of good) {
                const r = await patch(parley, session_id, { [name]: value });
                assert.equal(r.status, 200, r.text);
                assert.deepEqual(r.body[name], value);
                assert.deepEqual(await shown(), value);
            }
            for (const value of bad) {
                const r = await patch(parley, session_id, { [name]: value });
                assertError(r, 400, `invalid_${name}`);
                assert.ok(r.body.message.length < 300);
                assert.deepEqual(await shown(), good.at(-1));
            }
            const r = await patch(parley, session_id, { [name]: null });
            assert.equal(r.status, 200, r.text);
            assert.deepEqual(r.body[name], none);
            assert.deepEqual(await shown(), none);
        });

    test('a time may be said in any zone', async () => {
        const { session_id } = await make(parley);
        for (const said of ['2199-01-31T13:00:00+01:00',
            '2199-01-31T12:00:00Z']) {
            const r = await patch(parley, session_id, { expires_at: said });
            assert.equal(r.status, 200, r.text);
            assert.equal(r.body.expires_at, '2199-01-31T12:00:00.000Z');
        }
    });

    test('one tag said twice is one', async () => {
        const { tags } = await make(parley, { tags: ['b', 'a', 'b'] });
        assert.deepEqual(tags, ['b', 'a']);
    });

    test('a wrong member leaves the others as they were', async () => {
        const { session_id } = await make(parley, { title: 'Old' });
        assertError(await patch(parley, session_id,
            { title: 'New', pinned: true, tags: 7 }), 400, 'invalid_tags');
        const s = await session(parley, session_id);
        assert.equal(s.title, 'Old');
        assert.equal(s.pinned, false);
        for (const body of ['', '[]', '7', '{'])
            assertError(await call(parley, `/sessions/${session_id}`,
                { method: 'PATCH', headers: json, body }), 400);
    });

    test('its context and model are what the model sees of it', async () => {
        const session_id = newSession();
        await make(parley, { session_id, context: 'The user is a pirate.',
            model: 'openai/other' });
        await ask(parley, { message: 'seen context', session_id });
        const [{ body }] = replay.about('seen context');
        assert.equal(body.model, 'other');
        assert.ok(body.messages.some((m) => m.role === 'system' &&
            m.content.includes('The user is a pirate.')), 'as system text');
        await patch(parley, session_id, { context: null, model: null });
        await ask(parley, { message: 'no more of it', session_id });
        const [later] = replay.about('no more of it');
        assert.equal(later.body.model, 'replay-1');
        assert.ok(!later.text.includes('pirate'));
    });

    test('one that is not there is 404, whatever is asked of it', async () => {
        const id = newSession();
        const replies = [await call(parley, `/sessions/${id}`),
            await patch(parley, id, { title: 'x' }),
            await call(parley, `/sessions/${id}`, { method: 'DELETE' }),
            await call(parley, `/sessions/${id}/messages`)];
        for (const r of replies) {
            assertError(r, 404, 'session_not_found');
            const { request_id, ...body } = r.body;
            assert.match(request_id, /./);
            assert.deepEqual(body, { error: 'No such session',
                message: 'It does not exist, or it is not yours.',
                code: 'session_not_found' });
        }
        assert.equal((await call(parley, `/sessions/${id}`)).status, 404,
            'a look does not make it');
    });
});

describe('the title of a session', () => {
    let parley;

    before(async () => { parley = await startParley(); });
    after(async () => { await parley?.stop(); });

    const titled = async (message, fields = {}) => {
        const { session_id } = await ask(parley, { message, ...fields });
        return (await session(parley, session_id)).title;
    };

    test('is what the first message is about', async () => {
        assert.equal(await titled(
            'Hello! How do I bake bread with rye flour?'),
        'How do I bake bread with rye flour?');
    });

    test('is one line of at most 60 bytes, cut between words', async () => {
        const title = await titled(`Why is ${'grün '.repeat(40000)} green?`);
        assert.ok(Buffer.byteLength(title) <= 60, title);
        assert.match(title, /^Why is grün .*grün…$/);
        assert.ok(!/[\r\n]/.test(await titled('First line\nand the second')));
    });

    test('stays, and is not made of a second message', async () => {
        const session_id = newSession();
        await ask(parley, { message: 'What is a quasar?', session_id });
        await ask(parley, { message: 'And what is a pulsar?', session_id });
        assert.equal((await session(parley, session_id)).title,
            'What is a quasar?');
        assert.equal((await list(parley)).sessions.find(
            (s) => s.session_id === session_id).title, 'What is a quasar?');
    });

    test('that its user gave stays', async () => {
        const { session_id } = await make(parley, { title: 'Mine' });
        await ask(parley, { message: 'What is a comet?', session_id });
        assert.equal((await session(parley, session_id)).title, 'Mine');
        await patch(parley, session_id, { title: 'Mine still' });
        await ask(parley, { message: 'What is a meteor?', session_id });
        assert.equal((await session(parley, session_id)).title, 'Mine still');
    });

    test('comes with the first message to a session made empty', async () => {
        const { session_id } = await make(parley, { context: 'Be brief.' });
        await ask(parley, { message: 'What is a nebula?', session_id });
        assert.equal((await session(parley, session_id)).title,
            'What is a nebula?');
    });

    test('is not made of a command', async () => {
        const session_id = newSession();
        await ask(parley,
            { message: '/setcontext text="Be brief."', session_id });
        assert.equal((await session(parley, session_id)).title, '');
        await ask(parley, { message: 'What is a galaxy?', session_id });
        assert.equal((await session(parley, session_id)).title,
            'What is a galaxy?');
    });
});

describe('many messages of one session', () => {
    let parley;

    before(async () => {
        parley = await startParley({ env: { OFFLINE_DELAY_MS: '0' } });
    });
    after(async () => { await parley?.stop(); });

    test('50 at once: each finds the conversation two longer', async () => {
        const session_id = newSession();
        const said = Array.from({ length: 50 }, (_, i) => `message ${i}`);
        const got = await inParallel(said, 50,
            (message) => ask(parley, { message, session_id }));
        assert.deepEqual(got.map((r) => r.conversation_length)
            .sort((a, b) => a - b), said.map((_, i) => 2 * i + 2));
        const stored = await messagesOf(parley, session_id, '?limit=500');
        assert.deepEqual(stored.map((m) => m.seq), stored.map((_, i) => i));
        for (let i = 0; i < 100; i += 2) {
            const of = got[said.indexOf(stored[i].content)];
            assert.equal(of.conversation_length, i + 2);
            assert.equal(of.message_id, stored[i + 1].id);
        }
        assert.equal((await session(parley, session_id)).conversation_length,
            100);
    });

    test('200 messages keep their order', async () => {
        const session_id = newSession();
        for (let i = 0; i < 100; i++)
            await ask(parley, { message: `turn ${i}`, session_id });
        const all = await allMessagesOf(parley, session_id, 7);
        assert.equal(all.length, 200);
        assert.deepEqual(all.filter((m) => m.role === 'user')
            .map((m) => m.content),
        Array.from({ length: 100 }, (_, i) => `turn ${i}`));
        assert.deepEqual(all.map((m) => m.seq), all.map((_, i) => i));
    });
});
