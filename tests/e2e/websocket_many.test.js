/* Two thousand sockets in one process, idle, and two hundred of them with an
 * answer at once. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { SANITIZED } from '../lib/programs.js';
import { startParley } from '../lib/server.js';
import { inParallel, until } from '../lib/wait.js';
import { TEXT, frame, openRaw } from '../lib/websocket.js';

const MANY = 2000;
const TALKING = 200;
const IDLE_BYTES = 8 * 1024; /* of one idle socket, in the program */
const QUESTION = JSON.stringify(
    { type: 'chat_message', message: { content: 'Which settings?' } });

let parley, unix;

before(async () => {
    parley = await startParley();
    unix = path.join(parley.dataDir, 'ws.sock');
});
after(() => parley.stop());

function residentBytes() {
    const text = fs.readFileSync(`/proc/${parley.chatPid()}/status`, 'utf8');
    return Number(/^RssAnon:\s+(\d+) kB/m.exec(text)[1]) * 1024;
}

async function talk(raw) {
    raw.send(frame(TEXT, QUESTION));
    for (;;) {
        const m = await raw.message();
        assert.notEqual(m.type, 'error', m.message);
        if (m.type === 'response_complete')
            return m.content;
    }
}

const active = async () => (await (await fetch(
    `${parley.url}/status`)).json()).active_connections;

test('two thousand idle sockets, two hundred that stream', async (t) => {
    const first = await openRaw(parley, '/ws/first', { unix });
    const content = await talk(first); /* what one turn needs for good */
    const before = residentBytes();
    const all = await inParallel(Array.from({ length: MANY }), 50,
        (_, i) => openRaw(parley, `/ws/client-${i}`, { unix }));
    assert.equal(await active(), MANY + 1);
    const each = (residentBytes() - before) / MANY;
    t.diagnostic(`${Math.round(each)} bytes for an idle socket`);
    assert.ok(SANITIZED || each < IDLE_BYTES, `${each} bytes for each`);
    const answers = await Promise.all(all.slice(0, TALKING).map(talk));
    assert.ok(answers.every((a) => a === content));
    for (const raw of all)
        raw.destroy();
    await until('all to be gone', async () => await active() === 1);
    assert.equal(await talk(first), content);
    first.destroy();
});
