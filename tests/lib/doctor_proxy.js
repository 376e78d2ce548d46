/* A proxy that understands HTTP and misuses it: it compresses, takes headers
 * out, refuses long bodies, serves below another path, or has a certificate.
 * (bad_proxy.js is the one for what can be done to bytes.) Fields may be changed
 * while it runs:
 *   gzip        'flush': every reply is compressed, piece by piece; 'hold': and
 *               given at its end
 *   drops       names of request headers that are taken out
 *   bodyMax     bytes; longer requests get a page with status 413
 *   mount       the path that it serves below, which the server is not told
 *   answers     path → {status, type, body} of its own
 *   http10      no upgrade is passed on: an answer of 400
 *
 *     const proxy = await startDoctorProxy(parley, { gzip: 'flush' });
 *     … proxy.url …
 *     await proxy.stop(); */

import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import zlib from 'node:zlib';

function refuse(res, status, text) {
    res.writeHead(status, { 'content-type': 'text/html', connection: 'close' });
    res.end(`<html><title>${status}</title>${text}</html>`);
}

function passReply(proxy, from, req, res) {
    const headers = { ...from.headers };
    const zip = proxy.gzip !== '' &&
        /gzip/.test(req.headers['accept-encoding'] ?? '');
    if (!zip) {
        res.writeHead(from.statusCode, headers);
        res.flushHeaders();
        from.pipe(res);
        return;
    }
    delete headers['content-length'];
    headers['content-encoding'] = 'gzip';
    res.writeHead(from.statusCode, headers);
    const packer = zlib.createGzip(proxy.gzip === 'flush'
        ? { flush: zlib.constants.Z_SYNC_FLUSH } : {});
    from.pipe(packer).pipe(res);
}

function pass(proxy, req, res) {
    const own = proxy.answers[req.url];
    if (own !== undefined) {
        res.writeHead(own.status, { 'content-type': own.type });
        res.end(own.body);
        return;
    }
    if (Number(req.headers['content-length'] ?? 0) > proxy.bodyMax) {
        refuse(res, 413, 'Too large');
        return;
    }
    if (!req.url.startsWith(`${proxy.mount}/`)) {
        refuse(res, 404, 'Not here');
        return;
    }
    const headers = { ...req.headers };
    for (const name of proxy.drops)
        delete headers[name.toLowerCase()];
    const to = http.request({
        host: '127.0.0.1', port: proxy.target, method: req.method,
        path: req.url.slice(proxy.mount.length), headers, agent: false,
    }, (from) => passReply(proxy, from, req, res));
    to.on('error', () => res.destroy());
    res.on('close', () => to.destroy());
    req.pipe(to);
}

function upgrade(proxy, req, socket, early) {
    if (proxy.http10) {
        socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n');
        return;
    }
    const to = net.connect(proxy.target, '127.0.0.1');
    const lines = [`${req.method} ${req.url} HTTP/1.1`];
    for (let i = 0; i < req.rawHeaders.length; i += 2)
        lines.push(`${req.rawHeaders[i]}: ${req.rawHeaders[i + 1]}`);
    to.write(`${lines.join('\r\n')}\r\n\r\n`);
    to.write(early);
    to.pipe(socket).pipe(to);
    for (const [one, other] of [[to, socket], [socket, to]]) {
        one.on('error', () => {});
        one.on('close', () => other.destroy());
    }
}

/* options.tls: {key, cert} */
export async function startDoctorProxy(parley, { tls, ...options } = {}) {
    const proxy = {
        target: parley.port, gzip: '', drops: [], bodyMax: Infinity, mount: '',
        answers: {}, http10: false, ...options,
    };
    const server = tls === undefined
        ? http.createServer() : https.createServer(tls);
    server.on('request', (req, res) => pass(proxy, req, res));
    server.on('upgrade', (req, socket, early) =>
        upgrade(proxy, req, socket, early));
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    proxy.url = `${tls === undefined ? 'http' : 'https'}://` +
        `127.0.0.1:${server.address().port}${proxy.mount}`;
    proxy.stop = () => {
        server.closeAllConnections();
        return new Promise((resolve) => server.close(resolve));
    };
    return proxy;
}
