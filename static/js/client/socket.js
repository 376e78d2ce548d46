/* A WebSocket to Parley, in the dialect whose frames have the members and
 * numbers of the events (docs/WIRE.md). On /ws/{client_id} everything speaks
 * it; with a token, which a browser can only put into an address, the first
 * question decides.
 *
 * It is open when the server has said something: a proxy may let the handshake
 * pass and nothing behind it. One question at a time. */

import { linked } from './world.js';
import { ParleyError, unreachable } from './http.js';

const OPEN = 1;             /* WebSocket.OPEN */

/* The address of the endpoint. A client's name is its own: the server counts
 * the connections of each. */
function address(base, sessionId, token) {
    const url = new URL(token ? 'ws/chat/auth' : `ws/js-${sessionId}`, base);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    url.searchParams.set('session_id', sessionId);
    if (token)
        url.searchParams.set('token', token);
    return url.href;
}

export class Socket {
    #ws;
    #wants = null;          /* who waits for frames */

    constructor(ws) {
        this.#ws = ws;
        ws.onmessage = (e) => this.#frame(e.data);
        ws.onclose = () => this.#lost();
        ws.onerror = () => this.#lost();
    }

    /* Resolves when the server has said something, rejects when it has not
     * within limitMs. credentials: an auth frame, or null. */
    static async open(base, env, { sessionId, token, credentials, limitMs,
        signal }) {
        const line = linked(signal);
        const timer = env.setTimeout(line.abort, limitMs);
        let socket = null;
        try {
            socket = new Socket(new env.WebSocket(
                address(base, sessionId, token)));
            await socket.#greet(token ? null
                : credentials ?? { type: 'ping' }, line.signal);
            return socket;
        } catch (e) {
            socket?.close();
            /* The constructor throws where a page's policy forbids it. */
            throw e instanceof ParleyError ? e : unreachable(e.message);
        } finally {
            env.clearTimeout(timer);
            line.free();
        }
    }

    /* Says the first frame, if it is ours to say, and hears the answer. */
    async #greet(first, signal) {
        if (first)
            this.#ws.onopen = () => this.say(first);
        await this.#reply(['connection_established', 'pong', 'auth_response'],
            signal);
    }

    get isOpen() {
        return this.#ws.readyState === OPEN;
    }

    say(frame) {
        this.#ws.send(JSON.stringify(frame));
    }

    /* Gives each frame to takes() until that gives true. Rejects when the
     * connection is lost or the signal says stop. */
    hear(takes, signal) {
        return new Promise((resolve, reject) => {
            const end = (fn, value) => {
                this.#wants = null;
                signal?.removeEventListener('abort', gone);
                fn(value);
            };
            const gone = () => end(reject, unreachable('no WebSocket'));
            this.#wants = {
                frame: (frame) => {
                    if (takes(frame))
                        end(resolve);
                },
                gone,
            };
            signal?.addEventListener('abort', gone);
            if (signal?.aborted || this.#ws.readyState > OPEN)
                gone();
        });
    }

    /* Says this and waits for a frame of that type. */
    async verb(frame, type, signal) {
        this.say(frame);
        await this.#reply([type], signal);
    }

    async #reply(types, signal) {
        let reply = null;
        await this.hear((frame) => {
            reply = frame;
            return types.includes(frame.type) || frame.type === 'error';
        }, signal);
        if (reply.type === 'error' || reply.success === false)
            throw ParleyError.told(reply, '');
    }

    close() {
        this.#ws.onmessage = null;
        this.#ws.onclose = null;
        this.#ws.onerror = () => {};    /* closing while it opens is one */
        this.#ws.close();
        this.#lost();
    }

    #frame(data) {
        let frame = null;
        try {
            frame = JSON.parse(data);
        } catch {
            /* Nothing of ours. */
        }
        if (frame && typeof frame === 'object')
            this.#wants?.frame(frame);
    }

    #lost() {
        this.#wants?.gone();
    }
}
