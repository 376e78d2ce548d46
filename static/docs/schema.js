/* A schema as a list of members. What a member holds is shown when it is
 * opened, so that schemas may refer to each other in a circle. */

import { el } from '../js/dom.js';
import { renderMarkdown } from '../js/render.js';
import { limitsOf } from './document.js';

export function prose(text) {
    const node = el('div', { class: 'prose' });
    node.append(renderMarkdown(text));
    return node;
}

/* A <details> whose inside is made when it is opened first. */
export function lazy(summary, make, props = {}) {
    const node = el('details', props, el('summary', {}, ...summary));
    node.addEventListener('toggle', () => {
        if (node.open && node.childElementCount === 1)
            node.append(make());
    });
    return node;
}

function limits(schema) {
    const words = limitsOf(schema);
    return words.length > 0
        ? el('span', { class: 'limits' }, words.join(', ')) : null;
}

/* What is said of a member that cannot be left out: by a client, or by us. */
export const SENT = 'required';
export const GIVEN = 'always';

/* name, type, what it means; and what is inside. must: SENT or GIVEN, or '' if
 * it may be missing; word is what the members inside are told by. */
export function row(doc, name, schema, { must = '', word = SENT,
    text = '' } = {}) {
    const s = { ...doc.follow(schema), ...schema };
    const about = text || s.description;
    const head = [
        name ? el('code', { class: 'name' }, name) : null,
        el('span', { class: 'type' }, doc.typeName(schema)),
        must ? el('span', { class: must }, must) : null,
        limits(s),
    ].filter((n) => n !== null);
    const line = doc.hasInside(schema)
        ? lazy(head, () => inside(doc, schema, word), { class: 'member' })
        : el('div', { class: 'member' }, ...head);
    return el('li', {}, line, about ? prose(about) : null);
}

function inside(doc, schema, word) {
    const s = doc.follow(schema);
    const choices = doc.choices(s);
    if (s.items)
        return inside(doc, s.items, word);
    if (choices.length > 0)
        return el('ul', { class: 'members' },
            ...choices.map((c) => row(doc, '', c, { word })));
    return members(doc, s, word);
}

function members(doc, schema, word) {
    const { properties, required } = doc.members(schema);
    return el('ul', { class: 'members' },
        ...Object.entries(properties).map(([name, member]) =>
            row(doc, name, member,
                { must: required.has(name) ? word : '', word })));
}

/* A whole body: its members at once, or its type. */
export function schemaView(doc, schema, word) {
    if (!doc.hasInside(schema))
        return el('ul', { class: 'members' }, row(doc, '', schema));
    return el('div', {}, inside(doc, schema, word));
}
