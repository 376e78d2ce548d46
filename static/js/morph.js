/* Makes one piece of the page look like another, changing as little as it can.
 *
 * Replacing the growing block of an answer for every frame would lose the
 * reader's selection and the place they scrolled to inside a code block, and
 * make the page blink. morph() walks both trees in step and touches only what
 * differs; text that grew at its end is appended to. */

function sameKind(a, b) {
    return a.nodeType === b.nodeType && a.nodeName === b.nodeName;
}

function morphAttributes(from, to) {
    for (const { name } of [...from.attributes])
        if (!to.hasAttribute(name))
            from.removeAttribute(name);
    for (const { name, value } of to.attributes)
        if (from.getAttribute(name) !== value)
            from.setAttribute(name, value);
}

function morphNode(from, to) {
    if (from.nodeType === Node.TEXT_NODE) {
        if (from.data === to.data)
            return;
        if (to.data.startsWith(from.data))
            from.appendData(to.data.slice(from.length));
        else
            from.data = to.data;
        return;
    }
    if (from.nodeType !== Node.ELEMENT_NODE)
        return;
    /* Coloured meanwhile (code.js), and still the same code. */
    if (from.dataset?.done && from.textContent === to.textContent)
        return;
    /* The reader opened or closed it, and it stays as they left it. */
    if (from.nodeName === 'DETAILS')
        to.toggleAttribute('open', from.open);
    morphAttributes(from, to);
    morphChildren(from, to);
}

/* Makes the children of `from` beginning with number `start` like those of
 * `to`, whose nodes may move into `from`. */
export function morphChildren(from, to, start = 0) {
    let mine = from.childNodes[start] ?? null;
    for (const theirs of [...to.childNodes]) {
        if (!mine) {
            from.append(theirs);
            continue;
        }
        const next = mine.nextSibling;
        if (sameKind(mine, theirs))
            morphNode(mine, theirs);
        else
            mine.replaceWith(theirs);
        mine = next;
    }
    while (mine) {
        const next = mine.nextSibling;
        mine.remove();
        mine = next;
    }
}
