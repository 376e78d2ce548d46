/* Words in place about something that went wrong, and what can be done.
 *
 * {text, hint, requestId, actions: [{label, run}], waitMs, waited}: with waitMs
 * the first action is locked while the seconds count down, and waited() is
 * called when they are over. */

import { el, icon } from './dom.js';

export class Notice {
    node;
    #timer = 0;

    constructor({ text, hint, requestId, actions = [], waitMs, waited,
        quiet = false }) {
        const buttons = actions.map(({ label, run }) => el('button',
            { type: 'button', class: 'button', onclick: run }, label));
        const count = el('span', { class: 'count' });
        this.node = el('div', { class: quiet ? 'notice quiet' : 'notice' },
            quiet ? null : icon('warn'),
            el('div', { class: 'words' },
                el('p', { class: 'what' }, text),
                hint ? el('p', { class: 'hint' }, hint) : null,
                requestId ? el('p', { class: 'hint' }, 'Request ',
                    el('code', {}, requestId)) : null),
            buttons.length > 0
                ? el('div', { class: 'actions' }, count, ...buttons) : null);
        if (waitMs > 0)
            this.#countDown(Date.now() + waitMs, count, buttons[0], waited);
    }

    #countDown(until, count, button, waited) {
        if (button)
            button.disabled = true;
        const tick = () => {
            const leftMs = until - Date.now();
            if (leftMs <= 0) {
                this.#stop();
                count.textContent = '';
                if (button)
                    button.disabled = false;
                waited?.();
                return;
            }
            count.textContent = `Next try in ${Math.ceil(leftMs / 1000)} s`;
        };
        this.#timer = setInterval(tick, 250);
        tick();
    }

    #stop() {
        clearInterval(this.#timer);
    }

    /* Keeps the words; there is nothing to do about it any more. */
    settle() {
        this.#stop();
        this.node.querySelector('.actions')?.remove();
    }

    remove() {
        this.#stop();
        this.node.remove();
    }
}
