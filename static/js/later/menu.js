/* A menu that a button opens: arrow keys walk through it, a letter goes to the
 * next entry that begins with it, Esc and Tab close it, and the focus returns
 * to the button. The browser's popover puts it above everything and closes it
 * when something else is touched. */

import { el, icon } from '../dom.js';

const GAP_PX = 4;           /* between the button and the menu */
const SAME_MS = 120;        /* one press closes it and is not to open it */
const EDGE_PX = 8;          /* and from the edges of the window */

/* Pure: where a box of that size goes, below the button if there is room. */
export function placeFor(button, box, view) {
    const below = button.bottom + GAP_PX;
    const above = button.top - GAP_PX - box.height;
    const fits = below + box.height <= view.height - EDGE_PX;
    const left = button.left + box.width <= view.width - EDGE_PX
        ? button.left : button.right - box.width;
    const within = (at, size, room) =>
        Math.max(EDGE_PX, Math.min(at, room - size - EDGE_PX));
    return {
        top: within(fits || above < EDGE_PX ? below : above,
            box.height, view.height),
        left: within(left, box.width, view.width),
    };
}

function entry({ label, icon: name, run, danger, wide }, close) {
    return el('button', {
        type: 'button', role: 'menuitem', tabindex: '-1',
        class: danger && 'danger', 'aria-label': wide,
        onclick: () => {
            close();
            run();
        },
    }, name ? icon(name) : null, label);
}

function content(item, close) {
    if (item === null)
        return el('hr');
    if (!item.items)
        return entry(item, close);
    return el('div', { role: 'group', 'aria-label': item.label },
        item.icon ? icon(item.icon) : null, el('span', {}, item.label),
        ...item.items.map((i) => entry(i, close)));
}

const STEPS = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };

/* Where a key leads from entry number `at` of these; -1: nowhere. */
function target(key, at, entries) {
    const n = entries.length;
    if (key in STEPS)
        return (at + STEPS[key] + n) % n;
    if (key === 'Home')
        return 0;
    if (key === 'End')
        return n - 1;
    if ([...key].length !== 1)
        return -1;
    const hit = (e) => e.textContent.toLowerCase()
        .startsWith(key.toLowerCase());
    const next = entries.findIndex((e, i) => i > at && hit(e));
    return next < 0 ? entries.findIndex(hit) : next;
}

/* Buttons whose menu was closed by a press elsewhere, and when. That may be
 * the button itself. */
const closedAt = new WeakMap();

/* items: {label, icon, run, danger}, null for a line, or {label, icon, items}
 * for some in a row, whose `wide` is their name said alone. */
export function openMenu(button, label, items) {
    if (performance.now() - (closedAt.get(button) ?? -SAME_MS) < SAME_MS)
        return;
    let chosen = false;
    const menu = el('div', { role: 'menu', class: 'menu', popover: 'auto',
        'aria-label': label });
    const close = () => {
        chosen = true;
        button.focus();
        menu.hidePopover();
    };
    menu.append(...items.map((i) => content(i, close)));
    const entries = [...menu.querySelectorAll('[role=menuitem]')];
    menu.addEventListener('keydown', (e) => {
        if (e.key === 'Escape' || e.key === 'Tab')
            close();
        else if (e.ctrlKey || e.metaKey || e.altKey)
            return;
        else if (e.key !== 'Enter' && e.key !== ' ')
            entries[target(e.key, entries.indexOf(e.target), entries)]?.focus();
        else
            return;
        e.preventDefault();
        e.stopPropagation();
    });
    menu.addEventListener('beforetoggle', (e) => {
        if (e.newState === 'closed' && !chosen)
            closedAt.set(button, performance.now());
    });
    menu.addEventListener('toggle', (e) => {
        if (e.newState === 'open')
            return;
        button.setAttribute('aria-expanded', 'false');
        menu.remove();
    });
    document.body.append(menu);
    menu.showPopover();
    const place = placeFor(button.getBoundingClientRect(),
        menu.getBoundingClientRect(),
        { width: innerWidth, height: innerHeight });
    menu.style.top = `${place.top}px`;
    menu.style.left = `${place.left}px`;
    button.setAttribute('aria-expanded', 'true');
    entries[0].focus();
}
