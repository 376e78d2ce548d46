/* Signing in on the page: where everybody has to, and where nobody has to. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { PASSWORD, accounts, basic, bearer, cookiesAfter } from
    '../lib/accounts.js';
import { startBrowser } from '../lib/browser.js';
import { call, postJson } from '../lib/client.js';
import { startParley } from '../lib/server.js';
import { until } from '../lib/wait.js';

describe('accounts on the page', () => {
    let browser;
    let folder;
    let parley;

    before(async () => {
        folder = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-page-'));
        browser = await startBrowser();
    });
    after(async () => {
        await browser?.stop();
        fs.rmSync(folder, { recursive: true, force: true });
    });

    const dialog = (tab) => tab.page.locator('dialog[open]').last();
    const start = (env) => startParley({ env: {
        ...accounts(folder).env, LIST_ANONYMOUS: 'none', ...env } });
    const sessionsOf = async (headers) =>
        (await call(parley, '/sessions', { headers })).body.sessions;

    async function signIn(tab, user, password = PASSWORD) {
        await dialog(tab).locator('[name=username]').fill(user);
        await dialog(tab).locator('[name=password]').fill(password);
        await dialog(tab).getByRole('button', { name: 'Sign in' }).click();
    }
    /* What a reply of 401 leaves in the console is no complaint. */
    const complaints = (tab) =>
        tab.complaints.filter((c) => !c.includes('status of 401'));

    describe('where everybody has to sign in', () => {
        before(async () => {
            parley = await start({ AUTH_REQUIRED: '1' });
        });
        after(() => parley?.stop());

        test('the page asks, says what is wrong, and then works', async () => {
            const tab = await browser.open(parley);
            await dialog(tab).waitFor();
            await tab.page.keyboard.press('Escape');
            assert.equal(await dialog(tab).isVisible(), true, 'it has to be');
            await signIn(tab, 'ann', 'wrong');
            await dialog(tab).getByText('Wrong user name or password')
                .waitFor();
            await signIn(tab, 'ann');
            await tab.page.getByRole('button', { name: 'Signed in as ann' })
                .waitFor();
            await tab.ask('hello');
            await tab.answered();
            assert.equal((await sessionsOf(basic('ann'))).length, 1);
            assert.equal((await sessionsOf(basic('bob'))).length, 0);
            assert.deepEqual(complaints(tab), []);
        });

        test('a key is made, shown once, used and revoked', async () => {
            const tab = await browser.open(parley);
            await dialog(tab).waitFor();
            await signIn(tab, 'bob');
            await tab.page.getByRole('button', { name: 'Signed in as bob' })
                .click();
            await dialog(tab).getByLabel('Name of the key').fill('laptop');
            await dialog(tab).getByRole('button', { name: 'Make a key' })
                .click();
            const key = await dialog(tab).locator('.secret').textContent();
            assert.match(key, /^prly_[0-9A-Za-z]+$/);
            const me = await call(parley, '/auth/me',
                { headers: bearer(key) });
            assert.equal(me.body.user, 'local/bob');
            await dialog(tab).getByRole('button', { name: 'Done' }).click();
            await dialog(tab).getByRole('button', { name: 'Revoke' }).click();
            await dialog(tab).getByRole('button', { name: 'Revoke' }).click();
            await until('the key to be none', async () => (await call(parley,
                '/auth/me', { headers: bearer(key) })).status === 401);
            assert.deepEqual(complaints(tab), []);
        });

        test('another login is seen, and ended', async () => {
            const there = await postJson(parley, '/auth/login',
                { username: 'carl', password: PASSWORD },
                { 'user-agent': 'Elsewhere/1' });
            const cookie = cookiesAfter(there);
            await postJson(parley, '/auth/login',
                { username: 'eve', password: PASSWORD },
                { 'user-agent': 'Elsewhere/1' });
            const tab = await browser.open(parley);
            await dialog(tab).waitFor();
            await signIn(tab, 'eve');
            await tab.page.getByRole('button', { name: 'Signed in as eve' })
                .click();
            const rows = dialog(tab).locator('section', {
                hasText: 'Where you are signed in' }).locator('li');
            await rows.filter({ hasText: 'this browser' }).waitFor();
            assert.equal(await rows.count(), 2);
            assert.match(await rows.first().textContent(), /this browser/);
            assert.equal(await rows.first().getByRole('button').count(), 0);
            await rows.filter({ hasText: 'Elsewhere' })
                .getByRole('button', { name: 'End' }).click();
            await rows.filter({ hasText: 'Elsewhere' })
                .waitFor({ state: 'detached' });
            assert.equal(await rows.count(), 1);
            assert.deepEqual(complaints(tab), []);
            /* Others' stay. */
            assert.equal((await call(parley, '/auth/me',
                { headers: { cookie } })).body.user, 'local/carl');
        });

        test('signing out leaves nothing in the browser', async () => {
            const tab = await browser.open(parley);
            await dialog(tab).waitFor();
            await signIn(tab, 'eve');
            await tab.page.getByRole('button', { name: 'Signed in as eve' })
                .waitFor();
            await tab.ask('a secret question');
            await tab.answered();
            await tab.page.locator('#account').click();
            await dialog(tab)
                .getByRole('button', { name: 'Sign out', exact: true }).click();
            await dialog(tab).locator('[name=username]').waitFor();
            const kept = await tab.page.evaluate(() =>
                JSON.stringify({ ...localStorage }));
            assert.doesNotMatch(kept, /secret/i);
            assert.equal(await tab.page.locator('#sessions li').count(), 0);
        });
    });

    describe('where nobody has to', () => {
        before(async () => {
            parley = await start({});
        });
        after(() => parley?.stop());

        test('what was said before is taken over at the login', async () => {
            const tab = await browser.open(parley);
            await tab.ask('before I sign in');
            await tab.answered();
            assert.equal((await sessionsOf({})).length, 0);
            await tab.page.locator('#account').click();
            await signIn(tab, 'ann');
            await tab.page.getByRole('button', { name: 'Signed in as ann' })
                .waitFor();
            assert.equal((await sessionsOf(basic('ann'))).length, 1);
            assert.equal(await tab.page.locator('#sessions li').count(), 1);
            assert.deepEqual(complaints(tab), []);
        });

        test('or stays behind', async () => {
            const tab = await browser.open(parley);
            await tab.ask('of nobody');
            await tab.answered();
            await tab.page.locator('#account').click();
            await dialog(tab).getByRole('checkbox').uncheck();
            await signIn(tab, 'bob');
            await tab.page.getByRole('button', { name: 'Signed in as bob' })
                .waitFor();
            assert.equal((await sessionsOf(basic('bob'))).length, 0);
        });
    });
});
