/* A provider behind TLS: node's own HTTP/1.1 and HTTP/2 servers, with
 * certificates that openssl makes for this run.
 *
 * A script is `async (exchange) => {}` and is found by a word in the last
 * message, as in replay.js. An exchange can write, end, and break in the ways
 * that only HTTP/2 has; `connections` are the TLS sockets that were accepted.
 *
 *     const papers = makeCertificates();
 *     const provider = await startTlsProvider(papers.server, { http2: true });
 *     … startParley({ env: { ...provider.env(), UPSTREAM_CA: papers.ca } });
 */

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http2 from 'node:http2';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { replyEvents, textEvent } from './openai_bytes.js';
import { lastMessage } from './replay.js';
import { deferred, until } from './wait.js';

const CURVE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1',
    '-nodes', '-days', '2', '-x509'];

/* An authority, and two certificates of its: one for this machine, one for
 * another name. `ca` is a file; release() removes it. */
export function makeCertificates() {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-tls-'));
    const file = (name) => path.join(folder, name);
    const make = (name, subject, ...more) => execFileSync('openssl', ['req',
        ...CURVE, '-subj', `/CN=${subject}`, '-keyout', file(`${name}.key`),
        '-out', file(`${name}.pem`), ...more], { stdio: 'pipe' });
    const read = (name) => ({
        key: fs.readFileSync(file(`${name}.key`)),
        cert: fs.readFileSync(file(`${name}.pem`)),
    });
    const signed = ['-CA', file('ca.pem'), '-CAkey', file('ca.key'),
        '-addext', 'basicConstraints=critical,CA:FALSE', '-addext'];

    make('ca', 'An authority of this test');
    make('other', 'Another authority');
    make('server', 'localhost', ...signed,
        'subjectAltName=IP:127.0.0.1,DNS:localhost');
    make('stranger', 'elsewhere.example', ...signed,
        'subjectAltName=DNS:elsewhere.example');
    return {
        folder, ca: file('ca.pem'), otherCa: file('other.pem'),
        server: read('server'), stranger: read('stranger'),
        release: () => fs.rmSync(folder, { recursive: true, force: true }),
    };
}

/* One request and the ways to answer it. */
class Exchange {
    constructor(req, res, text) {
        this.req = req;
        this.res = res;
        this.text = text;
        this.version = req.httpVersion;
        this.session = res.stream?.session; /* HTTP/2 only */
        this.closed = new Promise((resolve) => res.once('close', resolve));
        try {
            this.body = JSON.parse(text);
        } catch {
            this.body = null;
        }
    }

    write(...events) {
        if (!this.res.headersSent)
            this.res.writeHead(200, { 'content-type': 'text/event-stream' });
        return new Promise((resolve) =>
            this.res.write(events.join(''), () => resolve()));
    }

    answer(...pieces) {
        this.res.writeHead(200, { 'content-type': 'text/event-stream' });
        this.res.end(replyEvents(pieces).join(''));
    }

    /* HTTP/2 only: end this stream with an error of that name. */
    reset(name) {
        this.res.stream.close(http2.constants[`NGHTTP2_${name}`]);
    }
}

/* The opening of an answer, then what then(exchange) does. */
export function saying(text, then) {
    return async (exchange) => {
        await exchange.write(...replyEvents([]).slice(0, 1), textEvent(text));
        await then(exchange);
    };
}

/* What is left of an answer that `saying` began. */
export function rest(...pieces) {
    return replyEvents(pieces).slice(1).join('');
}

/* Answers wait until release(); `started` has the exchanges so far. */
export function gate(text = (exchange) => lastMessage(exchange)) {
    const go = deferred();
    const script = async (exchange) => {
        script.started.push(exchange);
        await Promise.race([go.promise, exchange.closed]);
        if (exchange.res.writable)
            exchange.answer(text(exchange));
    };
    script.started = [];
    script.release = () => go.resolve();
    return script;
}

export async function startTlsProvider(papers, options = {}) {
    const { http2: wants2 = false, settings } = options;
    const provider = { exchanges: [], connections: [], sessions: [] };
    const words = new Map();
    const choose = (exchange) => {
        for (const [word, scripts] of words)
            if (lastMessage(exchange).includes(word))
                return scripts.length > 1 ? scripts.shift() : scripts[0];
        return async (e) => e.answer('fine');
    };
    const onRequest = async (req, res) => {
        let text = '';
        res.on('error', () => {});
        req.on('error', () => {});
        for await (const piece of req.setEncoding('utf8'))
            text += piece;
        const exchange = new Exchange(req, res, text);
        provider.exchanges.push(exchange);
        await choose(exchange)(exchange);
    };
    const handle = (req, res) => onRequest(req, res).catch((e) => {
        if (!['ECONNRESET', 'ERR_HTTP2_INVALID_STREAM'].includes(e.code))
            provider.failure ??= e;
    });
    const server = wants2
        ? http2.createSecureServer({ ...papers, settings }, handle)
        : https.createServer(papers, handle);
    server.on('secureConnection', (s) => provider.connections.push(s));
    server.on('connection', (s) => s.on('error', () => {}));
    server.on('tlsClientError', () => { provider.refused++; });
    server.on('sessionError', () => {});
    server.on('session', (session) => {
        provider.sessions.push(session);
        session.on('error', () => {});
    });
    provider.refused = 0; /* handshakes that the client gave up */
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

    provider.url = `https://127.0.0.1:${server.address().port}/v1`;
    provider.env = () => ({
        OPENAI_BASE_URL: provider.url, OPENAI_API_KEY: 'sk-tls-secret',
        AI_PROVIDER: 'openai', AI_MODEL: 'replay-1',
    });
    provider.on = (word, ...scripts) => { words.set(word, scripts); };
    provider.about = (word) => provider.exchanges.filter(
        (e) => lastMessage(e).includes(word));
    provider.exchange = (word, n = 0) => until(
        `request ${n} about "${word}" at the provider`,
        () => provider.about(word)[n]);
    provider.stop = async () => {
        for (const session of provider.sessions)
            session.destroy();
        for (const socket of provider.connections)
            socket.destroy();
        await new Promise((resolve) => server.close(resolve));
        if (provider.failure)
            throw provider.failure;
    };
    return provider;
}
