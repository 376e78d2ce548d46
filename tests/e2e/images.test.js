/* Images with a message: on each provider's wire they arrive byte for byte, in
 * the shape that the wire has for them; a model that sees none is not asked,
 * and the client is told why. */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { ask, askEvents, assertError, messagesOf, metric, newSession, postJson }
    from '../lib/client.js';
import { lastMessage, startReplay, whole } from '../lib/replay.js';
import { startParley } from '../lib/server.js';
import { allWires, unhinted, WIRES } from '../lib/wires.js';

/* The first bytes of each kind; of the rest nobody asks. */
const MAGIC = {
    'image/png': [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
    'image/jpeg': [0xff, 0xd8, 0xff, 0xe0],
    'image/gif': [...Buffer.from('GIF89a')],
    'image/webp': [...Buffer.from('RIFF0000WEBP')],
};

function image(media_type, bytes = 333) {
    return { media_type, data: Buffer.concat([Buffer.from(MAGIC[media_type]),
        randomBytes(bytes)]).toString('base64') };
}

const ALL = Object.keys(MAGIC).map((type) => image(type));

const openaiParts = (text, images) => [{ type: 'text', text },
    ...images.map(({ media_type, data }) => ({ type: 'image_url',
        image_url: { url: `data:${media_type};base64,${data}` } }))];
const claudeParts = (text, images) => [{ type: 'text', text },
    ...images.map(({ media_type, data }) => ({ type: 'image',
        source: { type: 'base64', media_type, data } }))];

/* model: one that sees; user: the message as the wire has it; claude: what
 * Bedrock's other API takes is Anthropic's. */
const SHAPES = {
    openai: { model: 'gpt-4o', user: (text, images) =>
        ({ role: 'user', content: openaiParts(text, images) }) },
    huggingface: { model: 'someone/sees', user: (text, images) =>
        ({ role: 'user', content: openaiParts(text, images) }) },
    anthropic: { model: 'claude-sonnet-5-5', user: (text, images) =>
        ({ role: 'user', content: claudeParts(text, images) }) },
    gemini: { model: 'gemini-3.5-flash', user: (text, images) =>
        ({ role: 'user', parts: [{ text }, ...images.map((i) => ({
            inlineData: { mimeType: i.media_type, data: i.data } }))] }) },
    ollama: { model: 'llava', user: (text, images) =>
        ({ role: 'user', content: text, images: images.map((i) => i.data) }) },
    bedrock: { model: 'amazon.nova-lite-v1:0', user: (text, images) =>
        ({ role: 'user', content: [{ text }, ...images.map((i) => ({
            image: { format: i.media_type.slice('image/'.length),
                source: { bytes: i.data } } }))] }) },
};

let replay;
let parley;

before(async () => {
    replay = await startReplay(whole(WIRES.openai.answer('I see.')));
    parley = await startParley({ env: {
        ...allWires(replay.port), AI_PROVIDER: 'openai', AI_MODEL: 'gpt-4',
        AI_FALLBACK: 'none', UPSTREAM_RETRIES: '0',
    } });
});
after(async () => {
    await parley?.stop();
    await replay?.stop();
});

describe('an image arrives', () => {
    for (const [provider, { model, user }] of Object.entries(SHAPES))
        test(`on the wire of ${provider}`, async () => {
            const word = `look ${provider}`;
            replay.on(word, whole(WIRES[provider].answer('I see.')));
            const body = await ask(parley, { message: word, provider, model,
                attachments: ALL });
            assert.equal(body.message, 'I see.');
            assert.equal(body.provider, provider);
            assert.deepEqual(body.notes, []);
            const [request, ...more] = replay.about(word);
            assert.deepEqual(more, []);
            const { messages, contents } = request.body;
            assert.deepEqual(unhinted((messages ?? contents).at(-1)),
                user(word, ALL));
        });

    test('on Bedrock\'s other API, in Anthropic\'s shape', async () => {
        const other = await startParley({ env: {
            ...WIRES.bedrock.env(replay.port), AI_PROVIDER: 'bedrock',
            BEDROCK_API: 'invoke', AI_FALLBACK: 'none',
        } });
        try {
            const word = 'look invoke';
            await postJson(other, '/chat',
                { message: word, attachments: ALL });
            const [{ path, body }] = replay.about(word);
            assert.match(path, /\/model\/.*claude.*\/invoke/);
            assert.deepEqual(unhinted(body.messages.at(-1)),
                { role: 'user', content: claudeParts(word, ALL) });
        } finally {
            await other.stop();
        }
    });

    test('a large one as well, unchanged, and streamed', async () => {
        const word = 'look closely';
        const large = [image('image/jpeg', 5 * 1024 * 1024)];
        const s = await askEvents(parley, { message: word, model: 'gpt-4o',
            attachments: large });
        assert.equal((await s.all()).at(-1).type, 'response_complete');
        const [request] = replay.about(word);
        assert.ok(request.body.messages.at(-1).content[1].image_url.url ===
            `data:image/jpeg;base64,${large[0].data}`);
    });

    test('with the message that it came with, and no later one', async () => {
        const session_id = newSession();
        await ask(parley, { message: 'look once', session_id, model: 'gpt-4o',
            attachments: [ALL[0]] });
        await ask(parley, { message: 'and then', session_id,
            model: 'gpt-4o' });
        const { messages } = replay.about('and then')[0].body;
        assert.equal(lastMessage({ body: { messages: [messages[0]] } }),
            'look once');
        assert.doesNotMatch(JSON.stringify(messages), /base64/);
        const [asked] = await messagesOf(parley, session_id);
        assert.equal(asked.content, 'look once');
    });
});

describe('a model that sees no images', () => {
    const blind = { openai: 'gpt-4', bedrock: 'amazon.nova-micro-v1:0',
        huggingface: 'openai/gpt-oss-20b' };

    for (const [provider, model] of Object.entries(blind))
        test(`${provider}/${model} is not asked`, async () => {
            const before = await metric(parley,
                'parley_upstream_requests_total');
            const message = `blind ${provider}`;
            const r = await postJson(parley, '/chat', { message, provider,
                model, attachments: [ALL[0]] });
            assertError(r, 422, 'image_not_supported');
            assert.match(r.body.message, /image/);
            assert.equal(replay.about(message).length, 0);
            assert.equal(await metric(parley,
                'parley_upstream_requests_total'), before);
            assert.equal((await postJson(parley, '/chat', { message, provider,
                model })).status, provider === 'bedrock' ? 502 : 200);
        });

    test('a stream says so as well', async () => {
        const s = await askEvents(parley, { message: 'blind stream',
            attachments: [ALL[0]] });
        const last = (await s.all()).at(-1);
        assert.equal(last.type, 'error');
        assert.equal(last.data.code, 'image_not_supported');
        assert.equal(last.data.retryable, false);
        assert.equal(s.text(), '');
    });

    test('one of the chain that sees answers instead', async () => {
        const chain = await startParley({ env: {
            ...allWires(replay.port), AI_PROVIDER: 'openai', AI_MODEL: 'gpt-4',
            AI_FALLBACK: 'bedrock/amazon.nova-micro-v1:0, openai/gpt-4o',
        } });
        try {
            const body = await ask(chain, { message: 'who sees',
                attachments: [ALL[0]] });
            assert.equal(body.message, 'I see.');
            assert.deepEqual(replay.about('who sees').map((r) => r.body.model),
                ['gpt-4o']);
            assert.equal(body.notes.length, 2);
            for (const note of body.notes) {
                assert.equal(note.code, 'fallback');
                assert.match(note.message, /image_not_supported/);
            }
        } finally {
            await chain.stop();
        }
    });

    test('the offline one answers without it, and notes that', async () => {
        const body = await ask(parley, { message: 'blind offline',
            provider: 'offline', attachments: [ALL[0]] });
        assert.equal(body.provider, 'offline');
        assert.deepEqual(body.notes.map((n) => n.code), ['image_ignored']);
    });
});

test('what is no image is refused before anybody is asked', async () => {
    const wrong = {
        'another type': { ...ALL[0], media_type: 'image/jpeg' },
        'a type of none': { ...ALL[0], media_type: 'application/pdf' },
        'broken base64': { ...ALL[0], data: `${ALL[0].data}!` },
        'no data': { media_type: 'image/png' },
    };
    for (const [word, attachment] of Object.entries(wrong)) {
        assertError(await postJson(parley, '/chat', { message: word,
            model: 'gpt-4o', attachments: [attachment] }), 400);
        assert.equal(replay.about(word).length, 0);
    }
});
