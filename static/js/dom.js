/* Making elements without markup strings. */

const SVG = 'http://www.w3.org/2000/svg';

/* Icons as path data on a 24 by 24 grid, drawn with round strokes. */
const ICONS = {
    menu: 'M4 7h16M4 12h16M4 17h16',
    plus: 'M12 5v14M5 12h14',
    send: 'M12 19V5M6 11l6-6 6 6',
    stop: 'M7.5 7.5h9v9h-9z',
    copy: 'M9 9h10v11H9zM15 9V5H5v11h4',
    check: 'M5 12.5l4.5 4.5L19 7.5',
    edit: 'M5 19h3L19 8l-3-3L5 16zM13.5 7.5l3 3',
    trash: 'M5 7h14M10 7V4.5h4V7M7 7l1 12.5h8L17 7M10.5 11v5M13.5 11v5',
    down: 'M12 5v14M6 13l6 6 6-6',
    more: 'M6 12v.01M12 12v.01M18 12v.01',
    pin: 'M9 4h6M10 4v6l-3 4h10l-3-4V4M12 14v6',
    tag: 'M4 4h8l8 8-8 8-8-8zM8.5 8.5v.01',
    tune: 'M4 7h9M17 7h3M15 5v4M4 16h3M11 16h9M9 14v4',
    box: 'M4 5h16v4H4zM5.5 9v10h13V9M10 13h4',
    file: 'M6 3.5h8l4 4v13H6zM14 3.5v4h4M9 12h6M9 16h6',
    save: 'M12 4v11M7 10l5 5 5-5M5 20h14',
    ring: 'M12 4a8 8 0 1 1 0 16 8 8 0 0 1 0-16z',
    thumb: 'M4 11h3v9H4zM7 11l4-7.5c1.6 0 2.6 1 2.6 2.5v4H19c1 0 1.6.9 1.4 ' +
        '1.8l-1.4 6.7a1.8 1.8 0 0 1-1.8 1.5H7',
    user: 'M12 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM5 20c.8-3.6 3.6-5 7-5s6.2 1.4 ' +
        '7 5',
    warn: 'M12 4.5L21 20H3zM12 10.5v4M12 17.2v.1',
    close: 'M6 6l12 12M18 6L6 18',
    sun: 'M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM12 2.5V5M12 19v2.5M2.5 12H5' +
        'M19 12h2.5M5.3 5.3L7 7M17 17l1.7 1.7M18.7 5.3L17 7M7 17l-1.7 1.7',
    moon: 'M20 14.5A8 8 0 0 1 9.5 4a8 8 0 1 0 10.5 10.5z',
    system: 'M4 5h16v11H4zM9 20h6M12 16v4',
};

export function icon(name) {
    const svg = document.createElementNS(SVG, 'svg');
    svg.setAttribute('viewBox', '0 0 24 24');
    svg.setAttribute('class', 'icon');
    svg.setAttribute('aria-hidden', 'true');
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('d', ICONS[name]);
    svg.append(path);
    return svg;
}

/* el('button', {class: 'x', onclick: fn, 'aria-label': '…'}, child, 'text').
 * Members that are functions become listeners; null, undefined and false are
 * left out; true is an empty attribute. */
export function el(tag, props = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(props)) {
        if (typeof value === 'function')
            node.addEventListener(name.slice(2), value);
        else if (value === true)
            node.setAttribute(name, '');
        else if (value !== null && value !== undefined && value !== false)
            node.setAttribute(name, value);
    }
    node.append(...children.filter((c) => c !== null && c !== undefined));
    return node;
}

/* A button that shows an icon and says its name. */
export function iconButton(name, label, onclick, extra = {}) {
    return el('button', {
        type: 'button', class: 'icon-button', 'aria-label': label,
        title: label, onclick, ...extra,
    }, icon(name));
}

export function setIcon(button, name) {
    button.querySelector('.icon').replaceWith(icon(name));
}
