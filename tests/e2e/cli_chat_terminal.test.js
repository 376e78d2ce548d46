/* parley chat on a terminal: a tmux of the test's own, with nobody's
 * configuration, types and looks. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { messagesOf, newSession } from '../lib/client.js';
import { replyEvents, replyWire } from '../lib/openai_bytes.js';
import { newHome } from '../lib/parley_chat.js';
import { PARLEY } from '../lib/programs.js';
import { paced, startReplay, whole } from '../lib/replay.js';
import { startParley } from '../lib/server.js';
import { until } from '../lib/wait.js';

const MARKED = '# Title\n\nSome **bold** and `code`, 2 * 3.\n\n- one\n' +
    '```c\nint x;\n```\n\x1b]0;taken\x07\x1b[2Jend';

let replay;
let parley;
let home;
let tmux;

before(async () => {
    replay = await startReplay(whole(replyWire(['Hello', ' there.'])));
    parley = await startParley({ env: replay.env() });
    home = newHome();
});
after(async () => {
    await parley?.stop();
    await replay?.stop();
});
afterEach(() => {
    tmux?.('kill-server');
    tmux = undefined;
});

/* Start the client in a terminal; what it shows and what it is typed. */
function terminal(args = [], env = {}) {
    const socket = path.join(newHome(), 'tmux');
    const all = { PATH: process.env.PATH, HOME: home, TERM: 'xterm-256color',
        LC_ALL: 'C.UTF-8', PARLEY_URL: parley.url, PARLEY_ROOT: home, ...env };
    tmux = (...words) => execFileSync('tmux', ['-S', socket, '-f', '/dev/null',
        ...words], { env: all, encoding: 'utf8' });
    const quote = (s) => `'${s.replaceAll('\'', '\'\\\'\'')}'`;
    tmux('new-session', '-d', '-x', '100', '-y', '50',
        `${[PARLEY, 'chat', ...args].map(quote).join(' ')}; ` +
        'echo "left with $?"; sleep 600');
    const screen = (...how) => tmux('capture-pane', '-p', ...how);
    return {
        screen,
        type: (text) => tmux('send-keys', '-l', text),
        key: (...names) => tmux('send-keys', ...names),
        shows: (what) => until(`the terminal to show ${what}`, () => {
            const text = screen();
            return (what instanceof RegExp ? what.test(text)
                : text.includes(what)) && text;
        }).catch((e) => {
            throw new Error(`${e.message}\n${screen()}`);
        }),
    };
}

const history = () =>
    fs.readFileSync(path.join(home, '.local/state/parley/chat_history'),
        'utf8');

describe('parley chat on a terminal', () => {
    test('talks, keeps a history and leaves', async () => {
        const session = newSession();
        const t = terminal(['--session', session]);
        await t.shows(/^Session test-[^\n]+\nYou:/m);
        t.type('hé 𝄞');
        t.key('Enter');
        await t.shows(/^You: hé 𝄞\nAssistant: Hello there\.\nYou:$/m);
        t.type(' a secret of mine');
        t.key('Enter');
        await t.shows(/a secret of mine\nAssistant: Hello there\.\nYou:$/m);
        t.key('Up');
        await t.shows(/\nYou: hé 𝄞\n*$/);
        t.key('C-u');
        t.type('one \\');
        t.key('Enter');
        t.type('two');
        t.key('Enter');
        await t.shows(/two\nAssistant: Hello there\.\nYou:\n*$/);
        t.type('/quit');
        t.key('Enter');
        await t.shows('left with 0');
        const said = (await messagesOf(parley, session))
            .filter((m) => m.role === 'user').map((m) => m.content);
        assert.deepEqual(said, ['hé 𝄞', ' a secret of mine', 'one \ntwo']);
        assert.equal(history(), 'hé 𝄞\none \\\ntwo\n/quit\n');
        const { mode } = fs.statSync(path.join(home,
            '.local/state/parley/chat_history'));
        assert.equal(mode & 0o777, 0o600);
    });

    test('the next one has the history of the last', async () => {
        fs.mkdirSync(path.join(home, '.local/state/parley'),
            { recursive: true });
        fs.writeFileSync(path.join(home, '.local/state/parley/chat_history'),
            'said before\n');
        const t = terminal();
        await t.shows('You:');
        t.key('Up');
        await t.shows('You: said before');
        t.key('C-u');
        t.key('C-d');
        await t.shows('left with 0');
    });

    test('Ctrl-C stops an answer, and leaves when pressed twice', async () => {
        replay.on('for ever',
            paced(replyEvents(Array(2000).fill('on and ')), 30));
        const session = newSession();
        const t = terminal(['--session', session]);
        await t.shows('You:');
        t.type('for ever');
        t.key('Enter');
        await t.shows('on and on');
        t.key('C-c');
        await t.shows(/the answer was stopped\nYou:$/m);
        const [, answer] = await messagesOf(parley, session);
        assert.equal(answer.finish_reason, 'cancelled');
        t.type('half a line');
        t.key('C-c');
        await t.shows('again to leave');
        t.type('still here');
        t.key('Enter');
        await t.shows(/still here\nAssistant: Hello there\.\nYou:$/m);
        t.key('C-c');
        await t.shows(/\(again to leave\)[^]*\(again to leave\)\nYou:/);
        t.key('C-c');
        await t.shows('left with 130');
        assert.equal((await messagesOf(parley, session)).length, 4);
    });

    test('shows Markdown, and no control characters', async () => {
        replay.on('marks', whole(replyWire([...MARKED])));
        const t = terminal();
        await t.shows('You:');
        t.type('marks');
        t.key('Enter');
        const text = await t.shows(/end\nYou:$/m);
        assert.match(text, /Assistant: Title\n\nSome bold and code, 2 \* 3\.\n/);
        assert.match(text, /^• one\nint x;\n\]0;taken\[2Jend$/m);
        const styled = t.screen('-e');
        assert.match(styled, /\x1b\[1mbold\x1b\[0m/);
        assert.match(styled, /\x1b\[36mcode\x1b\[39m/);
    });

    test('--no-color shows it as it came', async () => {
        replay.on('plain', whole(replyWire([...MARKED])));
        const t = terminal(['--no-color']);
        await t.shows('You:');
        t.type('plain');
        t.key('Enter');
        await t.shows(/end\nYou:$/m);
        assert.match(t.screen('-e'), /Some \*\*bold\*\* and `code`/);
    });

    test('commands of both sides are listed and done', async () => {
        const t = terminal(['--url', parley.url.replace('http', 'ws')]);
        await t.shows('You:');
        t.type('/help');
        t.key('Enter');
        const help = await t.shows(/\/setcontext[^]*You:\n*$/);
        assert.match(help, /^\/ping /m);
        t.type('/ping');
        t.key('Enter');
        await t.shows(/the server answered in \d+ ms/);
        t.type('/file /none');
        t.key('Enter');
        await t.shows('/none: No such file or directory');
        t.type('/nonsense');
        t.key('Enter');
        await t.shows(/Unknown command: \/nonsense/);
        t.key('C-d');
        await t.shows('left with');
    });
});
