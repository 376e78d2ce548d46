/* Where the user writes.
 *
 * Enter sends and Shift+Enter makes a new line; on a touch keyboard Enter makes
 * a new line and the button sends. Keys that belong to an input method are left
 * alone. What is written is kept for each conversation until it is sent. */

import { setIcon } from './dom.js';

const BYTES_MAX = 256 * 1024;
const SAVE_MS = 300;

export class Composer {
    #form;
    #input;
    #button;
    #hint;
    #store;
    #on;
    #key = 'draft new';
    #fresh = true;          /* nothing was opened yet */
    #timer = 0;
    #running = false;

    /* on.send(text) takes the text; on.stop() ends the running answer. */
    constructor({ form, input, button, hint }, store, on) {
        this.#form = form;
        this.#input = input;
        this.#button = button;
        this.#hint = hint;
        this.#store = store;
        this.#on = on;
        form.addEventListener('submit', (e) => {
            e.preventDefault();
            this.#act();
        });
        input.addEventListener('keydown', (e) => this.#keyed(e));
        input.addEventListener('input', () => this.#changed());
        addEventListener('pagehide', () => this.#save());
    }

    /* Changes to the conversation with this id (null: one not begun). */
    open(id) {
        const key = `draft ${id ?? 'new'}`;
        if (key === this.#key && !this.#fresh)
            return;
        this.#fresh = false;
        this.#save();
        this.#key = key;
        this.#set(this.#store.get(this.#key) ?? '');
    }

    /* What was written becomes the draft of the conversation with this id. */
    move(id) {
        this.#store.remove(this.#key);
        this.#key = `draft ${id ?? 'new'}`;
        this.#save();
    }

    /* Puts text back, before what was written since. */
    give(text) {
        const now = this.#input.value;
        this.#set(now.trim() ? `${text}\n\n${now}` : text);
        this.#save();
        this.focus();
    }

    focus() {
        this.#input.focus();
    }

    /* 'idle' | 'running' | 'stopping' */
    set state(state) {
        this.#running = state !== 'idle';
        const label = this.#running ? 'Stop the answer' : 'Send';
        setIcon(this.#button, this.#running ? 'stop' : 'send');
        this.#button.setAttribute('aria-label', label);
        this.#button.title = this.#running ? 'Stop (Esc)' : 'Send (Enter)';
        this.#button.classList.toggle('stop', this.#running);
        this.#button.dataset.state = state;
        this.#check();
    }

    #set(text) {
        this.#input.value = text;
        this.#fit();
        this.#check();
    }

    #keyed(e) {
        if (e.key !== 'Enter' || e.isComposing || e.keyCode === 229)
            return;
        const touch = matchMedia('(hover: none) and (pointer: coarse)').matches;
        if (e.shiftKey || (touch && !e.ctrlKey && !e.metaKey))
            return;
        e.preventDefault();
        if (!this.#running)
            this.#act();
    }

    #changed() {
        this.#fit();
        this.#check();
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.#save(), SAVE_MS);
    }

    #save() {
        clearTimeout(this.#timer);
        if (this.#input.value)
            this.#store.set(this.#key, this.#input.value);
        else
            this.#store.remove(this.#key);
    }

    /* Browsers that grow text areas by themselves need no help. */
    #fit() {
        if (CSS.supports('field-sizing', 'content'))
            return;
        this.#input.style.height = 'auto';
        this.#input.style.height = `${this.#input.scrollHeight}px`;
    }

    get #tooLong() {
        const text = this.#input.value;
        return text.length > BYTES_MAX / 3 &&
            new TextEncoder().encode(text.trim()).length > BYTES_MAX;
    }

    #check() {
        const tooLong = this.#tooLong;
        this.#hint.textContent = tooLong
            ? 'This is too long to send (256 KiB at most).' : '';
        this.#form.classList.toggle('bad', tooLong);
        this.#button.disabled = this.#running
            ? this.#button.dataset.state === 'stopping'
            : tooLong || !this.#input.value.trim();
    }

    #act() {
        if (this.#running) {
            this.#on.stop();
            return;
        }
        const text = this.#input.value.trim();
        if (!text || this.#tooLong)
            return;
        this.#set('');
        this.#save();
        this.#on.send(text);
    }
}
