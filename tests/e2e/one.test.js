/* Where a host allows no process to stay, one process answers one request. */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { answerOne } from '../lib/one.js';

let data;

before(async () => { data = await mkdtemp(join(tmpdir(), 'parley-one-')); });
after(() => rm(data, { recursive: true, force: true }));

const one = (...request) => answerOne(data, ...request);

test('a message is answered and stored by one process alone', async () => {
    const asked = await one('POST', '/chat', 'message=hello&session_id=s1');
    assert.equal(asked.code, 0, asked.out);
    assert.match(asked.out, /^Status: 200 /m);
    assert.equal(JSON.parse(asked.out.split('\r\n\r\n')[1])
        .conversation_length, 2);
    const listed = await one('GET', '/sessions/s1/messages');
    const { messages } = JSON.parse(listed.out.split('\r\n\r\n')[1]);
    assert.deepEqual(messages.map((m) => m.role), ['user', 'assistant']);
});

test('an answer streams to its end before the process leaves', async () => {
    const { code, out } = await one('POST', '/chat', 'message=hello',
        { HTTP_ACCEPT: 'text/event-stream' });
    assert.equal(code, 0);
    assert.match(out, /event: response_start/);
    assert.match(out, /event: response_complete/);
});

test('a file of megabytes is sent to its end before the process leaves',
    async () => {
        const content = 'word '.repeat(200000);
        const file = JSON.stringify({ messages: Array.from({ length: 5 },
            (_, i) => ({ role: i % 2 ? 'assistant' : 'user', content })) });
        const taken = await one('POST', '/import', file);
        assert.match(taken.out, /"messages":5/);
        const { out } = await one('GET', '/export', '',
            { LIST_ANONYMOUS: 'all' });
        const { sessions } = JSON.parse(out.split('\r\n\r\n')[1]);
        assert.ok(sessions.some((s) => s.messages.length === 5 &&
            s.messages[4].content === content));
    });

test('a wrong request is an error, as everywhere', async () => {
    const { out } = await one('POST', '/chat', 'message=');
    assert.match(out, /^Status: 400 /m);
    assert.match(out, /Missing required parameter: message/);
});

test('events of a session are what is new, and then the reply ends',
    async () => {
        const path = '/sessions/watched/events';
        const post = () => one('POST', '/chat',
            'message=hello&session_id=watched');
        const names = ({ out }) => out.match(/^event: .*$/mg) ?? [];
        const lastId = ({ out }) => out.match(/^id: .*$/mg).at(-1).slice(4);
        await post();
        const first = await one('GET', path);
        assert.equal(first.code, 0);
        assert.match(first.out, /^Status: 200 /m);
        assert.deepEqual(names(first), ['event: session']);
        const none = await one('GET', path, '',
            { HTTP_LAST_EVENT_ID: lastId(first) });
        assert.match(none.out, /^retry: 5000$/m);
        assert.deepEqual(names(none), []);
        await post();
        const more = await one('GET', path, '',
            { HTTP_LAST_EVENT_ID: lastId(first) });
        assert.deepEqual(names(more),
            ['event: message_added', 'event: message_added']);
        await one('DELETE', '/sessions/watched');
        const gone = await one('GET', path, '',
            { HTTP_LAST_EVENT_ID: lastId(more) });
        assert.match(gone.out, /^Status: 404 /m);
    });
