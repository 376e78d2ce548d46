/* A provider that means harm, on each of the wires: floods, bombs, lies and
 * garbage. Every turn ends with an honest error within its time, memory stays
 * bounded at its highest, and the process serves on. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { ask, askEvents, assertError, metric, newSession, postJson }
    from '../lib/client.js';
import { SSE_HEAD, statusWire, textEvent } from '../lib/openai_bytes.js';
import { drip, startReplay, whole } from '../lib/replay.js';
import { assertPeakBelow, peakKib, startParley } from '../lib/server.js';
import { assertWholeTurn } from '../lib/sse.js';
import { delay } from '../lib/wait.js';
import { allWires, WIRES } from '../lib/wires.js';

const IDLE_MS = 1000;
const TOTAL_MS = 4000;
const MIB = 1024 * 1024;
const PEAK_MIB = 64; /* above what a process has that did nothing yet */

let replay;
let parley;
let pid;
let idleKib;

before(async () => {
    replay = await startReplay(whole(WIRES.openai.answer('fine')));
    parley = await startParley({ env: {
        ...allWires(replay.port), AI_PROVIDER: 'openai', AI_FALLBACK: 'none',
        UPSTREAM_RETRIES: '0', UPSTREAM_FIRST_BYTE_MS: String(IDLE_MS),
        UPSTREAM_IDLE_MS: String(IDLE_MS), UPSTREAM_TOTAL_MS: String(TOTAL_MS),
    } });
    await ask(parley, { message: 'warm up' });
    pid = parley.chatPid();
    idleKib = peakKib(pid);
});
after(async () => {
    await parley?.stop();
    await replay?.stop();
});

/* Send the head, then a piece again and again, up to so many MiB. */
function flood(head, piece, mib = 64) {
    const size = Buffer.byteLength(piece);
    const many = Buffer.from(size < 16384
        ? piece.repeat(Math.ceil(65536 / size)) : piece);
    return async (peer) => {
        await peer.write(head);
        for (let n = 0; n < mib * MIB && !peer.gone; n += many.length)
            await peer.write(many);
        peer.end();
    };
}

const head = (type, more = '') => 'HTTP/1.1 200 OK\r\n' +
    `Content-Type: ${type}\r\n${more}Connection: close\r\n\r\n`;
const NDJSON = head('application/x-ndjson');
const FRAMES = head('application/vnd.amazon.eventstream');
const JSON_BODY = head('application/json');
const kib64 = 'a'.repeat(65536);

/* A frame of AWS's event stream that claims these lengths. */
function frameHead(total, headers) {
    const b = Buffer.alloc(12);
    b.writeUInt32BE(total, 0);
    b.writeUInt32BE(headers, 4);
    return Buffer.concat([Buffer.from(FRAMES), b]);
}

/* Ask, and get an error in time. Without a provider: each of them. */
async function refused(word, script, provider) {
    replay.on(word, script);
    const began = performance.now();
    const r = await postJson(parley, '/chat', { message: word, provider,
        model: 'm' });
    const ms = performance.now() - began;
    assert.ok(r.status >= 422, `${provider}, ${word}: ${r.text}`);
    assertError(r, r.status);
    assert.ok(ms < TOTAL_MS + 6000, `${provider}, ${word}: ${ms} ms`);
    assert.doesNotMatch(r.text, /aaaa|hostile/);
    assert.equal(parley.chatPid(), pid, `${word}: it is still there`);
    return r;
}

const FLOODS = {
    openai: {
        'a line without end': flood(SSE_HEAD, kib64),
        'an event of endless lines': flood(SSE_HEAD, 'data: aaaaaaaa\n'),
        'a body without end': flood(JSON_BODY, '{"aaaa":'),
        'a name without end': flood(`${SSE_HEAD}event: `, kib64),
    },
    anthropic: {
        'a line without end': flood(`${SSE_HEAD}data: {"type":"`, kib64),
        'a body without end': flood(`${JSON_BODY}{"type":"message","a":"`,
            kib64),
    },
    gemini: {
        'a line without end': flood(`${SSE_HEAD}data: {"candidates":"`, kib64),
        'an array without end': flood(`${JSON_BODY}[`, '[[[['),
    },
    huggingface: {
        'a line without end': flood(`${SSE_HEAD}data: "`, kib64),
    },
    ollama: {
        'a line without end': flood(`${NDJSON}{"message":"`, kib64),
    },
    bedrock: {
        'a frame without end': flood(frameHead(0xffffffff, 0xfffffff0), kib64),
        'a body without end': flood(`${JSON_BODY}{"output":"`, kib64),
    },
};

describe('floods', () => {
    for (const [provider, all] of Object.entries(FLOODS))
        for (const [word, script] of Object.entries(all))
            test(`${provider}: ${word}`, async () => {
                await refused(`${word} of ${provider}`, script, provider);
                assertPeakBelow(pid, idleKib, PEAK_MIB * 1024, word);
            });

    test('an error without end, and one of 10 MB', async () => {
        const long = `HTTP/1.1 500 hostile\r\nContent-Type: application/json` +
            '\r\nConnection: close\r\n\r\n{"error":{"message":"';
        for (const provider of Object.keys(FLOODS)) {
            await refused(`hostile 500 of ${provider}`, flood(long, kib64, 10),
                provider);
            await refused(`hostile 429 of ${provider}`, whole(statusWire(429,
                {}, { error: { message: 'a'.repeat(10 * MIB) } })), provider);
        }
        assertPeakBelow(pid, idleKib, PEAK_MIB * 1024, 'errors');
    });

    test('headers without end: one long, many short, and announcements',
        async () => {
            const start = 'HTTP/1.1 200 OK\r\n';
            await refused('one long header', flood(`${start}X: `, kib64));
            await refused('many headers', flood(start, 'X-A: aaaa\r\n'));
            await refused('a long reason', flood('HTTP/1.1 200 ', kib64));
            await refused('announcements', flood('',
                'HTTP/1.1 103 Early Hints\r\nLink: <aaaa>\r\n\r\n', 16));
            assertPeakBelow(pid, idleKib, PEAK_MIB * 1024, 'headers');
        });

    test('chunks: a size without end, extensions without end', async () => {
        const chunked = head('text/event-stream',
            'Transfer-Encoding: chunked\r\n');
        await refused('a chunk size', flood(chunked, '0'.repeat(65536)));
        await refused('a chunk of 16 EB', flood(
            `${chunked}ffffffffffffffff\r\n`, kib64));
        await refused('a chunk extension', flood(`${chunked}1;`, kib64, 16));
        assertPeakBelow(pid, idleKib, PEAK_MIB * 1024, 'chunks');
    });

    const delta = (d) => `data: ${JSON.stringify({ choices: [
        { index: 0, delta: d, finish_reason: null }] })}\n\n`;
    const long = 'b'.repeat(8192);
    const WITHOUT_END = {
        'text': textEvent(long),
        'thoughts': delta({ reasoning_content: long }),
        'a call\'s arguments': delta({ tool_calls: [{ index: 0,
            function: { arguments: long } }] }),
        'calls': Array.from({ length: 256 }, (_, i) => delta({ tool_calls: [
            { index: i, id: `call-${i}`, type: 'function',
                function: { name: long, arguments: '{}' } }] })).join(''),
    };
    for (const [what, piece] of Object.entries(WITHOUT_END))
        test(`${what} without end: as much as an answer may have`,
            async () => {
                const word = `${what} without end`;
                replay.on(word, flood(SSE_HEAD + delta({ tool_calls: [{
                    index: 0, id: 'call-0', type: 'function',
                    function: { name: 'f', arguments: '' } }] }), piece, 32));
                const s = await askEvents(parley, { message: word,
                    session_id: newSession() });
                const events = await s.all();
                assertWholeTurn(events);
                const last = events.at(-1);
                assert.equal(last.data.finish_reason,
                    last.type === 'error' ? 'incomplete' : 'length');
                assert.match(s.text(), /^b*$/);
                assert.ok(s.raw.length < 40 * MIB, `${s.raw.length}`);
                /* The same for a client with tools of its own. */
                const r = await postJson(parley, '/v1/chat/completions', {
                    model: 'openai/m', stream: what !== 'text', tools: [
                        { type: 'function', function: { name: 'f' } }],
                    messages: [{ role: 'user', content: word }] });
                assert.match(r.text, /\{"error":\{"message":"[A-Z][^"]+",/);
                assertPeakBelow(pid, idleKib, PEAK_MIB * 1024, word);
            });
});

describe('bombs', () => {
    const bomb = gzipSync(Buffer.alloc(64 * MIB, 'data: {}\n\n'),
        { level: 1 });

    test('compression was not asked for, and is not undone', async () => {
        for (const provider of Object.keys(FLOODS)) {
            const word = `gzip for ${provider}`;
            await refused(word, whole(Buffer.concat([Buffer.from(
                head('text/event-stream', 'Content-Encoding: gzip\r\n')),
            bomb])), provider);
            const [{ headers }] = replay.about(word);
            assert.doesNotMatch(headers['accept-encoding'] ?? '',
                /gzip|deflate|br|zstd/);
        }
        await refused('gzip in transfer', whole(Buffer.concat([Buffer.from(
            head('text/event-stream', 'Transfer-Encoding: gzip\r\n')), bomb])));
        assertPeakBelow(pid, idleKib, PEAK_MIB * 1024, '64 MiB in gzip');
    });

    test('JSON that is very deep or very wide', async () => {
        const wires = {
            openai: (json) => `${SSE_HEAD}data: ${json}\n\n`,
            anthropic: (json) => `${SSE_HEAD}event: message_start\n` +
                `data: ${json}\n\n`,
            gemini: (json) => `${SSE_HEAD}data: ${json}\r\n\r\n`,
            ollama: (json) => `${NDJSON}${json}\n`,
            bedrock: (json) => JSON_BODY + json,
        };
        const deep = `${'{"a":['.repeat(100000)}1${']}'.repeat(100000)}`;
        const wide = `{${'"a":1,'.repeat(300000)}"b":2}`;
        const empty = `{"choices":[${'{},'.repeat(5 * MIB)}{}]}`;
        for (const [provider, wire] of Object.entries(wires))
            for (const [name, json] of Object.entries({ deep, wide, empty }))
                await refused(`${name} JSON of ${provider}`,
                    whole(Buffer.from(wire(json))), provider);
        assertPeakBelow(pid, idleKib, PEAK_MIB * 1024, 'JSON');
    });
});

describe('lies', () => {
    test('another content type than the body has', async () => {
        for (const provider of Object.keys(FLOODS))
            for (const type of ['image/png', 'text/html', 'application/zip']) {
                const word = `${type} of ${provider}`;
                const body = 'aaaa<!doctype html>\u0000\u0001hostile'
                    .repeat(99);
                await refused(word, whole(Buffer.from(head(type) + body)),
                    provider);
            }
    });

    test('a length that is not that of the body', async () => {
        const body = textEvent('Half');
        for (const [word, length] of [['too long', body.length + 99],
            ['absurd', '99999999999999999999'], ['negative', '-1'],
            ['two lengths', '5\r\nContent-Length: 6']]) {
            const message = `length ${word}`;
            replay.on(message, whole(head('text/event-stream',
                `Content-Length: ${length}\r\n`) + body));
            const s = await askEvents(parley, { message });
            const last = (await s.all()).at(-1);
            assert.equal(last.type, 'error', word);
            assert.ok(['', 'Half'].includes(s.text()), word);
        }
    });

    test('bytes that are no text, in an answer that is else whole',
        async () => {
            const broken = Buffer.concat([Buffer.from(SSE_HEAD),
                Buffer.from(textEvent('Good ')),
                Buffer.from(textEvent('@@@@').replace('@@@@', '\u0001')),
                Buffer.from(textEvent('@@@@')).map((b) =>
                    (b === 0x40 ? 0xff : b)),
                Buffer.from('data: {"choices":[{"index":0,"delta":{},' +
                    '"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n')]);
            replay.on('no text', whole(broken));
            const s = await askEvents(parley, { message: 'no text' });
            assertWholeTurn(await s.all());
            assert.match(s.text(), /^Good /);
            assert.ok(s.text().isWellFormed());
        });
});

describe('patience', () => {
    const slowly = (start, piece) => async (peer) => {
        await peer.write(start);
        while (!peer.gone) {
            await peer.write(piece);
            await delay(100);
        }
    };

    test('headers, comments or pings that never stop end with the time that ' +
        'an answer has', async () => {
        const slow = {
            'slow headers': [slowly('HTTP/1.1 200 OK\r\n', 'X: a\r\n')],
            'slow comments': [slowly(SSE_HEAD, ': aaaa\n\n')],
            'slow pings': [slowly(SSE_HEAD, 'event: ping\n' +
                'data: {"type": "ping"}\n\n'), 'anthropic'],
            'slow lines': [slowly(NDJSON, '\n'), 'ollama'],
        };
        await Promise.all(Object.entries(slow).map(
            async ([word, [script, provider]]) => {
                const r = await refused(word, script, provider);
                assertError(r, 504, 'provider_timeout');
            }));
    });

    test('an answer that only drips stays alive', async () => {
        const bytes = WIRES.openai.answer('Drop by drop by drop.');
        replay.on('drop', drip(bytes, Math.ceil(bytes.length / 20), 100));
        const began = performance.now();
        const body = await ask(parley, { message: 'drop by drop' });
        assert.equal(body.message, 'Drop by drop by drop.');
        assert.ok(performance.now() - began > IDLE_MS, 'longer than silence');
    });
});

test('after all that it is as it was', async () => {
    for (const provider of Object.keys(FLOODS)) {
        const word = `well, ${provider}`;
        replay.on(word, whole(WIRES[provider].answer('As before.')));
        assert.equal((await ask(parley, { message: word, provider,
            model: 'm' })).message, 'As before.');
    }
    assert.equal(parley.chatPid(), pid);
    assert.equal(await metric(parley, 'parley_turns_running'), 0);
    assert.doesNotMatch(parley.log(), /aaaa/);
});
