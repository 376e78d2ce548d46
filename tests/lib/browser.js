/* A real browser that opens Parley's page, and the page as a user sees it.
 *
 * Chromium without a window, driven by playwright-core. Whatever the console
 * says at the level of a warning or an error, every exception and each request
 * to another host is kept as a complaint: a test ends with none.
 *
 *     const browser = await startBrowser();
 *     const tab = await browser.open(parley);
 *     await tab.ask('hello');
 *     await tab.answered();
 *     assert.deepEqual(tab.complaints, []);
 *     await browser.stop();
 *
 * PARLEY_TEST_CHROMIUM names another program than /usr/bin/chromium. */

import { chromium } from 'playwright-core';
import { PATIENCE_MS } from './wait.js';

const PROGRAM = process.env.PARLEY_TEST_CHROMIUM ?? '/usr/bin/chromium';
const ARGS = [
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic',
    '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync',
];

/* One tab on the page. `page` is playwright's own. */
export class Tab {
    complaints = [];
    loaded = new Map();      /* URL -> bytes of the body, once each */

    constructor(page, origin) {
        this.page = page;
        page.setDefaultTimeout(PATIENCE_MS);
        page.on('console', (m) => {
            if (['error', 'warning'].includes(m.type()))
                this.complaints.push(`${m.text()} ${m.location().url}`);
        });
        page.on('pageerror', (e) => this.complaints.push(e.stack));
        page.on('request', (r) => {
            if (!r.url().startsWith(origin) && !/^(data|blob):/.test(r.url()))
                this.complaints.push(`foreign request: ${r.url()}`);
        });
        page.on('requestfinished', async (r) => {
            if (!/\/static\/|\/(#|$)/.test(r.url()))
                return;
            /* The tab may be closed by now. */
            const body = r.response().then((reply) => reply.body());
            this.loaded.set(r.url(), await body.catch(() => ''));
        });
    }

    async ask(text) {
        await this.page.fill('#input', text);
        await this.page.press('#input', 'Enter');
    }

    get questions() {
        return this.page.locator('.message.user');
    }

    get answers() {
        return this.page.locator('.message.answer');
    }

    /* The last answer's text as it stands on the page. */
    text() {
        return this.page.evaluate(() => [...document.querySelectorAll(
            '.message.answer .prose')].at(-1)?.innerText ?? '');
    }

    /* Wait until the last answer contains this. */
    async says(text) {
        await this.page.waitForFunction((t) => [...document.querySelectorAll(
            '.message.answer .prose')].at(-1)?.innerText.includes(t), text);
    }

    running() {
        return this.page.locator('#send.stop').count();
    }

    /* Wait until an answer is running, and until it is not. */
    async answering() {
        await this.page.waitForSelector('#send.stop');
    }

    async answered() {
        await this.page.waitForSelector('#send:not(.stop)');
    }

    /* What a screen reader was told last. */
    announced() {
        return this.page.textContent('#announcer');
    }

    /* A message about trouble, wherever it stands; its text. */
    async notice(part) {
        const notice = this.page.locator('.notice', { hasText: part });
        await notice.waitFor();
        return notice;
    }

    /* The open conversation's id, from the address. */
    session() {
        return decodeURIComponent(new URL(this.page.url()).hash.slice(1));
    }
}

export async function startBrowser() {
    const chrome = await chromium.launch(
        { executablePath: PROGRAM, args: ARGS });
    const contexts = [];

    /* A window with storage of its own. */
    async function window(options = {}) {
        const context = await chrome.newContext(
            { viewport: { width: 1280, height: 800 }, ...options });
        contexts.push(context);
        return context;
    }

    /* A tab on the page; in `context` it shares storage with the others. */
    async function open(parley, { context, path = '/', ...options } = {}) {
        context ??= await window(options);
        const page = await context.newPage();
        const tab = new Tab(page, new URL(parley.url).origin);
        await page.goto(`${parley.url}${path}`);
        await page.waitForSelector('#input');
        return tab;
    }

    async function stop() {
        await Promise.all(contexts.map((c) => c.close().catch(() => {})));
        await chrome.close();
    }

    return { open, window, stop };
}
