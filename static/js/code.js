/* Colours for code, loaded when the first block asks for them. */

import { languageOf, sanitise } from './render.js';

const LENGTH_MAX = 60000;   /* characters; longer code stays plain */

let library = null;

async function load() {
    library ??= import('../vendor/highlight.js');
    return library;
}

/* Colours every code block inside node that names a language. */
export async function highlightIn(node) {
    const blocks = [...node.querySelectorAll('pre > code')].filter((code) =>
        languageOf(code) && !code.dataset.done &&
        code.textContent.length <= LENGTH_MAX);
    if (blocks.length === 0)
        return;
    let hljs;
    try {
        const module = await load();
        hljs = module.default;
        for (const code of blocks)
            await module.load(languageOf(code));
    } catch {
        /* Offline: plain code is readable, and the next block tries again. */
        library = null;
        return;
    }
    for (const code of blocks) {
        const language = languageOf(code);
        if (!code.isConnected || !hljs.getLanguage(language))
            continue;
        const { value } = hljs.highlight(code.textContent,
            { language, ignoreIllegals: true });
        code.replaceChildren(sanitise(value));
        code.dataset.done = 'yes';
    }
}
