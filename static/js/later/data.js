/* "Your data": everything as a file, conversations from a file, and deleting
 * all there is. */

import { announce } from '../announce.js';
import * as api from '../api.js';
import { el } from '../dom.js';
import { collect, importFile } from './carry.js';
import { button, openDialog, tellFailure } from './dialog.js';
import { downloadText, downloadUrl } from './download.js';

const WORD = 'delete';      /* to be typed before all is deleted */
const SHOWN_MAX = 100;      /* of what was left out */

/* Pure: a number of things in words. */
export const count = (n, one, many = `${one}s`) =>
    `${n.toLocaleString()} ${n === 1 ? one : many}`;

export function megabytes(bytes) {
    return `${(bytes / 1e6).toLocaleString(undefined,
        { maximumFractionDigits: 1, minimumFractionDigits: 1 })} MB`;
}

/* Pure: how far an import is. */
export function progressText({ done, total, sessions }) {
    const far = `${megabytes(done)} of ${megabytes(total)}`;
    return sessions === undefined ? `Sending: ${far}`
        : `Reading: ${far}, ${count(sessions, 'conversation')}`;
}

/* Pure: [what was taken, [what was not, …]]. */
export function outcome({ sessions, messages, left_out: left, faults }) {
    const notes = faults.slice(0, SHOWN_MAX).map(({ item, rule }) =>
        `Number ${item}: ${rule}`);
    if (faults.length > SHOWN_MAX)
        notes.push(`… and ${faults.length - SHOWN_MAX} more`);
    if (left > 0)
        notes.push(`${count(left, 'part')} that cannot be shown here ` +
            '(pictures, tools)');
    return [`${count(sessions, 'conversation')} with ` +
        `${count(messages, 'message')} came in.`, notes];
}

function exportPart(sessions) {
    const save = async (format) => {
        const listed = sessions.list.some((s) => s.listed);
        try {
            if (listed)
                await downloadUrl(api.exportUrl(null, format));
            else
                downloadText(await collect(sessions.list.map((s) => s.id),
                    format), `parley.${format}`, 'text/plain');
            announce('Exported');
        } catch (e) {
            tellFailure('This was not exported', e);
        }
    };
    return el('section', {}, el('h3', {}, 'Export'),
        el('p', {}, 'All your conversations in one file, archived ones too.'),
        el('div', { class: 'row' },
            button('JSON', () => save('json')),
            button('JSONL', () => save('jsonl')),
            button('Markdown', () => save('md'))));
}

/* stop() breaks off what is under way. */
function importPart(sessions) {
    let running = new AbortController();
    const bar = el('progress', { max: '1', 'aria-label': 'Import' });
    const words = el('p', { role: 'status' });
    const stop = button('Stop', () => running.abort());
    const under = el('div', { class: 'row', hidden: true }, bar, stop);
    const faults = el('ul', { class: 'faults', tabindex: '0', hidden: true,
        'aria-label': 'What was left out' });
    const input = el('input', { type: 'file', class: 'sr', id: 'import',
        accept: '.json,.jsonl,.ndjson,.txt,application/json' });
    const progress = (p) => {
        bar.value = p.total ? p.done / p.total : 0;
        words.textContent = progressText(p);
    };
    const read = async (file) => {
        running = new AbortController();
        under.hidden = false;
        faults.hidden = true;
        input.disabled = true;
        bar.removeAttribute('value');
        try {
            const result = await importFile(file, progress, running.signal);
            const [said, notes] = result ? outcome(result)
                : ['Stopped. What had come in stays.', []];
            words.textContent = said;
            faults.replaceChildren(...notes.map((n) => el('li', {}, n)));
            faults.hidden = notes.length === 0;
        } catch (e) {
            words.textContent = [`It was not imported. ${e.message}.`, e.hint]
                .filter(Boolean).join(' ');
        }
        input.disabled = false;
        input.value = '';
        under.hidden = true;
        sessions.load().catch(() => {
            /* The list is read again later. */
        });
    };
    input.addEventListener('change', () => {
        const [file] = input.files;
        if (file && /\.zip$/i.test(file.name))
            words.textContent = 'Unpack this file first and choose ' +
                'conversations.json from it.';
        else if (file)
            read(file);
    });
    const node = el('section', {}, el('h3', {}, 'Import'),
        el('p', {}, 'A file from Parley, ChatGPT (conversations.json), Open ' +
            'WebUI or LibreChat. What is here stays as it is.'),
        el('div', { class: 'row' }, input,
            el('label', { class: 'button', for: 'import' },
                'Choose a file…')),
        under, words, faults);
    return { node, stop: () => running.abort() };
}

async function deleteAll(sessions) {
    await sessions.load().catch(() => {
        /* Then those that are known here are deleted one by one. */
    });
    await api.deleteSessions();
    const { list } = sessions;
    sessions.forget(...list.filter((s) => s.listed).map((s) => s.id));
    for (const { id } of list.filter((s) => !s.listed))
        await sessions.remove(id);
}

function deletePart(sessions, emptied) {
    const input = el('input', { class: 'field short', autocomplete: 'off',
        autocapitalize: 'off', spellcheck: 'false', id: 'word' });
    const remove = button('Delete everything', async () => {
        remove.disabled = true;
        try {
            await deleteAll(sessions);
            emptied();
            announce('Everything was deleted');
        } catch (e) {
            await tellFailure('Not everything was deleted', e);
        }
    }, 'danger');
    remove.disabled = true;
    input.addEventListener('input', () => {
        remove.disabled = input.value.trim().toLowerCase() !== WORD;
    });
    return el('section', {}, el('h3', {}, 'Delete'),
        el('p', {}, el('label', { for: 'word' },
            'All conversations and all their messages. This cannot be ' +
            `undone. To be sure, type the word “${WORD}”.`)),
        el('div', { class: 'row' }, input, remove));
}

function filesPart(show) {
    return el('section', {}, el('h3', {}, 'Files'),
        el('p', {}, 'What questions are answered from: add, label and delete ' +
            'your files.'),
        el('div', { class: 'row' }, button('Files…', show)));
}

/* emptied() after all was deleted; showFiles() opens what it says. */
export async function showData(sessions, { emptied, showFiles }) {
    const brought = importPart(sessions);
    const { node, closed } = openDialog('Your data',
        exportPart(sessions), brought.node, filesPart(showFiles),
        deletePart(sessions, () => {
            node.close('');
            emptied();
        }),
        el('div', { class: 'actions' },
            button('Close', () => node.close(''))));
    node.classList.add('data');
    await closed;
    brought.stop();
}
