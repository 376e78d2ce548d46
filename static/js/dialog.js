/* A question before something that cannot be undone. The browser's own dialog
 * keeps the focus inside, closes on Esc and gives the focus back. */

import { el } from './dom.js';

/* True if the reader agreed. */
export function confirm({ title, text, action }) {
    return new Promise((resolve) => {
        const close = (value) => () => dialog.close(value);
        const dialog = el('dialog', {
            'aria-labelledby': 'dialog-title',
            'aria-describedby': 'dialog-text',
        },
        el('h2', { id: 'dialog-title' }, title),
        el('p', { id: 'dialog-text' }, text),
        el('div', { class: 'actions' },
            el('button', { type: 'button', class: 'button',
                onclick: close('') }, 'Cancel'),
            el('button', { type: 'button', class: 'button danger',
                onclick: close('yes') }, action)));
        dialog.addEventListener('click', (e) => {
            if (e.target === dialog)
                dialog.close('');
        });
        dialog.addEventListener('close', () => {
            dialog.remove();
            resolve(dialog.returnValue === 'yes');
        });
        document.body.append(dialog);
        dialog.showModal();
    });
}
