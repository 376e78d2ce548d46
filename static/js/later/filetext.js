/* What is said of files, and where in one a citation is. Pure. */

const DAMAGED = 0x80;       /* 10xxxxxx: inside a character of UTF-8 */

/* The address of a file, relative to the page. */
export function fileUrl(name, query = '') {
    const path = name.split('/').map(encodeURIComponent).join('/');
    return `files/${path}${query && `?${query}`}`;
}

/* The part of a name behind its folders. */
export const baseName = (name) => name.slice(name.lastIndexOf('/') + 1);

export function sizeText(bytes) {
    const units = ['bytes', 'KB', 'MB', 'GB'];
    let size = bytes;
    let at = 0;
    while (size >= 999.5 && at < units.length - 1) {
        size /= 1000;
        at++;
    }
    const digits = at > 0 && size < 9.95 ? 1 : 0;
    return `${size.toLocaleString(undefined, {
        minimumFractionDigits: digits, maximumFractionDigits: digits,
    })} ${at === 0 && bytes === 1 ? 'byte' : units[at]}`;
}

/* Where in its file it is, in words: the headings and the page. A heading that
 * is the title says nothing more. */
export function placeText({ title, heading, page }) {
    const parts = (heading ?? '').split(' > ').filter(Boolean);
    if (parts.length > 0 && parts[0] === title)
        parts.shift();
    return [parts.join(' › '), page && `page ${page}`].filter(Boolean)
        .join(', ');
}

/* A snippet as a line to read, without the signs of Markdown and the heading
 * above it. */
export function snippetText({ snippet, heading }) {
    const text = (snippet ?? '').replace(/(^|\s)#{1,6}\s+/g, '$1')
        .replace(/\*\*|`+/g, '').replace(/\s+/g, ' ').trim();
    const above = (heading ?? '').split(' > ').at(-1);
    return above && text.startsWith(`${above} `)
        ? text.slice(above.length + 1) : text;
}

/* Text in pieces: what is said, and the numbers of sources between, "[3]", of
 * those that there are. Null: there is none in it. */
export function splitMarks(text, numbers) {
    const pieces = text.split(/\[(\d{1,4})\]/);
    const out = [];
    for (let i = 0; i < pieces.length; i++) {
        const n = Number(pieces[i]);
        if (i % 2 === 1 && numbers.has(n))
            out.push(n);
        else if (typeof out.at(-1) === 'string')
            out.push(out.pop() + (i % 2 ? `[${pieces[i]}]` : pieces[i]));
        else if (pieces[i] !== '')
            out.push(i % 2 ? `[${pieces[i]}]` : pieces[i]);
    }
    return out.some((p) => typeof p === 'number') ? out : null;
}

/* The range of bytes to ask for: the place, and so much around it. */
export function rangeAround({ start, length }, around) {
    const from = Math.max(0, start - around);
    return { start: from, length: start + length + around - from };
}

/* How many bytes at its front are the rest of a character. */
export function torn(bytes) {
    let n = 0;
    while (n < 3 && n < bytes.length && (bytes[n] & 0xC0) === DAMAGED)
        n++;
    return n;
}

/* The bytes of a file from `from` on, as text before, in and behind a place in
 * it. */
export function cutText(bytes, from, { start, length }) {
    const at = (offset) =>
        Math.max(0, Math.min(bytes.length, offset - from));
    const text = (a, b) => new TextDecoder().decode(bytes.subarray(a, b));
    const begin = at(start);
    const end = at(start + length);
    return [text(0, begin), text(begin, end), text(end, bytes.length)];
}

/* Is its text code or data, where columns matter? */
export function isCode(type) {
    return !/^(?:text\/(?:plain|markdown|html)|application\/(?:pdf|epub|vnd)|$)/
        .test(type ?? '');
}

export const LABELS = {
    'cloud-ok': ['Any model',
        'Excerpts may go to every model that you ask, in a cloud too.'],
    'redact': ['Redacted',
        'Mail addresses, telephone and card numbers, IBANs and keys are ' +
        'blotted out before an excerpt leaves this machine.'],
    'local-only': ['This machine only',
        'Only a model that runs on this machine is shown it; answers of ' +
        'others say that it was held back.'],
};

/* How far a file is; '' if all is well. */
export function statusText({ status, message }) {
    return status === 'waiting' ? 'Being read…'
        : status === 'skipped' ? `Not searched. ${message ?? ''}`.trim() : '';
}

/* What the server says of a file that it did not take. */
export function refusalText(status, body) {
    const said = body.error || {
        0: 'The connection broke off',
        401: 'Please sign in',
        413: 'The file is too large',
    }[status] || `The server answered with an error (${status})`;
    return [`${said}.`, body.message].filter(Boolean).join(' ');
}

/* What came of uploads: {added, failed} in a sentence. */
export function uploadedText({ added, failed }) {
    const files = (n) => `${n} ${n === 1 ? 'file' : 'files'}`;
    return [added > 0 && `${files(added)} added.`,
        failed > 0 && `${files(failed)} not added.`].filter(Boolean).join(' ');
}
