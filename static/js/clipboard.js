/* Copying text, also where the clipboard API is not offered (plain http). */

import { announce } from './announce.js';
import { el, setIcon } from './dom.js';

const SHOWN_MS = 1600;

function copyBySelection(text) {
    const area = el('textarea', { class: 'sr', readonly: true });
    const focused = document.activeElement;
    area.value = text;
    document.body.append(area);
    area.select();
    const ok = document.execCommand('copy');
    area.remove();
    focused?.focus();
    return ok;
}

async function copy(text) {
    try {
        await navigator.clipboard.writeText(text);
        return true;
    } catch {
        return copyBySelection(text);
    }
}

/* Copies and lets the button show for a moment how it went. */
export async function copyWith(button, text) {
    const ok = await copy(text);
    announce(ok ? 'Copied' : 'Copying is not allowed here');
    setIcon(button, ok ? 'check' : 'warn');
    setTimeout(() => setIcon(button, 'copy'), SHOWN_MS);
}
