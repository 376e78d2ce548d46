/* Makes the unfinished end of streamed Markdown look like what it will be.
 *
 * Half-typed marks flicker: "**bo" shows two stars until the closing ones come,
 * "Intro:\n-" is a heading until the list item's text follows. mend() takes the
 * source of the block that is still growing and gives source in which open
 * emphasis and code spans are closed and ambiguous last lines are held back.
 * It only guesses for the moment: the finished text is rendered as it stands.
 * Pure. */

const FENCE = /^\s*(?:[-*+]|\d+[.)])?\s*(```|~~~)/;

/* A last line that may become anything: the next character decides. */
const UNDECIDED = [
    /^ {0,3}(=+|-+)\s*$/,             /* underline, list item or rule */
    /^\s*(`{1,2}|~{1,2})$/,           /* the beginning of a fence */
    /^\s*(?:[-*+]|\d+[.)])? ?[*_]{1,3}$/,
    /^\s*(?:[-*+]\s+|\d{1,9}[.)]?\s*|\+|#{1,6})$/,
    /^\s*[-*+] \[[ xX]?\]?$/,         /* a task's box */
];

/* A table whose second line is not there yet would show as text. */
const TABLE_HEAD = /^ {0,3}\|[^\n]*(\n {0,3}\|?[-:| ]*)?$/;

function dropUndecided(text) {
    const at = text.lastIndexOf('\n') + 1;
    const line = text.slice(at);
    return UNDECIDED.some((r) => r.test(line)) ? text.slice(0, at) : text;
}

function insideFence(text) {
    let open = '';
    for (const line of text.split('\n')) {
        const m = FENCE.exec(line);
        if (m && !open)
            open = m[1];
        else if (m && m[1] === open)
            open = '';
    }
    return open !== '';
}

/* Where the last paragraph, item or heading begins: marks do not reach past. */
function segmentStart(text) {
    let start = 0;
    const border = /\n(?=\s*\n|\s*(?:[-*+]|\d+[.)])\s|\s*#{1,6}\s|\s*>|\s*\|)/g;
    for (const m of text.matchAll(border))
        start = m.index + 1;
    return start;
}

/* Where the code span ends that began before `from` with so many ticks; -1:
 * nowhere. */
function endOfCode(s, from, length) {
    const runs = /`+/g;
    runs.lastIndex = from;
    for (let m = runs.exec(s); m; m = runs.exec(s))
        if (m[0].length === length)
            return runs.lastIndex;
    return -1;
}

/* The marks that are open at the end of s, innermost last. */
function openMarks(s) {
    const open = [];
    const ticks = /`+/gy;
    const stars = /\*\*|~~|\*/gy;
    let i = 0;
    while (i < s.length) {
        const c = s[i];
        if (c === '\\') {
            i += 2;
            continue;
        }
        if (c === '`') {
            ticks.lastIndex = i;
            const run = ticks.exec(s)[0];
            const end = endOfCode(s, i + run.length, run.length);
            if (end < 0)
                return [...open, { mark: run, end: i + run.length }];
            i = end;
            continue;
        }
        stars.lastIndex = i;
        const m = stars.exec(s);
        if (!m) {
            i++;
            continue;
        }
        const mark = m[0];
        const after = s[i + mark.length] ?? '';
        const before = s[i - 1] ?? ' ';
        const top = open.findLastIndex((o) => o.mark === mark);
        if (top >= 0 && !/\s/.test(before))
            open.length = top;
        else if (after && !/\s/.test(after) && !/\w/.test(before))
            open.push({ mark, end: i + mark.length });
        i += mark.length;
    }
    return open;
}

function closeMarks(s) {
    const open = openMarks(s);
    if (open.length === 0)
        /* A mark that has only just begun says nothing yet. */
        return s.replace(/(?<=^|\s)(\*{1,3}|~{1,2}|`{1,2})$/, '');
    let out = s;
    const last = open.at(-1).mark;
    if (last === '**' && /[^*]\*$/.test(out))
        out = out.slice(0, -1);
    else if (last[0] === '`' && last.length > 1)
        out = out.replace(/`+$/, (run, at) =>
            (at >= open.at(-1).end ? '' : run));
    out = out.trimEnd();
    let marks = '';
    for (const { mark } of open.reverse()) {
        /* One that has only just begun goes, the others are closed. */
        if (!marks && out.endsWith(mark))
            out = out.slice(0, -mark.length).trimEnd();
        else
            marks += mark;
    }
    return out + marks;
}

function closeLink(s) {
    return s
        .replace(/!\[[^\]\n]*(\]\([^()\s]*)?$/, '')
        .replace(/\[([^[\]\n]*)\]\([^()\s]*$/, '$1');
}

export function mend(source) {
    let text = source;
    if (insideFence(text))
        return text;
    if (TABLE_HEAD.test(text))
        return '';
    text = dropUndecided(text);
    const at = segmentStart(text);
    return text.slice(0, at) + closeMarks(closeLink(text.slice(at)));
}
