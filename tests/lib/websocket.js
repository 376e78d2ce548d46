/* WebSocket by hand, for what no client library would send: a socket behind
 * its handshake, frames as bytes, and what the server sends back, frame by
 * frame.
 *
 *     const raw = await openRaw(parley, '/ws/chat');
 *     raw.send(frame(TEXT, '{"type":"ping"}'));
 *     const { opcode, text } = await raw.next();
 */

import crypto from 'node:crypto';
import net from 'node:net';
import { deferred, within } from './wait.js';

export const CONTINUATION = 0;
export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

/* A client's frame. Options: fin, rsv (0 to 7), masked. */
export function frame(opcode, data = '', options = {}) {
    const { fin = true, rsv = 0, masked = true } = options;
    const payload = Buffer.from(data);
    const n = payload.length;
    const head = [(fin ? 0x80 : 0) | rsv << 4 | opcode];
    const bit = masked ? 0x80 : 0;
    if (n < 126)
        head.push(bit | n);
    else if (n < 65536)
        head.push(bit | 126, n >> 8, n & 0xff);
    else
        head.push(bit | 127, 0, 0, 0, 0, n >>> 24, n >>> 16 & 0xff,
            n >>> 8 & 0xff, n & 0xff);
    if (!masked)
        return Buffer.concat([Buffer.from(head), payload]);
    const mask = crypto.randomBytes(4);
    const out = Buffer.alloc(n);
    for (let i = 0; i < n; i++)
        out[i] = payload[i] ^ mask[i & 3];
    return Buffer.concat([Buffer.from(head), mask, out]);
}

export function closeFrame(code, reason = '') {
    return frame(CLOSE, Buffer.concat(
        [Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]));
}

/* Headers of a handshake; null takes one out. */
export function handshake(path, host, headers = {}) {
    const all = {
        'Host': host, 'Upgrade': 'websocket', 'Connection': 'Upgrade',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': crypto.randomBytes(16).toString('base64'),
        ...headers,
    };
    const lines = Object.entries(all).filter(([, v]) => v !== null)
        .map(([k, v]) => `${k}: ${v}\r\n`);
    return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

class Raw {
    constructor(socket) {
        this.socket = socket;
        this.bytes = Buffer.alloc(0);
        this.ended = false;
        this.error = null;
        this.news = deferred();
        socket.on('data', (d) => {
            this.bytes = Buffer.concat([this.bytes, d]);
            this.wake();
        });
        socket.on('end', () => { this.ended = true; this.wake(); });
        socket.on('close', () => { this.ended = true; this.wake(); });
        socket.on('error', (e) => { this.error = e; this.wake(); });
    }

    wake() {
        this.news.resolve();
        this.news = deferred();
    }

    /* What parse() makes of the bytes; null when they end before. */
    async take(what, parse) {
        for (;;) {
            const found = parse(this.bytes);
            if (found) {
                this.bytes = this.bytes.subarray(found.length);
                return found;
            }
            if (this.ended || this.error)
                return null;
            await within(what, this.news.promise);
        }
    }

    send(...frames) {
        this.socket.write(Buffer.concat(frames));
    }

    /* The next frame: {opcode, fin, data, text, code}; null at the end. */
    next() {
        return this.take('a frame', (b) => {
            if (b.length < 2)
                return null;
            let n = b[1] & 0x7f;
            let head = 2;
            if (n === 126) {
                if (b.length < 4)
                    return null;
                n = b.readUInt16BE(2);
                head = 4;
            } else if (n === 127) {
                if (b.length < 10)
                    return null;
                n = Number(b.readBigUInt64BE(2));
                head = 10;
            }
            if (b.length < head + n)
                return null;
            const data = Buffer.from(b.subarray(head, head + n));
            const opcode = b[0] & 0x0f;
            return {
                length: head + n, opcode, fin: (b[0] & 0x80) !== 0, data,
                text: data.toString('utf8'),
                code: opcode === CLOSE && n >= 2 ? data.readUInt16BE(0) : 0,
            };
        });
    }

    /* The next whole message as an object; control frames are passed over. */
    async message() {
        const parts = [];
        for (;;) {
            const f = await this.next();
            if (!f)
                return null;
            if (f.opcode >= CLOSE)
                continue;
            parts.push(f.data); /* a fragment may end inside a character */
            if (f.fin)
                return JSON.parse(Buffer.concat(parts).toString('utf8'));
        }
    }

    /* The code that the server closes with; messages are passed over. */
    async closed() {
        for (;;) {
            const f = await this.next();
            if (!f)
                return this.error ? this.error.code : 0;
            if (f.opcode === CLOSE)
                return f.code;
        }
    }

    /* Resolves when the server's side has ended. */
    async end() {
        while (!this.ended && !this.error)
            await within('the end', this.news.promise);
    }

    destroy() {
        this.socket.destroy();
    }
}

/* Send a handshake; {status, headers, body, raw}: raw is there after a 101.
 * Options: headers, port, unix (a path instead of the web server). */
export async function upgrade(parley, path, options = {}) {
    const port = options.port ?? parley.port;
    const socket = options.unix ? net.connect(options.unix)
        : net.connect(port, '127.0.0.1');
    const raw = new Raw(socket);
    const base = options.unix ? '' : parley.basePath;
    socket.write(options.head ??
        handshake(base + path, `127.0.0.1:${port}`, options.headers));
    const head = await raw.take('the reply to a handshake', (b) => {
        const at = b.indexOf('\r\n\r\n');
        return at < 0 ? null
            : { length: at + 4, text: b.subarray(0, at).toString('latin1') };
    });
    if (!head)
        return { status: 0, headers: {}, body: '' };
    const [first, ...lines] = head.text.split('\r\n');
    const headers = Object.fromEntries(lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(),
            line.slice(colon + 1).trim()];
    }));
    const status = Number(first.split(' ')[1]);
    if (status === 101)
        return { status, headers, raw };
    const length = Number(headers['content-length'] ?? 0);
    const body = await raw.take('the body of a refusal', (b) =>
        b.length >= length ? { length, text: b.toString('utf8', 0, length) }
            : null);
    raw.destroy();
    return { status, headers, body: body ? body.text : '' };
}

/* A socket that is open, with its greeting read where there is one. */
export async function openRaw(parley, path, options = {}) {
    const reply = await upgrade(parley, path, options);
    if (reply.status !== 101)
        throw new Error(`${reply.status}: ${reply.body}`);
    const { raw } = reply;
    raw.greeting = /^\/ws\/(?!chat)/.test(path) ? null : await raw.message();
    return raw;
}
