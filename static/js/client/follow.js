/* One question and its answer, whatever the path does.
 *
 * A transport carries the answer until it ends or breaks; then the next one
 * goes on behind the last event that was heard. Three things are not told by
 * the transport itself, and one request tells them all, asking chat/events for
 * what there is after that event: that the path holds things back, that the
 * connection died without a word, and that the model only thinks.
 *
 * A question may be sent more than once: the server knows it by its key. */

import { parseEventId } from '../answer.js';
import { backoffMs } from '../time.js';
import { TOLD } from './heard.js';
import { ParleyError, unreachable } from './http.js';
import { SseParser } from './sse.js';
import { linked, pause } from './world.js';

const QUIET_MS = 3000;      /* silence before the first doubt */
const QUIET_MAX_MS = 16000;
const GRACE_MS = 700;       /* for news that is just arriving */
const REST_MS = 150;        /* between polls */
const POLL_S = [20, 5, 1, 0]; /* how long a poll waits; shorter when cut */
const BACKOFF_MS = 250;
const BACKOFF_MAX_MS = 8000;
const NO_WAY = [401, 403, 404, 410];

export class Following {
    #question;
    #heard;
    #http;
    #ways;
    #env;
    #on;
    #patienceMs;
    #signal;
    #alive;                 /* when the server last answered */
    #polls = 0;             /* an index of POLL_S */
    #lost = false;
    #stopped = false;       /* the server knows */
    #stopping = false;

    /* question: the body of POST /chat. on.find() has the ways find out which
     * is next, on.socket(signal) gives an open Socket, both later;
     * on.state(name, way) tells of the connection, on.answered() that the
     * server did. */
    constructor(question, heard, { http, ways, env, on, patienceMs, signal }) {
        this.#question = question;
        this.#heard = heard;
        this.#http = http;
        this.#ways = ways;
        this.#env = env;
        this.#on = on;
        this.#patienceMs = patienceMs;
        this.#signal = signal;
    }

    /* Resolves when heard.end is there or the signal said stop. Rejects if the
     * answer cannot be had. */
    async run() {
        this.#alive = this.#env.now();
        this.#ways.begin();
        let failures = 0;
        while (!this.#heard.end) {
            const before = this.#heard.seq;
            let way = null;
            let problem = null;
            try {
                if (this.#ways.now === null)
                    await this.#find();
                way = this.#ways.now;
                await this.#carry(way);
            } catch (e) {
                problem = e;
            }
            if (this.#heard.end || this.#signal.aborted)
                break;
            const moved = this.#heard.seq > before;
            failures = moved ? 0 : failures + 1;
            this.#judge(problem);
            this.#ways.lost(way, moved);
            this.#broken(this.#ways.now);
            if (!moved)
                await pause(this.#env, problem?.waitMs ?? backoffMs(
                    failures - 1, BACKOFF_MS, BACKOFF_MAX_MS), this.#signal);
            if (this.#signal.aborted)
                break;
        }
        if (this.#heard.end)
            this.#ways.done();
    }

    async #find() {
        await this.#on.find();
        this.#ways.begin();
    }

    /* Stops the answer at the server; its end then comes as all ends do. */
    async stop() {
        this.#stopping = true;
        if (this.#heard.turnId) {
            await this.#http.call('POST', 'chat/stop', {
                body: { turn_id: this.#heard.turnId }, signal: this.#signal });
            this.#stopped = true;
        }
    }

    /* A stop that was said before the turn had a name, or did not arrive. */
    async #stopAgain() {
        if (this.#stopping && !this.#stopped && this.#heard.turnId)
            await this.stop().catch(() => {});
    }

    /* Is it worth another try? */
    #judge(problem) {
        if (problem && !(problem instanceof ParleyError))
            throw problem;
        const patient = this.#env.now() - this.#alive + (problem?.waitMs ?? 0) <
            this.#patienceMs;
        /* In the midst of an answer it is something on the way that speaks. */
        const strange = problem?.code === 'no_parley' && this.#heard.turnId;
        if (problem && (NO_WAY.includes(problem.status) || problem.final ||
            !(problem.retryable || strange) || !patient))
            throw problem;
        if (!patient)
            throw unreachable('Nothing came for too long');
    }

    #broken(way) {
        this.#lost = true;
        this.#on.state('reconnecting', way);
    }

    #answered() {
        this.#alive = this.#env.now();
        if (this.#lost)
            this.#on.state('reconnected', this.#ways.now);
        this.#lost = false;
        this.#on.answered();
    }

    async #carry(way) {
        await this.#stopAgain();
        if (way === 'websocket')
            return this.#overSocket();
        return way === 'sse' ? this.#overStream() : this.#overPolls();
    }

    /* ---- asking ---- */

    /* Has the server take the question, if it has not yet. */
    async #ask() {
        if (this.#heard.turnId)
            return;
        const r = await this.#http.call('POST', 'chat', {
            body: { ...this.#question, detach: true }, signal: this.#signal });
        this.#answered();
        if (!r.turn_id)
            throw new ParleyError('no_parley',
                'There is no Parley at this address');
        this.#heard.turnId = r.turn_id;
        await this.#stopAgain();
    }

    /* ---- transports: each ends without an error when it breaks off ---- */

    async #overSocket() {
        const socket = await this.#on.socket(this.#signal);
        const { message, ...more } = this.#question;
        const line = linked(this.#signal);
        const watch = this.#watch('websocket', line);
        let error = null;
        try {
            socket.say({ type: 'chat_message', ...more,
                message: { role: 'user', content: message } });
            await socket.hear((frame) => {
                this.#answered();
                watch.touch();
                error = frame.type === 'error' ? frame : null;
                if (!error && TOLD.includes(frame.type))
                    this.#take(frame.seq ?? null, frame, true);
                return error || this.#heard.end;
            }, line.signal);
        } finally {
            watch.end();
            line.free();
            if (!this.#heard.end && !error)
                socket.close();
        }
        if (error)
            await this.#socketError(error);
    }

    /* A frame tells less of an error than the event does. */
    async #socketError(frame) {
        if (this.#heard.turnId) {
            try {
                this.#heard.takeAll(await this.#news(0, this.#signal));
            } catch {
                /* Then the frame must do. */
            }
        }
        if (!this.#heard.end && this.#heard.turnId)
            this.#heard.take(null, frame);
        if (!this.#heard.end)
            throw ParleyError.told(frame, '', { final: true });
    }

    #take(seq, event, sparse) {
        const known = this.#heard.turnId;
        const fits = this.#heard.take(seq, event, sparse);
        if (!known)
            this.#stopAgain();
        return fits;
    }

    async #overStream() {
        await this.#ask();
        const { turnId, seq } = this.#heard;
        const line = linked(this.#signal);
        const watch = this.#watch('sse', line);
        const id = encodeURIComponent(turnId);
        try {
            const response = await this.#http.open('GET',
                `chat/stream?turn_id=${id}` +
                (seq > 0 ? `&last_event_id=${id}.${seq}` : ''),
                { accept: 'text/event-stream', signal: line.signal });
            if (/^text\/event-stream/.test(
                response.headers.get('Content-Type') ?? ''))
                await this.#read(response, watch);
        } finally {
            watch.end();
            line.abort();
            line.free();
        }
    }

    async #read(response, watch) {
        const reader = response.body.getReader();
        const utf8 = new TextDecoder();
        let whole = true;
        const parser = new SseParser((m) => {
            const id = parseEventId(m.id);
            if (whole && id?.turn === this.#heard.turnId)
                whole = this.#take(id.seq, JSON.parse(m.data));
        });
        try {
            while (whole && !this.#heard.end) {
                const { value, done } = await reader.read();
                if (done)
                    return;
                this.#answered();
                watch.touch();
                parser.push(utf8.decode(value, { stream: true }));
            }
        } catch (e) {
            if (e instanceof RangeError)
                throw e;
            /* Else it broke off, or is nothing of ours. */
        }
    }

    async #overPolls() {
        await this.#ask();
        while (!this.#heard.end && !this.#signal.aborted) {
            let news;
            try {
                news = await this.#news(POLL_S[this.#polls], this.#signal);
            } catch (e) {
                if (!e.status)
                    this.#polls = Math.min(this.#polls + 1, POLL_S.length - 1);
                throw e;
            }
            const before = this.#heard.seq;
            this.#takeNews(news);
            if (this.#heard.seq > before)
                this.#ways.polled();
            if (!this.#heard.end)
                await pause(this.#env, REST_MS, this.#signal);
        }
    }

    /* ---- doubt ---- */

    async #news(waitS, signal) {
        const news = await this.#http.events(this.#heard.turnId,
            this.#heard.seq, waitS, signal);
        this.#answered();
        return news;
    }

    /* A turn that is over and has nothing more to say has said its end, unless
     * it is not known any more how it ended. */
    #takeNews(news) {
        this.#heard.takeAll(news);
        if (news.done && !this.#heard.end && news.events.length === 0)
            throw new ParleyError('gone',
                'The end of this answer is not known any more');
    }

    /* Looks after a transport while it carries: touch() when something came,
     * end() when it is over. A line that is found dead or held up is cut: one
     * on which nothing arrives of what there is, not even a little later. */
    #watch(way, line) {
        const env = this.#env;
        let quietMs = QUIET_MS;
        let timer = 0;
        let over = false;
        let brought = false;
        const wait = (ms, fn) => {
            env.clearTimeout(timer);
            timer = env.setTimeout(() => fn().catch(() => line.abort()), ms);
        };
        const doubt = async () => {
            await this.#ask();
            const news = await this.#news(0, line.signal);
            const last = news.events.findLast(({ event }) =>
                way === 'sse' || TOLD.includes(event.type));
            if (over)
                return;
            if (last && last.seq > this.#heard.seq)
                wait(GRACE_MS, async () => {
                    this.#heard.takeAll(news);
                    this.#ways.held(way, brought);
                    line.abort();
                });
            else if (news.done)
                line.abort();
            else
                wait(quietMs = Math.min(quietMs * 2, QUIET_MAX_MS), doubt);
        };
        const touch = () => {
            quietMs = QUIET_MS;
            wait(quietMs, doubt);
        };
        touch();
        return {
            touch: () => {
                brought = true;
                touch();
            },
            end: () => {
                over = true;
                env.clearTimeout(timer);
            },
        };
    }
}
