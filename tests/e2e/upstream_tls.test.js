/* A provider behind TLS, over HTTP/1.1 and over HTTP/2: whom the program
 * trusts, how many connections it opens, and what becomes of an answer when
 * the provider ends a stream or a connection in HTTP/2's own ways. */

import assert from 'node:assert/strict';
import http2 from 'node:http2';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ask, askEvents, assertError, messagesOf, newSession, postJson }
    from '../lib/client.js';
import { startReplay, whole } from '../lib/replay.js';
import { startParley } from '../lib/server.js';
import { assertWholeTurn } from '../lib/sse.js';
import { gate, makeCertificates, rest, saying, startTlsProvider }
    from '../lib/tls_provider.js';
import { until, within } from '../lib/wait.js';

const AT_ONCE = 20;
const STOP_MS = 500; /* on a machine that has other things to do */
const papers = makeCertificates();
after(() => papers.release());

/* A provider and a Parley that trusts it, for the tests of a group. */
function world(options) {
    const w = {};
    before(async () => {
        w.provider = await startTlsProvider(papers.server, options);
        w.parley = await startParley({ env: {
            ...w.provider.env(), UPSTREAM_CA: papers.ca,
            UPSTREAM_RETRIES: '1', UPSTREAM_IDLE_MS: '1500',
        } });
    });
    after(async () => {
        await w.parley?.stop();
        await w.provider?.stop();
    });
    return w;
}

/* Ask AT_ONCE things; all are at the provider before one is answered. */
async function askMany(w, word) {
    const script = gate();
    w.provider.on(word, script);
    const turns = Array.from({ length: AT_ONCE }, (_, i) =>
        askEvents(w.parley, { message: `${word} ${i}` }));
    await until('all requests at the provider',
        () => script.started.length === AT_ONCE);
    script.release();
    for (const [i, turn] of turns.entries()) {
        const s = await turn;
        assertWholeTurn(await s.all());
        assert.equal(s.text(), `${word} ${i}`);
    }
    return script.started;
}

/* A turn that breaks off after "Half" is an error that may be tried again,
 * and what came is kept. */
async function assertIncomplete(w, message) {
    const session_id = newSession();
    const s = await askEvents(w.parley, { message, session_id });
    const last = (await s.all()).at(-1);
    assertWholeTurn(s.events);
    assert.equal(last.type, 'error', JSON.stringify(last.data));
    assert.equal(last.data.content, 'Half ');
    assert.equal(last.data.retryable, true);
    const stored = (await messagesOf(w.parley, session_id)).at(-1);
    assert.equal(stored.content, 'Half ');
    assert.equal(stored.finish_reason, 'incomplete');
    assert.equal(w.provider.about(message).length, 1, 'not asked again');
    return last.data;
}

describe('HTTP/1.1 over TLS', () => {
    const w = world({ http2: false });

    test('answers, and keeps the connection for the next turn', async () => {
        for (const message of ['first', 'second'])
            assert.equal((await ask(w.parley, { message })).message, 'fine');
        const [one] = w.provider.exchanges;
        assert.equal(one.version, '1.1');
        assert.equal(one.req.headers.authorization, 'Bearer sk-tls-secret');
        assert.equal(w.provider.connections.length, 1);
    });

    test('turns at once have a connection each', async () => {
        await askMany(w, 'many');
        assert.equal(w.provider.connections.length, AT_ONCE);
    });

    test('a connection that is cut keeps what was said', async () => {
        w.provider.on('cut', saying('Half ', (e) => e.res.socket.destroy()));
        assert.equal((await assertIncomplete(w, 'cut')).code, 'incomplete');
        assert.equal((await ask(w.parley, { message: 'on' })).message, 'fine');
    });
});

describe('HTTP/2', () => {
    const w = world({ http2: true });

    test('is used where it is offered', async () => {
        assert.equal((await ask(w.parley, { message: 'first' })).message,
            'fine');
        assert.equal(w.provider.exchanges[0].version, '2.0');
    });

    test('turns at once share one connection', async () => {
        const before = w.provider.connections.length;
        const exchanges = await askMany(w, 'many');
        assert.equal(w.provider.connections.length, before);
        assert.equal(new Set(exchanges.map((e) => e.session)).size, 1);
    });

    test('so do those that begin before there is a connection', async () => {
        w.provider.sessions.at(-1).close();
        await until('the connection to be gone',
            () => w.provider.sessions.at(-1).destroyed);
        const before = w.provider.connections.length;
        await askMany(w, 'cold');
        assert.equal(w.provider.connections.length, before + 1);
    });

    /* Stop a turn; when its stream has ended at the provider. */
    async function stopOne() {
        w.provider.on('stop me', saying('Half ', (e) => e.closed));
        const s = await askEvents(w.parley, { message: 'stop me' });
        const { turn } = await s.event('response_chunk');
        const exchange = w.provider.about('stop me').at(-1);
        const began = performance.now();
        const closed = exchange.closed.then(() => performance.now() - began);
        await postJson(w.parley, '/chat/stop', { turn_id: turn });
        const ms = await within('the end of the stream', closed);
        assert.ok(ms < STOP_MS, `after ${ms} ms`);
        assert.equal((await s.all()).at(-1).type, 'response_cancelled');
        return exchange;
    }

    test('stop ends its own stream at once, and no other', async () => {
        const neighbour = gate();
        w.provider.on('neighbour', neighbour);
        const calm = await askEvents(w.parley, { message: 'neighbour' });
        await until('the neighbour at the provider',
            () => neighbour.started.length === 1);
        for (let i = 0; i < 3; i++) {
            const { res, session } = await stopOne();
            assert.notEqual(res.stream.rstCode, 0, 'reset, not ended');
            assert.equal(session, neighbour.started[0].session);
        }
        neighbour.release();
        assert.equal((await calm.all()).at(-1).type, 'response_complete');
        assert.equal(calm.text(), 'neighbour');
    });

    test('stop of the only answer of a connection is as quick', async () => {
        await stopOne();
        assert.equal((await ask(w.parley, { message: 'on' })).message, 'fine');
    });

    test('a stream that is reset keeps what was said', async () => {
        const before = w.provider.connections.length;
        w.provider.on('reset', saying('Half ', (e) =>
            e.reset('INTERNAL_ERROR')));
        assert.equal((await assertIncomplete(w, 'reset')).code, 'incomplete');
        assert.equal((await ask(w.parley, { message: 'on' })).message, 'fine');
        assert.equal(w.provider.connections.length, before,
            'the connection is as good as before');
    });

    test('a stream that is refused is asked again', async () => {
        w.provider.on('refused', async (e) => e.reset('REFUSED_STREAM'),
            async (e) => e.answer('now'));
        assert.equal((await ask(w.parley, { message: 'refused' })).message,
            'now');
    });

    test('a stream that is always refused ends in an error', async () => {
        w.provider.on('never', async (e) => e.reset('REFUSED_STREAM'));
        const r = await postJson(w.parley, '/chat', { message: 'never' });
        assertError(r, 502);
        assert.ok(w.provider.about('never').length <= 12,
            `asked ${w.provider.about('never').length} times`);
    });

    test('GOAWAY lets a running answer end, and no new one begin there',
        async () => {
            w.provider.on('leaving', saying('Half ', async (e) => {
                e.session.goaway(http2.constants.NGHTTP2_NO_ERROR,
                    e.res.stream.id);
                await w.provider.exchange('newcomer');
                e.res.end(rest('and whole'));
            }));
            const s = await askEvents(w.parley, { message: 'leaving' });
            await s.event('response_chunk');
            const old = (await w.provider.exchange('leaving')).session;
            assert.equal((await ask(w.parley, { message: 'newcomer' })).message,
                'fine');
            assert.notEqual(w.provider.about('newcomer').at(-1).session, old);
            assert.equal((await s.all()).at(-1).type, 'response_complete');
            assert.equal(s.text(), 'Half and whole');
        });

    test('GOAWAY with an error keeps what was said', async () => {
        w.provider.on('going', saying('Half ', (e) =>
            e.session.destroy(undefined,
                http2.constants.NGHTTP2_ENHANCE_YOUR_CALM)));
        assert.equal((await assertIncomplete(w, 'going')).code, 'incomplete');
        assert.equal((await ask(w.parley, { message: 'on' })).message, 'fine');
    });

    test('GOAWAY that disowns a running stream keeps what was said',
        async () => {
            w.provider.on('disowned', saying('Half ', async (e) => {
                e.session.goaway(http2.constants.NGHTTP2_INTERNAL_ERROR, 0);
                await e.closed;
            }));
            await assertIncomplete(w, 'disowned');
            assert.equal((await ask(w.parley, { message: 'on' })).message,
                'fine');
        });

    test('a connection that is cut ends all its answers, each honestly',
        async () => {
            w.provider.on('cut', saying('Half ', async (e) => {
                if (w.provider.about('cut').length === 3)
                    w.provider.connections.at(-1).destroy();
                await e.closed;
            }));
            const ends = await Promise.all([0, 1, 2].map((i) =>
                assertIncomplete(w, `cut ${i}`)));
            assert.deepEqual(ends.map((end) => end.code),
                ['incomplete', 'incomplete', 'incomplete']);
            assert.equal((await ask(w.parley, { message: 'on' })).message,
                'fine');
        });

    test('a stream that falls silent ends in time', async () => {
        w.provider.on('mute', saying('Half ', (e) => e.closed));
        assert.equal((await assertIncomplete(w, 'mute')).code,
            'provider_timeout');
        assert.equal((await ask(w.parley, { message: 'on' })).message, 'fine');
    });
});

describe('HTTP/2 with few streams to a connection', () => {
    const w = world({ http2: true, settings: { maxConcurrentStreams: 4 } });

    test('turns beyond that have further connections', async () => {
        await askMany(w, 'many');
        const n = w.provider.connections.length;
        assert.ok(n >= AT_ONCE / 4 && n <= AT_ONCE, `${n} connections`);
    });
});

describe('a certificate that is not good', () => {
    const cases = {
        'from an authority that nobody named': () => [papers.server, ''],
        'from another authority than the one named':
            () => [papers.server, papers.otherCa],
        'of another host': () => [papers.stranger, papers.ca],
        'with a file of authorities that is not there':
            () => [papers.server, path.join(papers.folder, 'none.pem')],
        'with a file of authorities that holds none':
            () => [papers.server, import.meta.filename],
    };
    for (const [name, make] of Object.entries(cases))
        test(`${name} is refused at once, in clear words`, async () => {
            const [mine, ca] = make();
            const provider = await startTlsProvider(mine, { http2: true });
            const parley = await startParley({ env: {
                ...provider.env(), UPSTREAM_CA: ca, UPSTREAM_RETRIES: '5',
            } });
            try {
                const r = await postJson(parley, '/chat', { message: 'x' });
                assertError(r, 502, 'provider_unreachable');
                assert.match(r.body.error, /certificate/);
                assert.match(r.body.message, /UPSTREAM_CA/);
                const s = await askEvents(parley, { message: 'x' });
                const last = (await s.all()).at(-1);
                assert.equal(last.type, 'error');
                assert.equal(last.data.code, 'provider_unreachable');
                assert.equal(last.data.retryable, false);
                assert.equal(provider.exchanges.length, 0, 'nothing was told');
                assert.ok(provider.refused <= 2, 'one try for each turn');
                assert.match(parley.log(), /upstream\.done.*certificate/);
            } finally {
                await parley.stop();
                await provider.stop();
            }
        });

    test('a server that speaks no TLS is an error that ends', async () => {
        const replay = await startReplay(whole('HTTP/1.1 200 OK\r\n\r\n'));
        const parley = await startParley({ env: {
            ...replay.env(), UPSTREAM_RETRIES: '1',
            OPENAI_BASE_URL: replay.url.replace('http:', 'https:'),
            UPSTREAM_CONNECT_MS: '1000',
        } });
        try {
            assertError(await postJson(parley, '/chat', { message: 'x' }), 502,
                'provider_unreachable');
        } finally {
            await parley.stop();
            await replay.stop();
        }
    });
});
