/* The state of an answer, from the events of its stream. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
    applyEvent, isFinal, newAnswer, parseEventId,
} from '../../../static/js/answer.js';

const start = { type: 'response_start', message_id: 'm', model: 'x' };
const chunk = (content) => ({ type: 'response_chunk', content });
const complete = { type: 'response_complete', content: 'Hello', usage: {} };

test('chunks add up, and the end brings the whole', () => {
    const a = newAnswer();
    assert.equal(applyEvent(a, 1, start), 'new');
    assert.equal(a.status, 'waiting');
    applyEvent(a, 2, chunk('Hel'));
    applyEvent(a, 3, chunk('lo'));
    assert.equal(a.status, 'streaming');
    assert.equal(a.text, 'Hello');
    assert.equal(isFinal(a), false);
    applyEvent(a, 4, complete);
    assert.equal(a.status, 'complete');
    assert.equal(a.text, 'Hello');
    assert.equal(a.info.message_id, 'm');
    assert.deepEqual(a.info.usage, {});
});

test('an event that was seen changes nothing', () => {
    const a = newAnswer();
    applyEvent(a, 1, start);
    applyEvent(a, 2, chunk('Hel'));
    assert.equal(applyEvent(a, 2, chunk('Hel')), 'old');
    assert.equal(applyEvent(a, 1, start), 'old');
    assert.equal(a.text, 'Hel');
});

test('a missing event is noticed and nothing is taken', () => {
    const a = newAnswer();
    applyEvent(a, 1, start);
    assert.equal(applyEvent(a, 3, chunk('lo')), 'gap');
    assert.equal(a.text, '');
    assert.equal(a.seq, 1);
});

test('the end has all of the text: before it nothing is missing', () => {
    const a = newAnswer();
    applyEvent(a, 1, start);
    applyEvent(a, 2, chunk('Hel'));
    assert.equal(applyEvent(a, 9, complete), 'new');
    assert.equal(a.text, 'Hello');
    assert.equal(a.status, 'complete');
});

test('unknown events count and do nothing else', () => {
    const a = newAnswer();
    assert.equal(applyEvent(a, 1, { type: 'of_tomorrow' }), 'new');
    assert.equal(a.status, 'waiting');
    assert.equal(a.seq, 1);
});

test('an error keeps the text so far and says what and whether to retry',
    () => {
        const a = newAnswer();
        applyEvent(a, 1, chunk('Half'));
        applyEvent(a, 2, {
            type: 'error', code: 'interrupted', message: 'Gone',
            retryable: true,
        });
        assert.equal(a.status, 'error');
        assert.equal(a.text, 'Half');
        assert.deepEqual(a.error, { code: 'interrupted', message: 'Gone',
            hint: '', retryable: true });
    });

test('an error in two sentences is what happened and what to do', () => {
    const a = newAnswer();
    applyEvent(a, 1, { type: 'error', code: 'c', error: 'It broke',
        message: 'Mend it', retryable: false });
    assert.deepEqual(a.error, { code: 'c', message: 'It broke',
        hint: 'Mend it', retryable: false });
});

test('nothing follows the end', () => {
    const a = newAnswer();
    applyEvent(a, 1, { type: 'response_cancelled', content: 'Ha' });
    assert.equal(applyEvent(a, 2, chunk('lo')), 'old');
    assert.equal(a.text, 'Ha');
    assert.equal(a.status, 'cancelled');
});

test('a tool call and its result are one entry', () => {
    const a = newAnswer();
    applyEvent(a, 1, { type: 'tool_call', id: 'c', name: 'f', arguments: {} });
    applyEvent(a, 2, { type: 'tool_result', id: 'c', ok: true, content: '1' });
    assert.equal(a.tools.length, 1);
    assert.equal(a.tools[0].name, 'f');
    assert.equal(a.tools[0].ok, true);
    assert.equal(a.tools[0].content, '1');
});

test('event ids', () => {
    assert.deepEqual(parseEventId('a-b.c.12'), { turn: 'a-b.c', seq: 12 });
    for (const bad of ['', undefined, '12', 'a.', '.1', 'a.x', 'a.-1'])
        assert.equal(parseEventId(bad), null, String(bad));
});
