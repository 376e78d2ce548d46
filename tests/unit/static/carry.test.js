/* What an import tells while it runs and at its end, and files made here. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collect, eventReader, importResult }
    from '../../../static/js/later/carry.js';
import { outcome, progressText } from '../../../static/js/later/data.js';

const SSE = 'text/event-stream; charset=utf-8';
const event = (type, data) =>
    `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
const done = { sessions: 2, messages: 5, left_out: 0, faults: [] };

test('events are read once each, wherever the text was cut', () => {
    const text = `retry: 1000\n\n: ping\n\n${event('import_progress',
        { bytes: 1 })}${event('import_complete', done)}`;
    for (let cut = 0; cut <= text.length; cut++) {
        const types = [];
        const reader = eventReader((type) => types.push(type));
        reader.push(text.slice(0, cut));
        reader.push(text.slice(cut));
        assert.deepEqual(types, ['import_progress', 'import_complete'],
            `cut at ${cut}`);
    }
});

test('lines may end in any way, and an event name itself', () => {
    const told = [];
    eventReader((...event) => told.push(event)).push(
        'data:{"type":"import_progress",\r\ndata: "bytes":3}\r\n\r\n');
    assert.deepEqual(told, [['import_progress',
        { type: 'import_progress', bytes: 3 }]]);
});

test('a stream that ends well gives its last word', () => {
    const text = event('import_progress', { bytes: 9 }) +
        event('import_complete', done);
    assert.deepEqual(importResult(200, SSE, text), done);
    assert.deepEqual(importResult(200, SSE, text.trimEnd()), done);
});

test('one JSON reply is understood, too', () => {
    assert.deepEqual(importResult(200, 'application/json',
        JSON.stringify(done)), done);
});

test('what went wrong is told in a stream, as a reply and as nothing', () => {
    const problem = { error: 'Disk full', message: 'Make room.',
        code: 'store_full' };
    assert.throws(() => importResult(200, SSE, event('error', problem)),
        { message: 'Disk full', hint: 'Make room.', code: 'store_full' });
    assert.throws(() => importResult(507, 'application/json',
        JSON.stringify(problem)), { message: 'Disk full', status: 507 });
    assert.throws(() => importResult(413, 'text/html', '<html>'),
        { message: 'This file is too large' });
    assert.throws(() => importResult(502, 'text/html', '<html>'),
        { status: 502 });
    assert.throws(() => importResult(200, SSE, event('import_progress', {})),
        /broke off/);
});

test('the outcome in words', () => {
    const [said, notes] = outcome({ sessions: 1, messages: 2, left_out: 3,
        faults: [{ item: 4, rule: 'no messages' }] });
    assert.equal(said, '1 conversation with 2 messages came in.');
    assert.equal(notes[0], 'Number 4: no messages');
    assert.match(notes[1], /^3 parts/);
    const many = outcome({ sessions: 0, messages: 0, left_out: 0,
        faults: Array.from({ length: 150 }, (_, item) =>
            ({ item, rule: 'x' })) })[1];
    assert.equal(many.length, 101);
    assert.match(many.at(-1), /50 more/);
});

test('sending and reading are told apart', () => {
    assert.match(progressText({ done: 5e5, total: 2e6 }),
        /^Sending: 0.5 MB of 2.0 MB$/);
    assert.match(progressText({ done: 2e6, total: 2e6, sessions: 1 }),
        /^Reading: .*, 1 conversation$/);
});

test('a file is made of those that are there, in each format', async () => {
    globalThis.fetch = async (url) => {
        const [, id, format] =
            /sessions\/(\w+)\/export\?format=(\w+)/.exec(url);
        const body = { json: `{"format":"parley","sessions":[{"id":"${id}"}]}`,
            jsonl: `{"id":"${id}"}\n`, md: `# ${id}\n` }[format];
        return id === 'gone' ? new Response('{}', { status: 404 })
            : new Response(body);
    };
    const ids = ['a', 'gone', 'b'];
    assert.deepEqual(JSON.parse(await collect(ids, 'json')), {
        format: 'parley', version: 1, sessions: [{ id: 'a' }, { id: 'b' }] });
    assert.equal(await collect(ids, 'jsonl'), '{"id":"a"}\n{"id":"b"}\n');
    assert.equal(await collect(ids, 'md'), '# a\n\n\n# b\n');
    globalThis.fetch = async () => new Response('{"error":"Busy"}',
        { status: 503 });
    await assert.rejects(collect(['a'], 'json'), /Busy/);
});
