/* What goes in: limits, and JSON taken strictly. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
    ask, assertError, call, messagesOf, newSession, postJson,
} from '../../lib/client.js';

const MESSAGE_MAX = 256 * 1024; /* bytes */
const SESSION_ID_MAX = 64;      /* characters */
const DEPTH_MAX = 64;           /* nested arrays and objects */

function limits(world) {
    test('a message of 256 KiB is taken whole, one byte more is 413',
        async () => {
            const message = 'x'.repeat(MESSAGE_MAX);
            const session = newSession();
            await ask(world.parley, { message, session_id: session });
            const [user] = await messagesOf(world.parley, session);
            assert.equal(user.content, message);
            assertError(await postJson(world.parley, '/chat',
                { message: `${message}y` }), 413);
        });

    test('the limit counts bytes, not characters', async () => {
        const message = '€'.repeat(Math.floor(MESSAGE_MAX / 3));
        await ask(world.parley, { message });
        assertError(await postJson(world.parley, '/chat',
            { message: `${message}€` }), 413);
    });

    test('a session_id has 1 to 64 characters of A-Z a-z 0-9 _ -', async () => {
        const random = newSession();
        const longest = random.padEnd(SESSION_ID_MAX, '_');
        assert.equal((await ask(world.parley,
            { message: 'x', session_id: longest })).session_id, longest);
        for (const session_id of [`${longest}x`, 'a b', 'a/b', '../x', 'é',
            'a.b', 'a\nb', 7, true, {}, []])
            assertError(await postJson(world.parley, '/chat',
                { message: 'x', session_id }), 400);
    });

    test('members of a wrong type are 400, and say which', async () => {
        for (const [name, value] of [
            ['message', 7], ['message', true], ['message', ['x']],
            ['message', { text: 'x' }], ['stream', 'yes'], ['detach', 1],
            ['model', 7], ['provider', false], ['context', []],
            ['temperature', 'hot'], ['top_p', '1'], ['max_tokens', 'many'],
            ['max_tokens', -1], ['stop', 7],
        ]) {
            const r = await postJson(world.parley, '/chat',
                { message: 'x', [name]: value });
            assertError(r, 400);
            assert.match(r.body.error + r.body.message, new RegExp(name));
        }
    });

    test('unknown members are no error', async () => {
        await ask(world.parley, { message: 'x', something: { new: [1, 2] } });
    });

    test('a body far over the limit is refused without being read',
        async () => {
            const r = await postJson(world.parley, '/chat', Buffer.concat([
                Buffer.from('{"message":"x","extra":"'),
                Buffer.alloc(40 * 1024 * 1024, 0x61), Buffer.from('"}'),
            ])).catch((e) => ({ status: 413, cut: e }));
            assert.equal(r.status, 413);
            await ask(world.parley, { message: 'still there?' });
        });
}

/* [what, body]; each is 400 invalid_json. */
function badBodies() {
    const bytes = (...b) => Buffer.from(b);
    const around = (middle) => Buffer.concat([
        Buffer.from('{"message":"'), middle, Buffer.from('"}')]);
    const nested = (n) => '['.repeat(n) + ']'.repeat(n);
    return [
        ['empty', ''], ['only blanks', ' \n'], ['no JSON', 'hello'],
        ['a byte order mark', '\ufeff{"message":"x"}'],
        ['a duplicate member', '{"message":"x","message":"y"}'],
        ['a duplicate behind an escape', '{"message":"x","mess\\u0061ge":"y"}'],
        ['bytes behind the value', '{"message":"x"} x'],
        ['two values', '{"message":"x"}{"message":"y"}'],
        ['too deep', `{"message":"x","e":${nested(DEPTH_MAX)}}`],
        ['far too deep', `{"message":"x","e":${nested(100000)}}`],
        ['deep and never closed', '['.repeat(100000)],
        ['a lone byte of UTF-8', around(bytes(0xff))],
        ['UTF-8 cut short', around(bytes(0xe2, 0x82))],
        ['overlong UTF-8', around(bytes(0xc0, 0xaf))],
        ['a surrogate in UTF-8', around(bytes(0xed, 0xa0, 0x80))],
        ['UTF-8 past the end', around(bytes(0xf4, 0x90, 0x80, 0x80))],
        ['a lone surrogate escape', '{"message":"\\ud83d"}'],
        ['surrogates the wrong way', '{"message":"\\ude00\\ud83d"}'],
        ['a NUL escape', '{"message":"a\\u0000b"}'],
        ['a raw NUL', around(bytes(0))],
        ['a raw line end in a string', '{"message":"a\nb"}'],
        ['a huge number', '{"message":"x","e":1e999}'],
        ['a leading zero', '{"message":"x","e":01}'],
        ['NaN', '{"message":"x","e":NaN}'],
        ['single quotes', "{'message':'x'}"],
        ['a comment', '{"message":"x" /* y */}'],
        ['a trailing comma', '{"message":"x",}'],
        ['an open string', '{"message":"x'],
        ['UTF-16', Buffer.from('{"message":"x"}', 'utf16le')],
    ];
}

function strictness(world) {
    test('a body that is no JSON by the rules is 400', async () => {
        for (const [what, body] of badBodies()) {
            const r = await postJson(world.parley, '/chat', body);
            assert.equal(r.status, 400, `${what}: ${r.text}`);
            assertError(r, 400);
        }
    });

    test('a body that is JSON but no object is 400', async () => {
        for (const body of ['[]', '"message"', '7', 'true', 'null',
            '[{"message":"x"}]'])
            assertError(await postJson(world.parley, '/chat', body), 400);
    });

    test('what the rules allow is taken', async () => {
        const nested = '['.repeat(DEPTH_MAX - 1) + ']'.repeat(DEPTH_MAX - 1);
        for (const [body, content] of [
            [' \r\n\t{"message" : "x"} \n', 'x'],
            ['{"message":"\\ud83d\\ude00"}', '😀'],
            ['{"message":"\\u00e9\\n\\t\\"\\\\\\/"}', 'é\n\t"\\/'],
            ['{"mess\\u0061ge":"escaped name"}', 'escaped name'],
            ['{"message":"x","e":1e308,"f":-0,"g":1E-400}', 'x'],
            [`{"message":"x","e":${nested}}`, 'x'],
        ]) {
            const r = await postJson(world.parley, '/chat', body);
            assert.equal(r.status, 200, `${body.slice(0, 60)}: ${r.text}`);
            const [user] = await messagesOf(world.parley, r.body.session_id);
            assert.equal(user.content, content);
        }
    });

    test('a form with bad UTF-8 is 400', async () => {
        const r = await call(world.parley, '/chat', {
            method: 'POST', body: 'message=%ff',
            headers: { 'content-type': 'application/x-www-form-urlencoded' },
        });
        assertError(r, 400);
    });
}

export function input(world) {
    describe('limits', () => limits(world));
    describe('JSON, strictly', () => strictness(world));
}
