/* The page that shows the API: finding one's way in the document, and what it
 * says to type. How it looks is tests/e2e/openapi.test.js's. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ApiDocument, curlOf, exampleOf, limitsOf }
    from '../../../static/docs/document.js';

const doc = new ApiDocument({
    tags: [{ name: 'One' }, { name: 'Two' }],
    paths: {
        '/a/{id}': {
            parameters: [{ $ref: '#/components/parameters/Id' }],
            get: { tags: ['Two'], operationId: 'getA', responses: {} },
            delete: { tags: ['One'], operationId: 'deleteA', responses: {} },
        },
    },
    components: {
        parameters: { Id: { name: 'id', in: 'path' } },
        schemas: {
            Name: { type: 'string' },
            Key: { type: 'string', pattern: '^k' },
            Base: { type: 'object', required: ['id'],
                properties: { id: { type: 'integer' } } },
            Whole: { allOf: [{ $ref: '#/components/schemas/Base' },
                { type: 'object', required: ['name'], properties: {
                    name: { $ref: '#/components/schemas/Name' } } }] },
            Node: { type: 'object', properties: {
                next: { $ref: '#/components/schemas/Node' } } },
        },
    },
});
const ref = (name) => ({ $ref: `#/components/schemas/${name}` });

describe('a document', () => {
    test('gives its operations by tag, with all their parameters', () => {
        const groups = doc.groups();
        assert.deepEqual(groups.map((g) => [g.tag.name,
            ...g.operations.map((o) => `${o.method} ${o.path}`)]),
        [['One', 'DELETE /a/{id}'], ['Two', 'GET /a/{id}']]);
        assert.equal(groups[0].operations[0].parameters[0].name, 'id');
    });

    test('follows references, also to what has a slash in its name', () => {
        assert.equal(doc.follow(ref('Name')).type, 'string');
        assert.equal(doc.follow({ $ref: '#/paths/~1a~1{id}/get' }).operationId,
            'getA');
        assert.equal(doc.follow(undefined), undefined);
    });

    test('puts together what allOf says of an object', () => {
        const { properties, required } = doc.members(ref('Whole'));
        assert.deepEqual(Object.keys(properties).sort(), ['id', 'name']);
        assert.deepEqual([...required].sort(), ['id', 'name']);
    });

    test('knows what has something inside, circles included', () => {
        assert.ok(doc.hasInside(ref('Whole')));
        assert.ok(doc.hasInside(ref('Node')));
        assert.ok(doc.hasInside({ type: 'array', items: ref('Base') }));
        assert.ok(doc.hasInside({ anyOf: [ref('Base'), { type: 'null' }] }));
        assert.ok(!doc.hasInside(ref('Name')));
        assert.ok(!doc.hasInside({ type: 'array' }));
        assert.ok(!doc.hasInside({}));
    });

    test('calls types by names that people read', () => {
        for (const [schema, name] of [
            [{ type: 'string' }, 'string'],
            [{ type: ['string', 'null'] }, 'string or null'],
            [{ const: true }, 'true'],
            [{ enum: ['a', null] }, '"a" or null'],
            [{ type: 'array', items: ref('Whole') }, 'Whole[]'],
            [{ type: 'array' }, 'array'],
            [{ anyOf: [ref('Key'), { type: 'null' }] }, 'Key or null'],
            [ref('Name'), 'string'], [ref('Whole'), 'Whole'],
            [{ allOf: [ref('Base')] }, 'object'], [{}, 'any'],
        ])
            assert.equal(doc.typeName(schema), name);
    });
});

test('limits are said in words', () => {
    assert.deepEqual(limitsOf({ minimum: 1, maximum: 9, default: 2 }),
        ['1 to 9', 'default 2']);
    assert.deepEqual(limitsOf({ minLength: 1 }), ['not empty']);
    assert.deepEqual(limitsOf({ minItems: 2 }), ['at least 2']);
    assert.deepEqual(limitsOf({ maxItems: 5, format: 'uuid' }),
        ['at most 5 items', 'uuid']);
    assert.deepEqual(limitsOf({ minimum: 0, maxItems: 0 }), []);
    assert.deepEqual(limitsOf({ pattern: '^a' }), ['matches ^a']);
});

describe('a command for curl', () => {
    const base = 'http://h/x';
    const json = (value) => ({ content: { 'application/json': {
        schema: {}, examples: { one: { value } } } } });
    const operation = (method, path, op = {}, parameters = []) =>
        ({ method, path, parameters, op: { responses: {}, ...op } });

    test('has the address', () => {
        assert.equal(curlOf(doc, operation('GET', '/status'), base),
            'curl http://h/x/status');
        assert.equal(curlOf(doc, operation('DELETE', '/sessions/{id}'), base),
            'curl -X DELETE http://h/x/sessions/my-session');
        assert.equal(curlOf(doc, operation('GET', '/chat/events', {},
            [{ in: 'query', name: 'turn_id' }, { in: 'query', name: 'a' }]),
        base), "curl 'http://h/x/chat/events?turn_id=" +
            "01a1ffc9-eeda-7001-b06b-9844637bf740'");
    });

    test('has the body, in quotes that a shell understands', () => {
        const op = { requestBody: json({ message: "it's" }) };
        assert.equal(curlOf(doc, operation('POST', '/chat', op), base),
            "curl -H 'Content-Type: application/json' " +
            `-d '{"message":"it'\\''s"}' http://h/x/chat`);
        assert.equal(curlOf(doc, operation('POST', '/a'), base),
            "curl -d '' http://h/x/a");
    });

    test('does not wait for the end of a stream', () => {
        const op = { responses: { 200: { content: {
            'text/event-stream': {} } } } };
        assert.equal(curlOf(doc, operation('GET', '/probe', op), base),
            'curl -N http://h/x/probe');
    });

    test('finds no example where there is none', () => {
        assert.equal(exampleOf(doc, { schema: {} }), undefined);
    });
});
