/* Files on their way to the server: two at once, each in a request of its own,
 * so that each has its own progress and its own fault. They go on when the
 * dialog that shows them is closed. */

import { el, iconButton } from '../dom.js';
import { baseName, refusalText, sizeText } from './filetext.js';

const AT_ONCE = 2;

function parse(text) {
    try {
        return JSON.parse(text) ?? {};
    } catch {
        return {};
    }
}

/* Resolves to the file as the server has it; fails with what to say. fetch()
 * does not tell how far an upload is. */
function send(file, progress, signal) {
    return new Promise((resolve, reject) => {
        const request = new XMLHttpRequest();
        const form = new FormData();
        const fail = () => reject(new Error(refusalText(request.status,
            parse(request.responseText))));
        form.append('file', file, file.name);
        request.upload.addEventListener('progress', (e) =>
            progress(e.lengthComputable ? e.loaded / e.total : 0));
        request.addEventListener('load', () => {
            const taken = parse(request.responseText).files?.[0];
            if (request.status === 201 && taken)
                resolve(taken);
            else
                fail();
        });
        request.addEventListener('error', fail);
        request.addEventListener('abort', () => reject(new Error('Stopped.')));
        signal.addEventListener('abort', () => request.abort());
        request.open('POST', 'files');
        request.send(form);
    });
}

/* A folder looks like a file until it is read. */
async function readable(file) {
    try {
        await file.slice(0, 1).arrayBuffer();
        return true;
    } catch {
        return false;
    }
}

export class Uploads {
    node = el('ul', { class: 'uploads', 'aria-label': 'Uploads' });
    #waiting = [];
    #running = 0;
    #came;
    #over;
    #result = { added: 0, failed: 0 };

    /* came(file) for each that the server has; over({added, failed}) when
     * nothing is left to send. */
    constructor(came, over) {
        this.#came = came;
        this.#over = over;
    }

    add(files) {
        for (const file of files) {
            const view = this.#view(file);
            this.node.append(view.node);
            this.#waiting.push({ file, view });
        }
        this.#next();
    }

    #view(file) {
        const stop = new AbortController();
        const bar = el('progress', { max: '1', value: '0',
            'aria-label': `Sending ${file.name}` });
        const words = el('small', {}, sizeText(file.size));
        const close = iconButton('close', `Stop sending ${file.name}`, () => {
            stop.abort();
            if (!node.contains(bar))
                node.remove();
        });
        const node = el('li', {}, el('span', {},
            el('b', {}, baseName(file.name)), words, bar), close);
        return { node, bar, words, close, stop };
    }

    #next() {
        while (this.#running < AT_ONCE && this.#waiting.length > 0)
            this.#run(this.#waiting.shift());
    }

    async #run({ file, view }) {
        this.#running++;
        try {
            this.#taken(await this.#send(file, view), view);
        } catch (e) {
            this.#fault(e.message, file, view);
        }
        this.#running--;
        this.#next();
        if (this.#running === 0) {
            this.#over(this.#result);
            this.#result = { added: 0, failed: 0 };
        }
    }

    async #send(file, { bar, words, stop }) {
        if (!await readable(file))
            throw new Error('This cannot be read. Folders are not taken.');
        if (stop.signal.aborted)
            throw new Error('Stopped.');
        return send(file, (part) => {
            bar.value = part;
            if (part === 1) {
                words.textContent = 'Being read…';
                bar.removeAttribute('value');
            }
        }, stop.signal);
    }

    #taken(taken, view) {
        this.#result.added++;
        view.node.remove();
        this.#came(taken);
    }

    #fault(text, file, { node, bar, words, close }) {
        this.#result.failed++;
        bar.remove();
        node.classList.add('fault');
        words.textContent = text;
        const label = `Take ${file.name} off the list`;
        close.title = label;
        close.setAttribute('aria-label', label);
    }
}
