/* Commands: what each of them says, in every form of answer and behind both
 * doors, what it does to its session, and that nothing of it is a message. The
 * provider is the offline one; commands_model.test.js has those that ask. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
    TIMESTAMP, UUID, ask, askEvents, assertError, call, messagesOf, newSession,
    postJson,
} from '../lib/client.js';
import { startParley } from '../lib/server.js';
import { assertWholeTurn, openEvents } from '../lib/sse.js';
import { until } from '../lib/wait.js';

const NAMES = ['help', 'clear', 'forget', 'summarize', 'analyze', 'translate',
    'setcontext', 'getcontext', 'clearcontext', 'history', 'title', 'model',
    'usage', 'search', 'export', 'files', 'tools'];
const CONTEXT = 'You are a baker in Lyon.';
const SAID = 'I love the old bridge in Prague.';

let parley;

/* POST /chat with a command; what every answer to one owes is checked. */
async function run(line, session_id = newSession(), more = {}) {
    const body = await ask(parley, { message: line, session_id, ...more });
    assert.equal(body.session_id, session_id);
    assert.match(body.turn_id, UUID);
    assert.match(body.timestamp, TIMESTAMP);
    assert.equal(body.message_id, null, 'it is no message');
    assert.equal(body.finish_reason, 'stop');
    assert.equal(typeof body.message, 'string');
    assert.ok(body.message.length > 0);
    assert.ok(['success', 'error'].includes(body.result.status));
    return body;
}

async function succeeds(line, session_id, more) {
    const body = await run(line, session_id, more);
    assert.equal(body.result.status, 'success', JSON.stringify(body.result));
    return body.result;
}

async function fails(line, code, session_id) {
    const body = await run(line, session_id);
    assert.equal(body.result.status, 'error', JSON.stringify(body.result));
    assert.equal(body.result.code, code);
    assert.equal(body.message, `${body.result.error}. ${body.result.message}`);
    assert.equal(body.provider, null);
    return body.result;
}

/* --- every command in every form ------------------------------------------ */

const form = (fields) => new URLSearchParams(fields).toString();
const POST_FORM = {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
};

async function fromEvents(reading) {
    const s = await reading;
    assert.equal(s.status, 200);
    const events = await s.all();
    assertWholeTurn(events);
    assert.deepEqual(events.map((e) => e.type),
        ['response_start', 'response_chunk', 'response_complete']);
    const [start, , end] = events.map((e) => e.data);
    assert.equal(start.message_id, null);
    assert.equal(start.model, null, 'no model is asked');
    assert.equal(start.provider, null);
    assert.equal(end.content, s.text());
    assert.equal(end.message, s.text());
    return end;
}

/* How a command can be sent and its answer be read: each gives the body of
 * POST /chat, or as much of it as there is. */
const FORMS = {
    'JSON': (fields) => ask(parley, fields),
    'a form': async (fields) => {
        const r = await call(parley, '/chat',
            { ...POST_FORM, body: form(fields) });
        assert.equal(r.status, 200, r.text);
        return r.body;
    },
    'events': (fields) => fromEvents(askEvents(parley, fields)),
    'GET /chat/stream': (fields) => fromEvents(
        openEvents(`${parley.url}/chat/stream?${form(fields)}`)),
    'plain text': async (fields) => {
        const r = await postJson(parley, '/chat', fields,
            { accept: 'text/plain' });
        assert.equal(r.status, 200, r.text);
        assert.match(r.headers.get('content-type'), /^text\/plain/);
        return { message: r.text };
    },
};

/* A session with a context and a pair of messages. */
async function prepared() {
    const session_id = newSession();
    await ask(parley, { message: SAID, session_id });
    await succeeds(`/setcontext text="${CONTEXT}"`, session_id);
    await succeeds('/title A bridge', session_id);
    return session_id;
}

/* line, what its result has beside the status, its conversation_length */
const ROWS = [
    ['/help', (r) => assert.deepEqual(
        r.commands.map((c) => c.name).sort(), NAMES.toSorted())],
    ['/clear', (r) => assert.match(r.message, /cleared/), 0],
    ['/forget', (r) => assert.match(r.message, /deleted/), 0],
    ['/summarize', (r) => assert.match(r.summary, /bridge/)],
    ['/analyze text="I love Prague. The food was awful."', (r) => {
        assert.match(r.analysis, /Prague/);
        assert.ok(['mixed', 'positive', 'negative', 'neutral']
            .includes(r.sentiment.label));
        assert.equal(typeof r.sentiment.score, 'number');
        assert.ok(r.key_points.length > 0);
        assert.ok(r.entities.some((e) => e.text === 'Prague'));
    }],
    ['/translate text="Good morning" target_language="Spanish"',
        (r) => assert.equal(r.code, 'needs_model')],
    ['/setcontext text="Be brief."',
        (r) => assert.equal(r.context, 'Be brief.')],
    ['/getcontext', (r) => assert.equal(r.context, CONTEXT)],
    ['/clearcontext', (r) => assert.match(r.message, /taken away/)],
    ['/history', (r) => {
        assert.deepEqual(r.messages.map((m) => m.role), ['user', 'assistant']);
        assert.equal(r.messages[0].content, SAID);
    }],
    ['/title', (r) => assert.equal(r.title, 'A bridge')],
    ['/model', (r) => {
        assert.equal(r.provider, 'offline');
        assert.equal(r.default, true);
    }],
    ['/usage', (r) => {
        assert.equal(r.messages, 2);
        assert.deepEqual(Object.keys(r.usage), ['input_tokens',
            'output_tokens', 'cached_tokens', 'cost_usd']);
    }],
    ['/search "no such words"', (r) => {
        assert.equal(r.query, 'no such words');
        assert.deepEqual(r.results, []);
    }],
    ['/export', (r) => {
        assert.equal(r.format, 'md');
        assert.match(r.filename, /^parley-.*\.md$/);
        assert.match(r.content, /^# A bridge\n/);
        assert.ok(r.content.includes(SAID));
    }],
    ['/files', (r) => assert.deepEqual(r.files, [])],
    ['/tools', (r) => assert.deepEqual(r.tools, [])],
];

/* What they say names their session, or depends on what others said. */
const OWN_WORDS = ['/history', '/summarize', '/search', '/export'];

/* Without what is another each time: the moments of messages, and the words of
 * the offline answer. */
function steady(value) {
    return JSON.parse(JSON.stringify(value, (name, v) =>
        name === 'timestamp' ? undefined : v));
}

async function everyForm([line, check, length = 2]) {
    let first;
    for (const [name, send] of Object.entries(FORMS)) {
        const session_id = await prepared();
        const before = await messagesOf(parley, session_id);
        const body = await send({ message: line, session_id });
        if (name !== 'plain text') {
            assert.equal(body.command, line.split(' ')[0].slice(1), name);
            assert.equal(body.conversation_length, length, name);
            assert.equal(body.provider, null, name);
            assert.equal(body.model, null, name);
            check(body.result);
        }
        first ??= body;
        if (!OWN_WORDS.includes(line.split(' ')[0]))
            assert.equal(body.message, first.message, name);
        if (length === 2)
            assert.deepEqual(await messagesOf(parley, session_id), before,
                `${name}: nothing of it is a message`);
    }
}

function everyCommand(door) {
    describe(`every command behind ${door}`, () => {
        before(async () => { parley = await startParley({ door }); });
        after(async () => { await parley?.stop(); });

        for (const row of ROWS)
            test(row[0].split(' ')[0], () => everyForm(row));

        test('the table is whole', () => {
            assert.deepEqual(ROWS.map((r) => /\w+/.exec(r[0])[0]), NAMES);
        });
    });
}

everyCommand('fastcgi');
everyCommand('lighttpd-cgi');

/* --- /search and /export --------------------------------------------------- */

/* Until all that was said can be found. */
const search = (line, session_id) => until('the index', async () => {
    const r = await succeeds(line, session_id);
    return r.complete && r;
});

describe('/search', () => {
    const QUERY_MAX = 10240;
    const one = newSession();
    const two = newSession();

    before(async () => {
        parley = await startParley();
        await ask(parley, { message: 'A heron by the river', session_id: one });
        await ask(parley, { message: 'A heron in a tree', session_id: two });
    });
    after(async () => { await parley?.stop(); });

    test('finds messages of all sessions, as GET /sessions?q= does',
        async () => {
            const r = await search('/search heron', one);
            assert.equal(r.query, 'heron');
            assert.equal(r.scope, 'all');
            const questions = r.results.filter((m) => m.role === 'user');
            assert.deepEqual(questions.map((m) => m.session_id).sort(),
                [one, two].sort());
            const { body } = await call(parley, '/sessions?q=heron');
            assert.deepEqual(r.results, body.sessions.flatMap((s) =>
                s.matches.map((m) => ({
                    session_id: s.session_id, title: s.title,
                    message_id: m.message_id, role: m.role,
                    timestamp: m.timestamp, snippet: m.snippet,
                }))));
            const { message } = await run('/search text="in a tree"', one);
            assert.match(message, /^Found:\n\n\*\*A heron in a tree\*\*\n/);
        });

    test('has a query of at most 10 KiB', async () => {
        await succeeds(`/search ${'a'.repeat(QUERY_MAX)}`);
        await fails(`/search ${'a'.repeat(QUERY_MAX + 1)}`, 'invalid_q');
        await fails('/search', 'missing_argument');
        await fails('/search text=" "', 'missing_argument');
    });

    test('stays within the session where the list is not shown', async () => {
        await parley.stopWeb();
        parley.settings.LIST_ANONYMOUS = 'none';
        await parley.start();
        const r = await search('/search heron', one);
        assert.equal(r.scope, 'session');
        assert.ok(r.results.length > 0);
        assert.ok(r.results.every((m) => m.session_id === one));
        const empty = await search('/search heron', newSession());
        assert.deepEqual(empty.results, []);
    });
});

describe('/export', () => {
    const CONTENT_MAX = 131072;

    before(async () => { parley = await startParley(); });
    after(async () => { await parley?.stop(); });

    for (const [line, format] of [['/export', 'md'], ['/export md', 'md'],
        ['/export format=json', 'json'], ['/export jsonl', 'jsonl'],
        ['/export markdown', 'md']])
        test(`${line}: what GET /sessions/{id}/export gives`, async () => {
            const session_id = newSession();
            await ask(parley, { message: SAID, session_id });
            const r = await succeeds(line, session_id);
            assert.equal(r.format, format);
            assert.equal(r.url,
                `sessions/${session_id}/export?format=${format}`);
            const file = await call(parley, `/${r.url}`);
            assert.equal(file.status, 200);
            assert.equal(r.content, file.text);
            assert.equal(file.headers.get('content-disposition'),
                `attachment; filename="${r.filename}"`);
        });

    test('a long one is given by its address alone', async () => {
        const session_id = newSession();
        await ask(parley, { message: `Long: ${'word '.repeat(30000)}`,
            session_id });
        const r = await succeeds('/export', session_id);
        assert.equal(r.content, undefined);
        const file = await call(parley, `/${r.url}`);
        assert.ok(file.text.length > CONTENT_MAX);
    });

    test('of nothing, and in no format that there is, says so', async () => {
        await fails('/export', 'nothing_to_export');
        await fails('/export format=pdf', 'invalid_argument');
        const session_id = newSession();
        await ask(parley, { message: SAID, session_id });
        await fails('/export format=pdf', 'invalid_argument', session_id);
    });
});

/* --- how a line is read ---------------------------------------------------- */

describe('a line that begins with a slash', () => {
    before(async () => { parley = await startParley(); });
    after(async () => { await parley?.stop(); });

    for (const [what, line, code] of [
        ['a slash alone', '/', 'unknown_command'],
        ['a slash and space', '/ help', 'unknown_command'],
        ['an unknown name', '/frobnicate now', 'unknown_command'],
        ['an emoji', '/🙂', 'unknown_command'],
        ['a name of 10,000 letters', `/${'a'.repeat(10000)}`,
            'unknown_command'],
        ['markup', '/<script>alert(1)</script>', 'unknown_command'],
        ['a missing quote', '/setcontext text="You are', 'missing_quote'],
        ['a missing quote in 100 kB', `/analyze text="${'x '.repeat(50000)}`,
            'missing_quote'],
        ['an argument given twice', '/title text="a" text="b"',
            'invalid_argument'],
        ['an unknown argument', '/analyze texte="a"', 'invalid_argument'],
        ['text for a command without', '/clear everything',
            'invalid_argument'],
        ['a limit that is no number', '/history all', 'invalid_argument'],
        ['a limit of nothing', '/history limit=0', 'invalid_argument'],
        ['a limit that is too high', '/history 101', 'invalid_argument'],
        ['no text', '/analyze', 'missing_argument'],
        ['a blank text', '/analyze text="  "', 'missing_argument'],
        ['no context', '/setcontext text=""', 'missing_argument'],
        ['no language', '/translate text="Hi"', 'missing_argument'],
        ['a blank language', '/translate text="Hi" target_language=""',
            'missing_argument'],
        ['a language of 81 letters',
            `/translate text="Hi" target_language=${'x'.repeat(81)}`,
            'too_long'],
        ['a title that is too long', `/title ${'t'.repeat(2000)}`,
            'too_long'],
    ])
        test(`${what} gets one clear answer: ${code}`, async () => {
            const result = await fails(line, code);
            assert.ok(result.error.length < 200);
            assert.ok(result.message.length < 300);
        });

    test('the parameter that is missing is named', async () => {
        assert.equal((await fails('/translate text="Hi"', 'missing_argument'))
            .error, 'Missing required parameter: target_language');
        assert.equal((await fails('/translate', 'missing_argument')).error,
            'Missing required parameter: text');
    });

    test('an unknown one is told by events and as text likewise', async () => {
        const s = await askEvents(parley, { message: '/nope' });
        const end = (await s.all()).at(-1);
        assert.equal(end.type, 'response_complete');
        assert.equal(end.data.command, 'nope');
        assert.equal(end.data.result.code, 'unknown_command');
        const r = await postJson(parley, '/chat', { message: '/nope' },
            { accept: 'text/plain' });
        assert.equal(r.status, 200);
        assert.equal(r.text, end.data.content);
    });

    test('/summarize takes a text, or a history that is given', async () => {
        const said = 'Ann came to Rome by train. She met Bob in Rome.';
        assert.match((await succeeds(`/summarize text="${said}"`)).summary,
            /Rome/);
        assert.match((await succeeds('/summarize', newSession(), {
            history: [{ role: 'user', content: said },
                { role: 'assistant', content: 'How nice of them.' }],
        })).summary, /Rome/);
        await fails('/summarize', 'nothing_to_summarize');
    });

    test('names in any case, and any space around', async () => {
        const session = newSession();
        for (const line of ['/SETCONTEXT TEXT="a b"', '/SetContext a b',
            '/setcontext\ttext=\'a b\'', '/setcontext\ntext="a b"\n',
            '/setcontext   a b  ', '/setcontext “a b”']) {
            const body = await run(line, session);
            assert.equal(body.command, 'setcontext', line);
            assert.equal(body.result.context, 'a b', line);
        }
    });

    test('an argument of 100 kB', async () => {
        const text = 'The harbour is calm. '.repeat(5000);
        const { key_points } = await succeeds(`/analyze text="${text}"`);
        assert.deepEqual(key_points, ['The harbour is calm.']);
        await fails(`/setcontext text="${text}"`, 'too_long');
    });

    test('two slashes are a text that begins with one', async () => {
        const session_id = newSession();
        for (const [line, text] of [['//help', '/help'], ['///', '//'],
            ['//', '/'], ['//etc/hosts is a file', '/etc/hosts is a file']]) {
            const body = await ask(parley, { message: line, session_id });
            assert.equal(body.command, undefined);
            assert.equal(body.result, undefined);
            assert.match(body.message_id, UUID);
            const stored = await messagesOf(parley, session_id);
            assert.equal(stored.at(-2).content, text);
        }
    });

    test('a slash behind something else is a message', async () => {
        for (const message of [' /help', 'a /help', '\n/help']) {
            const body = await ask(parley, { message });
            assert.equal(body.command, undefined, message);
        }
    });

    test('a NUL is refused', async () => {
        const r = await call(parley, '/chat', { ...POST_FORM,
            body: 'message=/setcontext%20a%00b' });
        assertError(r, 400);
    });
});
