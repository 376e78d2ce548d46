/* An OAuth2 token server behind TLS, with a certificate that openssl makes for
 * this run. It gives tokens to one client, whose id and secret have characters
 * that must be escaped, and answers by path:
 *
 *     /token          as RFC 6749 has it, the client in Authorization
 *     /form           the same, but the client must be in the form
 *     /short          a token that lives for one second
 *     /any            whatever `answer` does: async (req, res) => {}
 *
 * `requests` has what was asked: {path, form, basic, host}. */

import https from 'node:https';
import { makeCertificates } from './tls_provider.js';

export const CLIENT = { client_id: 'a client/1', client_secret: 'p:s &=+%é' };

function basicOf(req) {
    const given = /^Basic (.+)$/.exec(req.headers.authorization ?? '');
    if (!given)
        return null;
    const [id, secret] = Buffer.from(given[1], 'base64').toString().split(':');
    return { id: decodeURIComponent(id), secret: decodeURIComponent(secret) };
}

export function sayJson(res, status, body) {
    res.writeHead(status, { 'content-type': 'application/json' });
    res.end(JSON.stringify(body));
}

export async function startTokenServer(papers, host = '127.0.0.1') {
    const server = { requests: [], given: 0, connections: [], answer: null };
    const isClient = (c) => c !== null && c.id === CLIENT.client_id &&
        c.secret === CLIENT.client_secret;
    const grant = (res, life) => sayJson(res, 200, {
        access_token: `token-${++server.given}-secret`, token_type: 'bearer',
        ...(life === undefined ? {} : { expires_in: life }),
    });
    const handle = async (req, res) => {
        let text = '';
        req.on('error', () => {});
        res.on('error', () => {});
        for await (const piece of req.setEncoding('utf8'))
            text += piece;
        const form = Object.fromEntries(new URLSearchParams(text));
        const basic = basicOf(req);
        const inForm = form.client_id === undefined ? null
            : { id: form.client_id, secret: form.client_secret };
        server.requests.push({ path: req.url, form, basic,
            host: req.headers.host, method: req.method,
            type: req.headers['content-type'] });
        if (req.url === '/any')
            await server.answer(req, res);
        else if (!isClient(req.url === '/form' ? inForm : basic))
            sayJson(res, 401, { error: 'invalid_client',
                error_description: `not ${JSON.stringify(basic ?? inForm)}` });
        else
            grant(res, req.url === '/short' ? 1 : 3600);
    };
    const listener = https.createServer(papers, (req, res) =>
        handle(req, res).catch((e) => { server.failure ??= e; }));
    listener.on('connection', (s) => {
        server.connections.push(s);
        s.on('error', () => {});
    });
    listener.on('tlsClientError', () => {});
    await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
    server.grant = grant;
    server.port = listener.address().port;
    server.host = `${host}:${server.port}`;
    server.url = (path) => `https://${server.host}${path}`;
    server.about = (path) => server.requests.filter((r) => r.path === path);
    server.stop = async () => {
        for (const socket of server.connections)
            socket.destroy();
        await new Promise((resolve) => listener.close(resolve));
        if (server.failure)
            throw server.failure;
    };
    return server;
}

export { makeCertificates };
