/* The settings of one conversation: what the model is told beforehand, which
 * model is asked, and when the conversation is deleted. */

import { announce } from '../announce.js';
import * as api from '../api.js';
import { el } from '../dom.js';
import { openForm, tellFailure } from './dialog.js';

const DAY_MS = 24 * 60 * 60 * 1000;

/* Pure: whole days until a time, at least one; '' for never. */
export function daysUntil(time, nowMs) {
    return time ? Math.max(1, Math.ceil((Date.parse(time) - nowMs) / DAY_MS))
        : '';
}

/* Pure: the fields of a session that change; days: what stands in the form. */
export function changedFields(session, { context, model, days }, nowMs) {
    const fields = {};
    if (context.trim() !== session.context.trim())
        fields.context = context.trim();
    if (model !== (session.model ?? ''))
        fields.model = model || null;
    if (String(days) !== String(daysUntil(session.expires_at, nowMs)))
        fields.expires_at = Number(days) > 0
            ? new Date(nowMs + days * DAY_MS).toISOString() : null;
    return fields;
}

/* Pure: the names to choose from, each once: those with a provider's name. */
export function modelNames(models) {
    const names = models.map((m) => m.id);
    const whole = names.filter((n) => n.includes('/'));
    return whole.length > 0 ? whole : names;
}

const labelled = (label, hint, input) => el('label', { class: 'labelled' },
    label, input, hint ? el('span', { class: 'hint' }, hint) : null);

/* Asks for the settings and saves them. */
export async function editSettings(id) {
    let session;
    let names;
    try {
        [session, names] = await Promise.all([api.getSession(id),
            api.listModels().then((r) => modelNames(r.data ?? []), () => [])]);
    } catch (e) {
        await tellFailure('The settings were not loaded', e);
        return;
    }
    session.context ??= '';
    const context = el('textarea', { class: 'field', rows: '5' },
        session.context);
    const model = el('input', { class: 'field', list: 'models',
        placeholder: 'As the server chooses', autocomplete: 'off',
        value: session.model ?? '' });
    const days = el('input', { class: 'field short', type: 'number', min: '1',
        max: '3650', step: '1', placeholder: 'never',
        value: daysUntil(session.expires_at, Date.now()) });
    const fields = [
        labelled('Context', 'Told to the model before each question.',
            context),
        labelled('Model', '', model),
        el('datalist', { id: 'models' },
            ...names.map((value) => el('option', { value }))),
        labelled('Delete after … days', 'Counted from today.', days),
    ];
    while (await openForm('Settings of this conversation', 'Save', ...fields)) {
        const changes = changedFields(session, { context: context.value,
            model: model.value.trim(), days: days.value }, Date.now());
        try {
            if (Object.keys(changes).length > 0)
                await api.patchSession(id, changes);
            announce('Settings saved');
            return;
        } catch (e) {
            await tellFailure('The settings were not saved', e);
        }
    }
}
