/* Files for the reader to keep. */

import { probe } from '../api.js';
import { el } from '../dom.js';

function follow(href, name) {
    const link = el('a', { href, download: name });
    document.body.append(link);
    link.click();
    link.remove();
}

/* Saves what is at this address; the server names the file. It is asked first,
 * since a download that fails would say nothing. */
export async function downloadUrl(url) {
    await probe(url);
    follow(url, '');
}

export function downloadText(text, name, type) {
    const url = URL.createObjectURL(new Blob([text], { type }));
    follow(url, name);
    setTimeout(() => URL.revokeObjectURL(url), 60000);
}
