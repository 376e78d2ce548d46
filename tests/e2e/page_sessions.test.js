/* The page's list of conversations and what is done with them: the menu, tags,
 * the archive, settings, ratings, files, temporary chats, and other devices. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, afterEach, before, beforeEach, describe, test }
    from 'node:test';
import { startBrowser } from '../lib/browser.js';
import { ask, call, messagesOf, newSession, postJson }
    from '../lib/client.js';
import { replyEvents, replyWire, SSE_HEAD } from '../lib/openai_bytes.js';
import { hold, startReplay, whole } from '../lib/replay.js';
import { startParley } from '../lib/server.js';
import { until } from '../lib/wait.js';

let replay;
let parley;
let browser;
let tab;

before(async () => {
    replay = await startReplay(whole(replyWire(['This is the answer.'])));
    parley = await startParley({
        env: { ...replay.env(), LIST_ANONYMOUS: 'none' } });
    browser = await startBrowser();
});
after(async () => {
    await browser?.stop();
    await parley?.stop();
    await replay?.stop();
});

const items = () => tab.page.locator('#sessions li');
const session = async (id) => (await call(parley, `/sessions/${id}`)).body;

/* Opens the menu above the messages and chooses. */
async function choose(name) {
    await tab.page.click('#more');
    await tab.page.getByRole('menuitem',
        typeof name === 'string' ? { name } : name).click();
}

/* Begins a conversation and waits for its answer. */
async function talk(text) {
    if (tab.session())
        await tab.page.keyboard.press('Control+k');
    await tab.ask(text);
    await tab.says('This is the answer.');
    await tab.answered();
    return tab.session();
}

async function downloaded(press) {
    const [file] = await Promise.all([tab.page.waitForEvent('download'),
        press()]);
    return { name: file.suggestedFilename(),
        text: fs.readFileSync(await file.path(), 'utf8') };
}

/* Waits until the focus is on what is called like this. */
const focusOn = (name) => tab.page.waitForFunction((start) =>
    (document.activeElement.getAttribute('aria-label') ??
        document.activeElement.textContent).startsWith(start), name);

describe('the menu of a conversation', () => {
    beforeEach(async () => { tab = await browser.open(parley); });
    afterEach(async () => {
        assert.deepEqual(tab.complaints, []);
        await tab.page.context().close();
    });

    test('is a menu for the keyboard, and gives the focus back', async () => {
        await talk('With keys');
        await tab.page.focus('#sessions a.open');
        await tab.page.keyboard.press('Tab');
        await tab.page.keyboard.press('Enter');
        const menu = tab.page.getByRole('menu');
        await menu.waitFor();
        await focusOn('Rename');
        for (const [key, name] of [['ArrowUp', 'Delete'],
            ['ArrowDown', 'Rename'], ['ArrowDown', 'Pin'], ['End', 'Delete'],
            ['t', 'Tags'], ['Home', 'Rename'],
            ['Escape', 'What to do with “With keys”']]) {
            await tab.page.keyboard.press(key);
            await focusOn(name);
        }
        assert.equal(await menu.count(), 0);
        await tab.page.keyboard.press('Enter');
        await focusOn('Rename');
        await tab.page.keyboard.press('p');
        await focusOn('Pin');
        await tab.page.keyboard.press('Enter');
        await tab.page.getByRole('heading', { name: 'Pinned' }).waitFor();
        await focusOn('What to do with “With keys”');
        await tab.page.click('#more');
        await menu.waitFor();
        await tab.page.click('#more');
        await menu.waitFor({ state: 'detached' });
    });

    test('pins to the top, here and at the server', async () => {
        const first = await talk('First');
        await talk('Second');
        assert.match(await items().first().innerText(), /Second/);
        await items().nth(1).hover();
        await items().nth(1).getByRole('button').click();
        await tab.page.getByRole('menuitem', { name: 'Pin' }).click();
        await tab.page.getByRole('heading', { name: 'Pinned' }).waitFor();
        assert.match(await items().first().innerText(), /First/);
        await until('the pin at the server', async () =>
            (await session(first)).pinned);
        await items().first().hover();
        await items().first().getByRole('button').click();
        await tab.page.getByRole('menuitem', { name: 'Unpin' }).click();
        await until('it to be taken back', async () =>
            !(await session(first)).pinned);
        assert.match(await items().first().innerText(), /Second/);
    });

    test('gives tags, by which the list is narrowed', async () => {
        const one = await talk('About work');
        await choose('Tags');
        await tab.page.fill('dialog input', 'work, #later');
        await tab.page.press('dialog input', 'Enter');
        await tab.page.getByRole('button', { name: 'Save' }).click();
        await until('the tags at the server', async () =>
            (await session(one)).tags.join() === 'work,later');
        const two = await talk('About play');
        await choose('Tags');
        await tab.page.locator('dialog .chip', { hasText: 'later' }).click();
        await tab.page.getByRole('button', { name: 'Save' }).click();
        await until('the tag at the server', async () =>
            (await session(two)).tags.join() === 'later');
        const chip = (name) => tab.page.locator('#sessions .chip',
            { hasText: name });
        await chip('work').click();
        assert.deepEqual(await items().locator('a').allInnerTexts(),
            ['About work\n#work #later']);
        assert.equal(await chip('work').getAttribute('aria-pressed'), 'true');
        await chip('work').click();
        assert.equal(await items().count(), 2);
        await choose('Tags');
        await tab.page.locator('dialog .chip', { hasText: 'later' }).click();
        await tab.page.getByRole('button', { name: 'Save' }).click();
        await until('the tag to be gone', async () =>
            (await session(two)).tags.length === 0);
    });

    test('archives, and takes out of the archive', async () => {
        const id = await talk('Put away');
        await choose('Archive');
        await tab.page.waitForFunction(() =>
            !document.querySelector('#sessions li'));
        await until('the archive at the server', async () =>
            (await session(id)).archived);
        await tab.page.click('#archive');
        assert.match(await items().first().innerText(), /Put away/);
        await items().first().hover();
        await items().first().getByRole('button').click();
        await tab.page.getByRole('menuitem', { name: 'Take out' }).click();
        await tab.page.getByText('Nothing is archived').waitFor();
        await tab.page.click('#archive');
        assert.equal(await items().count(), 1);
    });

    test('exports in three formats', async () => {
        const id = await talk('take me along');
        const md = await downloaded(() => choose('Export as Markdown'));
        assert.equal(md.name, `parley-${id}.md`);
        assert.match(md.text, /take me along[^]*This is the answer/);
        const json = await downloaded(() => choose(
            { name: 'Export as JSON', exact: true }));
        assert.equal(JSON.parse(json.text).sessions[0].messages.length, 2);
        const jsonl = await downloaded(() => choose('Export as JSONL'));
        assert.equal(jsonl.text.trim().split('\n').length, 1);
    });

    test('copies to a new chat', async () => {
        const id = await talk('fork me');
        await choose('Copy to a new chat');
        await until('the copy to be open', () => tab.session() !== id);
        await tab.says('This is the answer.');
        assert.equal(await items().count(), 2);
        assert.equal((await messagesOf(parley, tab.session())).length, 2);
        await tab.ask('only in the copy');
        await tab.page.waitForFunction(() =>
            document.querySelectorAll('.message.answer').length === 2);
        await tab.answered();
        assert.equal((await messagesOf(parley, id)).length, 2);
    });

    test('deletes, and the focus goes on', async () => {
        await talk('stays');
        const id = await talk('goes');
        await tab.page.focus('#sessions a.open >> nth=1');
        await tab.page.keyboard.press('ArrowUp');
        await choose('Delete');
        await tab.page.click('dialog .danger');
        await tab.page.waitForSelector('#empty');
        assert.equal(await items().count(), 1);
        assert.equal((await call(parley, `/sessions/${id}`)).status, 404);
    });

    test('settings: context, model and the day of deletion', async () => {
        const id = await talk('set me');
        await choose('Settings');
        const context = tab.page.getByRole('textbox', { name: 'Context' });
        await context.fill('Speak like a pirate.');
        await tab.page.getByRole('combobox').fill('x'.repeat(400));
        await tab.page.getByLabel(/Delete after/).fill('30');
        await tab.page.getByRole('button', { name: 'Save' }).click();
        await tab.page.getByRole('heading',
            { name: 'The settings were not saved' }).waitFor();
        await tab.page.getByRole('button', { name: 'Close' }).click();
        assert.equal(await context.inputValue(), 'Speak like a pirate.',
            'what was written stays');
        await tab.page.getByRole('combobox').fill('');
        await tab.page.getByRole('button', { name: 'Save' }).click();
        await until('the settings at the server', async () =>
            (await session(id)).context === 'Speak like a pirate.');
        const days = (Date.parse((await session(id)).expires_at) - Date.now()) /
            (24 * 60 * 60 * 1000);
        assert.ok(days > 29 && days <= 30, `${days}`);
        await tab.page.waitForFunction(() =>
            !document.querySelector('dialog'));
        await tab.ask('who are you');
        const { messages } = (await replay.request('who are you')).body;
        assert.match(JSON.stringify(messages), /like a pirate/);
        await tab.answered();
        await choose('Settings');
        assert.equal(await tab.page.getByLabel(/Delete after/).inputValue(),
            '30');
        await tab.page.keyboard.press('Escape');
        /* The refusal is the browser's complaint, too. */
        assert.match(tab.complaints.splice(0).join(), /400/);
    });

    test('tells what the server refuses, and takes it back', async () => {
        await talk('refuse me');
        await tab.page.route('**/sessions/*', (route) =>
            (route.request().method() === 'PATCH' ? route.fulfill({
                status: 507, json: { error: 'The disk is full', code: 'x',
                    message: 'Make some room.', request_id: 'r' },
            }) : route.fallback()));
        await choose('Pin');
        await tab.page.locator('dialog', { hasText: 'The disk is full' })
            .waitFor();
        await tab.page.keyboard.press('Escape');
        assert.equal(await tab.page.getByRole('heading', { name: 'Pinned' })
            .count(), 0);
        assert.match(tab.complaints.splice(0).join(), /507/);
    });
});

describe('an answer', () => {
    test('is rated, and that can be taken back', async () => {
        tab = await browser.open(parley);
        const id = await talk('rate me');
        const good = tab.page.getByRole('button', { name: 'Good answer' });
        const rating = async () =>
            (await messagesOf(parley, id))[1].feedback?.rating ?? 0;
        await good.click();
        await until('the rating', async () => await rating() === 1);
        await tab.page.getByRole('button', { name: 'Bad answer' }).click();
        await until('the other rating', async () => await rating() === -1);
        assert.equal(await good.getAttribute('aria-pressed'), 'false');
        await tab.page.reload();
        await tab.says('This is the answer.');
        const bad = tab.page.getByRole('button', { name: 'Bad answer' });
        assert.equal(await bad.getAttribute('aria-pressed'), 'true');
        await bad.click();
        await until('no rating', async () => await rating() === 0);
        assert.deepEqual(tab.complaints, []);
    });
});

describe('your data', () => {
    const file = (name, content) => ({ name, mimeType: 'application/json',
        buffer: Buffer.from(typeof content === 'string' ? content
            : JSON.stringify(content)) });
    let open;

    before(async () => {
        open = await startParley({
            env: { ...replay.env(), LIST_ANONYMOUS: 'all' } });
    });
    after(() => open?.stop());

    test('comes in from a file, goes out as one, and is deleted', async () => {
        tab = await browser.open(open);
        await tab.page.click('#data');
        await tab.page.setInputFiles('#import', file('conversations.zip', ''));
        await tab.page.getByText('Unpack this file first').waitFor();
        await tab.page.setInputFiles('#import', file('all.jsonl', [
            { messages: [{ role: 'user', content: 'Brought along?' },
                { role: 'assistant', content: 'It came in.' }] },
            { not: 'a conversation' },
        ].map((line) => JSON.stringify(line)).join('\n')));
        await tab.page.getByText('1 conversation with 2 messages').waitFor();
        assert.match(await tab.page.textContent('dialog .faults'),
            /Number 2: /);
        await tab.page.waitForSelector('#sessions li');
        const all = await downloaded(() => tab.page.click(
            'dialog button:text-is("JSON")'));
        assert.equal(JSON.parse(all.text).sessions.length, 1);
        await tab.page.setInputFiles('#import', file('no.json', 'nonsense'));
        await tab.page.getByText(/It was not imported|0 conversations/)
            .waitFor();
        tab.complaints.splice(0); /* the refusal */
        const remove = tab.page.getByRole('button',
            { name: 'Delete everything' });
        assert.ok(await remove.isDisabled());
        await tab.page.fill('#word', 'delet');
        assert.ok(await remove.isDisabled());
        await tab.page.fill('#word', 'delete');
        await remove.click();
        await tab.page.waitForFunction(() =>
            !document.querySelector('dialog, #sessions li'));
        assert.deepEqual((await call(open, '/sessions')).body.sessions, []);
        assert.deepEqual(tab.complaints, []);
    });

    test('progress of an import shows while it runs', async () => {
        tab = await browser.open(open);
        const event = (type, data) =>
            `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
        await tab.page.route('**/import', (route) => route.fulfill({
            headers: { 'content-type': 'text/event-stream' },
            body: event('import_progress', { bytes: 5e6, total_bytes: 1e7,
                sessions: 3, messages: 9 }) + event('import_complete',
                { sessions: 4, messages: 12, left_out: 0, faults: [] }),
        }));
        await tab.page.evaluate(() => {
            window.said = [];
            new MutationObserver(() => window.said.push(
                document.querySelector('dialog [role=status]')?.textContent))
                .observe(document.body, { childList: true, subtree: true });
        });
        await tab.page.click('#data');
        await tab.page.setInputFiles('#import', file('a.json', []));
        await tab.page.getByText('4 conversations with 12').waitFor();
        assert.ok((await tab.page.evaluate(() => window.said)).includes(
            'Reading: 5.0 MB of 10.0 MB, 3 conversations'));
        assert.deepEqual(tab.complaints, []);
    });

    test('of a visitor without a list is what this browser knows', async () => {
        tab = await browser.open(parley);
        const ids = [await talk('one of mine'), await talk('two of mine')];
        const other = await ask(parley, { message: 'not mine' });
        await tab.page.click('#data');
        const all = await downloaded(() => tab.page.click(
            'dialog button:text-is("JSON")'));
        assert.deepEqual(JSON.parse(all.text).sessions.map((s) => s.id)
            .toSorted(), ids.toSorted());
        await tab.page.fill('#word', 'delete');
        await tab.page.getByRole('button', { name: 'Delete everything' })
            .click();
        await tab.page.waitForFunction(() =>
            !document.querySelector('dialog, #sessions li'));
        for (const id of ids)
            assert.equal((await call(parley, `/sessions/${id}`)).status, 404);
        assert.equal((await call(parley, `/sessions/${other.session_id}`))
            .status, 200);
        assert.deepEqual(tab.complaints, []);
    });
});

describe('a temporary chat', () => {
    /* Everything that this browser remembers. */
    const remembered = () => tab.page.evaluate(() =>
        JSON.stringify({ ...localStorage }) +
        JSON.stringify({ ...sessionStorage }));

    test('leaves nothing behind, here or there, and ends with its closing',
        async () => {
            tab = await browser.open(parley);
            await tab.page.fill('#input', 'sesame draft');
            await tab.page.click('#temporary');
            await tab.page.locator('#unsaved').waitFor();
            assert.equal(await tab.page.inputValue('#input'), 'sesame draft');
            await tab.page.fill('#input', '');
            await tab.ask('sesame question');
            await tab.says('This is the answer.');
            await tab.answered();
            const id = tab.session();
            assert.equal((await session(id)).temporary, true);
            await tab.page.fill('#input', 'sesame later');
            await tab.page.reload();
            await tab.says('This is the answer.');
            await tab.page.locator('#unsaved').waitFor();
            await tab.ask('sesame again');
            await tab.page.waitForFunction(() =>
                document.querySelectorAll('.message.answer').length === 2);
            await tab.answered();
            assert.equal((await session(id)).temporary, true);
            const kept = await remembered();
            assert.ok(!kept.includes('sesame') && !kept.includes(id), kept);
            assert.equal(await items().count(), 0);
            await tab.page.click('#new');
            await tab.page.waitForSelector('#empty');
            await until('it to be gone', async () =>
                (await call(parley, `/sessions/${id}`)).status === 404);
            assert.equal(await tab.page.locator('#unsaved').isVisible(), false);
            assert.deepEqual(tab.complaints, []);
        });

    test('can be kept', async () => {
        tab = await browser.open(parley);
        await tab.page.click('#temporary');
        await tab.ask('keep me after all');
        await tab.says('This is the answer.');
        await tab.answered();
        const id = tab.session();
        await tab.page.getByRole('button', { name: 'Keep this chat' }).click();
        await until('the copy to be open', () =>
            tab.session() && tab.session() !== id);
        await tab.says('This is the answer.');
        assert.equal(await items().count(), 1);
        assert.equal(await tab.page.locator('#unsaved').isVisible(), false);
        assert.ok(!(await session(tab.session())).temporary);
        assert.deepEqual(tab.complaints, []);
    });

    test('is refused with the server\'s own words', async () => {
        tab = await browser.open(parley);
        await tab.page.route('**/chat', (route) => route.fulfill({
            status: 422, json: { error: 'No temporary chats here', code: 'x',
                message: 'This server keeps all.', request_id: 'r' },
        }));
        await tab.page.click('#temporary');
        await tab.ask('not here');
        const notice = await tab.notice('No temporary chats here');
        await notice.getByRole('button', { name: 'Edit' }).click();
        assert.equal(await tab.page.inputValue('#input'), 'not here');
        assert.ok(await tab.page.locator('#unsaved').isVisible());
        await tab.page.reload();
        await tab.page.waitForSelector('#empty');
        const kept = await remembered();
        assert.ok(!kept.includes('not here'), kept);
    });
});

describe('another device', () => {
    let other;

    beforeEach(async () => {
        tab = await browser.open(parley);
        await talk('from the first device');
        other = await browser.open(parley, { path: `/#${tab.session()}` });
        await other.says('This is the answer.');
    });
    afterEach(async () => {
        assert.deepEqual([...tab.complaints, ...other.complaints], []);
        await tab.page.context().close();
        await other.page.context().close();
    });

    test('shows a question at once and its answer as it comes', async () => {
        const held = hold(SSE_HEAD + replyEvents(['Seen by', ' both'])
            .slice(0, 3).join(''));
        replay.on('look over there', held);
        await tab.ask('look over there');
        await other.says('Seen by both');
        assert.equal(await other.running(), 1);
        assert.equal(await other.questions.last().locator('.bubble')
            .innerText(), 'look over there');
        await other.page.click('#send.stop');
        await tab.answered();
        await other.answered();
        held.release();
        replay.on('and back', whole(replyWire(['Right back.'])));
        await other.ask('and back');
        await tab.says('Right back.');
        await other.says('Right back.');
        await Promise.all([tab.answered(), other.answered()]);
        for (const t of [tab, other]) {
            assert.equal(await t.questions.count(), 3);
            assert.equal(await t.answers.count(), 3);
        }
    });

    test('many questions in turn: none twice, none missing', async () => {
        const asked = ['from the first device'];
        for (const [i, t] of [tab, other, other, tab].entries()) {
            await t.ask(`turn number ${i}`);
            asked.push(`turn number ${i}`);
            for (const each of [tab, other])
                await each.page.waitForFunction((n) =>
                    document.querySelectorAll('.message.answer').length === n &&
                    document.querySelector('#send:not(.stop)'), asked.length);
        }
        for (const t of [tab, other])
            assert.deepEqual(await t.page.locator('.bubble').allInnerTexts(),
                asked);
    });

    test('shows a new title, and pins', async () => {
        await choose('Rename');
        await tab.page.fill('dialog input', 'Named over there');
        await tab.page.press('dialog input', 'Enter');
        await other.page.waitForFunction(() =>
            document.title.startsWith('Named over there'));
        await choose('Pin');
        await other.page.getByRole('heading', { name: 'Pinned' }).waitFor();
    });

    test('another branch and an emptied conversation show, too', async () => {
        replay.on('otherwise', whole(replyWire(['Said otherwise.'])));
        const edit = tab.page.getByRole('button', { name: 'Edit message' });
        await edit.waitFor({ state: 'attached' });
        await edit.press('Enter');
        await tab.page.fill('#input', 'otherwise');
        await tab.page.press('#input', 'Enter');
        await other.says('Said otherwise.');
        await other.answered();
        await other.page.waitForFunction(() =>
            document.querySelectorAll('.message.user').length === 1);
        await tab.answered();
        await tab.ask('/clear');
        await other.page.waitForSelector('#empty');
        assert.equal(await other.questions.count(), 0);
    });

    test('a deletion is told', async () => {
        await other.page.fill('#input', 'half a thought');
        await choose('Delete');
        await tab.page.click('dialog .danger');
        await other.notice('deleted elsewhere');
        assert.equal(other.session(), '');
        assert.equal(await other.page.locator('#sessions li').count(), 0);
    });

    test('what curl says is seen while a draft is written', async () => {
        await other.page.fill('#input', 'my draft');
        await postJson(parley, '/chat', { message: 'said by curl',
            session_id: tab.session() });
        await other.page.getByText('said by curl').waitFor();
        await other.answered();
        assert.equal(await other.page.inputValue('#input'), 'my draft');
    });
});

describe('below a path', () => {
    test('all of it goes to the same place', async () => {
        const below = await startParley({ basePath: '/below/here',
            env: { ...replay.env(), LIST_ANONYMOUS: 'all' } });
        try {
            tab = await browser.open(below);
            await talk('Below');
            const other = await browser.open(below,
                { path: `/#${tab.session()}` });
            await other.says('This is the answer.');
            await choose('Rename');
            await tab.page.fill('dialog input', 'Named below');
            await tab.page.press('dialog input', 'Enter');
            await other.page.waitForFunction(() =>
                document.title.startsWith('Named below'));
            await downloaded(() => choose('Export as Markdown'));
            await tab.page.click('#data');
            await tab.page.setInputFiles('#import', { name: 'a.json',
                mimeType: 'application/json', buffer: Buffer.from(
                    JSON.stringify([{ role: 'user', content: 'Hi' },
                        { role: 'assistant', content: 'Hi' }])) });
            await tab.page.getByText('1 conversation with 2').waitFor();
            await downloaded(() => tab.page.click(
                'dialog button:text-is("Markdown")'));
            assert.deepEqual([...tab.complaints, ...other.complaints], []);
        } finally {
            await below.stop();
        }
    });
});

describe('on a phone', () => {
    test('what is touched is large enough, and nothing is too wide',
        async () => {
            const context = await browser.window({ hasTouch: true,
                isMobile: true, viewport: { width: 390, height: 844 } });
            tab = await browser.open(parley, { context });
            const sizes = async (selector) => {
                const boxes = await Promise.all((await tab.page.locator(
                    selector).all()).map((n) => n.boundingBox()));
                assert.ok(boxes.length > 0, selector);
                for (const { width, height } of boxes)
                    assert.ok(Math.min(width, height) >= 40,
                        `${selector}: ${width} by ${height}`);
            };
            await sizes('.bar .icon-button:visible');
            await tab.page.fill('#input', 'on the phone');
            await tab.page.tap('#send');
            await tab.says('This is the answer.');
            await tab.answered();
            await tab.page.tap('#menu');
            await sizes('#sessions a.open, #sessions .more, ' +
                '.side-foot button:visible');
            await tab.page.tap('#sessions .more');
            await tab.page.getByRole('menu').waitFor();
            await sizes('[role=menuitem]');
            const menu = await tab.page.locator('.menu').boundingBox();
            assert.ok(menu.x >= 0 && menu.x + menu.width <= 390);
            await tab.page.getByRole('menuitem', { name: 'Settings' }).tap();
            await tab.page.getByRole('textbox', { name: 'Context' }).waitFor();
            await sizes('dialog .button');
            await tab.page.getByRole('button', { name: 'Cancel' }).tap();
            await tab.page.tap('#sessions a.open');
            await tab.page.waitForSelector('[data-side="closed"]');
            await sizes('.bar .icon-button:visible, .foot .icon-button');
            assert.equal(await tab.page.evaluate(() =>
                document.documentElement.scrollWidth), 390);
            assert.deepEqual(tab.complaints, []);
        });
});
