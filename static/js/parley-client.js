/* A client of a Parley server, for browsers and for Node 20: one object is one
 * conversation.
 *
 *     import { ParleyClient } from './static/js/parley-client.js';
 *
 *     const parley = new ParleyClient({ url: 'http://127.0.0.1:8080/' });
 *     for await (const text of parley.chunks('Hello'))
 *         process.stdout.write(text);
 *     parley.close();
 *
 * or with events:
 *
 *     parley.on('chunk', (text) => show(text));
 *     const answer = await parley.send('Hello');
 *
 * The transport is WebSocket where it works, else server-sent events, else
 * polling. If one breaks off in an answer, the next one goes on where it was,
 * without a lost or doubled character; a question is never asked twice. What
 * has been found out of the path is remembered for a day.
 *
 * Nothing outside this folder is needed. The surface is that of the C library
 * (src/client/parley.h). */

import { uuid } from './ids.js';
import { Following } from './client/follow.js';
import { Heard } from './client/heard.js';
import { Http, ParleyError } from './client/http.js';
import { Login } from './client/login.js';
import { Socket } from './client/socket.js';
import { WAYS, Ways, findWay } from './client/ways.js';
import { linked, world } from './client/world.js';

export { ParleyError };

const SESSION = /^[A-Za-z0-9_-]{1,64}$/;
const CONNECT_MS = 10000;
const GREETING_MS = 3000;   /* where another transport can take over */
const PATIENCE_MS = 60000;
const HISTORY_MAX = 500;

/* The folder of the server, with a slash at its end. Addresses of WebSockets
 * are taken, too. */
function baseOf(url) {
    const base = new URL(url ?? new URL('../../', import.meta.url));
    if (!/^(https?|wss?):$/.test(base.protocol))
        throw new ParleyError('invalid_url', `${base.href} is not an address ` +
            'that begins with http://, https://, ws:// or wss://');
    base.protocol = base.protocol.replace('ws', 'http');
    base.pathname = base.pathname.replace(/\/ws\/chat\/?$/, '/')
        .replace(/\/*$/, '/');
    base.search = '';
    base.hash = '';
    return base.href;
}

function forcedBy({ url, transport = 'auto' }) {
    if (transport !== 'auto' && !WAYS.includes(transport))
        throw new ParleyError('invalid_transport',
            `transport is one of auto, ${WAYS.join(', ')}`);
    if (transport !== 'auto')
        return transport;
    return /^wss?:/i.test(url ?? '') ? 'websocket' : null;
}

export class ParleyClient {
    #env;
    #login;
    #http;
    #ways;
    #options;
    #socket = null;
    #running = null;        /* {following, line, stopping} */
    #closed = new AbortController();
    #connected = false;
    #listeners = new Map();

    /* url: of the server, with its folder; by default where this module comes
     * from. session_id: to go on with; by default a new one. transport: 'auto',
     * 'websocket', 'sse' or 'polling'. token (or a function that gives one,
     * also later), or api_key and api_key_header, or username and password: who
     * we are. connect_ms: for a handshake; patience_ms: for a broken connection
     * to come back. env: in place of what the surroundings have (world.js);
     * with Node 20, { WebSocket } for instance. */
    constructor(options = {}) {
        this.session_id = options.session_id ?? uuid();
        if (!SESSION.test(this.session_id))
            throw new ParleyError('invalid_session_id', 'A session is named ' +
                'by 1 to 64 letters, digits, - and _');
        const base = baseOf(options.url);
        this.#options = { connect_ms: CONNECT_MS, patience_ms: PATIENCE_MS,
            ...options };
        this.#env = world(options.env);
        this.#login = new Login(options);
        this.#http = new Http(base, () => this.#login.headers(), this.#env);
        this.#ways = new Ways(base, forcedBy(options), this.#env);
    }

    /* The transport of the next question; null before it is known. */
    get transport() {
        return this.#ways.next;
    }

    /* Calls fn for each event of that type; gives a function that ends that.
     *   connected ({session_id, transport})
     *   chunk (text): the next piece of an answer
     *   event (event): everything of an answer, as docs/WIRE.md has it; over
     *       WebSocket thoughts, contexts and tools are not told
     *   message (message): a whole answer, as send() gives it
     *   state (name, transport): 'reconnecting', 'reconnected'
     *   error (e): a ParleyError, for each call that fails */
    on(type, fn) {
        if (!this.#listeners.has(type))
            this.#listeners.set(type, new Set());
        this.#listeners.get(type).add(fn);
        return () => this.#listeners.get(type).delete(fn);
    }

    #emit(type, ...args) {
        for (const fn of this.#listeners.get(type) ?? [])
            fn(...args);
    }

    /* A promise of a call. Who listens for errors need not look at it. */
    #call(work) {
        const promise = (async () => {
            try {
                if (this.#closed.signal.aborted)
                    throw new ParleyError('closed', 'This client is closed');
                return await work();
            } catch (e) {
                this.#emit('error', e);
                throw e;
            }
        })();
        if (this.#listeners.get('error')?.size > 0)
            promise.catch(() => {});
        return promise;
    }

    /* ---- connecting ---- */

    /* Is there a Parley at the address, and which way to it? The other calls
     * connect by themselves if need be. */
    connect() {
        return this.#call(() => this.#connect());
    }

    async #connect() {
        const { signal } = this.#closed;
        const status = await this.#http.call('GET', 'status', { signal });
        if (!Array.isArray(status.transports))
            throw new ParleyError('no_parley',
                'There is no Parley at this address');
        if (this.#ways.next === 'websocket' && !this.#socket?.isOpen)
            await this.#open(signal).catch((e) => {
                if (this.#ways.forced)
                    throw e;
                this.#ways.next = null;
            });
        if (this.#ways.next === null)
            await this.#find(status.transports.includes('websocket'), signal);
        return this.#nowConnected();
    }

    #nowConnected() {
        const about = {
            session_id: this.session_id, transport: this.#ways.next };
        if (!this.#connected)
            this.#emit('connected', about);
        this.#connected = true;
        return about;
    }

    async #find(offered, signal) {
        const open = offered && this.#env.WebSocket
            ? (s) => this.#newSocket(s) : null;
        const found = await findWay(this.#http, this.#env, open, signal);
        this.#socket = found.socket;
        this.#ways.chose(found.way, found.sure);
    }

    async #newSocket(signal) {
        if (!this.#env.WebSocket)
            throw new ParleyError('no_websocket', 'There is no WebSocket ' +
                'here; hand one in as env.WebSocket');
        const { connect_ms: most } = this.#options;
        return Socket.open(this.#http.base, this.#env, {
            sessionId: this.session_id, token: await this.#login.token(),
            credentials: this.#login.frame(), signal,
            limitMs: this.#ways.forced ? most : Math.min(most, GREETING_MS),
        });
    }

    async #open(signal) {
        if (!this.#socket?.isOpen)
            this.#socket = await this.#newSocket(signal);
        return this.#socket;
    }

    /* ---- asking ---- */

    /* Asks, and gives the whole answer: the members of the event that ends it
     * (message_id, model, finish_reason, usage, …), its text as `text`. more:
     * other members of POST /chat (model, provider, context, attachments, …);
     * signal: an AbortSignal that stops it. One that was stopped is given, too,
     * with finish_reason 'cancelled'. */
    send(message, more = {}) {
        return this.#call(() => this.#send(message, more, () => {}));
    }

    /* Asks, and gives the pieces of the answer as they come: an async iterator.
     * Leaving the loop stops the answer. */
    async *chunks(message, more = {}) {
        const waiting = [];
        let wake = () => {};
        let over = false;
        let problem = null;
        const sending = this.#call(() => this.#send(message, more, (text) => {
            waiting.push(text);
            wake();
        }));
        sending.catch((e) => { problem = e; }).finally(() => {
            over = true;
            wake();
        });
        try {
            while (!over || waiting.length > 0) {
                if (waiting.length > 0)
                    yield waiting.shift();
                else
                    await new Promise((resolve) => { wake = resolve; });
            }
        } finally {
            if (!over) {
                await this.stop();
                await sending.catch(() => {});
            }
        }
        if (problem)
            throw problem;
    }

    async #send(message, { signal, ...more }, tell) {
        if (typeof message !== 'string' || message.trim() === '')
            throw new ParleyError('missing_message',
                'There is nothing to say in the message');
        if (this.#running)
            throw new ParleyError('busy', 'An answer is under way');
        const line = linked(this.#closed.signal);
        const running = { line, following: null, stopping: false };
        const stop = () => this.stop();
        this.#running = running;
        signal?.addEventListener('abort', stop);
        if (signal?.aborted)
            stop();
        try {
            return await this.#answer(message, more, tell, running);
        } finally {
            signal?.removeEventListener('abort', stop);
            line.free();
            this.#running = null;
        }
    }

    async #answer(message, more, tell, running) {
        const { signal } = running.line;
        const heard = new Heard({
            chunk: (text) => {
                tell(text);
                this.#emit('chunk', text);
            },
            event: (event) => this.#emit('event', event),
        });
        running.following = new Following({
            ...more, message, session_id: this.session_id,
            client_message_id: more.client_message_id ?? uuid(),
        }, heard, {
            http: this.#http, ways: this.#ways, env: this.#env, signal,
            patienceMs: this.#options.patience_ms,
            on: {
                state: (name, way) => this.#emit('state', name, way),
                socket: (s) => this.#open(s),
                find: () => this.#connect(),
                answered: () => this.#nowConnected(),
            },
        });
        if (running.stopping)
            running.following.stop();
        try {
            await running.following.run();
        } catch (e) {
            e.text = heard.text;
            throw e;
        }
        return this.#ended(heard);
    }

    #ended(heard) {
        if (!heard.end && this.#closed.signal.aborted)
            throw new ParleyError('closed', 'This client was closed',
                { text: heard.text });
        if (heard.end?.type === 'error')
            throw ParleyError.told(heard.end, heard.text);
        const { type, content, seq, ...members } = heard.end ?? {};
        const answer = {
            session_id: this.session_id, turn_id: heard.turnId, ...members,
            text: heard.text,
        };
        if (type !== 'response_complete')
            answer.finish_reason = 'cancelled';
        this.#emit('message', answer);
        return answer;
    }

    /* Stops the answer that runs; what there is of it is kept. A second call
     * does not wait for the server. */
    async stop() {
        const running = this.#running;
        if (!running)
            return;
        if (running.stopping)
            running.line.abort();
        running.stopping = true;
        await running.following?.stop().catch((e) => {
            if (!running.line.signal.aborted)
                this.#emit('error', e);
        });
    }

    /* ---- the rest ---- */

    /* The newest messages of the conversation, oldest first, as
     * GET /sessions/{id}/messages has them; `before`: the id of one. */
    history({ limit = HISTORY_MAX, before } = {}) {
        return this.#call(async () => {
            const from = before === undefined ? ''
                : `&before=${encodeURIComponent(before)}`;
            try {
                const page = await this.#http.call('GET',
                    `sessions/${this.session_id}/messages?limit=${limit}` +
                    from, { signal: this.#closed.signal });
                return page.messages ?? [];
            } catch (e) {
                if (e.status === 404)
                    return []; /* nothing was said in it */
                throw e;
            }
        });
    }

    /* Empties the conversation. */
    clear() {
        return this.#call(async () => {
            const r = await this.#http.call('POST', 'chat', {
                body: { message: '/clear', session_id: this.session_id },
                signal: this.#closed.signal });
            if (r.result && r.result.status !== 'success')
                throw new ParleyError('command_failed', r.message,
                    { info: r });
        });
    }

    /* There and back, in ms. */
    ping() {
        return this.#call(async () => {
            const before = this.#env.now();
            await this.#http.call('GET', 'status',
                { signal: this.#closed.signal });
            return this.#env.now() - before;
        });
    }

    /* Forgets the credentials, here and at the server. */
    logout() {
        return this.#call(async () => {
            if (this.#running)
                throw new ParleyError('busy', 'An answer is under way');
            const socket = this.#socket;
            this.#socket = null;
            this.#login.forget();
            if (socket?.isOpen)
                await socket.verb({ type: 'logout' }, 'logout_success',
                    this.#closed.signal).finally(() => socket.close());
        });
    }

    /* Ends the connection; an answer that runs goes on at the server, and its
     * send() fails. */
    close() {
        this.#closed.abort();
        this.#socket?.close();
        this.#socket = null;
    }
}
