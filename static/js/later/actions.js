/* What can be done with a conversation as a whole, and the menu that offers it,
 * in the list and above the messages. */

import { announce } from '../announce.js';
import * as api from '../api.js';
import { el } from '../dom.js';
import { allTags } from '../tags.js';
import { confirm, openForm, tellFailure } from './dialog.js';
import { downloadUrl } from './download.js';
import { openMenu } from './menu.js';
import { editSettings } from './settings.js';
import { editTags } from './tagdialog.js';

const FORMATS = { md: 'Markdown', json: 'JSON', jsonl: 'JSONL' };

export class Actions {
    #sessions;
    #on;

    /* on.open(id) to go to a conversation; on.removed(id) after one was
     * deleted; on.focus(id) when the focus has no place any more. */
    constructor(sessions, on) {
        this.#sessions = sessions;
        this.#on = on;
    }

    #title(id) {
        return this.#sessions.find(id)?.title ?? 'Temporary chat';
    }

    /* One that is not in the list is temporary: there is less to do with it. */
    menu(button, id) {
        const s = this.#sessions.find(id);
        const item = (icon, label, run) => ({ icon, label, run });
        const exports = { icon: 'save', label: 'Export',
            items: Object.entries(FORMATS).map(([format, label]) => ({
                label, wide: `Export as ${label}`,
                run: () => this.exportAs(id, format),
            })) };
        const settings = item('tune', 'Settings…', () => editSettings(id));
        const remove = { ...item('trash', 'Delete…', () => this.remove(id)),
            danger: true };
        openMenu(button, `“${this.#title(id)}”`, s ? [
            item('edit', 'Rename…', () => this.rename(id)),
            item('pin', s.pinned ? 'Unpin' : 'Pin', () => this.#change(id,
                { pinned: !s.pinned }, s.pinned ? 'Unpinned' : 'Pinned')),
            item('tag', 'Tags…', () => this.tags(id)),
            settings,
            item('copy', 'Copy to a new chat', () => this.fork(id)),
            exports, null,
            item('box', s.archived ? 'Take out of the archive' : 'Archive',
                () => this.#change(id, { archived: !s.archived },
                    s.archived ? 'Back in the list' : 'Archived')),
            remove,
        ] : [settings, exports, null, remove]);
    }

    async #change(id, fields, said) {
        try {
            await this.#sessions.change(id, fields);
            announce(said);
        } catch (e) {
            await tellFailure('This was not saved', e);
        }
        this.#on.focus(id);
    }

    async rename(id) {
        const title = this.#title(id);
        const input = el('input', { class: 'field', value: title,
            maxlength: '200', 'aria-label': 'Name', autocomplete: 'off' });
        const asked = openForm('Rename this conversation', 'Rename', input);
        input.select();
        const name = await asked && input.value.trim();
        if (name && name !== title)
            await this.#change(id, { title: name }, 'Renamed');
    }

    async tags(id) {
        const tags = await editTags(this.#title(id),
            this.#sessions.find(id)?.tags ?? [],
            allTags(this.#sessions.list));
        if (tags)
            await this.#change(id, { tags }, 'Tags saved');
    }

    async exportAs(id, format) {
        try {
            await downloadUrl(api.exportUrl(id, format));
        } catch (e) {
            tellFailure('This was not exported', e);
        }
    }

    async fork(id) {
        try {
            const copy = await api.forkSession(id);
            this.#sessions.touch(copy.session_id, copy.title);
            this.#sessions.told(copy);
            this.#on.open(copy.session_id);
            announce('This is the copy');
        } catch (e) {
            tellFailure('No copy was made', e);
        }
    }

    async remove(id) {
        const sure = await confirm({
            title: 'Delete this conversation?',
            text: `“${this.#title(id)}” and all its messages will be ` +
                'deleted. This cannot be undone.',
            action: 'Delete',
        });
        if (!sure)
            return;
        try {
            await this.#sessions.remove(id);
        } catch (e) {
            await tellFailure('It was not deleted', e);
            this.#on.focus(id);
            return;
        }
        announce('Conversation deleted');
        this.#on.removed(id);
    }
}
