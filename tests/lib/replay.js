/* A model provider that answers byte for byte what the test says.
 *
 * A raw HTTP/1.1 server on a free port. Each request is read whole and kept in
 * `requests`; then a script runs: one that waits for a word in this request's
 * last message, or else the default one. A script is a function
 * `async (peer, request) => {}`: it may write, drip, cut, hold or say nothing.
 * What no HTTP library would send is the point.
 *
 *     const replay = await startReplay(whole(replyWire(['Hello', ' there'])));
 *     replay.on('busy', status(429, { 'Retry-After': '1' }), echo(() => 'ok'));
 *     … startParley({ env: replay.env() }) …
 *     await replay.stop();
 */

import net from 'node:net';
import { delay, deferred, until } from './wait.js';
import { SSE_HEAD, replyWire, statusWire } from './openai_bytes.js';

/* Send the bytes as they are, then end the connection. */
export function whole(bytes) {
    return async (peer) => peer.end(bytes);
}

/* Send the first n bytes, then close; `reset` closes with RST, not with FIN. */
export function cut(bytes, n, { reset = false } = {}) {
    return async (peer) => {
        if (n > 0)
            await peer.write(bytes.subarray(0, n));
        if (reset)
            peer.reset();
        else
            peer.end();
    };
}

/* n bytes every ms until all are sent, then end. */
export function drip(bytes, n, ms) {
    return async (peer) => {
        for (let at = 0; at < bytes.length && !peer.gone; at += n) {
            await peer.write(bytes.subarray(at, at + n));
            await delay(ms);
        }
        peer.end();
    };
}

/* Take the request and never answer. */
export function silence() {
    return async (peer) => peer.closed;
}

/* Send the bytes (or an SSE head with the events), then keep the connection
 * open and silent until release() is called or the client leaves. `started`
 * resolves with the peer when the bytes are out. */
export function hold(bytes) {
    const go = deferred();
    const started = deferred();
    const script = async (peer) => {
        await peer.write(bytes);
        started.resolve(peer);
        const rest = await Promise.race([go.promise, peer.closed]);
        if (!peer.gone)
            peer.end(Buffer.isBuffer(rest) || typeof rest === 'string'
                ? rest : undefined);
    };
    script.started = started.promise;
    script.release = (rest) => go.resolve(rest);
    return script;
}

/* Send these SSE events one every `ms`; endless with `repeat`. */
export function paced(events, ms, { repeat = false } = {}) {
    return async (peer) => {
        await peer.write(SSE_HEAD);
        do {
            for (const event of events) {
                if (peer.gone)
                    return;
                await peer.write(event);
                await delay(ms);
            }
        } while (repeat);
        peer.end();
    };
}

export function status(code, headers, body) {
    return async (peer) => peer.end(statusWire(code, headers, body));
}

/* An answer that depends on the request: text(request) is what it says. */
export function echo(text) {
    return async (peer, request) =>
        peer.end(replyWire([].concat(text(request))));
}

class Peer {
    constructor(socket) {
        this.socket = socket;
        this.gone = false;
        const closed = deferred();
        this.closed = closed.promise;
        socket.on('error', () => {});
        /* The client never half-closes while it wants an answer: its FIN or
         * RST is the moment it gave the request up. */
        socket.on('end', () => this.leave(closed));
        socket.on('close', () => this.leave(closed));
    }

    leave(closed) {
        if (this.gone)
            return;
        this.gone = true;
        this.goneAt = performance.now();
        closed.resolve(null);
        this.socket.end();
    }

    write(bytes) {
        return new Promise((resolve) => {
            if (this.gone || !this.socket.writable)
                return resolve();
            this.socket.write(bytes, () => resolve());
        });
    }

    end(bytes) {
        if (this.socket.writable)
            this.socket.end(bytes);
    }

    reset() {
        this.socket.resetAndDestroy();
    }
}

function parseHead(text) {
    const [first, ...lines] = text.split('\r\n');
    const [method, path] = first.split(' ');
    const headers = {};
    for (const line of lines) {
        const colon = line.indexOf(':');
        headers[line.slice(0, colon).toLowerCase()] =
            line.slice(colon + 1).trim();
    }
    return { method, path, headers };
}

/* The text of the last message of a request, on any provider's wire. */
export function lastMessage({ body }) {
    const last = (body?.messages ?? body?.contents)?.at?.(-1);
    const content = last?.content ?? last?.parts ?? '';
    return typeof content === 'string' ? content
        : content.map((part) => part.text ?? '').join('');
}

/* Collects requests from a socket; gives each one to onRequest when whole. */
function readRequests(socket, onRequest) {
    let bytes = Buffer.alloc(0);
    let head = null;
    let parts = []; /* behind bytes; put together when a body is whole */
    let missing = 0;
    socket.on('data', (data) => {
        parts.push(data);
        missing -= data.length;
        if (missing > 0)
            return;
        bytes = Buffer.concat([bytes, ...parts]);
        parts = [];
        for (;;) {
            if (!head) {
                const end = bytes.indexOf('\r\n\r\n');
                if (end < 0)
                    return;
                head = parseHead(bytes.subarray(0, end).toString('latin1'));
                bytes = bytes.subarray(end + 4);
                if (/100-continue/i.test(head.headers.expect ?? ''))
                    socket.write('HTTP/1.1 100 Continue\r\n\r\n');
            }
            const length = Number(head.headers['content-length'] ?? 0);
            missing = length - bytes.length;
            if (missing > 0)
                return;
            const request = {
                ...head, at: performance.now(),
                text: bytes.subarray(0, length).toString('utf8'),
            };
            try {
                request.body = JSON.parse(request.text);
            } catch {
                request.body = null;
            }
            bytes = bytes.subarray(length);
            head = null;
            onRequest(request);
        }
    });
}

export async function startReplay(script = silence(), host = '127.0.0.1') {
    const replay = { requests: [], connections: 0, peers: [] };
    const words = new Map();
    const sockets = new Set();

    /* The scripts of a word run one after the other; the last one stays. */
    const choose = (request) => {
        for (const [word, scripts] of words)
            if (lastMessage(request).includes(word))
                return scripts.length > 1 ? scripts.shift() : scripts[0];
        return script;
    };

    const server = net.createServer({ allowHalfOpen: true }, (socket) => {
        const peer = new Peer(socket);
        replay.connections++;
        replay.peers.push(peer);
        sockets.add(socket);
        socket.on('close', () => sockets.delete(socket));
        readRequests(socket, (request) => {
            request.peer = peer;
            replay.requests.push(request);
            choose(request)(peer, request).catch((e) => {
                replay.failure ??= e;
                socket.destroy();
            }).finally(() => {
                if (peer.gone)
                    socket.destroy();
            });
        });
    });
    await new Promise((resolve) => server.listen(0, host, resolve));

    replay.port = server.address().port;
    replay.url = `http://${host}:${replay.port}/v1`;
    /* What a chat program needs to use this provider. */
    replay.env = (key = 'sk-replay-secret') => ({
        OPENAI_BASE_URL: replay.url, OPENAI_API_KEY: key,
        AI_PROVIDER: 'openai', AI_MODEL: 'replay-1',
    });
    replay.always = (s) => { script = s; };
    replay.on = (word, ...scripts) => { words.set(word, scripts); };
    replay.about = (word) => replay.requests.filter(
        (r) => lastMessage(r).includes(word));
    /* The n-th request about a word (from 0), as soon as it is there. */
    replay.request = (word, n = 0) => until(
        `request ${n} about "${word}" at the provider`,
        () => replay.about(word)[n]);
    replay.stop = async () => {
        for (const socket of sockets)
            socket.destroy();
        await new Promise((resolve) => server.close(resolve));
        if (replay.failure)
            throw replay.failure;
    };
    return replay;
}
