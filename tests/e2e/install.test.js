/* What `make install` leaves: a command that runs from there, its manual and
 * completion, and a library that programs can be built with. */

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ROOT, startParley } from '../lib/server.js';

/* The example of parley.h, made a program. */
const PROGRAM = `
#include <parley.h>
#include <stdio.h>

static void
print(void *arg, const char *text, size_t n)
{
    (void)arg;
    (void)fwrite(text, 1, n, stdout);
}

int
main(int argc, char **argv)
{
    struct parley_config config = {.url = argc > 1 ? argv[1] : NULL};
    struct parley_calls calls = {.on_chunk = print};
    struct parley_ask ask = {.message = "/getcontext"};
    struct parley *p = parley_new(&config, &calls);
    enum parley_status status = parley_connect(p);

    if (status == PARLEY_OK)
        status = parley_send(p, &ask);
    parley_free(p);
    return (int)status;
}
`;

describe('make install', () => {
    let folder;
    let prefix;

    const run = (command, args, env = {}) => execFileSync(command, args, {
        cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'],
        env: { PATH: process.env.PATH, HOME: folder,
            PKG_CONFIG_PATH: path.join(prefix, 'lib/pkgconfig'), ...env },
    });

    before(() => {
        folder = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-install-'));
        prefix = path.join(folder, 'usr');
        run('make', ['-s', '-C', ROOT, 'install', `PREFIX=${prefix}`]);
    });
    after(() => fs.rmSync(folder, { recursive: true, force: true }));

    test('puts the command, its manual and its completion in place', () => {
        assert.match(run(path.join(prefix, 'bin/parley'), ['version']),
            /^parley \d/);
        assert.ok(fs.existsSync(path.join(prefix, 'share/man/man1/parley.1')));
        const complete = (...words) => run('bash', ['-c', `
            . "${prefix}/share/bash-completion/completions/parley"
            COMP_WORDS=(${words.map((w) => `'${w}'`).join(' ')})
            COMP_CWORD=${words.length - 1}
            _parley
            echo "\${COMPREPLY[@]}"`]).trim().split(' ');
        const parley = path.join(prefix, 'bin/parley');
        assert.deepEqual(complete(parley, 'ch'), ['chat']);
        assert.deepEqual(complete(parley, 'chat', '--to'),
            ['--token', '--token-url']);
        assert.deepEqual(complete(parley, 'chat', '--auth', 'b'),
            ['bearer', 'basic']);
        assert.ok(complete(parley, 'chat', '').includes('--once'));
    });

    test('and the list of passwords that many people chose', () => {
        const file = path.join(folder, 'users');
        const set = (password) => spawnSync(path.join(prefix, 'bin/parley'),
            ['passwd', '--stdin', file, 'ann'],
            { input: `${password}\n`, encoding: 'utf8', cwd: folder });
        const { status, stderr } = set('milkyway7');
        assert.equal(status, 2);
        assert.match(stderr, /too easy: it is one that many/);
        assert.doesNotMatch(stderr, /password\.list/);
        assert.ok(!fs.existsSync(file));
        assert.equal(set('violets in june').status, 0);
        fs.rmSync(file);
        const lists = path.join(prefix, 'lib/parley/etc/lexicon');
        assert.deepEqual(fs.readdirSync(lists).sort(), ['LICENSE',
            'LICENSE-passwords', 'afinn.tsv', 'passwords.txt']);
    });

    test('and the program that reads files, for no web server', () => {
        const ingest = path.join(prefix, 'lib/parley/cgi-bin/ingest');
        const cgi = { GATEWAY_INTERFACE: 'CGI/1.1', REQUEST_METHOD: 'GET' };
        const told = (args, env) => spawnSync(ingest, args,
            { input: '<p>x', encoding: 'latin1', env });
        assert.match(told(['--version'], {}).stdout, /^ingest \d/);
        for (const args of [[], ['--extract', 'html'], ['--version']]) {
            const { status, stdout } = told(args, cgi);
            assert.deepEqual([status, stdout], [2, '']);
        }
    });

    test('and a library that shows parley_ functions only', async () => {
        fs.writeFileSync(path.join(folder, 'use.c'), PROGRAM);
        const flags = run('pkg-config', ['--cflags', '--libs',
            'parley-client']).trim().split(/\s+/);
        run('cc', ['-std=c11', '-Wall', '-Wextra', '-Werror', '-o', 'use',
            'use.c', ...flags]);
        const names = run('nm', ['-g', '--defined-only',
            path.join(prefix, 'lib/libparley-client.a')])
            .match(/(?<= [A-Z] ).*$/gm);
        assert.ok(names.includes('parley_send'));
        assert.deepEqual(names.filter((n) => !n.startsWith('parley_')), []);
        const parley = await startParley();
        try {
            for (const url of [parley.url, parley.url.replace('http', 'ws')])
                assert.match(run('./use', [url]), /context/i);
        } finally {
            await parley.stop();
        }
    });
});
