/* The page that shows this server's API, from its OpenAPI document. Nothing is
 * fetched from elsewhere. An operation has its own address: #operationId. */

import { announceIn } from '../js/announce.js';
import { copyWith } from '../js/clipboard.js';
import { el } from '../js/dom.js';
import { openStore } from '../js/store.js';
import { startTheme } from '../js/theme.js';
import { ApiDocument } from './document.js';
import { operationView } from './operation.js';
import { lazy, prose } from './schema.js';

/* This file is static/docs/docs.js below the mount point. */
const MOUNT = new URL('../..', import.meta.url);

const $ = (id) => document.getElementById(id);

function badge(method) {
    return el('span', { class: `method ${method.toLowerCase()}` }, method);
}

function operationLine(doc, operation) {
    const { id, method, path, op } = operation;
    const base = MOUNT.href.replace(/\/$/, '');
    return lazy([
        badge(method), el('code', { class: 'path' }, path),
        el('span', { class: 'summary' }, op.summary),
    ], () => operationView(doc, operation, base), { class: 'operation', id });
}

function contentsLine({ id, method, path }) {
    return el('li', { 'data-id': id },
        el('a', { href: `#${id}` }, badge(method), el('span', {}, path)));
}

function show(doc) {
    const { info } = doc.json;
    document.title = `${info.title} ${info.version}: the API`;
    $('title').textContent = `The API, ${info.version}`;
    $('about').append(...prose(info.description).childNodes);
    for (const { tag, operations } of doc.groups()) {
        $('contents').append(el('section', { class: 'group' },
            el('h2', {}, tag.name),
            el('ul', {}, ...operations.map(contentsLine))));
        $('operations').append(el('section', { class: 'group' },
            el('h2', {}, tag.name), prose(tag.description),
            ...operations.map((o) => operationLine(doc, o))));
    }
    $('state').textContent = '';
}

/* Operations whose address, name or summary has all the words. */
function startFilter() {
    $('filter').addEventListener('input', () => {
        const words = $('filter').value.toLowerCase().split(/\s+/);
        let n = 0;
        for (const node of document.querySelectorAll('.operation')) {
            const text = `${node.id} ${
                node.querySelector('summary').textContent}`.toLowerCase();
            const fits = words.every((w) => text.includes(w));
            node.hidden = !fits;
            document.querySelector(`[data-id="${node.id}"]`).hidden = !fits;
            n += fits;
        }
        for (const group of document.querySelectorAll('.group'))
            group.hidden = !group.querySelector(
                '.operation:not([hidden]), [data-id]:not([hidden])');
        $('about').hidden = words.some((w) => w !== '');
        $('state').textContent = n === 0 ? 'No operation has these words.' : '';
    });
}

function openHash() {
    const node = $(decodeURIComponent(location.hash.slice(1)));
    if (!node?.classList.contains('operation'))
        return;
    node.open = true;
    node.scrollIntoView();
    node.querySelector('summary').focus({ preventScroll: true });
}

function copyCode(e) {
    const button = e.target.closest('[data-action="copy-code"]');
    const pre = button?.closest('.code').querySelector('pre');
    if (pre)
        copyWith(button, pre.innerText.trimEnd());
}

async function start() {
    startTheme($('theme'), openStore(MOUNT));
    announceIn($('announcer'));
    document.addEventListener('click', copyCode);
    try {
        const r = await fetch(new URL('api/openapi.json', MOUNT));
        if (!r.ok)
            throw new Error((await r.json()).error);
        show(new ApiDocument(await r.json()));
    } catch (e) {
        $('state').textContent = `The document could not be loaded: ${
            e.message}`;
        return;
    }
    startFilter();
    addEventListener('hashchange', openHash);
    openHash();
}

start();
