/* What somebody sees who has just started Parley, without a key and without
 * files: questions about Parley are answered from its documents, images are
 * shown, what is not known is said so; and each answer says how to set a key.
 * Properties of answers, not their sentences: these are the README's. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ask, call, newSession } from '../lib/client.js';
import { namesOf, upload } from '../lib/files.js';
import { startParley } from '../lib/server.js';
import { until } from '../lib/wait.js';

const IMAGES = 9; /* samples; they are read after the documents */

let parley;

before(async () => {
    parley = await startParley({ env: { FILES_SAMPLES: 'on' } });
    await until('the samples to be indexed', async () =>
        (await call(parley, '/files?limit=500')).body.files
            .filter((f) => f.name.endsWith('.png')).length === IMAGES);
});
after(() => parley?.stop());

/* What is told before the line on keys, which must be the last one. */
async function told(message, session_id = newSession()) {
    const reply = await ask(parley, { message, session_id });
    const lines = reply.message.trimEnd().split('\n');
    const last = lines.pop();
    assert.match(last, /^\*No model is configured.*`OPENAI_API_KEY`.*\*$/);
    assert.equal(reply.message.split('No model is configured').length, 2);
    const text = lines.join('\n').trim();
    for (const { n } of reply.citations)
        assert.ok(text.includes(`[${n}]`), text);
    return { text, cited: namesOf(reply.citations) };
}

const TOPICS = /- Start\n- Providers\n/;

describe('questions about Parley', () => {
    for (const [question, ...parts] of [
        ['What is Parley?', /^Parley is a private AI chat/, TOPICS],
        ['was ist Parley?', /^Parley is a private AI chat/],
        ['How do I set a key?', /^\*\*Start\*\*/,
            /\n {4}echo 'OPENAI_API_KEY=/],
        ['wie setze ich einen Schlüssel?', /OPENAI_API_KEY=/],
        ['How do I use it with curl?', /^\*\*Use it with curl\*\*/,
            /\n {4}curl -d 'message=hello'/],
        ['Which providers are there?', /^\*\*Providers\*\*/,
            /\n- `openai`: .*\n- `anthropic`: .*\n- `gemini`: /],
        ['How do I install it on shared hosting?', /^\*\*On a server\*\*/,
            /\.htaccess/],
        ['how do I change the port', /^\*\*Settings\*\*/, /- `PORT`: .*8080/],
        ['can I use Claude?', /ANTHROPIC_API_KEY/],
        ['Where are conversations stored?', /^\*\*Your data\*\*/, /DATA_DIR/],
        ['does it support images?', /attachments/],
        ['how do I upload a file?', /curl -F file=@/],
        ['which file types can be indexed?', /PDF, DOCX/],
        ['how do I make a backup', /^\*\*Back up and check\*\*/],
        ['how do I turn off the samples', /FILES_SAMPLES=off/],
        ['how do I use websockets', /new WebSocket\(/],
        ['which commands are there?', /^\*\*Commands\*\*/],
        ['does it work with the openai python client?', /\/v1/],
    ])
        test(question, async () => {
            const { text, cited } = await told(question);
            for (const part of parts)
                assert.match(text, part);
            assert.ok(!/I found nothing/.test(text), text);
            for (const name of cited) /* nothing for developers */
                assert.equal(name, 'README.md', text);
        });

    test('cite the document that they are from', async () => {
        const { text, cited } = await told('Which providers are there?');
        assert.match(text, /^\*\*Providers\*\* \[\d+\]\n/);
        assert.deepEqual(cited, ['README.md']);
    });

    test('code stands on lines of its own', async () => {
        const { text } = await told('How do I use it with curl?');
        for (const line of text.split('\n').filter((l) => /curl -/.test(l)))
            assert.match(line, /^ {4}curl /);
    });
});

describe('images', () => {
    test('all that fit are listed, and a follow-up chooses', async () => {
        const session = newSession();
        const first = await told('show me beach pictures', session);
        assert.deepEqual(first.cited, ['beach-day.png', 'beach-sunset.png']);
        for (const name of first.cited)
            assert.match(first.text,
                new RegExp(`^- \\*\\*${name}\\*\\* \\[\\d+\\]: [A-Z]`, 'm'));
        const next = await told('the sunset ones', session);
        assert.deepEqual(next.cited, ['beach-sunset.png']);
    });

    test('all there are, and a follow-up chooses', async () => {
        const session = newSession();
        const first = await told('What photos do I have?', session);
        assert.equal(first.cited.length, IMAGES);
        const next = await told('only those at night', session);
        assert.deepEqual(next.cited, ['city-night.png', 'winter-cabin.png']);
    });

    test('by what they show, without a word for images', async () => {
        const { cited } = await told('the mountain lake');
        assert.deepEqual(cited, ['mountain-lake.png']);
    });

    test('that are not there are not made up', async () => {
        for (const message of ['can I see a picture of a dog?',
            'zeig mir Bilder von Quasaren']) {
            const { text, cited } = await told(message);
            assert.match(text, /^I found no image of that\./);
            assert.deepEqual(cited, []);
        }
    });
});

test('what nobody wrote down is not answered', async () => {
    for (const message of ['What is the capital of France?',
        'What is the weather today?', 'who invented the telephone',
        'xyzzy plugh']) {
        const { text, cited } = await told(message);
        assert.match(text, /^I found nothing about that/, message);
        assert.match(text, TOPICS);
        assert.deepEqual(cited, []);
    }
});

test('small talk is short', async () => {
    for (const [message, most] of [['hello', 300], ['hi, how are you?', 300],
        ['thanks!', 30], ['ok', 30], ['bye', 30], ['guten Morgen', 300]]) {
        const { text } = await told(message);
        assert.ok(text.length > 0 && text.length <= most, `${message}: ${text}`);
    }
});

/* The last one: from here on there are no samples. */
test('one\'s own files take the samples\' place, not the documents\'',
    async () => {
        await upload(parley, { 'beach.md': '# Beach\n\nAt the beach of ' +
            'Balmedie dogs run free:\n\n```sh\ndog --run\ndog --stop\n```\n' });
        const { text, cited } = await told('what is at the beach?');
        assert.deepEqual(cited, ['beach.md']);
        assert.match(text, /```\ndog --run\ndog --stop\n```/);
        const parleys = await told('Which providers are there?');
        assert.match(parleys.text, /^\*\*Providers\*\*\n/);
        const nothing = await told('who painted the night watch');
        assert.match(nothing.text, /nothing about that in your files, nor in/);
        const image = await told('show me beach pictures');
        assert.deepEqual(image.cited.filter((n) => n.endsWith('.png')), []);
    });
