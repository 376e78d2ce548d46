/* Tags: which there are, and which conversations they show. */

import { el } from './dom.js';

/* Pure: all tags of these conversations, in the order of the alphabet. */
export function allTags(list) {
    return [...new Set(list.flatMap((s) => s.tags ?? []))].toSorted((a, b) =>
        a.localeCompare(b));
}

/* Pure: those that a view shows. tag: null for all. */
export function inView(list, { archived, tag }) {
    return list.filter((s) => Boolean(s.archived) === archived &&
        (tag === null || s.tags?.includes(tag)));
}

/* A button for each tag; pressed(tag) says whether it is on. */
export function tagButtons(tags, pressed, onclick) {
    return tags.map((tag) => el('button', {
        type: 'button', class: 'chip', 'aria-pressed': String(pressed(tag)),
        onclick: (e) => onclick(tag, e.currentTarget),
    }, tag));
}
