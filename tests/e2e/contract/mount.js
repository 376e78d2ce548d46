/* The whole application below a folder of the site, unchanged. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ask, assertError, call, messagesOf, newSession, postJson }
    from '../../lib/client.js';
import { assertWholeTurn, openEvents } from '../../lib/sse.js';
import { startParley } from '../../lib/server.js';

const BASE = '/~user/chat.app';

export function mount(door) {
    describe(`mounted at ${BASE} behind ${door}`, () => {
        let parley;

        before(async () => {
            parley = await startParley({ door, basePath: BASE });
        });
        after(async () => { await parley?.stop(); });

        test('a turn and its session work there', async () => {
            const session_id = newSession();
            const body = await ask(parley, { message: 'hello', session_id });
            assert.equal(body.conversation_length, 2);
            assert.equal((await messagesOf(parley, session_id)).length, 2);
        });

        test('stream_url leads there', async () => {
            const r = await postJson(parley, '/chat',
                { message: 'hello', detach: true });
            const url = new URL(r.body.stream_url, `${parley.url}/chat`);
            assert.ok(url.pathname.startsWith(`${BASE}/`), url.pathname);
            const s = await openEvents(url);
            assertWholeTurn(await s.all());
        });

        test('a browser gets the page, with addresses relative to it',
            async () => {
                const page = await fetch(`${parley.url}/`,
                    { headers: { accept: 'text/html' } });
                assert.equal(page.status, 200);
                assert.match(page.headers.get('content-type'), /^text\/html/);
                const html = await page.text();
                const links = [...html.matchAll(/(?:src|href)="([^"#]+)"/g)]
                    .map((m) => m[1]);
                assert.ok(links.length > 0);
                for (const link of links) {
                    if (link.startsWith('data:'))
                        continue;
                    const url = new URL(link, `${parley.url}/`);
                    assert.ok(url.href.startsWith(`${parley.url}/`), link);
                    assert.equal((await fetch(url)).status, 200, link);
                }
            });

        test('a program that asks the same address gets the status',
            async () => {
                const r = await call(parley, '/');
                assert.equal(r.status, 200);
                assert.equal(typeof r.body.status, 'string');
            });

        test('the API describes itself, with addresses relative to it',
            async () => {
                const json = await call(parley, '/api/openapi.json');
                assert.equal(json.status, 200);
                assert.match(json.body.openapi, /^3\.1\./);
                assert.equal(new URL(json.body.servers[0].url,
                    `${parley.url}/api/openapi.json`).href, `${parley.url}/`);
                const page = await fetch(`${parley.url}/api/docs`);
                assert.equal(page.status, 200);
                assert.match(page.headers.get('content-type'), /^text\/html/);
                assert.match(page.headers.get('content-security-policy'),
                    /script-src 'self'/);
                const html = await page.text();
                const links = [...html.matchAll(/(?:src|href)="([^"#]+)"/g)]
                    .map((m) => new URL(m[1], page.url));
                assert.ok(links.length > 5);
                for (const url of links) {
                    assert.ok(url.href.startsWith(`${parley.url}/`), url.href);
                    assert.equal((await fetch(url)).status, 200, url.href);
                }
            });

        test('the folder without its slash leads to the one with it',
            async () => {
                const r = await fetch(parley.url,
                    { headers: { accept: 'text/html' } });
                assert.equal(r.status, 200);
                assert.ok(r.url.endsWith('/'), r.url);
            });

        test('nothing of it is found outside', async () => {
            const outside = { url: new URL(parley.url).origin };
            for (const path of ['/health', '/chat', `${BASE}x/health`]) {
                const r = await call(outside, path);
                assert.equal(r.status, 404, path);
            }
            assertError(await call(parley, '/nothing'), 404);
        });
    });
}
