/* "Your files": what questions are answered from. Files come by a button or are
 * dropped, anywhere on the page; each has a label that says who may see it, and
 * goes with a click. */

import { announce } from '../announce.js';
import { call } from '../api.js';
import { el, iconButton } from '../dom.js';
import { button, confirm, openDialog, tellFailure } from './dialog.js';
import { LABELS, baseName, fileUrl, sizeText, statusText, uploadedText }
    from './filetext.js';
import { openPlace } from './place.js';
import { sheet } from './sheet.js';
import { Uploads } from './upload.js';

const PAGE = 50;
const LOOK_MS = 1500;       /* how often a file that is read is looked at */
const DRAG_MS = 300;        /* that long after the last sign a drag is over */

/* When the files are looked into; kept as "files" in the store. */
const WHEN = [
    ['auto', 'As the server is set', undefined],
    ['yes', 'With every question', true],
    ['no', 'Never', false],
];

function whenPart(store) {
    const select = el('select', { class: 'field' },
        ...WHEN.map(([value, label, kept]) => el('option', { value,
            selected: store.get('files') === kept }, label)));
    select.addEventListener('change', () => {
        const [, , kept] = WHEN.find(([value]) => value === select.value);
        if (kept === undefined)
            store.remove('files');
        else
            store.set('files', kept);
    });
    return el('label', { class: 'when' }, 'Look into my files', select);
}

function labelsPart() {
    return el('details', { class: 'labels' },
        el('summary', {}, 'Who may see a file?'),
        el('dl', {}, ...Object.values(LABELS).flatMap(([name, text]) =>
            [el('dt', {}, name), el('dd', {}, text)])));
}

/* The files that there are, in rows. */
class List {
    node = el('ul', { class: 'files-list', 'aria-label': 'Files' });
    more = button('Show more', () => this.load(), 'small');
    none = el('p', { hidden: true },
        'There are no files yet. What you add is found here.');
    #rows = new Map();       /* name -> node; of one's own */
    #next = null;
    #on;
    #timer = 0;

    /* on.said(words) when something happened; on.failed(e) when there is no
     * list. */
    constructor(on) {
        this.#on = on;
        this.more.hidden = true;
    }

    async load() {
        const first = this.#next === null;
        const after = first ? ''
            : `&after=${encodeURIComponent(this.#next)}`;
        this.more.disabled = true;
        try {
            const page = await call('GET', `files?limit=${PAGE}${after}`);
            const rows = page.files.map((f) => this.#keep(f));
            this.node.append(...rows);
            this.#next = page.next;
            if (!first)
                rows[0]?.querySelector('button, select')?.focus();
        } catch (e) {
            this.#on.failed(e);
        }
        this.more.disabled = false;
        this.#drawn();
    }

    /* One that was uploaded, or replaced, stands at the top. */
    put(file) {
        this.#rows.get(file.name)?.remove();
        this.node.prepend(this.#keep(file));
        this.#drawn();
    }

    close() {
        clearTimeout(this.#timer);
        this.#timer = -1;
    }

    #keep(file) {
        const row = this.#row(file);
        if (!file.shared)
            this.#rows.set(file.name, row);
        return row;
    }

    #drawn() {
        this.more.hidden = this.#next === null;
        this.none.hidden = this.node.children.length > 0;
        if (this.#timer === 0 && this.node.querySelector('.waiting'))
            this.#timer = setTimeout(() => this.#look(), LOOK_MS);
    }

    /* Those that were being read may be there now. */
    async #look() {
        const waiting = [...this.node.querySelectorAll('.waiting')];
        for (const row of waiting) {
            try {
                const file = await call('GET', fileUrl(row.dataset.name));
                if (row.isConnected)
                    row.replaceWith(this.#keep(file));
            } catch {
                /* It is looked at again. */
            }
        }
        if (this.#timer === -1)
            return;
        this.#timer = 0;
        this.#drawn();
    }

    #row(file) {
        const { name, shared, status } = file;
        const said = statusText(file);
        const open = el('button', { type: 'button', class: 'name',
            'aria-haspopup': 'dialog',
            onclick: () => openPlace({ ...file, start: 0, length: 0 }) }, name);
        return el('li', { class: status, 'data-name': name },
            el('span', { class: 'what' },
                status === 'indexed' ? open : el('b', {}, name),
                el('small', {}, [sizeText(file.size), said]
                    .filter(Boolean).join(' · '))),
            shared ? el('span', { class: 'tag', title:
                'For everybody here; it is changed in the folder that it ' +
                'comes from' }, 'Shared, read-only')
                : this.#labelOf(file),
            shared ? null : iconButton('trash', `Delete ${baseName(name)}`,
                () => this.#remove(file)));
    }

    #labelOf({ name, label }) {
        const select = el('select', { class: 'field',
            'aria-label': `Who may see ${baseName(name)}`,
            title: LABELS[label]?.[1] },
        ...Object.entries(LABELS).map(([value, [words]]) => el('option',
            { value, selected: value === label }, words)));
        let kept = label;
        select.addEventListener('change', async () => {
            const wanted = select.value;
            try {
                await call('PATCH', fileUrl(name),
                    { body: { label: wanted } });
                kept = wanted;
                select.title = LABELS[kept][1];
                this.#on.said(`${baseName(name)}: ${LABELS[kept][1]}`);
            } catch (e) {
                select.value = kept;
                await tellFailure('The label was not changed', e);
            }
        });
        return select;
    }

    async #remove({ name }) {
        if (!await confirm({ title: `Delete “${baseName(name)}”?`,
            text: 'It is not found from then on. Answers that were given ' +
                'keep what they took from it.',
            action: 'Delete' }))
            return;
        try {
            await call('DELETE', fileUrl(name));
        } catch (e) {
            if (e.status !== 404) {
                await tellFailure('The file was not deleted', e);
                return;
            }
        }
        const row = this.#rows.get(name);
        const near = row.nextElementSibling ?? row.previousElementSibling;
        row.remove();
        this.#rows.delete(name);
        near?.querySelector('button').focus();
        this.#on.said(`${baseName(name)} is deleted.`);
        this.#drawn();
    }
}

/* ---- the dialog ---- */

let shown = null;           /* {node, list, tell} of the open one */

/* What is under way stays when the dialog goes, and is there again with it. */
const uploads = new Uploads((file) => shown?.list.put(file), (result) => {
    if (shown)
        shown.tell(uploadedText(result));
    else
        announce(uploadedText(result));
});

function addPart() {
    const input = el('input', { type: 'file', class: 'sr', id: 'add-files',
        multiple: true, autofocus: true });
    input.addEventListener('change', () => {
        uploads.add([...input.files]);
        input.value = '';
    });
    return el('div', { class: 'drop' }, input,
        el('label', { class: 'button', for: 'add-files' }, 'Choose files…'),
        el('p', {}, el('span', { class: 'or' }, 'or drop them here. '),
            'Text, code, HTML, PDF, Word, ODT, EPUB, CSV, JSON, pictures. ' +
            'A file of the same name takes the other’s place.'));
}

/* files: to be uploaded, if any. */
export async function showFiles(store, files = []) {
    await sheet('files');
    if (files.length > 0)
        uploads.add(files);
    if (shown)
        return;
    const words = el('p', { class: 'said', role: 'status' });
    const tell = (text) => {
        words.textContent = text;
    };
    const parts = [whenPart(store), addPart(), labelsPart()];
    const [when, add, labels] = parts;
    const list = new List({ said: tell, failed: (e) => {
        tell([`${e.message}.`, e.hint].filter(Boolean).join(' '));
        for (const part of parts)
            part.hidden = e.code === 'files_off';
    } });
    const { node, closed } = openDialog('Your files',
        el('p', {}, 'What you ask can be answered from them; the answer then ' +
            'names its sources.'),
        when, labels, add, uploads.node, words, list.none, list.node,
        el('div', { class: 'row' }, list.more),
        el('div', { class: 'actions' },
            button('Close', () => node.close(''), 'primary')));
    node.classList.add('files');
    shown = { node, list, tell };
    list.load();
    await closed;
    shown = null;
    list.close();
}

/* ---- files that are dragged over the page ---- */

let veil = null;
let veilTimer = 0;

function unveil() {
    clearTimeout(veilTimer);
    document.querySelector('.dragged')?.classList.remove('dragged');
    veil?.remove();
    veil = null;
}

/* No event tells surely that a drag is over: that no more come does. */
async function showDrag() {
    await sheet('files');
    clearTimeout(veilTimer);
    veilTimer = setTimeout(unveil, DRAG_MS);
    if (shown)
        shown.node.classList.add('dragged');
    else if (!veil)
        document.body.append(veil = el('div', { class: 'veil' },
            el('p', {}, 'Drop files to add them')));
}

/* A dragover event, or a drop with these files. Another dialog is in the way of
 * both. */
export function dragged(type, files, store) {
    const top = [...document.querySelectorAll('dialog[open]')].at(-1);
    if (type === 'drop')
        unveil();
    if (top && top !== shown?.node)
        return;
    if (type === 'drop')
        showFiles(store, files);
    else
        showDrag();
}
