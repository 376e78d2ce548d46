/* parley chat in pipes, over SSE and over WebSocket: the same texts, the same
 * ends, and not a character lost or doubled when the connection breaks. */

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { after, before, describe, test } from 'node:test';
import { allMessagesOf, messagesOf, newSession } from '../lib/client.js';
import { replyEvents, replyWire, SSE_HEAD } from '../lib/openai_bytes.js';
import { newHome, runChat, startChat } from '../lib/parley_chat.js';
import { tearingProxy } from '../lib/raw.js';
import { hold, paced, startReplay, status, whole } from '../lib/replay.js';
import { freePort, startParley } from '../lib/server.js';
import { makeCertificates } from '../lib/tls_provider.js';
import { until } from '../lib/wait.js';

/* A line each, with characters of two, three and four bytes. */
const PIECES = Array.from({ length: 60 }, (_, i) => `${i} é € 𝄞${'\n '[i % 2]}`);
const TEXT = PIECES.join('');
const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4' +
    'nGNgYGBgAAAABQABpfZFQAAAAABJRU5ErkJggg==', 'base64');

let replay;
let parley;

before(async () => {
    replay = await startReplay(whole(replyWire(['Hello', ' there.'])));
    parley = await startParley({ env: replay.env() });
});
after(async () => {
    await parley?.stop();
    await replay?.stop();
});

const address = (kind, url = parley.url) =>
    kind === 'ws' ? url.replace('http', 'ws') : url;

for (const kind of ['http', 'ws']) {
    const at = (port) => ['--url', port === undefined ? address(kind)
        : address(kind, `http://127.0.0.1:${port}`)];

    describe(`parley chat over ${kind}`, () => {
        test('asks once: of its input, or of its arguments', async () => {
            const session = newSession();
            for (const [args, input, said] of [
                [[], 'from a pipe\n', 'from a pipe\n'],
                [['two', 'words'], undefined, 'two words'],
                [['about', '-'], 'this', 'about\n\nthis'],
                [['--', '--once'], undefined, '--once'],
            ]) {
                const r = await runChat([...at(), '--session', session,
                    '--once', ...args], { input });
                assert.equal(r.err, '');
                assert.equal(r.out, 'Hello there.\n');
                assert.equal(r.code, 0);
                const stored = await messagesOf(parley, session);
                assert.equal(stored.at(-2).content, said);
            }
        });

        test('the address may come from the environment', async () => {
            for (const name of ['PARLEY_URL', 'BEDROCK_WS_ENDPOINT']) {
                const r = await runChat(['--once', 'hi'],
                    { env: { [name]: at()[1] } });
                assert.equal(r.out, 'Hello there.\n');
            }
        });

        test('lines of a pipe are messages and commands', async () => {
            const session = newSession();
            const r = await runChat([...at(), '--session', session], {
                input: 'first\n/history\n/clear\n/ping\n/history\n' +
                    '/setcontext text="be brief"\n/quit\nnever said\n',
            });
            assert.equal(r.code, 0, r.err);
            assert.match(r.out, new RegExp('^Hello there\\.\n' +
                'You: first\nAssistant: Hello there\\.\n\\S'));
            assert.match(r.err, /^parley: the conversation is empty now\n/);
            assert.match(r.err, /\nparley: the server answered in \d+ ms\n$/);
            assert.deepEqual(await messagesOf(parley, session), []);
        });

        test('--demo says some things', async () => {
            const r = await runChat([...at(), '--demo']);
            assert.equal(r.code, 0, r.err);
            assert.equal(r.out.match(/^Assistant: Hello there\.$/gm).length,
                4, r.out);
        });

        test('errors are one line and a status', async () => {
            replay.on('refuse me', status(400, {},
                { error: { message: 'no such thing', type: 'invalid' } }));
            const refused = await runChat([...at(), '--once', 'refuse me']);
            assert.equal(refused.code, 1);
            assert.equal(refused.out, '');
            assert.match(refused.err, /^parley: [^\n]+\n$/);

            const unknown = await runChat([...at(), '--once', '/nonsense']);
            assert.equal(unknown.code, 1);
            assert.match(unknown.out, /nonsense/);

            const port = await freePort();
            const nobody = await runChat([...at(port), '--once', 'hi']);
            assert.equal(nobody.code, 3);
            assert.match(nobody.err, /^parley: Cannot connect to [^\n]+\n$/);

            const blank = await runChat([...at(), '--once'], { input: ' \n' });
            assert.equal(blank.code, 2);
            const bad = await runChat([...at(), '--session', 'a b', '--once',
                'x']);
            assert.equal(bad.code, 2);
            assert.match(bad.err, /^parley: A session is named by [^\n]+\n$/);
            const binary = await runChat([...at(), '--once'],
                { input: Buffer.from([0xff, 0xfe, 0x41]) });
            assert.equal(binary.code, 2);
        });

        test('a server of another kind is named as such', async () => {
            const server = createServer((rq, rs) => rs.end('<html>hi</html>'));
            await new Promise((resolve) => server.listen(0, '127.0.0.1',
                resolve));
            try {
                const r = await runChat([...at(server.address().port),
                    '--once', 'hi']);
                assert.equal(r.code, 3, r.err);
                assert.match(r.err, /^parley: [^\n]+\n$/);
            } finally {
                server.close();
            }
        });

        test('a torn connection is mended without a trace', async () => {
            const word = `tear ${kind}`;
            const session = newSession();
            const proxy = await tearingProxy(parley.port);
            replay.on(word, paced(replyEvents(PIECES), 15));
            const asked = replay.requests.length;
            const chat = startChat([...at(proxy.port), '--session', session,
                '--once', word]);
            try {
                for (const i of [3, 20, 40]) {
                    await chat.says(`${i} é`);
                    proxy.tear();
                }
                await chat.ended;
            } finally {
                await proxy.stop();
            }
            assert.equal(chat.err, '');
            assert.equal(chat.code, 0);
            assert.equal(chat.out, `${TEXT}\n`);
            assert.ok(proxy.connections >= 4);
            assert.equal(replay.requests.length, asked + 1, 'asked once');
            assert.equal((await allMessagesOf(parley, session)).length, 2);
        });

        test('a question whose answer never began is asked once', async () => {
            const word = `wait ${kind}`;
            const session = newSession();
            const proxy = await tearingProxy(parley.port);
            const script = hold('');
            replay.on(word, script);
            const asked = replay.requests.length;
            const chat = startChat([...at(proxy.port), '--session', session,
                '--once', word]);
            try {
                await script.started;
                const before = proxy.connections;
                proxy.tear();
                await until('the client to be back',
                    () => proxy.connections > before);
                script.release(replyWire(['late']));
                await chat.ended;
            } finally {
                await proxy.stop();
            }
            assert.equal(chat.out, 'late\n', chat.err);
            assert.equal(replay.requests.length, asked + 1);
            assert.equal((await allMessagesOf(parley, session)).length, 2);
        });

        test('Ctrl-C stops the answer at the server, too', async () => {
            const word = `stop ${kind}`;
            const session = newSession();
            replay.on(word, paced(replyEvents(Array(20).fill(PIECES).flat()),
                50));
            const chat = startChat([...at(), '--session', session, '--once',
                word]);
            await chat.says('3 é');
            chat.child.kill('SIGINT');
            await chat.ended;
            assert.equal(chat.code, 130);
            const [, answer] = await messagesOf(parley, session);
            assert.equal(answer.finish_reason, 'cancelled');
            assert.equal(chat.out.trimEnd(), answer.content.trimEnd());
            assert.match(chat.err, /^parley: the answer was stopped\n$/);
        });

        test('a connection that ended at the prompt is nobody\'s concern',
            async () => {
                const proxy = await tearingProxy(parley.port);
                const chat = startChat(at(proxy.port), { open: true });
                try {
                    chat.line('one');
                    await chat.says('there.\n');
                    proxy.tear();
                    chat.line('two');
                    await chat.says('there.\nHello there.\n');
                    chat.end();
                    await chat.ended;
                } finally {
                    await proxy.stop();
                }
                assert.equal(chat.code, 0);
                assert.equal(chat.err, '');
            });

        test('a reader who leaves ends it, and the answer goes on', async () => {
            const word = `leave ${kind}`;
            const session = newSession();
            replay.on(word, paced(replyEvents(PIECES), 10));
            const chat = startChat([...at(), '--session', session, '--once',
                word]);
            await chat.says('1 é');
            chat.child.stdout.destroy();
            await chat.ended;
            assert.equal(chat.code, 141);
            assert.equal(chat.err, '');
            const answer = await until('the answer to be whole', async () =>
                (await messagesOf(parley, session))[1]);
            assert.equal(answer.content, TEXT);
        });

        test('images and texts go with the first message', async () => {
            const session = newSession();
            const folder = newHome();
            fs.writeFileSync(path.join(folder, 'a.png'), PNG);
            fs.writeFileSync(path.join(folder, 'b.txt'), 'some ``` text');
            fs.writeFileSync(path.join(folder, 'c.bin'),
                Buffer.from([1, 0, 2]));
            const r = await runChat([...at(), '--session', session, '--once',
                '--file', 'a.png', '--file=b.txt', 'look'], { cwd: folder });
            assert.equal(r.out, 'Hello there.\n', r.err);
            const { body } = replay.requests.at(-1);
            const { content } = body.messages.at(-1);
            assert.equal(content[0].text,
                'look\n\nb.txt:\n````\nsome ``` text\n````\n');
            assert.match(content[1].image_url.url,
                /^data:image\/png;base64,iVBORw0KGgo/);
            for (const file of ['c.bin', 'none']) {
                const bad = await runChat([...at(), '--once', '--file', file,
                    'look'], { cwd: folder });
                assert.equal(bad.code, 2);
                assert.match(bad.err, new RegExp(`^parley: ${file}: `));
            }
        });

        test('--model and --context are asked for', async () => {
            const r = await runChat([...at(), '--once', '--model', 'other-2',
                '--provider', 'openai', '--context', 'You are a parrot.',
                'hi']);
            assert.equal(r.out, 'Hello there.\n', r.err);
            const { body } = replay.requests.at(-1);
            assert.equal(body.model, 'other-2');
            assert.match(JSON.stringify(body.messages), /You are a parrot\./);
        });

        test('a server that is killed in an answer is waited for', async () => {
            const word = `die ${kind}`;
            const session = newSession();
            const script = hold(SSE_HEAD +
                replyEvents(['Seen ', 'text ']).slice(0, 3).join(''));
            replay.on(word, script, whole(replyWire(['again'])));
            const chat = startChat([...at(), '--session', session, '--once',
                word]);
            await chat.says('Seen text ');
            await parley.kill9();
            await chat.ended;
            assert.equal(chat.code, 1, chat.err);
            assert.equal(chat.out, 'Seen text \n');
            assert.match(chat.err, /^parley: [^\n]+\n$/);
            const [, answer] = await messagesOf(parley, session);
            assert.equal(answer.finish_reason, 'interrupted');
            assert.equal(answer.content, 'Seen text ');
        });
    });
}

describe('parley chat through TLS', () => {
    let papers;
    let front;

    before(async () => {
        papers = makeCertificates();
        front = tls.createServer(papers.server, (near) => {
            const far = net.connect(parley.port, '127.0.0.1');
            near.pipe(far).pipe(near);
            near.on('error', () => far.destroy());
            far.on('error', () => near.destroy());
        });
        await new Promise((resolve) => front.listen(0, '127.0.0.1', resolve));
    });
    after(() => {
        front?.close();
        papers?.release();
    });

    for (const scheme of ['https', 'wss'])
        test(`${scheme}: with a good certificate, and with no other`,
            async () => {
                const url = `${scheme}://127.0.0.1:${front.address().port}`;
                const good = await runChat(['--url', url, '--ca-file',
                    papers.ca, '--once', 'hi']);
                assert.equal(good.out, 'Hello there.\n', good.err);
                const bad = await runChat(['--url', url, '--ca-file',
                    papers.otherCa, '--once', 'hi']);
                assert.equal(bad.code, 3);
                assert.match(bad.err, /^parley: [^\n]*certificate[^\n]*\n$/i);
            });
});

describe('the arguments of parley chat', () => {
    test('--help lists them', async () => {
        const r = await runChat(['--help']);
        assert.equal(r.code, 0);
        for (const name of ['--url', '--auth', '--token', '--api-key',
            '--api-key-header', '--username', '--password', '--client-id',
            '--client-secret', '--token-url', '--scope', '--demo', '--once',
            '--session', '--model', '--file', '--no-color', '--context'])
            assert.match(r.out, new RegExp(`^  ${name} `, 'm'));
    });

    test('wrong ones are told, with status 2', async () => {
        for (const args of [['--nonsense'], ['--url'], ['--once=1', 'x'],
            ['a message'], ['--once', '--auth', 'magic', 'x'],
            ['--once', '--auth', 'bearer', 'x'],
            ['--once', '--auth', 'basic', '--username', 'me', 'x'],
            ['--once', '--auth', 'oauth2', '--client-id', 'a',
                '--client-secret', 'b', '--token-url',
                'http://example.org/token', 'x'],
            ['--once', '--url', 'ftp://example.org/', 'x']]) {
            const r = await runChat(args);
            assert.equal(r.code, 2, `${args}: ${r.err}`);
            assert.match(r.err, /^parley[^\n]+\n$/);
        }
    });
});
