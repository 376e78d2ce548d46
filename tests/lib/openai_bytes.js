/* The bytes of an OpenAI-compatible provider, built by hand.
 *
 * The replay server needs exact bytes, so that it can cut them anywhere; a
 * mock that writes through an HTTP library could not. Nothing here knows
 * sockets. */

function chunk(model, choice, usage) {
    const o = {
        id: 'chatcmpl-replay', object: 'chat.completion.chunk',
        created: 1700000000, model, choices: choice ? [choice] : [],
    };
    if (usage !== undefined)
        o.usage = usage;
    return `data: ${JSON.stringify(o)}\n\n`;
}

/* One chat.completion.chunk event with some text. */
export function textEvent(text, model = 'replay-1') {
    return chunk(model,
        { index: 0, delta: { content: text }, finish_reason: null });
}

/* The SSE body of a whole answer, as a list of events (strings). */
export function replyEvents(pieces, options = {}) {
    const { model = 'replay-1', finish = 'stop', usage, done = true } = options;
    const events = [chunk(model, {
        index: 0, delta: { role: 'assistant', content: '' },
        finish_reason: null,
    })];
    for (const piece of pieces)
        events.push(textEvent(piece, model));
    if (finish)
        events.push(chunk(model,
            { index: 0, delta: {}, finish_reason: finish }));
    if (usage)
        events.push(chunk(model, null, usage));
    if (done)
        events.push('data: [DONE]\n\n');
    return events;
}

/* The same as one Buffer. */
export function replyBody(pieces, options) {
    return Buffer.from(replyEvents(pieces, options).join(''));
}

export const SSE_HEAD = 'HTTP/1.1 200 OK\r\n' +
    'Content-Type: text/event-stream\r\nConnection: close\r\n\r\n';

/* Head and body as they go over the wire; the end of the connection is the end
 * of the body. */
export function replyWire(pieces, options) {
    return Buffer.concat([Buffer.from(SSE_HEAD), replyBody(pieces, options)]);
}

/* A reply with a status, headers and a JSON body. It says that the connection
 * ends, as it does: else the client may send its next request down a
 * connection that nobody answers on any more, and then once more. */
export function statusWire(status, headers = {}, body = {}) {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const lines = Object.entries({
        'Content-Type': 'application/json',
        'Content-Length': String(Buffer.byteLength(text)),
        'Connection': 'close',
        ...headers,
    }).map(([k, v]) => `${k}: ${v}\r\n`).join('');
    return Buffer.from(`HTTP/1.1 ${status} Replayed\r\n${lines}\r\n${text}`);
}

/* An error body in the provider's own shape. */
export function errorBody(message, type = 'server_error', code = null) {
    return { error: { message, type, param: null, code } };
}
