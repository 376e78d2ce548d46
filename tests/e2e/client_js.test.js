/* static/js/parley-client.js against the real server, straight and through bad
 * proxies, in Node and in Chromium; and the page behind the same proxies.
 *
 * The provider often holds its answer in the middle until the client has shown
 * what there is of it: so "it shows the answer while it runs" is a condition
 * and not a matter of time. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import WebSocket from 'ws';
import { startBadProxy } from '../lib/bad_proxy.js';
import { startBrowser } from '../lib/browser.js';
import { messagesOf } from '../lib/client.js';
import { errorBody, replyEvents, replyWire, SSE_HEAD }
    from '../lib/openai_bytes.js';
import { hold, paced, startReplay, status, whole } from '../lib/replay.js';
import { startParley } from '../lib/server.js';
import { deferred, delay, until, within } from '../lib/wait.js';
import { PROBE_MS } from '../../static/js/client/ways.js';
import { ParleyClient, ParleyError }
    from '../../static/js/parley-client.js';

/* An answer in which every piece can be told from the others. */
const PIECES = Array.from({ length: 120 },
    (_, i) => `${i} é😀${i % 7 === 0 ? '\n' : ' '}`);
const TEXT = PIECES.join('');
const STREAMS = /\/chat\/(stream|events)\?|\/ws\/|\/events /;

let replay;
let parley;
let browser;
let words = 0;

before(async () => {
    replay = await startReplay(whole(replyWire(['Fine.'])));
    parley = await startParley({ env: replay.env(), basePath: '/sub/chat' });
    browser = await startBrowser();
});
after(async () => {
    await browser?.stop();
    await parley?.stop();
    await replay?.stop();
});

/* A word that the provider answers slowly. */
function slow(ms = 15) {
    const word = `slow-${++words}-`;
    replay.on(word, paced(replyEvents(PIECES), ms));
    return word;
}

/* A word whose answer stops behind each of these pieces, until release(); a
 * piece every `ms`. */
function stopped(stops, ms) {
    const word = `stops-${++words}-`;
    const gates = stops.map(() => deferred());
    const waiting = [...gates];
    replay.on(word, async (peer) => {
        await peer.write(SSE_HEAD);
        let bytes = '';
        for (const [i, event] of replyEvents(PIECES).entries()) {
            const at = stops.indexOf(i);
            bytes += event;
            if (ms > 0 || at >= 0) {
                await peer.write(bytes);
                bytes = '';
                await delay(ms);
            }
            if (at >= 0)
                await Promise.race([gates[at].promise, peer.closed]);
            if (peer.gone)
                return;
        }
        peer.end(bytes);
    });
    return { word, release: () => waiting.shift().resolve() };
}

const halved = (ms = 0) => stopped([60], ms);
const upTo = (n) => PIECES.slice(0, n).join('');

function storage() {
    const map = new Map();
    return { map, getItem: (k) => map.get(k) ?? null,
        setItem: (k, v) => map.set(k, v) };
}

/* A machine under load may take its time for a probe. */
function patiently(fn, ms) {
    return setTimeout(fn, ms === PROBE_MS ? ms * 10 : ms);
}

/* A client with what it was told. */
function client(at, options = {}) {
    const { env, ...more } = options;
    const c = new ParleyClient({ url: at.url, ...more,
        env: { WebSocket, storage: storage(), setTimeout: patiently,
            ...env } });
    c.told = { text: '', states: [], connected: [], messages: 0 };
    c.on('chunk', (text) => { c.told.text += text; });
    c.on('state', (name, way) => c.told.states.push(`${name} ${way}`));
    c.on('connected', (about) => c.told.connected.push(about));
    c.on('message', () => { c.told.messages++; });
    return c;
}

async function withProxy(options, work) {
    const proxy = await startBadProxy(parley, options);
    try {
        await work(proxy);
    } finally {
        await proxy.stop();
    }
}

/* The whole answer, told once, stored once, and asked of the provider once. */
async function assertWhole(c, answer, word) {
    assert.equal(answer.text, TEXT);
    assert.equal(c.told.text, TEXT, 'no lost or doubled character');
    assert.equal(answer.finish_reason, 'stop');
    assert.equal(c.told.messages, 1);
    assert.equal(replay.about(word).length, 1);
    const stored = await messagesOf(parley, c.session_id);
    assert.deepEqual(stored.map((m) => m.role), ['user', 'assistant']);
    assert.equal(stored[1].content, TEXT);
    assert.equal(stored[1].id, answer.message_id);
}

/* ---- straight ---- */

for (const transport of ['auto', 'websocket', 'sse', 'polling'])
    test(`${transport}: asks, lists, clears, pings and goes on elsewhere`,
        async () => {
            const c = client(parley, { transport });
            const way = transport === 'auto' ? 'websocket' : transport;
            const about = await c.connect();
            assert.deepEqual(about,
                { session_id: c.session_id, transport: way });
            assert.deepEqual(c.told.connected, [about]);
            assert.deepEqual(await c.history(), []);
            const word = slow(2);
            await assertWhole(c, await c.send(word), word);
            assert.deepEqual(c.told.states, []);
            assert.equal(typeof await c.ping(), 'number');

            const other = client(parley,
                { transport, session_id: c.session_id });
            let text = '';
            for await (const piece of other.chunks('Again'))
                text += piece;
            assert.equal(text, 'Fine.');
            assert.equal((await c.history()).length, 4);
            assert.equal((await c.history({ limit: 1 })).length, 1);
            await c.clear();
            assert.deepEqual(await c.history(), []);
            await c.logout();
            c.close();
            other.close();
            await assert.rejects(c.send('more'), { code: 'closed' });
        });

for (const transport of ['websocket', 'sse', 'polling'])
    test(`${transport}: an answer is stopped and kept as far as it came`,
        async () => {
            const c = client(parley, { transport });
            const { word } = halved();
            const sending = c.send(word);
            await until('text', () => c.told.text !== '');
            await assert.rejects(c.send('not now'), { code: 'busy' });
            await c.stop();
            const answer = await sending;
            assert.equal(answer.finish_reason, 'cancelled');
            assert.equal(answer.text, c.told.text);
            assert.ok(TEXT.startsWith(answer.text));
            const stored = await messagesOf(parley, c.session_id);
            assert.equal(stored[1].content, answer.text);
            c.close();
        });

test('leaving the loop over the pieces stops the answer', async () => {
    const c = client(parley);
    const { word } = halved();
    for await (const piece of c.chunks(word)) {
        assert.ok(piece);
        break;
    }
    const [, stored] = await messagesOf(parley, c.session_id);
    assert.equal(stored.finish_reason, 'cancelled');
    c.close();
});

test('an AbortSignal stops, also before there is an answer', async () => {
    const c = client(parley, { transport: 'sse' });
    const abort = new AbortController();
    replay.on('silent-1', hold(''));
    const sending = c.send('silent-1', { signal: abort.signal });
    abort.abort();
    const answer = await within('the end', sending);
    assert.equal(answer.finish_reason, 'cancelled');
    assert.equal(answer.text, '');
    c.close();
});

for (const transport of ['websocket', 'sse', 'polling'])
    test(`${transport}: a failed answer is an error with its text so far`,
        async () => {
            const c = client(parley, { transport });
            const said = [];
            c.on('error', (e) => said.push(e));
            const word = `fails-${++words}-`;
            replay.on(word, status(400, {}, errorBody('no')));
            await assert.rejects(c.send(word), (e) => {
                assert.ok(e instanceof ParleyError);
                assert.match(e.code, /^[a-z_]+$/);
                assert.ok(e.message.length > 0);
                assert.equal(e.info.turn_id?.length, 36);
                return true;
            });
            assert.equal(said.length, 1);
            await assert.rejects(c.send('   '), { code: 'missing_message' });
            await assert.rejects(c.send('x', { temperature: 'hot' }),
                (e) => e.code === 'invalid_parameter' && !e.retryable);
            assert.equal((await c.send('Still there?')).text, 'Fine.');
            c.close();
        });

test('a second stop does not wait for a server that is away',
    () => withProxy({}, async (proxy) => {
        const c = client(proxy);
        const { word } = halved();
        const sending = c.send(word);
        await until('text', () => c.told.text !== '');
        proxy.target = 9;
        proxy.drop(/./);
        c.stop();
        c.stop();
        const answer = await within('the end', sending);
        assert.equal(answer.finish_reason, 'cancelled');
        assert.equal(answer.text, c.told.text);
        c.close();
    }));

for (const who of [{ token: 'a b' }, { token: async () => 'tok-of-nobody' },
    { api_key: 'k', api_key_header: 'X-Key' },
    { username: 'ü', password: 'p' }])
    test(`says who it is (${Object.keys(who)[0]}), and forgets it`,
        async () => {
            for (const transport of ['websocket', 'sse']) {
                const c = client(parley, { ...who, transport });
                assert.equal((await c.send('hello')).text, 'Fine.');
                await c.logout();
                assert.equal((await c.send('hello')).text, 'Fine.');
                c.close();
            }
            assert.ok(!parley.log().includes('tok-of-nobody'));
        });

test('closing leaves the answer to the server', async () => {
    const c = client(parley);
    const { word, release } = halved();
    const sending = c.send(word);
    await until('text', () => c.told.text !== '');
    c.close();
    await assert.rejects(sending, { code: 'closed' });
    release();
    await until('the whole answer in the store', async () =>
        (await messagesOf(parley, c.session_id))[1]?.content === TEXT);
});

test('what is no Parley is told from one that is away', async () => {
    const none = client({ url: 'http://127.0.0.1:9/' }, { patience_ms: 1 });
    await assert.rejects(none.connect(), { code: 'unreachable' });
    await assert.rejects(none.send('x'), { code: 'unreachable' });
    const other = client({ url: parley.url.replace('/sub/chat', '') });
    await assert.rejects(other.connect(), ParleyError);
    assert.throws(() => client({ url: 'ftp://x/' }), { code: 'invalid_url' });
    assert.throws(() => client(parley, { transport: 'pigeon' }),
        { code: 'invalid_transport' });
    assert.throws(() => client(parley, { session_id: 'a b' }),
        { code: 'invalid_session_id' });
});

/* ---- a proxy that buffers ---- */

test('a path that buffers is polled, found out before the first question, ' +
    'and remembered', () => withProxy({ holds: 65536 }, async (proxy) => {
    const env = { storage: storage() };
    const c = client(proxy, { env });
    assert.equal((await c.connect()).transport, 'polling');
    const probes = proxy.asked(/\/probe/);
    assert.ok(probes > 0);
    const { word, release } = halved();
    const sending = c.send(word);
    await until('the first half', () =>
        c.told.text === upTo(60));
    release();
    await assertWhole(c, await sending, word);
    c.close();

    const next = client(proxy, { env });
    assert.equal(next.transport, 'polling');
    assert.equal((await next.send('hello')).text, 'Fine.');
    assert.equal(proxy.asked(/\/probe/), probes);
    assert.equal(proxy.asked(/\/chat\/stream/), 0);
    next.close();
}));

test('a path that buffers only now is found out by the answer',
    () => withProxy({ upgrades: 'refuse' }, async (proxy) => {
        const c = client(proxy);
        assert.equal((await c.connect()).transport, 'sse');
        proxy.holds = 65536;
        const { word, release } = halved();
        const sending = c.send(word);
        await until('the first half', () =>
            c.told.text === upTo(60));
        assert.equal(c.transport, 'polling');
        release();
        await assertWhole(c, await sending, word);
        c.close();
    }));

test('a forced stream on a path that buffers loses nothing either',
    () => withProxy({ holds: 65536 }, async (proxy) => {
        const c = client(proxy, { transport: 'sse' });
        const word = slow();
        await assertWhole(c, await c.send(word), word);
        assert.equal(c.transport, 'sse');
        c.close();
    }));

/* ---- a proxy that cuts ---- */

for (const transport of ['auto', 'websocket', 'sse', 'polling'])
    for (const reset of [false, true])
        test(`${transport}: connections ${reset ? 'reset' : 'closed'} after ` +
            'half a second', () =>
            withProxy({ cutMs: 500, reset }, async (proxy) => {
                const c = client(proxy, { transport });
                const { word, release } = halved(15);
                const sending = c.send(word);
                await until('two cuts', () => proxy.cuts > 1);
                release();
                await assertWhole(c, await sending, word);
                assert.ok(c.told.states.length > 0);
                if (transport !== 'auto')
                    assert.equal(c.transport, transport);
                c.close();
            }));

test('one answer over all transports, each lost in its midst',
    () => withProxy({}, async (proxy) => {
        const c = client(proxy);
        const { word, release } = stopped([20, 40, 60, 80]);
        const sending = c.send(word);
        const heard = (n) => until(`${n} pieces`, () =>
            c.told.text === upTo(n));
        await heard(20);
        proxy.upgrades = 'refuse';
        proxy.drop(/\/ws\//);
        release();
        await heard(40);
        assert.ok(proxy.open(/\/chat\/stream/) > 0, 'over events');
        proxy.holds = 65536;
        proxy.drop(/\/chat\/stream/);
        release();
        await heard(60);
        await until('polls', () => proxy.open(/\/chat\/events/) > 0);
        proxy.drop(/\/chat\/events/);
        release();
        await heard(80);
        release();
        await assertWhole(c, await sending, word);
        c.close();
    }));

test('WebSockets that are cut in one answer after the other are given up',
    () => withProxy({}, async (proxy) => {
        const env = { storage: storage() };
        for (const after of ['websocket', 'sse']) {
            const c = client(proxy, { env });
            const { word, release } = halved();
            if (after === 'sse')
                await c.connect();
            const sending = c.send(word);
            await until('text', () => c.told.text !== '');
            proxy.drop(/\/ws\//);
            await until('to go on', () => c.told.states.length > 1);
            assert.deepEqual(c.told.states,
                ['reconnecting sse', 'reconnected sse']);
            release();
            await assertWhole(c, await sending, word);
            c.close();
            if (after === 'websocket')
                assert.equal(c.transport, 'websocket');
        }
    }));

test('a question whose socket breaks before the answer is asked once',
    () => withProxy({}, async (proxy) => {
        const c = client(proxy);
        await c.connect();
        const { word, release } = halved();
        /* The server has it, the client does not know that. */
        proxy.onClient = (exchange) => {
            if (exchange.upgrade) {
                exchange.muted = true;
                replay.request(word).then(() => exchange.end(), () => {});
            }
        };
        const sending = c.send(word);
        await until('text', () => c.told.text !== '');
        release();
        await assertWhole(c, await sending, word);
        c.close();
    }));

test('a question that was lost on its way is sent again',
    () => withProxy({}, async (proxy) => {
        const c = client(proxy);
        await c.connect();
        proxy.mute(/\/ws\//);
        setTimeout(() => proxy.drop(/\/ws\//), 50);
        const word = slow(2);
        await assertWhole(c, await c.send(word), word);
        c.close();
    }));

test('a question that a dead connection swallowed is sent again',
    () => withProxy({}, async (proxy) => {
        const c = client(proxy);
        await c.connect();
        proxy.mute(/\/ws\//);
        const word = slow(2);
        await assertWhole(c, await c.send(word), word);
        c.close();
    }));

for (const transport of ['auto', 'sse'])
    test(`${transport}: a connection that dies without a word is noticed`,
        () => withProxy({}, async (proxy) => {
            const c = client(proxy, { transport });
            const { word, release } = halved();
            const sending = c.send(word);
            await until('text', () => c.told.text !== '');
            proxy.mute(STREAMS);
            release();
            await assertWhole(c, await sending, word);
            c.close();
        }));

test('an end that nobody heard is told long afterwards', async () => {
    const own = await startParley({
        env: { ...replay.env(), STREAM_GRACE_MS: '1' } });
    const proxy = await startBadProxy(own, {});
    try {
        const c = client(proxy, { transport: 'sse' });
        const { word, release } = halved();
        const turn = new Promise((resolve) =>
            c.on('event', (e) => e.turn_id && resolve(e.turn_id)));
        const sending = c.send(word);
        const id = await turn;
        await until('text', () => c.told.text !== '');
        proxy.mute(STREAMS);
        proxy.target = 9;       /* nobody is there */
        proxy.drop(STREAMS);
        release();
        await until('the stream to be made anew', async () => {
            const { events, done } = await (await fetch(
                `${own.url}/chat/events?turn_id=${id}&after=0`)).json();
            return done && events.length < PIECES.length;
        });
        proxy.target = own.port;
        assert.equal((await sending).text, TEXT);
        assert.equal(c.told.text, TEXT);
        c.close();
    } finally {
        await proxy.stop();
        await own.stop();
    }
});

test('a server that dies in an answer: the error has what was told',
    async () => {
        const own = await startParley({ env: replay.env() });
        try {
            const c = client(own, { transport: 'sse' });
            const { word } = halved();
            const sending = c.send(word);
            const failed = assert.rejects(sending, (e) => {
                assert.equal(e.code, 'interrupted');
                assert.equal(e.retryable, true);
                assert.ok(e.text.startsWith(c.told.text));
                assert.ok(TEXT.startsWith(e.text));
                return true;
            });
            await until('text', () => c.told.text !== '');
            await own.kill9();
            await within('the end', failed);
            c.close();
        } finally {
            await own.stop();
        }
    });

/* ---- a proxy that drops upgrades ---- */

for (const upgrades of ['strip', 'refuse', 'silent', 'deaf'])
    test(`upgrades that end in nothing (${upgrades}): events take over`,
        () => withProxy({ upgrades }, async (proxy) => {
            const env = { storage: storage() };
            const c = client(proxy, { env });
            assert.equal((await c.connect()).transport, 'sse');
            const { word, release } = halved();
            const sending = c.send(word);
            await until('the first half', () =>
                c.told.text === upTo(60));
            release();
            await assertWhole(c, await sending, word);
            c.close();
            assert.equal(client(proxy, { env }).transport, 'sse');
            const forced = client(proxy,
                { transport: 'websocket', connect_ms: 300, patience_ms: 1 });
            await assert.rejects(forced.connect(), { code: 'unreachable' });
            forced.close();
        }));

test('without a WebSocket, events', async () => {
    const c = client(parley, { env: { WebSocket: undefined } });
    assert.equal((await c.connect()).transport, 'sse');
    c.close();
});

/* ---- in a browser ---- */

describe('in Chromium', () => {
    /* A tab with the module's client as window.c. */
    async function tabWith(at, options = {}) {
        const tab = await browser.open(at);
        await tab.page.evaluate(async (o) => {
            const { ParleyClient: C } = await import(
                new URL('static/js/parley-client.js', document.baseURI).href);
            window.c = new C(o);
            window.told = '';
            window.c.on('chunk', (text) => { window.told += text; });
        }, options);
        return tab;
    }

    const told = (tab, text) => tab.page.waitForFunction(
        (t) => window.told === t, text);

    test('the module finds its server and takes a WebSocket', async () => {
        const tab = await tabWith(parley);
        const { word, release } = halved();
        assert.equal(await tab.page.evaluate(() =>
            window.c.connect().then((a) => a.transport)), 'websocket');
        const sending = tab.page.evaluate((w) => window.c.send(w), word);
        await told(tab, upTo(60));
        release();
        assert.equal((await sending).text, TEXT);
        await told(tab, TEXT);
        assert.match(await tab.page.evaluate(() => Object.entries(localStorage)
            .find(([k]) => k === 'parley /sub/chat/ transport')[1]),
        /websocket/);
        assert.deepEqual(tab.complaints, []);
        await tab.page.context().close();
    });

    for (const [name, bad] of [
        ['buffers', { holds: 65536 }], ['drops upgrades',
            { upgrades: 'refuse' }]])
        test(`the module behind a proxy that ${name}`, () =>
            withProxy(bad, async (proxy) => {
                const tab = await tabWith(proxy);
                const { word, release } = halved();
                const sending = tab.page.evaluate(
                    (w) => window.c.send(w), word);
                await told(tab, upTo(60));
                release();
                assert.equal((await sending).text, TEXT);
                await told(tab, TEXT);
                assert.equal(await tab.page.evaluate(() =>
                    window.c.transport), bad.holds ? 'polling' : 'sse');
                await tab.page.context().close();
            }));

    test('the module behind a proxy that cuts', () =>
        withProxy({}, async (proxy) => {
            const tab = await tabWith(proxy);
            proxy.cutMs = 500;
            const answer = await tab.page.evaluate(
                (w) => window.c.send(w), slow());
            assert.equal(answer.text, TEXT);
            await told(tab, TEXT);
            assert.ok(proxy.cuts > 1);
            await tab.page.context().close();
        }));

    /* What stands on the page of an answer's text: lines and words. */
    const plain = (text) => text.replace(/\s+/g, ' ').trim();

    test('the page behind a proxy that buffers shows the answer while it ' +
        'runs, and the next one at once', () =>
        withProxy({ holds: 65536 }, async (proxy) => {
            const tab = await browser.open(proxy);
            const { word, release } = halved();
            await tab.ask(word);
            await tab.says('59 é😀');
            assert.equal(await tab.running(), 1);
            release();
            await tab.answered();
            assert.equal(plain(await tab.text()), plain(TEXT));
            await tab.page.reload();
            await tab.says('119 é😀');
            const before = proxy.asked(/\/chat\/stream/);
            const again = halved();
            await tab.ask(again.word);
            await tab.says('59 é😀');
            again.release();
            await tab.answered();
            assert.equal(proxy.asked(/\/chat\/stream/), before,
                'it is remembered that this path buffers');
            await tab.page.context().close();
        }));

    test('the page behind a proxy that cuts', () =>
        withProxy({}, async (proxy) => {
            const tab = await browser.open(proxy);
            proxy.cutMs = 500;
            await tab.ask(slow());
            await tab.answering();
            await tab.answered();
            assert.equal(plain(await tab.text()), plain(TEXT));
            assert.ok(proxy.cuts > 1);
            await tab.page.context().close();
        }));

    test('the page behind a proxy that drops upgrades', () =>
        withProxy({ upgrades: 'refuse' }, async (proxy) => {
            const tab = await browser.open(proxy);
            await tab.ask(slow(2));
            await tab.answering();
            await tab.answered();
            assert.equal(plain(await tab.text()), plain(TEXT));
            assert.deepEqual(tab.complaints, []);
            await tab.page.context().close();
        }));
});
