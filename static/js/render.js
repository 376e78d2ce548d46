/* Markdown into elements that are safe to show.
 *
 * What a model writes is a stranger's text. marked turns it into markup in
 * which raw HTML is shown as text (but for a few harmless tags), DOMPurify
 * takes out whatever is not on the list below and gives elements, never a
 * string, and dress() adds what the page itself puts in: frames around code
 * and tables. Images load only from data: addresses and from this
 * application's own files/: any other address could tell a third party, or set
 * off a request here, just by being shown. */

import DOMPurify from '../vendor/dompurify.js';
import { Marked } from '../vendor/marked.js';
import { normalise } from './blocks.js';
import { el, iconButton } from './dom.js';

const TAGS = [
    'a', 'b', 'blockquote', 'br', 'code', 'del', 'details', 'em', 'h3', 'h4',
    'h5', 'h6', 'hr', 'i', 'img', 'input', 'ins', 'kbd', 'li', 'mark', 'ol',
    'p', 'pre', 's', 'samp', 'span', 'strong', 'sub', 'summary', 'sup',
    'table', 'tbody', 'td', 'th', 'thead', 'tr', 'u', 'ul',
];
const ATTRIBUTES = [
    'align', 'alt', 'checked', 'class', 'disabled', 'href', 'src', 'start',
    'title', 'type',
];

/* Tags that may stand in Markdown as they are, without attributes. */
const PLAIN_TAG = new RegExp('^</?(?:b|br|del|details|em|i|ins|kbd|mark|s|' +
    'samp|strong|sub|summary|sup|u)\\s*/?>$', 'i');
const DATA_IMAGE = /^data:image\/(?:png|jpeg|gif|webp|avif);base64,/i;

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escape(text) {
    return text.replace(/[&<>"]/g, (c) => ENTITIES[c]);
}

function rawHtml(text) {
    if (/^<!--[^]*-->\s*$/.test(text))
        return '';
    return text.replace(/<[^<>]*>|&[#\w]+;|[&<>]/g, (part) =>
        (PLAIN_TAG.test(part) || part.endsWith(';') ? part : escape(part)));
}

function address(text) {
    return URL.canParse(text, document.baseURI)
        ? new URL(text, document.baseURI) : null;
}

function isOwnFile(url) {
    const files = new URL('files/', document.baseURI).href;
    return url.href.startsWith(files) && !/%2e|%2f/i.test(url.pathname);
}

function imageAllowed(src) {
    const url = address(src);
    return DATA_IMAGE.test(src) || (url !== null && isOwnFile(url));
}

/* Anywhere else, but here only to files: a click must not set off a request
 * that the reader did not mean. */
function linkAllowed(href) {
    const url = address(href);
    return url !== null &&
        (url.origin !== location.origin || isOwnFile(url));
}

const marked = new Marked({ gfm: true }, {
    renderer: {
        /* The page's own headings are h1 and h2. */
        heading({ tokens, depth }) {
            const h = `h${Math.min(depth + 2, 6)}`;
            return `<${h}>${this.parser.parseInline(tokens)}</${h}>\n`;
        },
        html({ text, block }) {
            const shown = rawHtml(text);
            return block && shown.includes('&lt;')
                ? `<p>${shown.trim().replaceAll('\n', '<br>')}</p>` : shown;
        },
        image({ href, title, text }) {
            if (!imageAllowed(href))
                return `<a href="${escape(href)}">${escape(text || href)}</a>`;
            const more = title ? ` title="${escape(title)}"` : '';
            return `<img src="${escape(href)}" alt="${escape(text)}"${more}>`;
        },
    },
});

const purify = DOMPurify(window);

purify.addHook('afterSanitizeAttributes', (node) => {
    if (node.nodeName === 'A') {
        if (!linkAllowed(node.getAttribute('href') ?? ''))
            node.removeAttribute('href');
        node.setAttribute('target', '_blank');
        node.setAttribute('rel', 'noopener noreferrer');
    } else if (node.nodeName === 'IMG') {
        if (imageAllowed(node.getAttribute('src') ?? ''))
            node.setAttribute('loading', 'lazy');
        else
            node.remove();
    } else if (node.nodeName === 'INPUT') {
        node.setAttribute('type', 'checkbox');
        node.setAttribute('disabled', '');
    }
});

export function sanitise(html) {
    return purify.sanitize(html, {
        RETURN_DOM_FRAGMENT: true,
        ALLOWED_TAGS: TAGS,
        ALLOWED_ATTR: ATTRIBUTES,
        ALLOW_DATA_ATTR: false,
        ALLOW_ARIA_ATTR: false,
    });
}

/* The language named after the fence; '' if none. */
export function languageOf(code) {
    return /(?:^|\s)language-(\S+)/.exec(code.className)?.[1] ?? '';
}

function frameCode(pre) {
    const code = pre.querySelector('code');
    const language = code ? languageOf(code) : '';
    const frame = el('figure', { class: 'code' });
    pre.replaceWith(frame);
    pre.setAttribute('tabindex', '0');
    frame.append(
        el('figcaption', {},
            el('span', { class: 'language' }, language || 'text'),
            iconButton('copy', 'Copy code', null,
                { 'data-action': 'copy-code' })),
        pre);
}

function frameTable(table) {
    const frame = el('div', {
        class: 'table', tabindex: '0', role: 'group', 'aria-label': 'Table',
    });
    table.replaceWith(frame);
    frame.append(table);
}

function dress(fragment) {
    for (const pre of fragment.querySelectorAll('pre'))
        frameCode(pre);
    for (const table of fragment.querySelectorAll('table'))
        frameTable(table);
    for (const box of fragment.querySelectorAll('input')) {
        box.setAttribute('aria-label', box.checked ? 'Done' : 'To do');
        box.closest('li')?.classList.add('task');
    }
    for (const node of [...fragment.childNodes])
        if (node.nodeType === Node.TEXT_NODE && !node.data.trim())
            node.remove();
    return fragment;
}

/* fn(), or what instead says if that is nested so deep that no stack is deep
 * enough: text of a stranger must not be able to stop the page. */
function unlessTooDeep(fn, instead) {
    try {
        return fn();
    } catch (e) {
        if (!(e instanceof RangeError))
            throw e;
        return instead();
    }
}

/* Blocks of source text; links: definitions known from earlier text. */
export function lex(source, links = {}) {
    const lexer = new marked.Lexer(marked.defaults);
    Object.assign(lexer.tokens.links, links);
    return unlessTooDeep(() => lexer.lex(source), () =>
        [{ type: 'code', raw: source, lang: '', text: source }]);
}

export function renderTokens(tokens) {
    const html = unlessTooDeep(() => marked.parser(tokens), () => {
        const source = tokens.map((token) => token.raw).join('');
        return `<pre><code>${escape(source)}</code></pre>`;
    });
    return dress(sanitise(html));
}

export function renderMarkdown(text) {
    return renderTokens(lex(normalise(text)));
}
