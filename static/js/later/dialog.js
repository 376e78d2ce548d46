/* Questions before something is done. The browser's own dialog keeps the focus
 * inside, closes on Esc and gives the focus back. */

import { announce } from '../announce.js';
import { el } from '../dom.js';

let opened = 0;             /* dialogs; more than one may be open */

export function button(label, onclick, kind = '') {
    return el('button', { type: 'button', class: `button ${kind}`, onclick },
        label);
}

/* Shows a dialog with this content: {node, closed}. closed resolves to what
 * node.close() was called with, '' for Esc. */
export function openDialog(title, ...content) {
    const id = `dialog-${++opened}`;
    const node = el('dialog', { 'aria-labelledby': id },
        el('h2', { id }, title), ...content);
    const closed = new Promise((resolve) => {
        node.addEventListener('close', () => {
            node.remove();
            resolve(node.returnValue);
        });
    });
    document.body.append(node);
    node.showModal();
    return { node, closed };
}

/* True if the reader agreed. Without an action there is only something to
 * read. */
export async function confirm({ title, text, action = '' }) {
    const { node, closed } = openDialog(title,
        el('p', { id: 'dialog-text' }, text),
        el('div', { class: 'actions' },
            button(action ? 'Cancel' : 'Close', () => node.close('')),
            action && button(action, () => node.close('yes'), 'danger')));
    node.setAttribute('aria-describedby', 'dialog-text');
    node.addEventListener('click', (e) => {
        if (e.target === node)
            node.close('');
    });
    return await closed === 'yes';
}

/* What did not work, and why. */
export function tellFailure(what, e) {
    announce(what);
    return confirm({ title: what,
        text: [`${e.message}.`, e.hint].filter(Boolean).join(' ') });
}

/* A dialog with fields. True if the reader wants what they hold. */
export async function openForm(title, action, ...fields) {
    const form = el('form', { method: 'dialog', onsubmit: (e) => {
        e.preventDefault();
        node.close('yes');
    } }, ...fields, el('div', { class: 'actions' },
        button('Cancel', () => node.close('')),
        el('button', { class: 'button primary' }, action)));
    const { node, closed } = openDialog(title, form);
    return await closed === 'yes';
}
