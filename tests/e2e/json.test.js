/* Strict JSON, case by case: each as a whole body, and as the value of an
 * unknown member in an otherwise good request. The answer is 200 or 400 by the
 * rule, never a 5xx and never silence. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ask, postJson } from '../lib/client.js';
import { jsonCases } from '../lib/json_cases.js';
import { startParley } from '../lib/server.js';
import { inParallel } from '../lib/wait.js';

const cases = jsonCases();
let parley;

before(async () => {
    parley = await startParley({ env: { OFFLINE_DELAY_MS: '0' } });
});
after(async () => { await parley?.stop(); });

/* Sends every case in the given form; all that differ are told together. */
async function check(form, expected) {
    const wrong = [];
    await inParallel(cases, 8, async (c) => {
        const r = await postJson(parley, '/chat', form(c.bytes))
            .catch((e) => ({ status: 0, text: String(e) }));
        const want = expected(c);
        if (r.status !== want.status ||
            (want.code && r.body.code !== want.code))
            wrong.push(`${c.name}: ${r.status} ${r.text.slice(0, 200)}, ` +
                `not ${want.status} ${want.code ?? ''}`);
    });
    assert.deepEqual(wrong, []);
}

test('there are cases enough, and no two alike', () => {
    assert.ok(cases.length >= 318, `${cases.length} cases`);
    const bodies = cases.map((c) => c.bytes.toString('latin1'));
    const twice = cases.filter((c, i) => bodies.indexOf(bodies[i]) !== i);
    assert.deepEqual(twice.map((c) => c.name), []);
});

test('the cases agree with JSON.parse wherever that is as strict', () => {
    /* It takes duplicates, lone surrogates, NUL, 1e999 and any depth. */
    for (const c of cases.filter((each) => each.valid))
        JSON.parse(c.bytes.toString('utf8'));
});

test('as a whole body: 400, for none of them has a message', async () => {
    await check((bytes) => bytes, () => ({ status: 400 }));
});

test('as the value of a member: 200 if it is JSON, else 400', async () => {
    const around = (bytes) => Buffer.concat([
        Buffer.from('{"message":"x","extra":'), bytes, Buffer.from('}')]);
    await check(around, (c) => c.valid ? { status: 200 }
        : { status: 400, code: 'invalid_json' });
});

test('as the text itself, when it is a string', async () => {
    for (const c of cases.filter((each) => each.valid &&
        each.name.startsWith('strings: "'))) {
        const text = JSON.parse(c.bytes.toString('utf8'));
        const r = await postJson(parley, '/chat', Buffer.concat([
            Buffer.from('{"message":'), c.bytes, Buffer.from('}')]));
        const ok = text.trim() !== '' && !text.startsWith('/');
        if (ok)
            assert.equal(r.status, 200, `${c.name}: ${r.text}`);
        else
            assert.ok(r.status < 500, `${c.name}: ${r.text}`);
    }
});

test('after all of it the server answers as before', async () => {
    assert.ok((await ask(parley, { message: 'well?' })).message);
});
