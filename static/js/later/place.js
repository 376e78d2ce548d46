/* A file, opened at the place that an answer stands on, to read on from there
 * in both directions; or an image with what is known of it. */

import { ApiError, call } from '../api.js';
import { el } from '../dom.js';
import { button, openDialog } from './dialog.js';
import { baseName, cutText, fileUrl, isCode, placeText, rangeAround,
    sizeText, snippetText, torn } from './filetext.js';
import { sheet } from './sheet.js';

const AROUND = 600;         /* bytes on each side at first */
const MORE = 4000;          /* bytes of a further piece */

/* The bytes of a file's text: {from, bytes}, from where they are whole. */
async function bytesOf(name, { start, length }) {
    const url = fileUrl(name, `text=1&start=${start}&length=${length}`);
    let response;
    try {
        response = await fetch(url, { cache: 'no-store' });
    } catch {
        throw new ApiError(0);
    }
    if (!response.ok)
        throw new ApiError(response.status,
            await response.json().catch(() => ({})));
    const all = new Uint8Array(await response.arrayBuffer());
    const skip = start > 0 ? torn(all) : 0;
    return { from: start + skip, bytes: all.subarray(skip) };
}

/* What is shown of one file's text; grows at both ends. */
class Reading {
    node = el('div', { class: 'reading', tabindex: '0', role: 'region' });
    #file;
    #from = 0;
    #to = 0;
    #text = el('div', { class: 'text', dir: 'auto' });
    #earlier = button('Earlier', () => this.#more(false), 'small');
    #later = button('Later', () => this.#more(true), 'small');
    #told = el('p', { class: 'wrong', role: 'alert' });

    constructor(file) {
        this.#file = file;
        this.node.setAttribute('aria-label', `Text of ${file.name}`);
        this.#text.classList.toggle('mono', isCode(file.type));
        this.node.append(this.#earlier, this.#text, this.#told, this.#later);
    }

    async open(place) {
        const { from, bytes } = await bytesOf(this.#file.name,
            rangeAround(place, AROUND));
        const [before, cited, after] = cutText(bytes, from, place);
        this.#from = from;
        this.#to = from + bytes.length;
        const mark = cited.trim() ? el('mark', {}, cited) : cited;
        this.#text.replaceChildren(before, mark, after);
        if (bytes.length === 0)
            this.#text.replaceChildren(el('p', {},
                'There is no text in this file.'));
        this.#ends();
        if (mark !== cited)
            this.#show(mark);
    }

    /* The place, with a little of what is above it. */
    #show(mark) {
        const box = this.node.getBoundingClientRect();
        const at = mark.getBoundingClientRect();
        this.node.scrollTop += at.top - box.top - box.height / 5;
    }

    #ends() {
        this.#earlier.hidden = this.#from === 0;
        this.#later.hidden = this.#to >= this.#file.text_length;
    }

    async #more(on) {
        const start = on ? this.#to : Math.max(0, this.#from - MORE);
        const length = on ? MORE : this.#from - start;
        const pressed = on ? this.#later : this.#earlier;
        pressed.disabled = true;
        this.#told.textContent = '';
        try {
            this.#add(on, await bytesOf(this.#file.name, { start, length }));
        } catch (e) {
            this.#told.textContent = `${e.message}.`;
        }
        pressed.disabled = false;
        if (pressed.hidden)
            this.node.focus();
    }

    #add(on, { from, bytes }) {
        const text = new TextDecoder().decode(bytes);
        const fromEnd = this.node.scrollHeight - this.node.scrollTop;
        if (on) {
            this.#text.append(text);
            this.#to = bytes.length > 0 ? from + bytes.length : Infinity;
        } else {
            this.#text.prepend(text);
            this.#from = bytes.length > 0 ? from : 0;
        }
        this.#ends();
        if (!on)
            this.node.scrollTop = this.node.scrollHeight - fromEnd;
    }
}

function imagePart(file) {
    const facts = [
        file.width > 0 && `${file.width} × ${file.height}`,
        file.taken && new Date(file.taken).toLocaleDateString([],
            { dateStyle: 'long' }),
        file.camera, sizeText(file.size)];
    return [
        el('img', { class: 'shown', src: fileUrl(file.name, 'raw=1'),
            alt: file.description || file.title || baseName(file.name) }),
        file.description ? el('p', { class: 'told' }, file.description) : null,
        file.tags?.length > 0 ? el('ul', { class: 'chips',
            'aria-label': 'Tags' }, ...file.tags.map((tag) =>
            el('li', { class: 'tag' }, tag))) : null,
        el('p', {}, facts.filter(Boolean).join(' · ')),
    ];
}

/* When the file cannot be read any more: what was found in it. */
function gone(e, place) {
    const text = snippetText(place);
    return [
        el('p', { class: 'wrong', role: 'alert' }, e.status === 404
            ? 'This file is not there any more.' : `${e.message}.`),
        text ? el('p', {}, 'This was found in it:') : null,
        text ? el('blockquote', {}, text) : null,
    ];
}

/* place: a citation, or {name, start: 0, length: 0}. Resolves when it is
 * closed; the focus is back then. */
export async function openPlace(place) {
    const { name } = place;
    await sheet('files');
    const where = el('p', { class: 'where' });
    const body = el('div', { class: 'place-body', 'aria-busy': 'true' },
        el('p', {}, 'Loading…'));
    const save = el('a', { class: 'button', download: baseName(name),
        href: fileUrl(name, 'raw=1'), hidden: true }, 'Save the file');
    const { node, closed } = openDialog(place.title || baseName(name),
        where, body, el('div', { class: 'actions' }, save,
            button('Close', () => node.close(''), 'primary')));
    node.classList.add('place');
    node.addEventListener('click', (e) => {
        if (e.target === node)
            node.close('');
    });
    const words = [place.title && name, placeText(place)];
    where.textContent = words.filter(Boolean).join(' · ');
    where.hidden = where.textContent === '';
    try {
        const file = await call('GET', fileUrl(name));
        if (file.image) {
            body.replaceChildren(...imagePart(file).filter(Boolean));
        } else {
            const reading = new Reading(file);
            body.replaceChildren(reading.node);
            await reading.open(place);
            reading.node.focus();
        }
        save.hidden = false;
    } catch (e) {
        body.replaceChildren(...gone(e, place).filter(Boolean));
    }
    body.removeAttribute('aria-busy');
    await closed;
}
