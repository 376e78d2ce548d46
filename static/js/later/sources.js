/* What an answer stands on: a folded list below it, and each "[1]" in its text
 * as a way to the place in the file.
 *
 * The numbers are looked for in what is drawn, not in the Markdown: so none is
 * made of what is code, or the text of a link. */

import { el } from '../dom.js';
import { baseName, placeText, snippetText, splitMarks } from './filetext.js';
import { openPlace } from './place.js';
import { sheet } from './sheet.js';

const NOT_IN = 'a, button, code, pre, kbd, samp, summary';

function markButton(citation) {
    return el('button', { type: 'button', class: 'cite',
        title: baseName(citation.name), 'aria-haspopup': 'dialog',
        'aria-label': `Source ${citation.n}: ${baseName(citation.name)}`,
        onclick: () => openPlace(citation) }, `[${citation.n}]`);
}

/* Makes buttons of the numbers in the text below this node. */
function linkMarks(node, citations) {
    const byNumber = new Map(citations.map((c) => [c.n, c]));
    const walker = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walker.nextNode())
        if (!walker.currentNode.parentElement.closest(NOT_IN))
            texts.push(walker.currentNode);
    for (const text of texts) {
        const pieces = splitMarks(text.data, byNumber);
        if (pieces)
            text.replaceWith(...pieces.map((p) => (typeof p === 'number'
                ? markButton(byNumber.get(p)) : p)));
    }
}

function row(citation) {
    const { n, name, title } = citation;
    const where = placeText(citation);
    return el('li', {}, el('button', { type: 'button', class: 'source',
        'aria-haspopup': 'dialog', onclick: () => openPlace(citation) },
    el('span', { class: 'number' }, `${n}`),
    el('span', { class: 'what' },
        el('b', {}, title || baseName(name)),
        el('small', {}, [title && name, where].filter(Boolean).join(' · ')),
        el('span', { class: 'snippet' }, snippetText(citation)))));
}

/* body: the answer's text; citations: as the server has them. */
export async function showSources(body, citations) {
    await sheet('files');
    linkMarks(body, citations);
    body.after(el('details', { class: 'aside sources' },
        el('summary', {}, `Sources · ${citations.length}`),
        el('ul', {}, ...citations.map(row))));
}
