/* What is sent when the settings of a conversation are saved. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changedFields, daysUntil, modelNames }
    from '../../../static/js/later/settings.js';

const DAY = 24 * 60 * 60 * 1000;
const NOW = Date.UTC(2024, 4, 1);
const at = (days) => new Date(NOW + days * DAY).toISOString();
const session = { context: 'Be brief.', model: 'a/b', expires_at: null };
const form = { context: 'Be brief.', model: 'a/b', days: '' };
const changed = (s, f) =>
    changedFields({ ...session, ...s }, { ...form, ...f }, NOW);

test('what was not touched is not sent', () => {
    assert.deepEqual(changed({}, {}), {});
    assert.deepEqual(changed({ model: null }, { model: '' }), {});
    assert.deepEqual(changed({ expires_at: at(7) }, { days: '7' }), {});
    assert.deepEqual(changed({ expires_at: at(6.2) }, { days: '7' }), {});
});

test('each field for itself; empty takes it back', () => {
    assert.deepEqual(changed({}, { context: ' Be kind.\n' }),
        { context: 'Be kind.' });
    assert.deepEqual(changed({}, { context: '' }), { context: '' });
    assert.deepEqual(changed({}, { model: '' }), { model: null });
    assert.deepEqual(changed({}, { days: '30' }), { expires_at: at(30) });
    assert.deepEqual(changed({ expires_at: at(7) }, { days: '' }),
        { expires_at: null });
});

test('days are counted in whole ones, at least one', () => {
    assert.equal(daysUntil(null, NOW), '');
    assert.equal(daysUntil(at(0.1), NOW), 1);
    assert.equal(daysUntil(at(-3), NOW), 1);
    assert.equal(daysUntil(at(1.5), NOW), 2);
});

test('a model is offered once, with the name of its provider', () => {
    assert.deepEqual(modelNames([{ id: 'p/m' }, { id: 'm' }, { id: 'q/n' }]),
        ['p/m', 'q/n']);
    assert.deepEqual(modelNames([{ id: 'm' }]), ['m']);
    assert.deepEqual(modelNames([]), []);
});
