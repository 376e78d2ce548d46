/* Temporary chats: held from the first moment, ended when they are left. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { offerAgain } from '../../../static/js/ending.js';
import { Temporary } from '../../../static/js/temporary.js';
import { unread } from '../../../static/js/unread.js';

function made() {
    const did = [];
    const temporary = new Temporary({
        store: { hold: (id) => did.push(`hold ${id}`) },
        sessions: { remove: async (id) => did.push(`remove ${id}`) },
        composer: { move: (id) => did.push(`move ${id}`) },
    });
    return { temporary, did };
}

test('its id is held before the draft is moved to it', () => {
    const { temporary, did } = made();
    temporary.toggle();
    assert.equal(temporary.on, true);
    const id = temporary.begin();
    assert.deepEqual(did, [`hold ${id}`, `move ${id}`]);
    assert.equal(temporary.begin(), id);
});

test('taken back, the draft belongs to an ordinary chat again', () => {
    const { temporary, did } = made();
    temporary.toggle();
    const id = temporary.begin();
    temporary.toggle();
    assert.equal(temporary.on, false);
    assert.equal(did.at(-1), 'move null');
    assert.notEqual(temporary.begin(), id);
});

test('leaving deletes one that was begun, and only that', () => {
    const { temporary, did } = made();
    temporary.leave('ordinary');
    assert.deepEqual(did, []);
    temporary.toggle();
    temporary.leave(null);
    assert.equal(temporary.on, false);
    assert.ok(!did.some((d) => d.startsWith('remove')), did.join());
    temporary.on = true;
    temporary.leave('t');
    assert.equal(did.at(-1), 'remove t');
    assert.equal(temporary.on, false);
});

/* ---- words in the place of what is not there ---- */

test('messages that are gone, and some that were not read', () => {
    const gone = unread({ status: 404 }, { retry() {}, remove() {} });
    assert.match(gone.text, /not on the server/);
    assert.equal(gone.actions[0].label, 'Remove from the list');
    assert.deepEqual(unread({ status: 404 }, { retry() {} }).actions, []);
    const failed = unread({ status: 503, message: 'Busy', waitMs: 5 },
        { retry() {} });
    assert.match(failed.text, /Busy\./);
    assert.equal(failed.waitMs, 5);
    assert.equal(failed.actions[0].label, 'Retry');
});

test('an old end offers to ask again, to look, or to go on', () => {
    const offered = (stored, text = '') => {
        let said = null;
        const asked = [];
        offerAgain({ text, say: (notice) => { said = notice; } }, stored,
            { question: 'q', ask: (t) => asked.push(t), look() {} });
        const labels = (said?.actions ?? []).map((a) => a.label);
        said?.actions.at(-1)?.run();
        return [labels.join(), asked.join()];
    };
    assert.deepEqual(offered({ role: 'user' }), ['Look again,Ask again', 'q']);
    assert.deepEqual(offered({ role: 'assistant', finish_reason: 'stop' }),
        ['', '']);
    assert.deepEqual(offered(
        { role: 'assistant', finish_reason: 'interrupted' }, 'half'),
    ['Continue,Retry', 'q']);
});
