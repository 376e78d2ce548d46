/* OAuth2 clients over WebSocket: a session signs in when its token server has
 * given a token, and not before; the token is fetched once, kept, and renewed.
 * Which servers may be asked is what this is most about. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import WebSocket from 'ws';
import { newSession } from '../lib/client.js';
import { startParley } from '../lib/server.js';
import {
    CLIENT, makeCertificates, sayJson, startTokenServer,
} from '../lib/token_server.js';
import { deferred, until, within } from '../lib/wait.js';

let papers, tokens, stranger, parley;

before(async () => {
    papers = makeCertificates();
    tokens = await startTokenServer(papers.server);
    stranger = await startTokenServer(papers.stranger);
    parley = await startParley({ env: {
        OAUTH_TOKEN_HOSTS: `${tokens.host}, localhost:${tokens.port}, ` +
            `${stranger.host} 127.0.0.1:9, *.example.com 169.254.169.254`,
        UPSTREAM_CA: papers.ca, UPSTREAM_FIRST_BYTE_MS: '3000',
        /* Not for requests to an address that a client names. */
        HTTPS_PROXY: 'http://127.0.0.1:9', ALL_PROXY: 'http://127.0.0.1:9',
    } });
});
after(async () => {
    await parley?.stop();
    await tokens?.stop();
    await stranger?.stop();
    papers?.release();
});

class Socket {
    constructor(session = newSession()) {
        this.session = session;
        this.ws = new WebSocket(parley.url.replace(/^http/, 'ws') +
            `/ws/chat?session_id=${session}`);
        this.frames = [];
        this.ws.on('message', (data) => this.frames.push(JSON.parse(data)));
        this.closed = new Promise((resolve) => this.ws.once('close', resolve));
    }

    send(frame) {
        this.ws.send(JSON.stringify(frame));
    }

    auth(url, more = {}) {
        this.send({ type: 'auth', auth_type: 'oauth2', ...CLIENT,
            token_url: url, ...more });
    }

    async next(type) {
        await until(`a frame (${type})`, () => this.frames.length > 0);
        const frame = this.frames.shift();
        assert.equal(frame.type, type, JSON.stringify(frame));
        return frame;
    }

    /* Sign in at this address: what the client is told. */
    async signIn(url, more) {
        this.auth(url, more);
        const { success, message } = await this.next('auth_response');
        assert.doesNotMatch(message, /p:s|secret-of|token-\d/);
        return { success, message };
    }

    async close() {
        this.ws.close();
        await within('the socket to close', this.closed);
        assert.deepEqual(this.frames, [], 'no frame that nobody asked for');
    }
}

async function connect(session) {
    const s = new Socket(session);
    await s.next('connection_established');
    return s;
}

/* One socket, one login, what is said to it. */
async function once(url, more) {
    const s = await connect();
    const answer = await s.signIn(url, more);
    await s.close();
    return answer;
}

const GOOD = { success: true, message: 'Authentication successful' };

describe('a token', () => {
    test('is asked for as RFC 6749 has it', async () => {
        assert.deepEqual(await once(tokens.url('/token'),
            { scope: 'read write' }), GOOD);
        assert.deepEqual(tokens.requests.at(-1), {
            path: '/token', method: 'POST', host: tokens.host,
            type: 'application/x-www-form-urlencoded',
            form: { grant_type: 'client_credentials', scope: 'read write' },
            basic: { id: CLIENT.client_id, secret: CLIENT.client_secret },
        });
    });

    test('with the client in the form where the server wants it', async () => {
        assert.deepEqual(await once(tokens.url('/form')), GOOD);
        const [first, second, ...more] = tokens.about('/form');
        assert.deepEqual([first.form, second.basic, more],
            [{ grant_type: 'client_credentials' }, null, []]);
        assert.deepEqual(second.form, { grant_type: 'client_credentials',
            ...CLIENT });
    });

    test('is kept while it is good', async () => {
        const s = await connect();
        const n = tokens.requests.length;
        for (let i = 0; i < 3; i++)
            assert.deepEqual(await s.signIn(tokens.url('/token')), GOOD);
        assert.equal(tokens.requests.length, n + 1);
        assert.equal((await s.signIn(tokens.url('/token'),
            { scope: 'more' })).success, true);
        assert.equal(tokens.requests.length, n + 2, 'another scope');
        assert.equal((await s.signIn(tokens.url('/token'),
            { client_secret: 'other' })).success, false);
        await s.close();
    });

    test('is fetched anew before it ends', async () => {
        const s = await connect();
        const n = tokens.requests.length;
        assert.deepEqual(await s.signIn(tokens.url('/short')), GOOD);
        await until('another request', async () => {
            assert.deepEqual(await s.signIn(tokens.url('/short')), GOOD);
            return tokens.requests.length > n + 1;
        });
        await s.close();
    });

    test('is forgotten at a logout and with the last socket', async () => {
        const s = await connect();
        const other = await connect(s.session);
        const n = tokens.requests.length;
        assert.deepEqual(await s.signIn(tokens.url('/token')), GOOD);
        assert.deepEqual(await other.signIn(tokens.url('/token')), GOOD);
        assert.equal(tokens.requests.length, n + 1, 'one session');
        await s.close();
        assert.deepEqual(await other.signIn(tokens.url('/token')), GOOD);
        assert.equal(tokens.requests.length, n + 1, 'one socket is left');
        other.send({ type: 'logout' });
        await other.next('logout_success');
        assert.deepEqual(await other.signIn(tokens.url('/token')), GOOD);
        assert.equal(tokens.requests.length, n + 2, 'signed out');
        await other.close();
        const last = await connect(s.session);
        assert.deepEqual(await last.signIn(tokens.url('/token')), GOOD);
        assert.equal(tokens.requests.length, n + 3, 'the last socket left');
        await last.close();
    });

    test('is asked for once by many who want it', async () => {
        const go = deferred();
        tokens.answer = async (req, res) => {
            await go.promise;
            tokens.grant(res);
        };
        const s = await connect();
        const more = await Promise.all([connect(s.session),
            connect(s.session)]);
        const n = tokens.requests.length;
        for (const one of [s, ...more])
            one.auth(tokens.url('/any'));
        await until('the request', () => tokens.requests.length > n);
        for (const one of more) { /* their frames were read */
            one.send({ type: 'ping' });
            await one.next('pong');
        }
        go.resolve();
        for (const one of [s, ...more]) {
            assert.equal((await one.next('auth_response')).success, true);
            await one.close();
        }
        assert.equal(tokens.requests.length, n + 1);
    });
});

describe('no token', () => {
    const cases = [
        ['a wrong secret', (req, res) => sayJson(res, 401,
            { error: 'invalid_client', error_description: 'secret-of-yours' }),
        /does not accept this client_id/, 2],
        ['a wrong scope', (req, res) => sayJson(res, 400,
            { error: 'invalid_scope' }), /does not give this scope/],
        ['an unknown error', (req, res) => sayJson(res, 400,
            { error: 'secret-of-mine' }), /It answered with 400/],
        ['a failure', (req, res) => sayJson(res, 503, {}), /failed.*503/],
        ['a redirect to itself', (req, res) => {
            res.writeHead(307, { location: tokens.url('/token') });
            res.end('{"access_token":"token-0","token_type":"Bearer"}');
        }, /Redirects are not followed/],
        ['a redirect to the metadata of a cloud', (req, res) => {
            res.writeHead(302, { location: 'http://169.254.169.254/latest' });
            res.end();
        }, /Redirects are not followed/],
        ['no JSON', (req, res) => res.end('<html>Welcome</html>'),
            /no JSON object/],
        ['a list', (req, res) => sayJson(res, 200, []), /no JSON object/],
        ['nothing', (req, res) => res.end(), /no JSON object/],
        ['no access_token', (req, res) => sayJson(res, 200,
            { token_type: 'Bearer' }), /no access_token/],
        ['another kind of token', (req, res) => sayJson(res, 200,
            { access_token: 'token-0', token_type: 'mac' }), /not Bearer/],
        ['a token with a header in it', (req, res) => sayJson(res, 200,
            { access_token: 'token-0\r\nX: y', token_type: 'Bearer' }),
        /cannot be sent/],
        ['a huge reply', (req, res) => sayJson(res, 200,
            { access_token: 'token-0', token_type: 'Bearer',
                more: 'x'.repeat(4 << 20) }), /too long/],
        ['a huge error', (req, res) => sayJson(res, 400,
            { error: 'x'.repeat(4 << 20) }), /It answered with 400/],
        ['a reply that breaks off', (req, res) => {
            res.writeHead(200, { 'content-length': '1000' });
            res.write('{"access_token":"token-0"');
            setImmediate(() => res.destroy());
        }, /broke off/],
        ['a closed connection', (req) => { req.socket.destroy(); },
            /cannot be reached|not understood/],
        ['silence', () => new Promise(() => {}), /too slow/],
    ];

    for (const [name, answer, message, requests = 1] of cases)
        test(name, async () => {
            const n = tokens.requests.length;
            tokens.answer = answer;
            const answered = await once(tokens.url('/any'));
            assert.equal(answered.success, false);
            assert.match(answered.message, /^Authentication failed: [A-Z]/);
            assert.match(answered.message, message);
            assert.equal(tokens.requests.length, n + requests);
        });

    test('the server is not trusted, and is not told the secret', async () => {
        const { success, message } = await once(stranger.url('/token'));
        assert.equal(success, false);
        assert.match(message, /certificate is not trusted/);
        assert.equal(stranger.requests.length, 0);
    });

    test('nobody listens', async () => {
        const { success, message } = await once('https://127.0.0.1:9/token');
        assert.equal(success, false);
        assert.match(message, /cannot be reached/);
    });
});

describe('addresses', () => {
    test('only those of the list, before anybody is asked', async () => {
        const s = await connect();
        const n = tokens.requests.length;
        for (const [url, message] of [
            [`https://127.0.0.2:${tokens.port}/`, /may not be called/],
            [`https://[::1]:${tokens.port}/`, /may not be called/],
            [`https://[::ffff:127.0.0.1]:${tokens.port}/`,
                /may not be called/],
            ['https://127.0.0.1/', /may not be called/],
            ['https://10.0.0.1/', /may not be called/],
            ['https://169.254.169.254/latest', /may not be called/],
            ['https://0/', /may not be called/],
            ['https://example.com/', /may not be called/],
            ['https://a.example.com:8443/', /may not be called/],
            ['https://a.example.com.evil.example/', /may not be called/],
            [`https://${tokens.host}@evil.example/`, /no user/],
            [`https://evil.example#@${tokens.host}/`, /may not be called/],
            [`http://${tokens.host}/token`, /begins with https/],
            ['file:///etc/passwd', /begins with https/],
        ]) {
            const answer = await s.signIn(url);
            assert.equal(answer.success, false, url);
            assert.match(answer.message, message, url);
        }
        await s.close();
        assert.equal(tokens.requests.length, n);
    });

    test('another spelling of one that is listed', async () => {
        assert.deepEqual(
            await once(`https://0x7f.1:${tokens.port}/token`), GOOD);
    });

    test('localhost if it is listed', async () => {
        assert.deepEqual(
            await once(`https://localhost:${tokens.port}/token`), GOOD);
    });
});

describe('in order', () => {
    test('what comes after a login waits for it', async () => {
        const go = deferred();
        tokens.answer = async (req, res) => {
            await go.promise;
            tokens.grant(res);
        };
        const s = await connect();
        const n = tokens.requests.length;
        s.auth(tokens.url('/any'));
        s.send({ type: 'chat', message: 'What is Parley?' });
        s.send({ type: 'auth', auth_type: 'bearer_token', token: 'abc' });
        s.send({ type: 'history' });
        s.send({ type: 'ping' });
        await s.next('pong');
        await until('the request', () => tokens.requests.length > n);
        assert.deepEqual(s.frames, []);
        go.resolve();
        assert.equal((await s.next('auth_response')).success, true);
        await s.next('typing');
        await s.next('ai_response');
        assert.equal((await s.next('auth_response')).success, true);
        assert.equal((await s.next('history')).messages.length, 2);
        await s.close();
    });

    test('a logout waits for nothing', async () => {
        const left = deferred();
        tokens.answer = async (req) => {
            req.socket.once('close', left.resolve);
        };
        const s = await connect();
        const n = tokens.requests.length;
        s.auth(tokens.url('/any'));
        s.auth(tokens.url('/token'));
        s.send({ type: 'history' });
        await until('the request', () => tokens.requests.length > n);
        s.send({ type: 'logout' });
        for (let i = 0; i < 2; i++) {
            const { success, message } = await s.next('auth_response');
            assert.equal(success, false);
            assert.match(message, /Signed out meanwhile/);
        }
        await s.next('logout_success');
        await s.next('history');
        await within('the token server to be left', left.promise);
        assert.equal(tokens.requests.length, n + 1);
        await s.close();
    });

    test('a client that leaves asks no token server any more', async () => {
        const left = deferred();
        tokens.answer = async (req) => {
            req.socket.once('close', left.resolve);
        };
        const s = await connect();
        const n = tokens.requests.length;
        s.auth(tokens.url('/any'));
        await until('the request', () => tokens.requests.length > n);
        s.ws.terminate();
        await within('the token server to be left', left.promise);
    });

    test('the last login of a session counts', async () => {
        tokens.answer = () => new Promise(() => {});
        const s = await connect();
        const other = await connect(s.session);
        const n = tokens.requests.length;
        s.auth(tokens.url('/any'));
        await until('the request', () => tokens.requests.length > n);
        assert.deepEqual(await other.signIn(tokens.url('/token')), GOOD);
        const { success, message } = await s.next('auth_response');
        assert.equal(success, false);
        assert.match(message, /Other credentials/);
        await s.close();
        await other.close();
    });
});

test('a server that stops breaks off', async () => {
    tokens.answer = () => new Promise(() => {});
    const s = await connect();
    const n = tokens.requests.length;
    s.auth(tokens.url('/any'));
    await until('the request', () => tokens.requests.length > n);
    await parley.stopWeb();
    assert.equal((await s.next('auth_response')).success, false);
    await within('the socket to close', s.closed);
    const log = parley.log();
    for (const secret of ['token-1', 'p:s', 'secret-of', CLIENT.client_id,
        Buffer.from('a%20client').toString('base64')])
        assert.ok(!log.includes(secret), secret);
});
