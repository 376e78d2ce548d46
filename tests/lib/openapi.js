/* The OpenAPI document as a judge of replies.
 *
 *     const api = new Api(parley);
 *     const { body } = await api.call('POST', '/chat',
 *         { json: { message: 'hello' } });
 *
 * call() sends a request to an operation of the document and checks what comes:
 * its status and type must be listed, its body must fit its schema and hold no
 * member that is not described, each of its events must fit the events' schema,
 * and an error must have one of the codes that are listed for it. A request
 * that is answered with a success must fit, too. `called` says what was called
 * and with which statuses.
 *
 * Schemas are closed for this: where the document does not say otherwise, an
 * object has the members that are described, since an undescribed one is a
 * fault of the document, though a client should not mind. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { createParser } from 'eventsource-parser';
import YAML from 'yaml';
import { ROOT } from './server.js';
import { within } from './wait.js';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';
const EVENTS_TYPE = 'text/event-stream';

export const TEXT = fs.readFileSync(path.join(ROOT, 'docs/openapi.yaml'),
    'utf8');
export const DOCUMENT = YAML.parse(TEXT);

export function follow(value) {
    let at = value;
    while (at?.$ref)
        at = at.$ref.split('/').slice(1).reduce((o, name) => o[name], DOCUMENT);
    return at;
}

/* [{method, address, op, parameters}] */
export function operations() {
    return Object.entries(DOCUMENT.paths).flatMap(([address, item]) =>
        METHODS.filter((m) => item[m]).map((m) => ({
            method: m.toUpperCase(), address, op: item[m],
            parameters: [...item.parameters ?? [], ...item[m].parameters ?? []]
                .map(follow),
        })));
}

/* What every request can be answered with: {"400": ["invalid_path", …]}, from
 * the table in the document's description. */
export function generalCodes() {
    const rows = DOCUMENT.info.description
        .matchAll(/^\| (\d{3}) \| (.*) \|$/gm);
    return Object.fromEntries([...rows].map(([, status, text]) =>
        [status, [...text.matchAll(/`([a-z_]+)`/g)].map((m) => m[1])]));
}

/* --- schemas ------------------------------------------------------------- */

/* A copy in which objects have no members but those described. What is put
 * together with others (allOf) stays open: the whole is closed. */
function closed(schema, part = false) {
    if (Array.isArray(schema))
        return schema.map((s) => closed(s));
    if (typeof schema !== 'object' || schema === null)
        return schema;
    if (schema.$ref && part)
        return closed(follow(schema), true);
    const out = { ...schema };
    for (const name of ['items', 'oneOf', 'anyOf'])
        if (name in out)
            out[name] = closed(out[name]);
    if (out.properties)
        out.properties = Object.fromEntries(Object.entries(out.properties)
            .map(([name, s]) => [name, closed(s)]));
    if (out.allOf)
        out.allOf = out.allOf.map((s) => closed(s, true));
    if (!part && (out.properties || out.allOf) &&
        !('additionalProperties' in out))
        out.unevaluatedProperties = false;
    return out;
}

const ID = 'parley:api';

/* The schema for the validator: closed, and its references where it has the
 * document's schemas. */
function forAjv(schema) {
    return JSON.parse(JSON.stringify(closed(schema))
        .replaceAll('"#/components/schemas/', `"${ID}#/$defs/`));
}

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true,
    strictTypes: false, allErrors: true });
addFormats(ajv);
ajv.addSchema({ $id: ID, $defs: Object.fromEntries(
    Object.entries(DOCUMENT.components.schemas)
        .map(([name, schema]) => [name, forAjv(schema)])) });

const compiled = new Map();

/* The validator of a schema; throws if the schema itself is wrong. */
export function compile(schema) {
    if (!compiled.has(schema))
        compiled.set(schema, ajv.compile(forAjv(schema)));
    return compiled.get(schema);
}

export function fits(what, schema, value) {
    const valid = compile(schema);
    if (!valid(value))
        assert.fail(`${what} does not fit its schema: ${
            ajv.errorsText(valid.errors.slice(0, 8), { separator: '\n' })
        }\n${JSON.stringify(value).slice(0, 2000)}`);
}

/* --- replies ------------------------------------------------------------- */

const mediaType = (headers) =>
    (headers.get('content-type') ?? '').split(';')[0].trim();

/* The data of the events of a text, parsed; `[DONE]` is none. */
export function eventsOf(text) {
    const events = [];
    const parser = createParser({
        onEvent: ({ event, data }) => {
            if (data === '[DONE]')
                return;
            const parsed = JSON.parse(data);
            if (event)
                assert.equal(parsed.type, event);
            events.push(parsed);
        },
        onError: (e) => { throw e; },
    });
    parser.feed(text);
    return events;
}

/* The body as text: all of it, or as much as enough() wants. */
async function readBody(response, enough) {
    const utf8 = new TextDecoder();
    let text = '';
    for await (const bytes of response.body ?? []) {
        text += utf8.decode(bytes, { stream: true });
        if (enough?.(eventsOf(text)))
            break;
    }
    return text;
}

function requestOf(options) {
    const { json, form, body, headers = {} } = options;
    if (json !== undefined)
        return { body: JSON.stringify(json),
            headers: { 'content-type': JSON_TYPE, ...headers } };
    if (form !== undefined)
        return { body: new URLSearchParams(form).toString(),
            headers: { 'content-type': FORM_TYPE, ...headers } };
    return { body, headers };
}

export class Api {
    called = new Map(); /* "GET /chat" -> Set of statuses */

    constructor(parley) {
        this.parley = parley;
    }

    /* options: in (what stands in the path), query, json | form | body,
     * headers, until (of events: true when there are enough). */
    async call(method, address, options = {}) {
        const op = operations().find((o) => o.method === method &&
            o.address === address);
        assert.ok(op, `${method} ${address} is in the document`);
        const where = address.replace(/\{(\w+)\}/g, (_, name) =>
            options.in[name]);
        const query = new URLSearchParams(options.query).toString();
        const { body, headers } = requestOf(options);
        const abort = new AbortController();
        const go = async () => {
            const r = await fetch(this.parley.url + where +
                (query && `?${query}`),
            { method, body, headers, signal: abort.signal });
            return { r, text: await readBody(r, options.until) };
        };
        const { r, text } = await within(`${method} ${where}`, go());
        abort.abort();
        return this.judge(op, options, r, text);
    }

    /* The same of a reply that came otherwise: an operation, the options above,
     * a status and headers (get, has), and the body. */
    judge({ method, address, op, parameters }, options, r, text) {
        const what = `${method} ${address}: ${r.status}`;
        const response = follow(op.responses[r.status]);
        const statuses = this.called.get(`${method} ${address}`) ?? new Set();
        statuses.add(r.status);
        this.called.set(`${method} ${address}`, statuses);
        assert.ok(response || generalCodes()[r.status],
            `${what} is in the document: ${text}`);
        assert.ok(r.headers.get('x-request-id'), `${what} has an id`);
        const out = { status: r.status, headers: r.headers, text };
        if (r.status < 400)
            this.#checkRequest(what, op, parameters, options);
        if (response && Object.keys(response.content ?? {}).length === 0) {
            assert.equal(text, '', `${what} has no body`);
            return out;
        }
        const type = mediaType(r.headers);
        const media = response ? response.content[type]
            : { schema: { $ref: '#/components/schemas/Error' } };
        assert.ok(media, `${what}: ${type} is in the document`);
        for (const name of Object.keys(response?.headers ?? {}))
            if (follow(response.headers[name]).required)
                assert.ok(r.headers.get(name), `${what} has ${name}`);
        if (type === EVENTS_TYPE) {
            out.events = eventsOf(text);
            for (const event of out.events)
                fits(`${what}: an event`, media['x-event-schema'], event);
        } else if (type === JSON_TYPE) {
            out.body = JSON.parse(text);
            fits(what, media.schema, out.body);
        }
        /* A health report has a status of an error and is none. */
        if (r.status >= 400 && typeof out.body?.status !== 'string')
            this.#checkError(what, response, out);
        return out;
    }

    #checkError(what, response, { status, headers, body }) {
        const code = body.code ?? body.error.code;
        const known = [...response?.['x-codes'] ?? [],
            ...generalCodes()[status] ?? []];
        assert.ok(known.includes(code), `${what}: ${code} is one of ${known}`);
        if (body.request_id !== undefined)
            assert.equal(body.request_id, headers.get('x-request-id'));
        if (response?.headers?.['Retry-After'] && body.error?.code !==
            'insufficient_quota')
            assert.match(headers.get('retry-after') ?? '', /^[1-9]\d*$/,
                `${what} has Retry-After`);
    }

    /* What was taken is what the document says can be sent. */
    #checkRequest(what, op, parameters, options) {
        const body = op.requestBody && follow(op.requestBody);
        if (options.json !== undefined)
            fits(`${what}: the request`, body.content[JSON_TYPE].schema,
                options.json);
        if (options.form !== undefined)
            fits(`${what}: the request`, body.content[FORM_TYPE].schema,
                options.form);
        for (const name of Object.keys(options.query ?? {}))
            assert.ok(parameters.some((p) => p.in === 'query' &&
                p.name === name), `${what}: ?${name}= is in the document`);
        if (body?.required)
            assert.ok(options.json ?? options.form ?? options.body,
                `${what}: taken without the body that is required`);
    }
}
