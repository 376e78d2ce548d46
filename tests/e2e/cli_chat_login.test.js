/* How parley chat signs in: what a server is sent, over both transports, and
 * what nobody else gets to see. */

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { WebSocketServer } from 'ws';
import { runChat, startChat } from '../lib/parley_chat.js';
import { commandLine } from '../lib/server.js';
import { deferred, until } from '../lib/wait.js';

const SECRET = 'a secret +/="\\';
const TURN = '01234567-89ab-7def-8123-456789abcdef';

const event = (seq, o) => `id: ${TURN}.${seq}\nevent: ${o.type}\n` +
    `data: ${JSON.stringify(o)}\n\n`;

/* A server that answers everything and keeps what it was sent. */
class Fake {
    constructor() {
        this.requests = [];
        this.frames = [];
        this.tokens = []; /* requests for one */
        this.status = 200; /* of a question */
        this.grant = (request, n) => [200, { access_token: `token-${n}`,
            token_type: 'bearer', expires_in: 3600 }];
        this.server = createServer((rq, rs) => this.take(rq, rs));
        this.sockets = new WebSocketServer({ server: this.server });
        this.sockets.on('connection', (ws, rq) => this.greet(ws, rq));
    }

    async start() {
        await new Promise((resolve) => this.server.listen(0, '127.0.0.1',
            resolve));
        this.url = `http://127.0.0.1:${this.server.address().port}`;
        this.wsUrl = this.url.replace('http', 'ws');
    }

    stop() {
        for (const ws of this.sockets.clients)
            ws.terminate();
        this.server.closeAllConnections();
        return new Promise((resolve) => this.server.close(resolve));
    }

    forget() {
        this.requests.length = this.frames.length = this.tokens.length = 0;
    }

    async take(rq, rs) {
        let body = '';
        for await (const piece of rq)
            body += piece;
        const request = { path: rq.url, headers: rq.headers, body };
        if (rq.url === '/token') {
            this.tokens.push(request);
            const [status, o] = this.grant(request, this.tokens.length);
            rs.writeHead(status, { 'content-type': 'application/json' });
            return rs.end(JSON.stringify(o));
        }
        this.requests.push(request);
        if (rq.url === '/status')
            return rs.end('{"status":"running"}');
        if (rq.url !== '/chat')
            return rs.writeHead(404).end('{"error":"Not found"}');
        const status = typeof this.status === 'function'
            ? this.status(request) : this.status;
        if (status !== 200)
            return rs.writeHead(status).end(
                '{"error":"Who are you","message":"Sign in.","code":"auth"}');
        rs.writeHead(200, { 'content-type': 'text/event-stream' });
        rs.write(event(1, { type: 'response_start', session_id: 's',
            turn_id: TURN }));
        rs.write(event(2, { type: 'response_chunk', content: 'fine' }));
        return rs.end(event(3, { type: 'response_complete', content: 'fine' }));
    }

    greet(ws, rq) {
        this.requests.push({ path: rq.url, headers: rq.headers });
        ws.send(JSON.stringify({ type: 'connection_established',
            session_id: 's', message: '', timestamp: '' }));
        ws.on('message', (data) => {
            const frame = JSON.parse(data);
            this.frames.push(frame);
            if (frame.type === 'auth')
                ws.send(JSON.stringify({ type: 'auth_response',
                    success: frame.token !== 'wrong', message: 'As it is' }));
            if (frame.type === 'logout')
                ws.send(JSON.stringify({ type: 'logout_success' }));
            if (frame.type === 'chat')
                ws.send(JSON.stringify({ type: 'ai_response',
                    message: 'fine' }));
        });
    }
}

const WAYS = [
    { args: ['--auth', 'bearer', '--token', SECRET],
        header: ['authorization', `Bearer ${SECRET}`],
        frame: { auth_type: 'bearer_token', token: SECRET } },
    { args: ['--auth', 'api_key', '--api-key', SECRET],
        header: ['x-api-key', SECRET],
        frame: { auth_type: 'api_key', api_key: SECRET } },
    { args: ['--auth', 'api_key', '--api-key', SECRET, '--api-key-header',
        'X-Mine'],
    header: ['x-mine', SECRET],
    frame: { auth_type: 'api_key', api_key: SECRET,
        api_key_header: 'X-Mine' } },
    { args: ['--auth', 'basic', '--username', 'me@x', '--password', SECRET],
        header: ['authorization',
            `Basic ${Buffer.from(`me@x:${SECRET}`).toString('base64')}`],
        frame: { auth_type: 'basic_auth', username: 'me@x',
            password: SECRET } },
    { args: [], env: { BEDROCK_AUTH_TYPE: 'bearer_token',
        BEDROCK_AUTH_TOKEN: SECRET },
    header: ['authorization', `Bearer ${SECRET}`],
    frame: { auth_type: 'bearer_token', token: SECRET } },
    { args: ['--token', SECRET], header: ['authorization', `Bearer ${SECRET}`],
        frame: { auth_type: 'bearer_token', token: SECRET } },
];

describe('parley chat signs in', () => {
    let fake;

    before(async () => {
        fake = new Fake();
        await fake.start();
    });
    after(() => fake?.stop());

    const oauth = () => ['--auth', 'oauth2', '--client-id', 'me:1',
        '--client-secret', SECRET, '--token-url', `${fake.url}/token`,
        '--scope', 'read write'];

    test('with a header on each request', async () => {
        for (const { args, env, header } of WAYS) {
            fake.forget();
            const r = await runChat(['--url', fake.url, ...args, '--once',
                'hi'], { env });
            assert.equal(r.out, 'fine\n', r.err);
            assert.equal(fake.requests.length, 2);
            for (const { headers } of fake.requests)
                assert.equal(headers[header[0]], header[1], `${args}`);
        }
    });

    test('with a frame on a WebSocket, and a header before it', async () => {
        for (const { args, env, header, frame } of WAYS) {
            fake.forget();
            const r = await runChat(['--url', fake.wsUrl, ...args], { env,
                input: 'hi\n/logout\n' });
            assert.equal(r.out, 'fine\n', r.err);
            assert.equal(fake.requests[0].path, '/ws/chat');
            assert.equal(fake.requests[0].headers[header[0]], header[1]);
            assert.deepEqual(fake.frames[0], { type: 'auth', ...frame });
            assert.equal(fake.frames[1].message, 'hi');
            assert.equal(fake.frames[2].type, 'logout');
        }
        const r = await runChat(['--url', fake.wsUrl, '--token', 'wrong',
            '--once', 'hi']);
        assert.equal(r.code, 1);
        assert.equal(r.err, 'parley: As it is\n');
    });

    test('the query of a WebSocket\'s address stays', async () => {
        fake.forget();
        const r = await runChat(['--url', `${fake.wsUrl}/ws/chat/auth?token=x`,
            '--session', 'mine', '--once', 'hi']);
        assert.equal(r.out, 'fine\n', r.err);
        assert.equal(fake.requests[0].path,
            '/ws/chat/auth?token=x&session_id=mine');
    });

    test('with an OAuth2 token that is fetched once', async () => {
        fake.forget();
        const r = await runChat(['--url', fake.url, ...oauth()],
            { input: 'one\ntwo\n' });
        assert.equal(r.out, 'fine\nfine\n', r.err);
        assert.equal(fake.tokens.length, 1);
        assert.equal(fake.tokens[0].body,
            'grant_type=client_credentials&scope=read%20write');
        const [id, secret] = Buffer.from(fake.tokens[0].headers.authorization
            .slice('Basic '.length), 'base64').toString().split(':')
            .map(decodeURIComponent);
        assert.deepEqual([id, secret], ['me:1', SECRET]);
        for (const { headers } of fake.requests)
            assert.equal(headers.authorization, 'Bearer token-1');
    });

    test('a token that is refused or old is fetched anew', async () => {
        fake.forget();
        fake.status = ({ headers }) =>
            headers.authorization === 'Bearer token-1' ? 401 : 200;
        const r = await runChat(['--url', fake.url, ...oauth(), '--once',
            'hi']);
        fake.status = 200;
        assert.equal(r.out, 'fine\n', r.err);
        assert.equal(fake.tokens.length, 2);

        fake.forget();
        const grant = fake.grant;
        fake.grant = (request, n) => [200, { access_token: `short-${n}`,
            expires_in: 1 }];
        const old = await runChat(['--url', fake.url, ...oauth(), '--once',
            'hi']);
        fake.grant = grant;
        assert.equal(old.out, 'fine\n', old.err);
        assert.equal(fake.requests[1].headers.authorization, 'Bearer short-2');
    });

    test('credentials go into the body where the header is not taken',
        async () => {
            fake.forget();
            const grant = fake.grant;
            fake.grant = (request, n) => request.headers.authorization
                ? [401, { error: 'invalid_client' }] : grant(request, n);
            const r = await runChat(['--url', fake.url, ...oauth(), '--once',
                'hi']);
            fake.grant = () => [400, { error: 'invalid_scope' }];
            const refused = await runChat(['--url', fake.url, ...oauth(),
                '--once', 'hi']);
            fake.grant = grant;
            assert.equal(r.out, 'fine\n', r.err);
            const form = new URLSearchParams(fake.tokens[1].body);
            assert.equal(form.get('client_secret'), SECRET);
            assert.equal(refused.code, 1);
            assert.equal(refused.err, 'parley: The token URL gave no token ' +
                '(HTTP status 400)\n');
        });

    test('a refusal is told, and the secret is not', async () => {
        fake.status = 401;
        const r = await runChat(['--url', fake.url, '--token', SECRET,
            '--once', 'hi']);
        fake.status = 200;
        assert.equal(r.code, 1);
        assert.equal(r.err, 'parley: Who are you: Sign in.\n');
    });

    test('/logout forgets them', async () => {
        fake.forget();
        const r = await runChat(['--url', fake.url, '--token', SECRET],
            { input: 'one\n/logout\ntwo\n' });
        assert.equal(r.out, 'fine\nfine\n', r.err);
        assert.match(r.err, /the credentials are forgotten/);
        assert.ok(fake.requests.find((q) => q.path === '/auth/logout').headers
            .authorization);
        assert.equal(fake.requests.at(-1).headers.authorization, undefined);
    });

    test('other users of the machine do not see the secret', async () => {
        const gate = deferred();
        const take = fake.take.bind(fake);
        fake.take = async (rq, rs) => {
            await gate.promise;
            return take(rq, rs);
        };
        const chat = startChat(['--url', fake.url, '--token', SECRET,
            `--api-key=${SECRET}`, '--once', 'hi']);
        try {
            const line = await until('the arguments to be wiped', () => {
                const text = commandLine(chat.child.pid).join(' ');
                return text.includes('--token') && !text.includes(SECRET) &&
                    text;
            });
            assert.ok(line.includes('--once'));
        } finally {
            gate.resolve();
            fake.take = take;
        }
        assert.equal((await chat.ended).out, 'fine\n');
    });
});
