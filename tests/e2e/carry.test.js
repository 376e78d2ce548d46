/* Conversations carried away and back: export, import, fork. */

import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { ask, call, messagesOf, newSession, postJson }
    from '../lib/client.js';
import { assertGrownBelow, memoryKib, startParley } from '../lib/server.js';
import { delay, until } from '../lib/wait.js';

const ZERO = '00000000-0000-0000-0000-000000000000';

let parley;

before(async () => { parley = await startParley(); });
after(() => parley.stop());

const patch = (id, body) => call(parley, `/sessions/${id}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
});
const remove = (id) => call(parley, `/sessions/${id}`, { method: 'DELETE' });
const pull = (id, format = 'json') =>
    call(parley, `/sessions/${id}/export?format=${format}`);

async function bring(file) {
    const r = await postJson(parley, '/import',
        typeof file === 'string' ? file : JSON.stringify(file));
    assert.equal(r.status, 200, r.text);
    return r.body;
}

/* A session with a branch, a context, tags and a title. */
async function rich() {
    const id = newSession();
    const first = await ask(parley, { message: 'one "é" 🦊\n', session_id: id });
    const { body } = await call(parley, `/sessions/${id}/messages`);
    await ask(parley, { message: 'two', session_id: id });
    await ask(parley, {
        message: 'two, otherwise', session_id: id,
        parent_message_id: body.messages[1].id,
    });
    const r = await patch(id, {
        title: 'A title', context: 'Be brief.', tags: ['a', 'b c'],
        pinned: true,
    });
    assert.equal(r.status, 200, r.text);
    return { id, first };
}

const said = (m) => [m.id, m.role, m.content, m.parent_id, m.timestamp,
    m.finish_reason];

async function look(id) {
    const [s, m] = await Promise.all([call(parley, `/sessions/${id}`),
        call(parley, `/sessions/${id}/messages`)]);
    assert.equal(s.status, 200, s.text);
    const { session_id, ...rest } = s.body;
    assert.equal(session_id, id);
    return { ...rest, messages: m.body.messages.map(said) };
}

describe('export', () => {
    test('a session as JSON: branches, context, tags', async () => {
        const { id } = await rich();
        const r = await pull(id);
        assert.equal(r.status, 200, r.text);
        assert.match(r.headers.get('content-type'), /^application\/json/);
        assert.equal(r.headers.get('content-disposition'),
            `attachment; filename="parley-${id}.json"`);
        assert.equal(r.body.format, 'parley');
        const [s] = r.body.sessions;
        assert.equal(s.messages.length, 6);
        assert.equal(s.title, 'A title');
        assert.equal(s.context, 'Be brief.');
        assert.deepEqual(s.tags, ['a', 'b c']);
        assert.equal(s.messages[0].content, 'one "é" 🦊\n');
        assert.equal(s.messages[4].parent_id, s.messages[1].id);
    });

    test('lines, Markdown, and what is no format', async () => {
        const { id } = await rich();
        const lines = await pull(id, 'jsonl');
        assert.equal(lines.text.trimEnd().split('\n').length, 1);
        assert.equal(JSON.parse(lines.text).messages.length, 6);
        const md = await pull(id, 'md');
        assert.match(md.headers.get('content-type'), /^text\/markdown/);
        assert.match(md.text, /A title/);
        assert.match(md.text, /two, otherwise/);
        assert.equal((await pull(id, 'doc')).status, 400);
        assert.equal((await pull(newSession())).status, 404);
    });

    test('HEAD has no body', async () => {
        const { id } = await rich();
        const r = await call(parley, `/sessions/${id}/export`,
            { method: 'HEAD' });
        assert.equal(r.status, 200);
        assert.equal(r.text, '');
    });

    test('all sessions, also archived ones', async () => {
        const { id } = await rich();
        const other = newSession();
        await ask(parley, { message: 'hello', session_id: other });
        await patch(other, { archived: true });
        const r = await call(parley, '/export');
        const ids = r.body.sessions.map((s) => s.session_id ?? s.id);
        assert.ok(ids.includes(id) && ids.includes(other), ids.join());
        assert.equal(new Set(ids).size, ids.length);
    });

    test('who sees no list gets an empty file', async () => {
        const shut = await startParley({ env: { LIST_ANONYMOUS: 'none' } });
        try {
            await ask(shut, { message: 'hello' });
            const r = await call(shut, '/export');
            assert.equal(r.status, 200, r.text);
            assert.deepEqual(r.body.sessions, []);
        } finally {
            await shut.stop();
        }
    });
});

describe('import', () => {
    test('what was exported and deleted comes back as it was', async () => {
        const { id } = await rich();
        const file = await pull(id);
        const was = await look(id);
        assert.equal((await remove(id)).status, 200);
        assert.deepEqual(await bring(file.text),
            { sessions: 1, messages: 6, left_out: 0, faults: [] });
        const is = await look(id);
        assert.deepEqual(is, { ...was, updated_at: is.updated_at });
        assert.equal((await pull(id)).body.sessions[0].messages.length, 6);
    });

    test('the line that is shown is the one that was', async () => {
        const { id } = await rich();
        const [s] = (await pull(id)).body.sessions;
        assert.equal(s.head, undefined);
        const old = s.messages[3].id;
        assert.equal((await patch(id, { leaf: old })).status, 200);
        const file = await pull(id);
        assert.equal(file.body.sessions[0].head, old);
        const was = await look(id);
        await remove(id);
        await bring(file.text);
        const is = await look(id);
        assert.deepEqual(is, { ...was, updated_at: is.updated_at });
        assert.equal(is.messages.at(-1)[0], old);
    });

    test('what is still there stays, and comes a second time', async () => {
        const { id } = await rich();
        const file = await pull(id);
        const was = await look(id);
        const before = (await call(parley, '/sessions')).body.sessions.length;
        assert.equal((await bring(file.text)).sessions, 1);
        assert.deepEqual(await look(id), was);
        const list = (await call(parley, '/sessions')).body.sessions;
        assert.equal(list.length, before + 1);
    });

    test('a conversation goes on, is found, and belongs to no turn',
        async () => {
            const r = await bring([{ role: 'user', content: 'jackfruit?' },
                { role: 'assistant', content: 'It is a fruit.' }]);
            assert.equal(r.sessions, 1);
            const found = await until('the import to be found', async () => {
                const f = await call(parley, '/sessions?q=jackfruit');
                return f.body.sessions[0];
            });
            const id = found.session_id;
            const m = await messagesOf(parley, id);
            assert.deepEqual(m.map((x) => x.content),
                ['jackfruit?', 'It is a fruit.']);
            assert.ok(m.every((x) => x.turn_id === null && x.id !== ZERO));
            const next = await ask(parley, { message: 'more', session_id: id });
            assert.equal(next.conversation_length, 4);
            assert.equal((await remove(id)).status, 200);
        });

    test('ChatGPT\'s conversations.json', async () => {
        const node = (id, parent, role, text, children) => ({
            id, parent, children, message: {
                id, author: { role }, create_time: 1700000000,
                content: { content_type: 'text', parts: [text] },
            },
        });
        const r = await bring([{
            title: 'Trip '.repeat(100), create_time: 1700000000,
            update_time: 1700000100, current_node: 'c',
            mapping: {
                a: { id: 'a', message: null, parent: null, children: ['b'] },
                b: node('b', 'a', 'user', 'Where to?', ['c']),
                c: node('c', 'b', 'assistant', 'To the lychee sea.', []),
            },
        }]);
        assert.equal(r.sessions, 1);
        assert.equal(r.messages, 2);
        const { body } = await call(parley, '/sessions?limit=500');
        const s = body.sessions.find((x) => x.title.startsWith('Trip'));
        assert.ok(Buffer.byteLength(s.title) <= 256);
        assert.equal(s.created_at, '2023-11-14T22:13:20.000Z');
    });

    test('one that cannot be taken is a fault, the others are there',
        async () => {
            const file = [
                JSON.stringify({ messages: [{ role: 'user', content: 'a' }] }),
                '{"messages": broken',
                JSON.stringify({ messages: [{ role: 'user', content: 'b' }] }),
            ].join('\n');
            const r = await bring(file);
            assert.equal(r.sessions, 2);
            assert.equal(r.faults.length, 1);
            assert.equal(r.faults[0].item, 2);
            assert.equal(typeof r.faults[0].rule, 'string');
        });

    test('what is no file of conversations: 400', async () => {
        for (const text of ['', 'hello', '[1, 2', '{"a":']) {
            const r = await postJson(parley, '/import', text);
            assert.equal(r.status, 400, `${text}: ${r.status} ${r.text}`);
        }
    });

    test('limits are told', async () => {
        const small = await startParley(
            { env: { MAX_SESSIONS: '1', MAX_MESSAGES: '2' } });
        try {
            const line = (n) => JSON.stringify({
                messages: Array.from({ length: n }, (_, i) => ({
                    role: i % 2 ? 'assistant' : 'user', content: `m${i}`,
                })),
            });
            const r = await postJson(small, '/import',
                [line(4), line(2), line(2)].join('\n'));
            assert.equal(r.body.sessions, 1, r.text);
            assert.deepEqual(r.body.faults, [
                { item: 1, rule: 'it has too many messages' },
                { item: 3, rule: 'there are too many sessions' },
            ]);
        } finally {
            await small.stop();
        }
    });

    test('a thousand conversations, and all of them again from the export',
        async () => {
            const file = Array.from({ length: 1000 }, (_, i) =>
                JSON.stringify({ messages: [
                    { role: 'user', content: `question ${i}` },
                    { role: 'assistant', content: `answer ${i}` }] }));
            const other = await startParley();
            try {
                const r = await postJson(other, '/import', file.join('\n'));
                assert.equal(r.body.sessions, 1000, r.text.slice(0, 200));
                const out = await call(other, '/export?format=jsonl');
                const lines = out.text.trimEnd().split('\n');
                assert.equal(lines.length, 1000);
                const again = await startParley();
                try {
                    const b = await postJson(again, '/import', out.text);
                    assert.equal(b.body.messages, 2000);
                    const back = await call(again, '/export?format=jsonl');
                    assert.equal(back.text, out.text);
                } finally {
                    await again.stop();
                }
            } finally {
                await other.stop();
            }
        });
});

describe('every door', () => {
    const text = 'é'.repeat(300000);
    const file = { messages: Array.from({ length: 20 }, (_, i) =>
        ({ role: i % 2 ? 'assistant' : 'user', content: `${i} ${text}` })) };

    for (const door of ['lighttpd-cgi', 'apache-cgi'])
        test(`${door}: megabytes in, and the same out`, async () => {
            const other = await startParley({ door });
            try {
                const r = await postJson(other, '/import', file);
                assert.equal(r.status, 200, r.text);
                assert.equal(r.body.messages, 20);
                const out = await call(other, '/export');
                assert.deepEqual(
                    out.body.sessions[0].messages.map((m) => m.content),
                    file.messages.map((m) => m.content));
            } finally {
                await other.stop();
            }
        });

    test('a fork of many megabytes is written in parts', async () => {
        const other = await startParley();
        try {
            await postJson(other, '/import', file);
            const { body } = await call(other, '/sessions');
            const r = await postJson(other,
                `/sessions/${body.sessions[0].session_id}/fork`, {});
            assert.equal(r.status, 201, r.text);
            assert.equal(r.body.conversation_length, 20);
            const out = await call(other, '/export');
            const [a, b] = out.body.sessions.map((s) =>
                s.messages.map((m) => m.content));
            assert.deepEqual(a, b);
        } finally {
            await other.stop();
        }
    });
});

describe('a client that reads slowly', () => {
    test('costs one piece of memory, and nobody else waits', async () => {
        const id = newSession();
        const text = 'x'.repeat(1000000);
        const file = { messages: Array.from({ length: 15 }, (_, i) =>
            ({ role: i % 2 ? 'assistant' : 'user', content: text })) };
        for (let i = 0; i < 3; i++)
            assert.equal((await bring(file)).sessions, 1);
        const pid = parley.chatPid();
        const before = memoryKib(pid);
        const slow = [];
        for (let i = 0; i < 8; i++)
            slow.push(await new Promise((resolve, reject) => {
                http.get(`${parley.url}/export`, (r) => {
                    r.pause();
                    resolve(r);
                }).once('error', reject);
            }));
        await delay(500);
        await ask(parley, { message: 'hello', session_id: id });
        assertGrownBelow(pid, before, 40000, 'with eight that do not read');
        let bytes = 0;
        for (const r of slow.slice(1))
            r.destroy();
        for await (const piece of slow[0])
            bytes += piece.length;
        assert.ok(bytes > 45000000, `${bytes} bytes`);
    });
});

describe('fork', () => {
    test('the line up to a message, as a session of its own', async () => {
        const { id } = await rich();
        const was = await messagesOf(parley, id);
        const at = was[1].id;
        const r = await postJson(parley, `/sessions/${id}/fork`,
            { from_message_id: at });
        assert.equal(r.status, 201, r.text);
        assert.equal(r.body.forked_from, id);
        assert.equal(r.body.title, 'A title');
        assert.deepEqual(r.body.tags, ['a', 'b c']);
        const fork = r.body.session_id;
        const is = await messagesOf(parley, fork);
        assert.deepEqual(is.map((m) => m.content),
            was.slice(0, 2).map((m) => m.content));
        assert.ok(is.every((m) => !was.some((w) => w.id === m.id)));
        const s = await call(parley, `/sessions/${fork}`);
        assert.equal(s.body.context, 'Be brief.');
        await ask(parley, { message: 'onwards', session_id: fork });
        assert.equal((await messagesOf(parley, id)).length, was.length);
        assert.equal((await remove(fork)).status, 200);
        assert.deepEqual((await messagesOf(parley, id)).map(said),
            was.map(said));
    });

    test('of an old branch, and without a message: of the line that is shown',
        async () => {
            const { id } = await rich();
            const [s] = (await pull(id)).body.sessions;
            const old = await postJson(parley, `/sessions/${id}/fork`,
                { from_message_id: s.messages[3].id });
            assert.equal(old.status, 201, old.text);
            assert.deepEqual(
                (await messagesOf(parley, old.body.session_id))
                    .map((m) => m.content),
                s.messages.slice(0, 4).map((m) => m.content));
            const now = await postJson(parley, `/sessions/${id}/fork`, '');
            assert.equal(now.status, 201, now.text);
            assert.equal(now.body.conversation_length, 4);
        });

    test('what is not there: 404; what is empty: 400', async () => {
        const { id } = await rich();
        const other = await postJson(parley, `/sessions/${id}/fork`,
            { from_message_id: ZERO });
        assert.equal(other.status, 404);
        assert.equal(other.body.code, 'message_not_found');
        const none = await postJson(parley, `/sessions/${newSession()}/fork`,
            {});
        assert.equal(none.body.code, 'session_not_found');
        const empty = await postJson(parley, '/sessions', {});
        const r = await postJson(parley,
            `/sessions/${empty.body.session_id}/fork`, {});
        assert.equal(r.status, 400, r.text);
    });

    test('a foreign page may not', async () => {
        const { id } = await rich();
        for (const path of [`/sessions/${id}/fork`, '/import']) {
            const r = await postJson(parley, path, {},
                { origin: 'http://elsewhere.example' });
            assert.equal(r.status, 403, path);
        }
    });
});
