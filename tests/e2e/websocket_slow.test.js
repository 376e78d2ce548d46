/* Long answers over WebSocket, and clients that do not read: each costs the
 * program a cursor and a piece, and gets everything when it reads again. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { replyWire } from '../lib/openai_bytes.js';
import { SANITIZED } from '../lib/programs.js';
import { startReplay, whole } from '../lib/replay.js';
import { startParley } from '../lib/server.js';
import { until } from '../lib/wait.js';
import { TEXT, frame, openRaw } from '../lib/websocket.js';

const PIECES = Array.from({ length: 1500 },
    (_, i) => `${String(i).padStart(8)} ${'text \u00e9 "quoted" '.repeat(60)}\n`);
const ANSWER = PIECES.join('');
const LAZY = 16;
const LAZY_KIB = 640; /* for each; as events it would be sent 3 MiB */

let replay, parley;

before(async () => {
    replay = await startReplay();
    parley = await startParley({ env: replay.env() });
    replay.on('long', whole(replyWire(PIECES)));
});
after(async () => {
    await parley?.stop();
    await replay?.stop();
});

/* Memory of its own, in KiB: not that of files, where the answers are. */
function ownKib() {
    const text = fs.readFileSync(`/proc/${parley.chatPid()}/status`, 'utf8');
    return Number(/^RssAnon:\s+(\d+) kB/m.exec(text)[1]);
}

const ask = (raw, text) => raw.send(frame(TEXT, JSON.stringify(
    { type: 'chat_message', message: { content: text }, history: [] })));

/* Read to the end; the pieces joined, and what the end says. */
async function readAnswer(raw) {
    const parts = [];
    for (;;) {
        const m = await raw.message();
        assert.ok(m, 'the answer ends');
        assert.notEqual(m.type, 'error', m.message);
        if (m.type === 'response_chunk')
            parts.push(m.content);
        if (m.type === 'response_complete')
            return [parts.join(''), m.content];
    }
}

test('a message of megabytes comes whole, in fragments', async () => {
    const raw = await openRaw(parley, '/ws/quick');
    ask(raw, 'long');
    const [pieces, content] = await readAnswer(raw);
    assert.equal(content.length, ANSWER.length);
    assert.ok(content === ANSWER && pieces === ANSWER);
    raw.send(frame(TEXT, '{"type":"history"}'));
    assert.equal((await raw.message()).messages.at(-1).content, ANSWER);
    raw.destroy();
});

/* The web server has buffers of its own, so these come by ws.sock. */
test('clients that do not read cost little, and get everything', async (t) => {
    const unix = path.join(parley.dataDir, 'ws.sock');
    const status = async () => (await (await fetch(
        `${parley.url}/status`)).json());
    const connect = (name) => Promise.all(Array.from({ length: LAZY },
        (_, i) => openRaw(parley, `/ws/me-${i}?session_id=${name}-${i}`,
            { unix })));
    const quick = await connect('quick'); /* what so many turns need */
    await Promise.all(quick.map((raw) => {
        ask(raw, 'long');
        return readAnswer(raw);
    }));
    for (const raw of quick)
        raw.destroy();
    const before = ownKib();
    const lazy = await connect('lazy');
    for (const raw of lazy) {
        raw.socket.pause();
        ask(raw, 'long');
    }
    await until('all turns to end', async () => {
        const turns = await Promise.all(lazy.map((_, i) => fetch(
            `${parley.url}/sessions/lazy-${i}/messages`)
            .then((r) => r.json())));
        return turns.every((t) =>
            t.messages?.at(-1)?.finish_reason === 'stop');
    }, 60000);
    assert.equal((await status()).active_connections, LAZY);
    /* What ending and indexing took is given back; what readers hold is not. */
    let grown;
    await until('memory to be small', () => {
        grown = ownKib() - before;
        return SANITIZED || grown < LAZY * LAZY_KIB;
    }, 30000).finally(() => t.diagnostic(`grown by ${grown} KiB`));
    for (const raw of lazy.slice(0, 8))
        raw.destroy();
    await until('those that left to be gone', async () =>
        (await status()).active_connections === LAZY - 8);
    for (const raw of lazy.slice(8, 11)) {
        raw.socket.resume();
        const [pieces, content] = await readAnswer(raw);
        assert.ok(pieces === ANSWER && content === ANSWER);
        raw.destroy();
    }
    for (const raw of lazy.slice(11))
        raw.destroy();
    await until('all to be gone', async () =>
        (await status()).active_connections === 0);
});
