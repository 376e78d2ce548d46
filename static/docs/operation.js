/* One operation: what it takes, what it gives, and how to call it. */

import { el } from '../js/dom.js';
import { curlOf, exampleOf } from './document.js';
import { GIVEN, SENT, lazy, prose, row, schemaView } from './schema.js';

function code(text, language) {
    return prose(`\`\`\`${language}\n${text}\n\`\`\``);
}

function exampleView(doc, media) {
    const value = exampleOf(doc, media);
    if (value === undefined)
        return null;
    const text = typeof value === 'string'
        ? value.trimEnd() : JSON.stringify(value, null, 2);
    return lazy(['Example'], () => code(text,
        typeof value === 'string' ? 'text' : 'json'), { class: 'example' });
}

function mediaView(doc, type, media, word) {
    const event = media['x-event-schema'];
    return el('div', { class: 'media' },
        el('p', { class: 'media-type' }, type),
        media.schema?.description ? prose(media.schema.description) : null,
        event ? el('p', {}, 'The data of each event:') : null,
        event || doc.hasInside(media.schema)
            ? schemaView(doc, event ?? media.schema, word) : null,
        exampleView(doc, media));
}

const mediaViews = (doc, content, word) => Object.entries(content ?? {})
    .map(([type, media]) => mediaView(doc, type, media, word));

function codesView(codes) {
    if (!codes)
        return null;
    const list = el('p', { class: 'codes' }, 'code: ');
    codes.forEach((name, i) =>
        list.append(i > 0 ? ', ' : '', el('code', {}, name)));
    return list;
}

function responseView(doc, status, given) {
    const response = doc.follow(given);
    const headers = Object.entries(response.headers ?? {}).map(
        ([name, header]) => row(doc, name, doc.follow(header).schema,
            { text: doc.follow(header).description }));
    const summary = [
        el('span', { class: `status s${status[0]}` }, status),
        prose(response.description),
    ];
    const more = response.content || headers.length > 0;
    const line = more ? lazy(summary, () => el('div', { class: 'inside' },
        headers.length > 0
            ? el('ul', { class: 'members' }, ...headers) : null,
        ...mediaViews(doc, response.content, GIVEN)))
        : el('div', { class: 'plain' }, ...summary);
    return el('li', {}, line, codesView(response['x-codes']));
}

function section(title, ...children) {
    return el('section', {}, el('h4', {}, title), ...children);
}

function parametersView(doc, parameters) {
    return section('Parameters', el('ul', { class: 'members' },
        ...parameters.map((p) => row(doc, p.name, p.schema, {
            must: p.required ? SENT : '',
            text: [p.in === 'query' ? '' : `In the ${p.in}.`,
                p.description ?? doc.follow(p.schema).description ?? '']
                .join(' ').trim(),
        }))));
}

/* All of it, without the line by which it is opened. */
export function operationView(doc, operation, base) {
    const { op, parameters } = operation;
    const body = op.requestBody && doc.follow(op.requestBody);
    return el('div', { class: 'inside' },
        op.description ? prose(op.description) : null,
        code(curlOf(doc, operation, base), 'bash'),
        parameters.length > 0 ? parametersView(doc, parameters) : null,
        body ? section(body.required ? 'Body' : 'Body (may be left out)',
            ...mediaViews(doc, body.content, SENT)) : null,
        section('Replies', el('ul', { class: 'replies' },
            ...Object.entries(op.responses).map(([status, response]) =>
                responseView(doc, status, response)))));
}
