/* Files on the page: they are added, labelled and deleted, and answers lead to
 * the place in a file that they stand on. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startBrowser } from '../lib/browser.js';
import { ROOT, startParley } from '../lib/server.js';

const QUESTION = 'Who is the harbour master?';
const filler = (word) => Array.from({ length: 60 }, (_, i) =>
    `${word} ${i}: the wind came from the west, and nobody was out at sea.`)
    .join('\n\n');
const BOATS = `# Bôats\n\n${filler('Däy')}\n\n## Harbour\n\nThe harbour ` +
    `master is called Grünewald and keeps a dog.\n\n## Later\n\n` +
    `${filler('Night')}\n`;
const files = {
    boats: { name: 'böats & more.md', mimeType: 'text/markdown',
        buffer: Buffer.from(BOATS) },
    zeros: { name: 'zeros.bin', mimeType: 'application/octet-stream',
        buffer: Buffer.alloc(3000) },
    note: { name: 'note.txt', mimeType: 'text/plain',
        buffer: Buffer.from('The lighthouse keeper is called Ahmed.\n') },
    picture: { name: 'sailboat.png', mimeType: 'image/png',
        buffer: fs.readFileSync(path.join(ROOT, 'etc/demo/sailboat.png')) },
};

describe('files on the page', () => {
    let browser;
    let parley;

    before(async () => {
        browser = await startBrowser();
        parley = await startParley({ env: { FILES_SAMPLES: 'off',
            FILES_UPLOAD_MIB: '1' } });
    });
    after(async () => {
        await browser?.stop();
        await parley?.stop();
    });

    const dialog = (tab) => tab.page.locator('dialog[open]').last();
    const rows = (tab) => dialog(tab).locator('.files-list li');
    const row = (tab, name) => rows(tab).filter({ hasText: name });
    const close = (tab) => dialog(tab)
        .getByRole('button', { name: 'Close', exact: true }).click();

    async function openFiles(tab) {
        await tab.page.getByRole('button', { name: 'Your files' }).click();
        await dialog(tab).getByRole('heading', { name: 'Your files' })
            .waitFor();
    }

    async function add(tab, ...chosen) {
        await tab.page.setInputFiles('#add-files', chosen);
        for (const { name } of chosen)
            await row(tab, name).waitFor();
        await tab.page.locator('.files-list .waiting').first()
            .waitFor({ state: 'detached' });
    }

    /* A tab that has these files and has asked. */
    async function asked(question, ...chosen) {
        const tab = await browser.open(parley);
        await openFiles(tab);
        await add(tab, ...chosen);
        await close(tab);
        await tab.ask(question);
        await tab.page.locator('.sources summary').waitFor();
        return tab;
    }

    /* As the browser does when files are let go over the page. */
    const drop = (tab, target, names) => tab.page.evaluate(([to, list]) => {
        const carried = new DataTransfer();
        for (const name of list)
            carried.items.add(new File([`About ${name}.`], name));
        for (const type of ['dragover', 'drop'])
            document.querySelector(to).dispatchEvent(new DragEvent(type,
                { dataTransfer: carried, bubbles: true, cancelable: true }));
    }, [target, names]);

    test('several are added, each with what became of it', async () => {
        const tab = await browser.open(parley);
        await openFiles(tab);
        await dialog(tab).getByText('There are no files yet').waitFor();
        await add(tab, files.boats, files.zeros, files.picture);
        await dialog(tab).getByText('3 files added.').waitFor();
        assert.equal(await rows(tab).count(), 3);
        assert.match(await row(tab, 'zeros.bin').textContent(),
            /3\.0 KB · Not searched\. Files of this type are not read\./);
        assert.doesNotMatch(await row(tab, 'böats').textContent(), /Not/);
        await close(tab);
        await openFiles(tab);
        await rows(tab).nth(2).waitFor();
        assert.equal(await rows(tab).count(), 3, 'they are kept');
        assert.deepEqual(tab.complaints, []);
    });

    test('one that is refused says why, the others come in', async () => {
        const tab = await browser.open(parley);
        await openFiles(tab);
        await tab.page.setInputFiles('#add-files', [{ name: 'big.txt',
            mimeType: 'text/plain', buffer: Buffer.alloc(3 << 20, 'a ') },
        files.note]);
        await dialog(tab).getByText('1 file added. 1 file not added.')
            .waitFor();
        const fault = dialog(tab).locator('.uploads li');
        assert.match(await fault.textContent(),
            /big\.txt.*The file is too large\. At most 1 MiB\./);
        await fault.getByRole('button',
            { name: 'Take big.txt off the list' }).click();
        assert.equal(await fault.count(), 0);
        assert.equal(await rows(tab).count(), 1);
    });

    test('a label is changed, and stays', async () => {
        const tab = await browser.open(parley);
        await openFiles(tab);
        await add(tab, files.note);
        await dialog(tab).getByLabel('Who may see note.txt')
            .selectOption('local-only');
        await dialog(tab).getByText('note.txt: Only a model that runs on')
            .waitFor();
        await close(tab);
        await openFiles(tab);
        assert.equal(await dialog(tab).getByLabel('Who may see note.txt')
            .inputValue(), 'local-only');
        assert.deepEqual(tab.complaints, []);
    });

    test('one is deleted when the reader is sure', async () => {
        const tab = await browser.open(parley);
        await openFiles(tab);
        await add(tab, files.note, files.boats);
        const press = (name) => dialog(tab)
            .getByRole('button', { name, exact: true }).click();
        await press('Delete note.txt');
        await press('Cancel');
        assert.equal(await rows(tab).count(), 2);
        await press('Delete note.txt');
        await press('Delete');
        await row(tab, 'note.txt').waitFor({ state: 'detached' });
        await close(tab);
        await openFiles(tab);
        await rows(tab).first().waitFor();
        assert.equal(await rows(tab).count(), 1);
        assert.deepEqual(tab.complaints, []);
    });

    test('a long list comes in parts', async () => {
        const tab = await browser.open(parley);
        await tab.page.evaluate(async () => {
            const form = new FormData();
            for (let i = 0; i < 60; i++)
                form.append('file', new Blob([`Number ${i}.`]), `n${i}.txt`);
            await fetch('files', { method: 'POST', body: form });
        });
        await openFiles(tab);
        await rows(tab).nth(49).waitFor();
        assert.equal(await rows(tab).count(), 50);
        await dialog(tab).getByRole('button', { name: 'Show more' }).click();
        await rows(tab).nth(59).waitFor();
        assert.equal(await rows(tab).count(), 60);
        assert.equal(await dialog(tab).getByRole('button',
            { name: 'Show more' }).count(), 0);
        assert.deepEqual(tab.complaints, []);
    });

    test('files that are dropped on the page are added', async () => {
        const tab = await browser.open(parley);
        await drop(tab, '#scroll', ['one.txt', 'two.txt']);
        await row(tab, 'one.txt').waitFor();
        await row(tab, 'two.txt').waitFor();
        await drop(tab, 'dialog .drop', ['three.txt']);
        await row(tab, 'three.txt').waitFor();
        assert.equal(await tab.page.locator('dialog[open]').count(), 1);
        assert.equal(await tab.page.locator('.veil').count(), 0);
        assert.deepEqual(tab.complaints, []);
    });

    test('an answer leads to the place in the file', async () => {
        const tab = await asked(QUESTION, files.boats);
        const mark = tab.page.locator('.prose .cite').first();
        assert.equal(await mark.textContent(), '[1]');
        await mark.click();
        await dialog(tab).locator('mark').waitFor();
        assert.match(await dialog(tab).locator('mark').textContent(),
            /Grünewald and keeps a dog/);
        const text = dialog(tab).locator('.text');
        const has = async (part) => (await text.textContent()).includes(part);
        assert.ok(BOATS.includes(await text.textContent()), 'it is the text');
        assert.equal(await has('Däy 59'), true);
        assert.equal(await has('Däy 0:'), false);
        assert.ok(await dialog(tab).locator('mark').isVisible());
        for (const [name, last] of [['Earlier', 'Däy 0:'],
            ['Later', 'Night 59']]) {
            await dialog(tab).getByRole('button', { name }).click();
            await dialog(tab).getByRole('button', { name })
                .waitFor({ state: 'hidden' });
            assert.equal(await has(last), true);
        }
        assert.equal((await text.textContent()).trim(), BOATS.trim());
        await tab.page.keyboard.press('Escape');
        assert.equal(await mark.evaluate((node) =>
            node === document.activeElement), true, 'the focus is back');
        assert.deepEqual(tab.complaints, []);
    });

    test('so does a stored answer, from the list of its sources', async () => {
        const tab = await asked(QUESTION, files.boats);
        await tab.page.reload();
        const summary = tab.page.locator('.sources summary');
        await summary.waitFor();
        assert.equal(await summary.textContent(), 'Sources · 1');
        assert.ok(await tab.page.locator('.prose .cite').count() > 0);
        const source = tab.page.locator('.source');
        assert.equal(await source.isVisible(), false, 'it is folded');
        await summary.focus();
        await tab.page.keyboard.press('Enter');
        assert.match(await source.textContent(),
            /^1Bôatsböats & more\.md · HarbourThe harbour master/);
        await tab.page.keyboard.press('Tab');
        await tab.page.keyboard.press('Enter');
        await dialog(tab).locator('mark').waitFor();
        assert.deepEqual(tab.complaints, []);
    });

    test('what was found in a file that is gone is still told', async () => {
        const tab = await asked('What is the lighthouse keeper called?',
            files.note);
        await tab.page.evaluate(() =>
            fetch('files/note.txt', { method: 'DELETE' }));
        await tab.page.locator('.prose .cite').first().click();
        await dialog(tab).getByText('This file is not there any more.')
            .waitFor();
        assert.match(await dialog(tab).locator('blockquote').textContent(),
            /Ahmed/);
    });

    test('a picture is shown', async () => {
        const tab = await browser.open(parley);
        await openFiles(tab);
        await add(tab, files.picture);
        await row(tab, 'sailboat').getByRole('button',
            { name: 'sailboat.png', exact: true }).click();
        const image = dialog(tab).locator('img.shown');
        await image.waitFor();
        await tab.page.waitForFunction(() =>
            document.querySelector('img.shown').naturalWidth === 320);
        assert.match(await dialog(tab).textContent(), /320 × 200/);
        assert.deepEqual(tab.complaints, []);
    });

    test('files are looked into when the reader says so', async () => {
        const tab = await browser.open(parley);
        const bodies = [];
        tab.page.on('request', (r) => {
            if (r.method() === 'POST' && r.url().endsWith('/chat'))
                bodies.push(r.postDataJSON());
        });
        for (const when of ['auto', 'yes', 'no', 'auto']) {
            await openFiles(tab);
            await dialog(tab).getByLabel('Look into my files')
                .selectOption(when);
            await close(tab);
            const n = bodies.length + 1;
            await tab.ask(`hello ${n}`);
            await tab.page.locator('.message.answer .foot .icon-button')
                .nth(3 * n - 1).waitFor();
        }
        assert.deepEqual(bodies.map((b) => b.files),
            [undefined, true, false, undefined]);
    });
});

test('shared files are seen and not changed', async () => {
    const browser = await startBrowser();
    const parley = await startParley({ env: { FILES_DIR:
        path.join(ROOT, 'etc/demo'), FILES_SAMPLES: 'off' } });
    try {
        const tab = await browser.open(parley);
        await tab.page.waitForFunction(async () => (await (await fetch(
            'files')).json()).files.some((f) => f.status === 'indexed'));
        await tab.page.click('#data');
        await tab.page.getByRole('button', { name: 'Files…' }).click();
        const row = tab.page.locator('.files-list li').first();
        await row.waitFor();
        assert.match(await row.textContent(), /Shared, read-only/);
        assert.equal(await row.getByRole('button', { name: /Delete/ })
            .count(), 0);
        assert.equal(await row.locator('select').count(), 0);
        assert.deepEqual(tab.complaints, []);
    } finally {
        await browser.stop();
        await parley.stop();
    }
});

test('where there are no files, the dialog says so', async () => {
    const browser = await startBrowser();
    const parley = await startParley({ env: { FILES: 'off' } });
    try {
        const tab = await browser.open(parley);
        await tab.page.click('#files');
        await tab.page.getByText('Files are not offered here').waitFor();
        assert.equal(await tab.page.getByText('Choose files…').isVisible(),
            false);
    } finally {
        await browser.stop();
        await parley.stop();
    }
});
