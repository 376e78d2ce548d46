/* The web server itself is ended and started again under load, politely and
 * by force, on the same data: nothing stays behind, nothing is lost. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allMessagesOf, newSession, postJson } from '../lib/client.js';
import { signal, startParley } from '../lib/server.js';
import { delay, until } from '../lib/wait.js';

for (const door of ['fastcgi', 'lighttpd-cgi', 'apache-cgi'])
    test(`ten restarts behind ${door} lose nothing`, async () => {
        const parley = await startParley({ door });
        try {
            const sessions = Array.from({ length: 6 }, newSession);
            const promised = new Map(sessions.map((s) => [s, []]));
            let going = true;
            const work = Promise.all(sessions.map(async (session_id) => {
                for (let n = 0; going; n++) {
                    const r = await postJson(parley, '/chat',
                        { message: `n ${n}`, session_id })
                        .catch(() => ({ status: 0 }));
                    if (r.status === 200)
                        promised.get(session_id).push(r.body.message_id);
                    else
                        await delay(50);
                }
            }));
            try {
                for (let round = 0; round < 10; round++) {
                    await delay(300);
                    const name = ['SIGTERM', 'SIGINT', 'SIGKILL'][round % 3];
                    if (name === 'SIGKILL')
                        signal(parley.webPid(), name);
                    await parley.stopWeb(
                        name === 'SIGKILL' ? 'SIGTERM' : name);
                    await parley.start();
                }
            } finally {
                going = false;
            }
            await work;
            for (const [session, list] of promised) {
                assert.ok(list.length > 0);
                const stored = await until('the messages',
                    () => allMessagesOf(parley, session));
                for (const id of list)
                    assert.equal(stored.filter((m) => m.id === id).length, 1);
            }
        } finally {
            await parley.stop();
        }
    });
