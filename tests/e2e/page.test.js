/* The page in a real browser, before the real server: what a user does, and
 * what happens to an answer when things go wrong on the way. */

import assert from 'node:assert/strict';
import zlib from 'node:zlib';
import { after, afterEach, before, beforeEach, describe, test }
    from 'node:test';
import { startBrowser } from '../lib/browser.js';
import { allMessagesOf, call, messagesOf } from '../lib/client.js';
import { replyEvents, replyWire, SSE_HEAD } from '../lib/openai_bytes.js';
import { tearingProxy } from '../lib/raw.js';
import { hold, paced, startReplay, status, whole }
    from '../lib/replay.js';
import { startParley } from '../lib/server.js';
import { until } from '../lib/wait.js';

const BUDGET = 100 * 1024;      /* bytes of the whole page, gzip -9 */
const PACE_MS = 25;

const RICH = `A **bold** beginning.

## A heading

1. one
2. two with \`code\`

\`\`\`python
def f(x):
    return "a line that is much too long for a narrow window", x, x, x, x
\`\`\`

| left | right |
|---|---:|
| a table with quite some words in it | 12345678901234567890 |

The end of it.
`;
const PIECES = RICH.match(/[^]{1,6}/g);

const HOSTILE = `<script>window.hit = 1</script>
<img src="x" onerror="window.hit = 2">

[a](javascript:window.hit=3) ![b](https://tracker.invalid/b.png)
![c](chat/stream?message=c) <b style="position:fixed">d</b>

<iframe src="https://tracker.invalid/"></iframe>

Still here.`;

let replay;
let parley;
let browser;
let tab;

before(async () => {
    replay = await startReplay(paced(replyEvents(PIECES), PACE_MS));
    /* Each tab is a visitor who knows only his own conversations. */
    parley = await startParley({
        env: { ...replay.env(), LIST_ANONYMOUS: 'none' } });
    browser = await startBrowser();
});
after(async () => {
    await browser?.stop();
    await parley?.stop();
    await replay?.stop();
});

describe('the page', () => {
    beforeEach(async () => { tab = await browser.open(parley); });
    afterEach(async () => {
        assert.deepEqual(tab.complaints, []);
        await tab.page.context().close();
    });

    test('streams an answer in and reads it out once', async () => {
        await tab.page.evaluate(() => {
            window.said = [];
            new MutationObserver(() => {
                const text = document.querySelector('#announcer').textContent;
                if (text)
                    window.said.push(text);
            }).observe(document.querySelector('#announcer'),
                { childList: true });
        });
        await tab.ask('stream to me');
        await tab.says('A bold beginning');
        assert.equal(await tab.running(), 1, 'text shows before the end');
        await tab.page.evaluate(() => {
            window.first = document.querySelector('.prose > p');
        });
        await tab.answered();
        assert.equal(await tab.page.locator('.prose strong').innerText(),
            'bold');
        assert.equal(await tab.page.locator('.prose ol > li').count(), 2);
        assert.equal(await tab.page.locator('.prose td').count(), 2);
        await tab.page.waitForSelector('.prose .hljs-keyword');
        assert.ok(await tab.page.evaluate(() =>
            window.first === document.querySelector('.prose > p')),
        'a finished block is never drawn again');
        await until('the announcement', () => tab.announced());
        const said = await tab.page.evaluate(() => window.said);
        assert.equal(said.length, 1, said.join(' | '));
        assert.match(said[0], /A bold beginning/);
    });

    test('keeps the draft of each conversation', async () => {
        await tab.ask('first');
        await tab.answered();
        await tab.page.fill('#input', 'half a thought');
        await tab.page.keyboard.press('Control+k');
        await tab.page.waitForSelector('#empty');
        assert.equal(await tab.page.inputValue('#input'), '');
        await tab.page.fill('#input', 'another');
        await tab.page.click('#sessions a.open');
        await tab.says('The end of it.');
        assert.equal(await tab.page.inputValue('#input'), 'half a thought');
        await tab.page.reload();
        await tab.says('The end of it.');
        assert.equal(await tab.page.inputValue('#input'), 'half a thought');
    });

    test('makes new lines with Shift+Enter and leaves input methods alone',
        async () => {
            await tab.page.click('#input');
            await tab.page.keyboard.type('one');
            await tab.page.keyboard.press('Shift+Enter');
            await tab.page.keyboard.type('two');
            await tab.page.evaluate(() => document.querySelector('#input')
                .dispatchEvent(new KeyboardEvent('keydown', {
                    key: 'Enter', isComposing: true, bubbles: true,
                    cancelable: true,
                })));
            assert.equal(await tab.page.inputValue('#input'), 'one\ntwo');
            assert.equal(await tab.questions.count(), 0);
        });

    test('shows a stranger\'s Markdown without obeying it', async () => {
        replay.on('hostile', whole(replyWire([HOSTILE])));
        await tab.ask('hostile');
        await tab.says('Still here.');
        await tab.answered();
        const prose = tab.page.locator('.prose');
        assert.equal(await tab.page.evaluate(() => window.hit), undefined);
        assert.equal(await prose.locator(
            'script, iframe, img, [style], [onerror]').count(), 0);
        for (const link of await prose.locator('a').all()) {
            assert.doesNotMatch(await link.getAttribute('href') ?? '',
                /^javascript:|chat\/stream/);
            assert.equal(await link.getAttribute('rel'),
                'noopener noreferrer');
        }
        assert.match(await tab.text(), /<script>window.hit = 1<\/script>/,
            'what was written is there to read');
    });

    test('renames, here and on the server', async () => {
        await tab.ask('name me');
        await tab.answered();
        await tab.page.focus('#sessions a.open');
        await tab.page.keyboard.press('F2');
        await tab.page.fill('dialog input', 'A better name');
        await tab.page.press('dialog input', 'Enter');
        await tab.page.waitForFunction(() =>
            document.title.startsWith('A better name'));
        const named = await until('the name at the server', async () => {
            const r = await call(parley, `/sessions/${tab.session()}`);
            return r.body.title === 'A better name' && r;
        });
        assert.equal(named.status, 200);
        await tab.page.reload();
        await tab.says('The end of it.');
        assert.match(await tab.page.title(), /^A better name/);
    });

    test('shows what the server lists, whoever asked it', async () => {
        const open = await startParley({
            env: { ...replay.env(), LIST_ANONYMOUS: 'all' } });
        try {
            for (const message of ['From curl', 'From elsewhere'])
                await call(open, '/chat', { method: 'POST',
                    body: new URLSearchParams({ message }) });
            const visitor = await browser.open(open);
            await visitor.page.getByText('From curl').waitFor();
            assert.deepEqual(await visitor.page.locator('#sessions li .open')
                .allTextContents(), ['From elsewhere', 'From curl']);
            await visitor.page.fill('#find', 'bold beginning');
            const found = visitor.page.locator('#found li');
            await found.locator('mark').first().waitFor();
            assert.equal(await found.count(), 2);
            assert.match(await found.first().textContent(),
                /A bold beginning/);
            await visitor.page.fill('#find', 'CURL');
            await visitor.page.waitForFunction(() =>
                document.querySelectorAll('#found li').length === 1);
            await visitor.page.press('#find', 'ArrowDown');
            await visitor.page.keyboard.press('Enter');
            await visitor.says('The end of it.');
            assert.equal(await visitor.page.inputValue('#find'), '');
            assert.deepEqual(visitor.complaints, []);
        } finally {
            await open.stop();
        }
    });

    test('says a question in other words, and finds the first ones again',
        async () => {
            replay.on('first words', whole(replyWire(['to the first.'])));
            replay.on('other words', whole(replyWire(['to the other.'])));
            await tab.ask('first words');
            await tab.says('to the first.');
            const edit = tab.page.getByRole('button', { name: 'Edit message' });
            await edit.waitFor({ state: 'attached' });
            await edit.focus();
            await edit.press('Enter');
            await tab.notice('takes the place of this one');
            assert.equal(await tab.page.inputValue('#input'), 'first words');
            await tab.page.fill('#input', 'other words');
            await tab.page.press('#input', 'Enter');
            await tab.says('to the other.');
            assert.equal(await tab.questions.count(), 1);
            const { messages } = replay.about('other words')[0].body;
            assert.equal(messages.filter((m) => m.role === 'user').length, 1);
            await tab.page.reload();
            await tab.says('to the other.');
            const back = tab.page.getByRole('button',
                { name: 'Previous version' });
            await back.focus();
            await back.press('Enter');
            await tab.says('to the first.');
            assert.equal(await tab.page.getByText('to the other.').count(), 0);
            await tab.page.getByRole('button', { name: 'Next version' })
                .press('Enter');
            await tab.says('to the other.');
        });

    test('commands do here what they do at the server', async () => {
        await tab.ask('remember this');
        await tab.answered();
        await tab.ask('/title Named by hand');
        await tab.says('Named by hand');
        await tab.page.waitForFunction(() =>
            document.title.startsWith('Named by hand'));
        await tab.ask('/help');
        await tab.says('/translate');
        await tab.page.reload();
        await tab.says('The end of it.');
        assert.equal(await tab.questions.count(), 1, 'commands are not kept');
        await tab.ask('/clear');
        await tab.page.waitForSelector('#empty');
        assert.equal(await tab.questions.count(), 0);
        assert.deepEqual(await allMessagesOf(parley, tab.session()), []);
        await tab.ask('/forget');
        await tab.page.waitForFunction(() =>
            !document.querySelector('#sessions li'));
    });

    test('deletes after asking', async () => {
        await tab.ask('delete me');
        await tab.answered();
        const session = tab.session();
        await tab.page.focus('#sessions a.open');
        await tab.page.keyboard.press('Delete');
        await tab.page.waitForSelector('dialog .danger');
        await tab.page.keyboard.press('Escape');
        assert.equal(await tab.page.locator('#sessions li').count(), 1);
        await tab.page.keyboard.press('Delete');
        await tab.page.click('dialog .danger');
        await tab.page.waitForSelector('#empty');
        assert.equal(await tab.page.locator('#sessions li').count(), 0);
        assert.equal((await call(parley,
            `/sessions/${session}/messages`)).status, 404);
    });

    test('loads older messages when the reader scrolls up', async () => {
        replay.on('count', whole(replyWire(['counted'])));
        await tab.ask('count 0');
        await tab.answered();
        for (let i = 1; i < 35; i++)
            await call(parley, '/chat', { method: 'POST',
                body: new URLSearchParams({ message: `count ${i}`,
                    session_id: tab.session() }) });
        assert.equal((await allMessagesOf(parley, tab.session())).length, 70);
        await tab.page.reload();
        await tab.page.getByText('count 34').waitFor();
        assert.equal(await tab.questions.count(), 20);
        await tab.page.evaluate(() =>
            document.querySelector('#scroll').scrollTo(0, 0));
        await tab.page.waitForFunction(() =>
            document.querySelectorAll('.message').length === 70);
        assert.match(await tab.questions.first().innerText(), /count 0/);
    });

    test('stops an answer and keeps what came', async () => {
        await tab.ask('stop me');
        await tab.says('A bold beginning');
        await tab.page.keyboard.press('Escape');
        await tab.answered();
        await tab.notice('You stopped this answer');
        const { peer } = await replay.request('stop me');
        await until('the provider to be left', () => peer.gone);
        const text = await tab.text();
        await tab.page.reload();
        await tab.notice('You stopped this answer');
        assert.equal(await tab.text(), text);
    });

    test('tells in place of a provider that fails, and tries again',
        async () => {
            replay.on('break off',
                whole(SSE_HEAD + replyEvents(['Half of it']).slice(0, 2)
                    .join('')),
                whole(replyWire(['This time it worked.'])));
            await tab.ask('break off');
            await tab.says('Half of it');
            await tab.answered();
            const notice = tab.page.locator('.message .notice');
            await notice.getByRole('button', { name: 'Retry' }).click();
            await tab.says('This time it worked.');
            await tab.answered();
            assert.equal(await notice.getByRole('button').count(), 0,
                'what is past offers nothing');
        });

    test('goes on with an answer that broke off', async () => {
        replay.on('run dry',
            whole(SSE_HEAD + replyEvents(['Once upon ']).slice(0, 2)
                .join('')));
        replay.on('Continue where', whole(replyWire(['a time.'])));
        await tab.ask('run dry');
        await tab.says('Once upon');
        await tab.answered();
        await tab.page.reload();
        const notice = tab.page.locator('.message .notice');
        await notice.getByRole('button', { name: 'Continue' }).click();
        await tab.says('a time.');
        const { messages } = (await replay.request('Continue where')).body;
        assert.deepEqual(messages.slice(-3), [
            { role: 'user', content: 'run dry' },
            { role: 'assistant', content: 'Once upon ' },
            { role: 'user', content: 'Continue where you stopped.' },
        ]);
        assert.equal(await notice.getByRole('button').count(), 0);
    });

    test('offers no new try where it would be in vain', async () => {
        replay.on('refuse', status(400, {}, { error: {
            message: 'no such thing', type: 'invalid_request_error' } }));
        await tab.ask('refuse me');
        const notice = await tab.notice('rejected the request');
        assert.equal(await notice.getByRole('button').count(), 0);
        assert.equal(await tab.running(), 0);
    });
});

describe('an answer that is under way', () => {
    test('is there in full after a reload in the middle', async () => {
        tab = await browser.open(parley);
        await tab.ask('reload me');
        await tab.says('A bold beginning');
        await tab.page.reload();
        await tab.says('A bold beginning');
        assert.equal(await tab.running(), 1, 'it goes on');
        await tab.says('The end of it.');
        await tab.answered();
        assert.equal(await tab.questions.count(), 1);
        assert.equal(await tab.answers.count(), 1);
        assert.equal(replay.about('reload me').length, 1);
        assert.deepEqual(tab.complaints, []);
    });

    test('shows in two tabs at once, and either may stop it', async () => {
        tab = await browser.open(parley);
        await tab.ask('before');
        await tab.answered();
        const second = await browser.open(parley, {
            context: tab.page.context(), path: `/#${tab.session()}`,
        });
        await second.says('The end of it.');
        const held = hold(SSE_HEAD + replyEvents(['For both', ' of us'])
            .slice(0, 3).join(''));
        replay.on('both tabs', held);
        await tab.ask('for both tabs');
        await tab.says('For both of us');
        await second.says('For both of us');
        assert.equal(await second.questions.count(), 2);
        await second.page.click('#send.stop');
        await tab.answered();
        await second.answered();
        held.release();
        await tab.notice('You stopped this answer');
        assert.deepEqual([...tab.complaints, ...second.complaints], []);
    });

    test('is found by another browser that knows the address', async () => {
        tab = await browser.open(parley);
        await tab.ask('from elsewhere');
        await tab.says('A bold beginning');
        const other = await browser.open(parley,
            { path: `/#${tab.session()}` });
        await other.says('The end of it.');
        await other.answered();
        assert.equal(await other.questions.count(), 1);
        assert.equal(await other.answers.count(), 1);
        assert.deepEqual(other.complaints, []);
    });

    test('is caught up with after a time without a network', async () => {
        tab = await browser.open(parley);
        await tab.ask('go offline');
        await tab.says('A bold beginning');
        await tab.page.context().setOffline(true);
        await tab.page.getByText('You are offline').waitFor();
        await until('the answer at the server', async () =>
            (await messagesOf(parley, tab.session())).length === 2);
        await tab.page.context().setOffline(false);
        await tab.says('The end of it.');
        await tab.answered();
        await tab.page.waitForFunction(() =>
            document.querySelector('#banner').textContent === '');
    });

    test('goes on where it was when the connection is torn', async () => {
        const proxy = await tearingProxy(parley.port);
        try {
            tab = await browser.open(
                { url: `http://127.0.0.1:${proxy.port}` });
            const follows = [];
            tab.page.on('request', (r) => {
                if (r.url().includes('/chat/stream'))
                    follows.push(r);
            });
            replay.on('tear', paced(replyEvents(
                Array.from({ length: 100 }, (_, i) => `word${i} `)), 20));
            await tab.ask('tear it');
            await tab.says('word9 ');
            proxy.tear();
            await tab.says('word99');
            await tab.answered();
            assert.equal((await tab.text()).trim(),
                Array.from({ length: 100 }, (_, i) => `word${i}`).join(' '));
            assert.equal(follows.length, 2);
            const last = (await follows[1].allHeaders())['last-event-id'];
            assert.match(last, /\.\d+$/, 'the browser says what it has');
        } finally {
            await proxy.stop();
        }
    });

    test('keeps its text when the server is killed, and offers a new try',
        async () => {
            const held = hold(SSE_HEAD + replyEvents(['Said before the end'])
                .slice(0, 2).join(''));
            replay.on('kill', held, whole(replyWire(['Said after.'])));
            tab = await browser.open(parley);
            await tab.ask('kill you');
            await tab.says('Said before the end');
            await parley.kill9();
            const notice = await tab.notice('interrupted');
            held.release();
            assert.match(await tab.text(), /Said before the end/);
            await notice.getByRole('button', { name: 'Retry' }).click();
            await tab.says('Said after.');
            await tab.answered();
        });
});

describe('a message that cannot be sent', () => {
    test('goes out by itself when the network is back, once', async () => {
        replay.on('later', whole(replyWire(['Better late.'])));
        tab = await browser.open(parley);
        await tab.page.context().setOffline(true);
        await tab.ask('later');
        await tab.notice('could not be sent');
        await tab.page.context().setOffline(false);
        await tab.says('Better late.');
        await tab.answered();
        assert.equal(replay.about('later').length, 1);
        assert.equal(await tab.questions.count(), 1);
    });

    test('waits as long as it is told to, visibly', async () => {
        tab = await browser.open(parley);
        let refusals = 0;
        await tab.page.route('**/chat', (route) => {
            if (refusals++ > 0)
                return route.fallback();
            return route.fulfill({
                status: 429, headers: { 'Retry-After': '2' },
                json: { error: 'Too many requests', code: 'rate_limited',
                    message: 'Slow down a little.', request_id: 'r-1' },
            });
        });
        await tab.ask('busy');
        const notice = await tab.notice('Too many requests');
        assert.match(await notice.innerText(), /Next try in \d s/);
        assert.match(await notice.innerText(), /Slow down a little/);
        assert.ok(await notice.getByRole('button', { name: 'Retry' })
            .isDisabled());
        await tab.says('The end of it.');
        assert.equal(refusals, 2);
    });

    test('goes back to the composer to be changed', async () => {
        tab = await browser.open(parley);
        await tab.page.route('**/chat', (route) => route.fulfill({
            status: 413, json: { error: 'Message too long',
                message: 'Send less.', code: 'too_big', request_id: 'r-2' },
        }));
        await tab.ask('too much');
        const notice = await tab.notice('Message too long');
        assert.equal(await notice.getByRole('button', { name: 'Retry' })
            .count(), 0);
        await notice.getByRole('button', { name: 'Edit' }).click();
        assert.equal(await tab.page.inputValue('#input'), 'too much');
        assert.equal(await tab.questions.count(), 0);
    });
});

describe('a path that holds the stream back', () => {
    test('is found out, and the answer comes all the same', async () => {
        tab = await browser.open(parley);
        await tab.page.route('**/chat/stream*', () => {
            /* Never answered, as by a proxy that waits for the end. */
        });
        await tab.ask('buffered');
        await tab.says('The end of it.');
        await tab.answered();
    });
});

describe('small screens and other places', () => {
    test('at 360 px nothing is wider than the window', async () => {
        for (const colorScheme of ['light', 'dark']) {
            tab = await browser.open(parley,
                { viewport: { width: 360, height: 640 }, colorScheme });
            await tab.ask(`narrow ${'x'.repeat(200)}`);
            await tab.answered();
            const { page, scroll } = await tab.page.evaluate(() => ({
                page: document.documentElement.scrollWidth,
                scroll: document.querySelector('#scroll').scrollWidth,
            }));
            assert.equal(page, 360);
            assert.equal(scroll, 360);
            await tab.page.click('#menu');
            await tab.page.waitForSelector('#new');
            assert.equal(await tab.page.evaluate(() =>
                document.activeElement.id), 'new', 'the drawer has the focus');
            await tab.page.keyboard.press('Escape');
            assert.equal(await tab.page.evaluate(() =>
                document.activeElement.id), 'menu');
            assert.deepEqual(tab.complaints, []);
        }
    });

    test('below a path it is the same page', async () => {
        const below = await startParley(
            { env: replay.env(), basePath: '/below/here' });
        try {
            tab = await browser.open(below);
            await tab.ask('from below');
            await tab.says('The end of it.');
            await tab.page.reload();
            await tab.says('The end of it.');
            assert.deepEqual(tab.complaints, []);
        } finally {
            await below.stop();
        }
    });

    test('the reader is not pulled away from what they read', async () => {
        replay.on('long', paced(replyEvents(
            Array.from({ length: 200 }, (_, i) => `Paragraph ${i}.\n\n`)),
        10));
        tab = await browser.open(parley);
        await tab.ask('long');
        await tab.says('Paragraph 50.');
        await tab.page.hover('#scroll');
        await tab.page.mouse.wheel(0, -300);
        const jump = tab.page.locator('#jump');
        await jump.waitFor();
        const top = () => tab.page.evaluate(() =>
            document.querySelector('#scroll').scrollTop);
        const before = await top();
        await tab.says('Paragraph 120.');
        assert.equal(await top(), before);
        await jump.click();
        await tab.answered();
        await tab.page.waitForFunction(() => {
            const box = document.querySelector('#scroll');
            return box.scrollHeight - box.clientHeight - box.scrollTop < 2;
        });
    });
});

describe('its weight', () => {
    test('is within the budget, libraries and colours for code included',
        async () => {
            tab = await browser.open(parley);
            await tab.ask('weigh');
            await tab.page.waitForSelector('.prose .hljs-keyword');
            await tab.answered();
            const parts = [...tab.loaded].map(([url, body]) =>
                [new URL(url).pathname, zlib.gzipSync(body, { level: 9 })
                    .length]);
            const total = parts.reduce((n, [, bytes]) => n + bytes, 0);
            assert.ok(parts.some(([name]) => name.endsWith('/main.js')));
            assert.ok(parts.some(([name]) => /highlight/.test(name)));
            assert.ok(total <= BUDGET, `${total} bytes:\n${parts
                .map(([name, bytes]) => `${bytes} ${name}`).join('\n')}`);
        });

    test('is served with a strict policy', async () => {
        const r = await fetch(`${parley.url}/`,
            { headers: { accept: 'text/html' } });
        const policy = r.headers.get('content-security-policy') ?? '';
        await r.text();
        assert.match(policy, /default-src 'none'/);
        assert.match(policy, /script-src 'self'(;|$)/);
        assert.match(policy, /style-src 'self'(;|$)/);
        assert.doesNotMatch(policy, /unsafe|\*|https?:/);
    });
});
