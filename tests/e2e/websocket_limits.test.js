/* How long a WebSocket may be silent, how long it may be idle, and how many of
 * them a client may have: also after the program that counted them was
 * killed. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { serving } from '../lib/client.js';
import { startParley } from '../lib/server.js';
import { until } from '../lib/wait.js';
import { PING, PONG, TEXT, frame, openRaw, upgrade }
    from '../lib/websocket.js';

const PINGS = 4; /* one more than what a silent client is let miss */
const MAX = 2;

/* Answers pings until so many came, or the server closes: how many came. */
async function answerPings(raw, max) {
    for (let n = 0; n < max;) {
        const f = await raw.next();
        if (!f)
            return n;
        if (f.opcode !== PING)
            continue;
        raw.send(frame(PONG, f.data));
        n++;
    }
    return max;
}

describe('a client that says nothing', () => {
    let parley;

    before(async () => {
        parley = await startParley({ env: { WS_PING_S: '1' } });
    });
    after(() => parley?.stop());

    test('is given up where it does not answer pings', async () => {
        const [silent, answers] = await Promise.all(
            [openRaw(parley, '/ws/chat'), openRaw(parley, '/ws/chat')]);
        assert.equal(await answerPings(answers, PINGS), PINGS);
        await silent.end();
        answers.send(frame(TEXT, '{"type":"ping"}'));
        let said = await answers.message();
        while (said?.type === 'connection_established')
            said = await answers.message();
        assert.equal(said?.type, 'pong');
        answers.destroy();
        await until('both to be gone', async () => (await (await fetch(
            `${parley.url}/status`)).json()).active_connections === 0);
    });
});

describe('a client that only answers pings', () => {
    let parley;

    before(async () => {
        parley = await startParley({
            env: { WS_PING_S: '1', WS_IDLE_S: '2' } });
    });
    after(() => parley?.stop());

    test('is told to go away after its time', async () => {
        const raw = await openRaw(parley, '/ws/chat');
        let f = await raw.next();
        let pings = 0;
        for (; f && f.code === 0; f = await raw.next())
            if (f.opcode === PING) {
                pings++;
                raw.send(frame(PONG, f.data));
            }
        assert.equal(f?.code, 1001);
        assert.ok(pings > 0);
        await raw.end();
    });
});

describe('a client that has as many as it may', () => {
    let parley;

    before(async () => {
        parley = await startParley({ env: { WS_PER_CLIENT: String(MAX) } });
    });
    after(() => parley?.stop());

    /* As many as one may have, and then one too many. */
    async function fill() {
        const open = [];
        await until('room for all', async () => {
            const { raw } = await upgrade(parley, '/ws/me');
            if (raw)
                open.push(raw);
            return open.length === MAX;
        });
        const more = await upgrade(parley, '/ws/me');
        assert.equal(more.status, 429, more.body);
        assert.equal(JSON.parse(more.body).code, 'too_many_connections');
        return open;
    }

    test('has none any more once the program was killed', async () => {
        const before = await fill();
        await parley.kill9();
        for (const raw of before)
            await raw.end();
        await serving(parley);
        await until('WebSockets to be served again', async () => {
            const { raw } = await upgrade(parley, '/ws/other');
            raw?.destroy();
            return raw;
        });
        for (const raw of await fill())
            raw.destroy();
    });

    test('may have another when one is closed', async () => {
        const open = await fill();
        open.pop().destroy();
        await until('room for another', async () => {
            const { raw } = await upgrade(parley, '/ws/me');
            raw?.destroy();
            return raw;
        });
        for (const raw of open)
            raw.destroy();
    });
});
