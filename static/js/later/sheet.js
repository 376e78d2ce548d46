/* Style sheets of what is loaded when it is wanted. */

import { el } from '../dom.js';

const loading = new Map();

/* Resolves when css/later/NAME.css is there, or cannot be had. */
export function sheet(name) {
    if (!loading.has(name))
        loading.set(name, new Promise((resolve) => {
            document.head.append(el('link', { rel: 'stylesheet',
                href: `static/css/later/${name}.css`,
                onload: resolve, onerror: resolve }));
        }));
    return loading.get(name);
}
