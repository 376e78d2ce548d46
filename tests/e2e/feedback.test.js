/* What users think of messages: kept with them, and told with them. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ask, assertError, call, messagesOf, postJson }
    from '../lib/client.js';
import { startParley } from '../lib/server.js';

let parley;
let session;
let question;
let answer;

before(async () => {
    parley = await startParley();
    const body = await ask(parley, { message: 'hello' });
    session = body.session_id;
    [question, answer] = await messagesOf(parley, session);
    assert.equal(answer.id, body.message_id);
});
after(() => parley?.stop());

const rate = (id, body) => postJson(parley, `/messages/${id}/feedback`, body);
const stored = async () => (await messagesOf(parley, session))[1].feedback;

test('a rating and a comment are kept with the message', async () => {
    assert.equal(await stored(), undefined);
    const r = await rate(answer.id, { rating: 1, comment: 'Très bien 👍' });
    assert.equal(r.status, 200, r.text);
    assert.equal(r.body.rating, 1);
    assert.deepEqual(await stored(), r.body);
    assert.equal(r.body.comment, 'Très bien 👍');
    assert.match(r.body.timestamp, /^\d{4}-.*Z$/);
    assert.equal((await messagesOf(parley, session))[1].content,
        answer.content, 'nothing else changed');
});

test('it can be changed and taken back', async () => {
    await rate(answer.id, { rating: -1 });
    assert.equal((await stored()).rating, -1);
    assert.equal((await stored()).comment, '');
    await rate(answer.id, { rating: 0 });
    assert.equal(await stored(), undefined);
});

test('a question can be rated, too, and its session be named', async () => {
    assert.equal((await rate(question.id,
        { rating: 1, session_id: session })).status, 200);
    assert.equal((await messagesOf(parley, session))[0].feedback.rating, 1);
});

test('what is wrong is told', async () => {
    for (const [body, code] of [
        [{}, 'missing_rating'], [{ rating: 2 }, 'invalid_parameter'],
        [{ rating: 'good' }, 'invalid_parameter'], [[], 'invalid_json'],
        [{ rating: 1, comment: 'x'.repeat(2001) }, 'invalid_comment'],
    ])
        assertError(await rate(answer.id, body), 400, code);
    assert.equal((await rate(answer.id,
        { rating: 1, comment: 'x'.repeat(2000) })).status, 200);
    for (const id of ['nothing', '01a1ff22-94c5-7003-87bc-48d1abcaa005'])
        assertError(await rate(id, { rating: 1 }), 404, 'message_not_found');
    assertError(await rate(answer.id, { rating: 1, session_id: 'other' }),
        404, 'message_not_found');
    assertError(await call(parley, `/messages/${answer.id}/feedback`), 405);
});
