/* Conversations carried away and back as files.
 *
 * An import is sent by XMLHttpRequest, because fetch() does not tell how much
 * of a body has left. The server answers with events while it reads, or with
 * one JSON reply at the end; both are understood. */

import * as api from '../api.js';
import { SseParser } from '../client/sse.js';

/* Pure: a parser of what the server says, to be pushed text as it comes.
 * on(type, data) is called for each event. */
export function eventReader(on) {
    return new SseParser(({ type, data }) => {
        const said = JSON.parse(data);
        on(type === 'message' ? said.type : type, said);
    });
}

/* Pure: what an import says last, from the text of the whole reply; throws what
 * went wrong. */
export function importResult(status, contentType, text) {
    let body = {};
    let end = null;
    try {
        if (contentType.startsWith('text/event-stream'))
            eventReader((type, data) => {
                if (type === 'import_complete' || type === 'error')
                    end = { type, data };
            }).push(`${text}\n\n`);
        body = end?.data ?? JSON.parse(text);
        if (end?.type === 'error')
            throw new api.ApiError(status === 200 ? 500 : status, body);
    } catch (e) {
        if (e instanceof api.ApiError || (status >= 200 && status < 300))
            throw e instanceof api.ApiError ? e
                : new api.ApiError(0, { error: 'The reply broke off' });
    }
    if (status < 200 || status >= 300)
        throw new api.ApiError(status, status === 413 && !body.error
            ? { error: 'This file is too large' } : body);
    return body;
}

/* Sends a file. progress({done, total, sessions}) tells how far it is, first in
 * bytes sent, then, where sessions is a number, in bytes read. */
export function importFile(file, progress, signal) {
    return new Promise((resolve, reject) => {
        const xhr = new XMLHttpRequest();
        const news = eventReader((type, data) => {
            if (type === 'import_progress')
                progress({ done: data.bytes, total: data.total_bytes,
                    sessions: data.sessions });
        });
        let read = 0;
        xhr.open('POST', 'import');
        xhr.setRequestHeader('Content-Type', 'application/json');
        xhr.setRequestHeader('Accept', 'text/event-stream, application/json');
        const type = () => xhr.getResponseHeader('Content-Type') ?? '';
        xhr.upload.addEventListener('progress', (e) =>
            progress({ done: e.loaded, total: e.total }));
        xhr.addEventListener('progress', () => {
            if (!type().startsWith('text/event-stream'))
                return;
            const text = xhr.responseText;
            news.push(text.slice(read));
            read = text.length;
        });
        xhr.addEventListener('load', () => {
            try {
                resolve(importResult(xhr.status, type(), xhr.responseText));
            } catch (e) {
                reject(e);
            }
        });
        xhr.addEventListener('error', () => reject(new api.ApiError(0)));
        xhr.addEventListener('abort', () => resolve(null));
        signal.addEventListener('abort', () => xhr.abort());
        xhr.send(file);
    });
}

/* One file of conversations that the server does not list: each is asked for
 * by its id, which this browser knows. Those that are gone are left out. */
export async function collect(ids, format) {
    const parts = [];
    for (const id of ids) {
        try {
            parts.push(await api.getText(api.exportUrl(id, format)));
        } catch (e) {
            if (e.status !== 404)
                throw e;
        }
    }
    if (format !== 'json')
        return parts.join(format === 'md' ? '\n\n' : '');
    return JSON.stringify({ format: 'parley', version: 1,
        sessions: parts.flatMap((p) => JSON.parse(p).sessions) });
}
