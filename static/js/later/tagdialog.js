/* The dialog that gives tags to a conversation and takes them. */

import { el } from '../dom.js';
import { tagButtons } from '../tags.js';
import { button, openForm } from './dialog.js';

const TAGS_MAX = 10;
const BYTES_MAX = 50;       /* of one, as UTF-8 */

/* Pure: the tags with those of a text added, one after each comma; cut to what
 * can be kept. */
export function addTags(tags, text) {
    const short = (word) => {
        while (new TextEncoder().encode(word).length > BYTES_MAX)
            word = [...word].slice(0, -1).join('');
        return word.trim();
    };
    const more = text.split(',').map((t) => short(t.trim().replace(/^#/, '')))
        .filter(Boolean);
    return [...new Set([...tags, ...more])].slice(0, TAGS_MAX);
}

/* The tags that the reader wants on it; null if they want no change. */
export async function editTags(title, tags, known) {
    let chosen = tags;
    const box = el('div', { class: 'chips', role: 'group',
        'aria-label': 'Tags' });
    const show = () => box.replaceChildren(...tagButtons(
        [...new Set([...known, ...chosen])], (t) => chosen.includes(t),
        (t, node) => {
            chosen = chosen.includes(t) ? chosen.filter((c) => c !== t)
                : [...chosen, t].slice(0, TAGS_MAX);
            node.setAttribute('aria-pressed', String(chosen.includes(t)));
        }));
    const input = el('input', { class: 'field', maxlength: '200',
        placeholder: 'New tag', 'aria-label': 'New tag', autocomplete: 'off' });
    const add = () => {
        chosen = addTags(chosen, input.value);
        input.value = '';
        show();
        input.focus();
    };
    input.addEventListener('keydown', (e) => {
        if (e.key === 'Enter' && !e.isComposing && input.value.trim()) {
            e.preventDefault();
            add();
        }
    });
    show();
    const sure = await openForm(`Tags of “${title}”`, 'Save', box,
        el('div', { class: 'row' }, input, button('Add', add)),
        el('p', {}, `At most ${TAGS_MAX}.`));
    chosen = addTags(chosen, input.value);
    return sure && chosen.join() !== tags.join() ? chosen : null;
}
