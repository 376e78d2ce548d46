/* A provider that fails: too busy, too slow, wrong, gone. What is tried again,
 * what is not, and what the user is told. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ask, askEvents, assertError, call, messagesOf, newSession, postJson }
    from '../lib/client.js';
import { errorBody, replyEvents, replyWire, SSE_HEAD, textEvent }
    from '../lib/openai_bytes.js';
import { cut, hold, silence, startReplay, status, whole }
    from '../lib/replay.js';
import { assertGrownBelow, freePort, memoryKib, startParley }
    from '../lib/server.js';

const KEY = 'sk-very-secret-key-0123456789';
const WAIT_MS = 1200; /* the provider's time for a first byte, and between */
const OK = whole(replyWire(['fine']));

let replay;
let parley;

before(async () => {
    replay = await startReplay(OK);
    parley = await startParley({ env: {
        ...replay.env(KEY), UPSTREAM_RETRIES: '2',
        UPSTREAM_FIRST_BYTE_MS: String(WAIT_MS),
        UPSTREAM_IDLE_MS: String(WAIT_MS),
    } });
});
after(async () => {
    await parley?.stop();
    await replay?.stop();
});

const post = (message, more) =>
    postJson(parley, '/chat', { message, ...more });

/* The times between the requests about a word, in ms. */
function gaps(word) {
    const at = replay.about(word).map((r) => r.at);
    return at.slice(1).map((t, i) => t - at[i]);
}

describe('what is tried again', () => {
    test('429 with Retry-After: after that time', async () => {
        replay.on('busy 1', status(429, { 'Retry-After': '1' },
            errorBody('slow down', 'requests', 'rate_limit_exceeded')), OK);
        const r = await post('busy 1');
        assert.equal(r.status, 200, r.text);
        assert.equal(r.body.message, 'fine');
        assert.ok(gaps('busy 1')[0] >= 950, String(gaps('busy 1')));
    });

    test('retry-after-ms goes before Retry-After', async () => {
        replay.on('busy 2', status(429, { 'retry-after-ms': '100',
            'Retry-After': '30' }, errorBody('slow down')), OK);
        assert.equal((await post('busy 2')).status, 200);
        assert.ok(gaps('busy 2')[0] >= 95, String(gaps('busy 2')));
        assert.ok(gaps('busy 2')[0] < 15000, 'not the 30 s');
    });

    test('Retry-After as a date', async () => {
        const date = new Date(Date.now() + 2000).toUTCString();
        replay.on('busy 3', status(503, { 'Retry-After': date },
            errorBody('later')), OK);
        assert.equal((await post('busy 3')).status, 200);
        const [, again] = replay.about('busy 3');
        assert.ok(performance.timeOrigin + again.at >= Date.parse(date) - 2,
            'not before that date'); /* 2 ms: two clocks */
    });

    test('500 twice, then the answer', async () => {
        replay.on('flaky', status(500, {}, errorBody('oops')),
            status(502, {}, '<html>bad gateway</html>'), OK);
        const r = await post('flaky');
        assert.equal(r.status, 200, r.text);
        assert.equal(replay.about('flaky').length, 3);
    });

    for (const code of [408, 409, 429, 500, 502, 503, 504, 529])
        test(`${code}, after the time that it says`, async () => {
            const word = `again ${code}`;
            replay.on(word, status(code, { 'retry-after-ms': '40' },
                errorBody('later')), OK);
            assert.equal((await post(word)).status, 200);
            assert.equal(gaps(word).length, 1);
            assert.ok(gaps(word)[0] >= 40, `${gaps(word)}`);
        });

    test('a connection that is closed without a byte', async () => {
        replay.on('closed early', cut(Buffer.alloc(0), 0), OK);
        assert.equal((await post('closed early')).status, 200);
        replay.on('reset early',
            cut(Buffer.alloc(0), 0, { reset: true }), OK);
        assert.equal((await post('reset early')).status, 200);
    });

    test('x-should-retry: true goes before the status', async () => {
        replay.on('told to', status(400, { 'x-should-retry': 'true' },
            errorBody('odd')), OK);
        assert.equal((await post('told to')).status, 200);
    });

    test('500 for ever: three requests and an honest 502', async () => {
        replay.on('hopeless', status(500, {}, errorBody('inner story 77')));
        const r = await post('hopeless');
        assertError(r, 502);
        assert.equal(replay.about('hopeless').length, 3);
        assert.doesNotMatch(r.text, /inner story 77/);
    });

    test('429 for ever ends as well, and says when to come back', async () => {
        replay.on('overrun', status(429, { 'retry-after-ms': '20' },
            errorBody('slow down')));
        const r = await post('overrun');
        assert.ok([429, 502, 503].includes(r.status), r.text);
        assertError(r, r.status);
        assert.equal(replay.about('overrun').length, 3);
    });
});

describe('what is not tried again', () => {
    for (const code of [400, 401, 402, 403, 404, 413, 422])
        test(`a ${code}`, async () => {
            replay.on(`refused ${code}`, status(code, {}, errorBody(
                `Incorrect API key provided: ${KEY}.`, 'invalid', 'bad')));
            const r = await post(`refused ${code}`);
            assert.ok(r.status >= 400, r.text);
            assertError(r, r.status);
            assert.equal(replay.about(`refused ${code}`).length, 1);
            assert.doesNotMatch(r.text, new RegExp(KEY));
        });

    test('a 401 of the provider is our 502, not the user\'s 401', async () => {
        replay.on('wrong key', status(401, {}, errorBody('no')));
        assertError(await post('wrong key'), 502);
    });

    test('429 because the money is spent', async () => {
        replay.on('no money', status(429, {}, errorBody(
            'You exceeded your current quota', 'insufficient_quota',
            'insufficient_quota')));
        const r = await post('no money');
        assertError(r, r.status);
        assert.equal(replay.about('no money').length, 1);
    });

    test('x-should-retry: false goes before the status', async () => {
        replay.on('told not to', status(500, { 'x-should-retry': 'false' },
            errorBody('no use')));
        assertError(await post('told not to'), 502);
        assert.equal(replay.about('told not to').length, 1);
    });

    test('anything once text was shown', async () => {
        const part = replyEvents(['shown']).slice(0, 2).join('');
        replay.on('shown once', whole(SSE_HEAD + part));
        const s = await askEvents(parley, { message: 'shown once' });
        await s.all();
        assert.equal(s.text(), 'shown');
        assert.equal(s.events.at(-1).type, 'error');
        assert.equal(replay.about('shown once').length, 1);
    });
});

describe('a provider too slow', () => {
    test('no byte in time is 504 provider_timeout', async () => {
        replay.on('mute', silence());
        const r = await post('mute');
        assertError(r, 504, 'provider_timeout');
    });

    test('silence in the middle keeps what was said, as incomplete',
        async () => {
            const session_id = newSession();
            const said = replyEvents(['Half a ']).slice(0, 2).join('');
            const script = hold(SSE_HEAD + said);
            replay.on('stalls', script);
            const s = await askEvents(parley,
                { message: 'stalls', session_id });
            const last = (await s.all()).at(-1);
            assert.equal(last.type, 'error');
            assert.equal(last.data.code, 'provider_timeout');
            assert.equal(last.data.retryable, true);
            assert.equal(last.data.content, 'Half a ');
            const stored = (await messagesOf(parley, session_id)).at(-1);
            assert.equal(stored.content, 'Half a ');
            assert.equal(stored.finish_reason, 'incomplete');
            const peer = await script.started;
            await peer.closed;
        });

    test('nobody at the address is 502', async () => {
        const nowhere = await startParley({ env: {
            ...replay.env(KEY), UPSTREAM_RETRIES: '0',
            OPENAI_BASE_URL: `http://127.0.0.1:${await freePort()}/v1`,
        } });
        try {
            assertError(await postJson(nowhere, '/chat', { message: 'x' }),
                502);
            const s = await askEvents(nowhere, { message: 'x' });
            const last = (await s.all()).at(-1);
            assert.equal(last.type, 'error');
            assert.equal(last.data.retryable, true);
        } finally {
            await nowhere.stop();
        }
    });
});

describe('a provider that talks nonsense', () => {
    const html = '<html><body>Welcome to the captive portal</body></html>';
    const nonsense = {
        'a web page': Buffer.from('HTTP/1.1 200 OK\r\nContent-Type: text/html' +
            `\r\nContent-Length: ${html.length}\r\n\r\n${html}`),
        'no HTTP': Buffer.from('\x16\x03\x01 hello? \r\n\r\n\r\n'),
        'random bytes': Buffer.concat([Buffer.from(SSE_HEAD),
            Buffer.from(Array.from({ length: 4096 },
                (_, i) => (i * 7919) >> 3 & 255))]),
        'events of no JSON': Buffer.from(`${SSE_HEAD}data: {nope\n\n` +
            'data: also no JSON\n\n'),
        'an empty body': Buffer.from(SSE_HEAD),
        'an error in the stream': Buffer.from(`${SSE_HEAD}data: ` +
            `${JSON.stringify(errorBody(`inner story 78 ${KEY}`))}\n\n`),
        'an event named error': Buffer.from(`${SSE_HEAD}event: error\ndata: ` +
            `${JSON.stringify(errorBody('inner story 78'))}\n\n`),
        'a redirect': Buffer.from('HTTP/1.1 302 Found\r\nLocation: ' +
            'http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n'),
    };
    for (const [name, bytes] of Object.entries(nonsense))
        test(`${name} is an honest error`, async () => {
            replay.on(name, whole(bytes));
            const r = await post(name);
            assert.ok(r.status >= 500, r.text);
            assertError(r, r.status);
            assert.doesNotMatch(r.text, /inner story|captive|sk-very/);
        });

    test('an error after some text keeps the text', async () => {
        const session_id = newSession();
        replay.on('fails late', whole(SSE_HEAD + textEvent('So far ') +
            `data: ${JSON.stringify(errorBody('overloaded'))}\n\n`));
        const s = await askEvents(parley,
            { message: 'fails late', session_id });
        const last = (await s.all()).at(-1);
        assert.equal(last.type, 'error');
        assert.equal(last.data.content, 'So far ');
        const stored = (await messagesOf(parley, session_id)).at(-1);
        assert.equal(stored.content, 'So far ');
        assert.equal(stored.finish_reason, 'incomplete');
    });

    test('a line without end, and headers without end, are cut off',
        async () => {
            const endless = (start, piece) => async (peer) => {
                await peer.write(start);
                for (let i = 0; i < 64 * 16 && !peer.gone; i++)
                    await peer.write(piece);
                peer.end();
            };
            const kib64 = Buffer.alloc(64 * 1024, 0x61);
            replay.on('endless line', endless(`${SSE_HEAD}data: "`, kib64));
            replay.on('endless head', endless('HTTP/1.1 200 OK\r\n',
                `X-Filler: ${'y'.repeat(60000)}\r\n`));
            await ask(parley, { message: 'warm up' });
            const before = memoryKib(parley.chatPid());
            for (const word of ['endless line', 'endless head']) {
                const r = await post(word);
                assert.ok(r.status >= 500, `${word}: ${r.text}`);
                assertError(r, r.status);
            }
            assertGrownBelow(parley.chatPid(), before, 20 * 1024,
                'for 128 MiB of nonsense');
        });
});

test('after all that: turns work, and the key is in no log', async () => {
    assert.equal((await ask(parley, { message: 'well?' })).message, 'fine');
    assert.equal((await call(parley, '/health')).status, 200);
    assert.doesNotMatch(parley.log(), /sk-very-secret/);
    assert.doesNotMatch(parley.log(), /inner story|captive portal/);
});
