/* HTTP/1.1 by hand: for requests that no client library would send, and for
 * readers that hardly read. */

import net from 'node:net';
import { delay, within } from './wait.js';

function splitReply(bytes) {
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0)
        return { status: 0, headers: {}, body: '', raw: bytes };
    const [first, ...lines] =
        bytes.subarray(0, end).toString('latin1').split('\r\n');
    const headers = {};
    for (const line of lines) {
        const colon = line.indexOf(':');
        headers[line.slice(0, colon).toLowerCase()] =
            line.slice(colon + 1).trim();
    }
    let body = bytes.subarray(end + 4);
    if (/chunked/i.test(headers['transfer-encoding'] ?? ''))
        body = unchunk(body);
    return { status: Number(first.split(' ')[1]), headers,
        body: body.toString('utf8'), raw: bytes };
}

function unchunk(bytes) {
    const parts = [];
    for (let at = 0; ;) {
        const eol = bytes.indexOf('\r\n', at);
        if (eol < 0)
            break;
        const n = parseInt(bytes.subarray(at, eol).toString('latin1'), 16);
        if (!(n > 0))
            break;
        parts.push(bytes.subarray(eol + 2, eol + 2 + n));
        at = eol + 2 + n + 2;
    }
    return Buffer.concat(parts);
}

/* Send the bytes, read until the server closes, return the reply in parts. Add
 * `Connection: close` to the request, or wait for the time limit. */
export function rawRequest(port, bytes, limitMs) {
    const exchange = new Promise((resolve, reject) => {
        const parts = [];
        const socket = net.connect(port, '127.0.0.1', () => {
            socket.write(bytes);
        });
        socket.on('data', (d) => parts.push(d));
        socket.on('end', () => socket.end());
        socket.on('close', () => resolve(splitReply(Buffer.concat(parts))));
        socket.on('error', (e) => {
            /* The server may refuse a body that it has not read. */
            if (parts.length === 0)
                reject(e);
        });
    });
    return within('the reply to a raw request', exchange, limitMs);
}

/* A client that sends a GET and reads `n` bytes every `ms`. Returns at once
 * when connected: {received, closed, leave()}. */
export async function slowReader(port, path, n, ms, headers = {}) {
    const socket = net.connect({ port, host: '127.0.0.1', highWaterMark: n });
    await new Promise((resolve, reject) => {
        socket.once('connect', resolve);
        socket.once('error', reject);
    });
    const reader = { received: 0, closed: false };
    socket.on('error', () => {});
    socket.on('close', () => { reader.closed = true; });
    const lines = Object.entries({
        Host: `127.0.0.1:${port}`, Accept: 'text/event-stream', ...headers,
    }).map(([k, v]) => `${k}: ${v}\r\n`).join('');
    socket.write(`GET ${path} HTTP/1.1\r\n${lines}\r\n`);
    socket.pause();
    const pump = async () => {
        while (!reader.closed) {
            const piece = socket.read(n) ?? socket.read();
            reader.received += piece?.length ?? 0;
            await delay(ms);
        }
    };
    const pumping = pump();
    reader.leave = async () => {
        socket.destroy();
        reader.closed = true;
        await pumping;
    };
    return reader;
}

/* A proxy to a local port whose connections can be torn: {port, connections,
 * tear(), stop()}. Bytes pass unchanged. */
export async function tearingProxy(port) {
    const pairs = new Set();
    const proxy = { connections: 0 };
    const server = net.createServer((near) => {
        const far = net.connect(port, '127.0.0.1');
        const pair = [near, far];
        proxy.connections++;
        pairs.add(pair);
        for (const [from, to] of [pair, [far, near]]) {
            from.pipe(to);
            from.on('error', () => to.destroy());
            from.on('close', () => pairs.delete(pair) && to.destroy());
        }
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    proxy.port = server.address().port;
    proxy.tear = () => {
        for (const pair of pairs)
            for (const socket of pair)
                socket.destroy();
    };
    proxy.stop = async () => {
        proxy.tear();
        await new Promise((resolve) => server.close(resolve));
    };
    return proxy;
}
