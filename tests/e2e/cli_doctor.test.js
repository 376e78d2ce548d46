/* parley doctor: it finds nothing wrong with a good installation behind a good
 * path, and finds each thing that is wrong, with the line to change. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startBadProxy } from '../lib/bad_proxy.js';
import { call } from '../lib/client.js';
import { startDoctorProxy } from '../lib/doctor_proxy.js';
import { newHome } from '../lib/parley_chat.js';
import { PARLEY } from '../lib/programs.js';
import { startReplay, status, whole } from '../lib/replay.js';
import { freePort, ROOT, startParley } from '../lib/server.js';
import { makeCertificates } from '../lib/tls_provider.js';

const PING_MS = '300';
const CHECKS = ['connect', 'clock', 'health', 'page', 'sub-path', 'files',
    'buffering', 'compression', 'idempotency-key', 'last-event-id',
    'request-size', 'websocket', 'timeouts'];

let parley;

before(async () => {
    parley = await startParley({ env: { PING_MS } });
});
after(() => parley?.stop());

/* {code, out, err} */
function run(args, { env = {}, dataDir = parley.dataDir, root } = {}) {
    const home = root ?? newHome();
    return new Promise((resolve) => {
        execFile(PARLEY, ['doctor', ...args], {
            cwd: home, timeout: 120000,
            env: { PATH: process.env.PATH, HOME: home, PARLEY_ROOT: home,
                DATA_DIR: dataDir, AI_PROVIDER: 'offline', PING_MS, ...env },
        }, (error, out, err) => resolve({
            code: error === null ? 0 : error.code ?? error.signal, out, err }));
    });
}

/* The same with --json: {code, found}; found(name) is the finding that is
 * worst of that name. */
async function findings(args, options) {
    const r = await run(['--json', '--look', '2', ...args], options);
    const list = JSON.parse(r.out);
    const rank = ['ok', 'note', 'warn', 'fail'];
    for (const f of list) {
        assert.ok(rank.includes(f.status), r.out);
        assert.ok(f.name !== '' && f.message !== '', r.out);
        for (const c of f.change)
            assert.ok(c.where !== '' && c.line !== '', r.out);
    }
    return {
        ...r, list,
        found: (name) => list.filter((f) => f.name === name).sort((a, b) =>
            rank.indexOf(b.status) - rank.indexOf(a.status))[0],
        failed: list.filter((f) => f.status === 'fail').map((f) => f.name),
    };
}

const linesFor = (finding, where) => finding.change
    .filter((c) => c.where === where).map((c) => c.line).join('\n');

describe('parley doctor, where all is well', () => {
    test('finds no fault, and leaves nothing behind', async () => {
        const r = await findings([parley.url]);
        assert.deepEqual(r.failed, [], r.out);
        assert.equal(r.code, 0);
        for (const name of [...CHECKS, 'settings', 'folder', 'disk',
            'engine.sock', 'ws.sock', 'libraries'])
            assert.equal(r.found(name)?.status, 'ok',
                `${name}: ${JSON.stringify(r.found(name))}`);
        const { body } = await call(parley, '/sessions');
        assert.deepEqual(body.sessions, []);
    });

    test('says it in lines, one for each finding', async () => {
        const r = await run(['--look', '1', parley.url]);
        assert.equal(r.code, 0, r.out);
        for (const line of r.out.trimEnd().split('\n'))
            assert.match(line, /^(ok {2}|note|warn) [a-z.-]+: .|^ {7}[a-z.]+: ./i);
        assert.match(r.out, /^ok {3}websocket: /m);
    });

    test('likewise below a path', async () => {
        const below = await startParley(
            { basePath: '/a/chat', env: { PING_MS } });
        try {
            const r = await findings([`${below.url}/`],
                { dataDir: below.dataDir });
            assert.deepEqual(r.failed, [], r.out);
            assert.match(r.found('sub-path').message, /\/a\/chat\//);
            assert.equal(r.code, 0);
        } finally {
            await below.stop();
        }
    });

    for (const [what, options] of [
        ['plain CGI below lighttpd', { door: 'lighttpd-cgi' }],
        ['plain CGI by .htaccess', { door: 'apache-cgi' }],
        ['no temporary chats', { env: { TEMPORARY_MIB: '0' } }],
    ])
        test(`likewise with ${what}`, async () => {
            const other = await startParley(
                { ...options, env: { PING_MS, ...options.env } });
            try {
                const r = await findings([other.url],
                    { dataDir: other.dataDir });
                assert.deepEqual(r.failed, [], r.out);
                assert.equal(r.code, 0);
                const { body } = await call(other, '/sessions');
                assert.deepEqual(body.sessions, []);
            } finally {
                await other.stop();
            }
        });

    test('without an address it looks at the machine alone', async () => {
        const r = await findings([]);
        assert.deepEqual(r.failed, []);
        assert.equal(r.code, 0);
        for (const name of CHECKS)
            assert.equal(r.found(name), undefined);
    });
});

/* They wait more than they work. */
describe('parley doctor, behind a proxy that', { concurrency: 4 }, () => {
    async function behind(start, options, args = []) {
        const proxy = await start(parley, options);
        try {
            return await findings([...args, proxy.url]);
        } finally {
            await proxy.stop();
        }
    }

    test('buffers', async () => {
        const r = await behind(startBadProxy, { holds: 65536 });
        assert.equal(r.code, 1);
        assert.equal(r.found('buffering').status, 'fail', r.out);
        assert.match(linesFor(r.found('buffering'), 'nginx'),
            /^fastcgi_buffering off;$/m);
        assert.match(linesFor(r.found('buffering'), 'lighttpd'),
            /^server\.stream-response-body = 2$/m);
        assert.match(linesFor(r.found('buffering'), 'apache'),
            /flushpackets=on/);
        assert.equal(r.found('timeouts').status, 'fail', r.out);
    });

    test('compresses, in time or not', async () => {
        const flush = await behind(startDoctorProxy, { gzip: 'flush' });
        assert.equal(flush.found('compression').status, 'warn', flush.out);
        assert.match(linesFor(flush.found('compression'), '.htaccess'),
            /no-gzip=1/);
        assert.deepEqual(flush.failed, []);
        assert.equal(flush.code, 0);
        const hold = await behind(startDoctorProxy, { gzip: 'hold' });
        assert.equal(hold.found('compression').status, 'fail', hold.out);
        assert.equal(hold.found('buffering').status, 'ok', hold.out);
        assert.equal(hold.code, 1);
    });

    test('drops upgrades', async () => {
        for (const upgrades of ['strip', 'refuse']) {
            const r = await behind(startBadProxy, { upgrades });
            assert.equal(r.found('websocket').status, 'warn', r.out);
            assert.match(linesFor(r.found('websocket'), 'lighttpd'),
                /^proxy\.header = \( "upgrade" => "enable" \)$/m);
            assert.equal(r.code, 0, r.out); /* clients have other ways */
        }
        const plain = await behind(startDoctorProxy, { http10: true });
        assert.match(plain.found('websocket').message, /status 400/);
        assert.equal(plain.found('websocket').status, 'warn');
    });

    test('lets an upgrade pass and nothing behind it', async () => {
        const r = await behind(startBadProxy, { upgrades: 'deaf' });
        assert.deepEqual(r.failed, ['websocket'], r.out);
        assert.equal(r.code, 1);
    });

    test('cuts long streams', async () => {
        const r = await behind(startBadProxy, { cutMs: 6000 },
            ['--look', '60']);
        assert.deepEqual(r.failed, ['timeouts'], r.out);
        assert.match(r.found('timeouts').message, /cut after \d+\.\d s/);
        assert.match(linesFor(r.found('timeouts'), '.env'), /^PING_MS=\d+$/);
        assert.equal(r.code, 1);
    });

    for (const [header, name] of [['Last-Event-ID', 'last-event-id'],
        ['Idempotency-Key', 'idempotency-key']])
        test(`strips ${header}`, async () => {
            const r = await behind(startDoctorProxy, { drops: [header] });
            assert.deepEqual(r.failed, [name], r.out);
            assert.equal(r.code, 1);
        });

    test('refuses long bodies', async () => {
        const r = await behind(startDoctorProxy, { bodyMax: 1 << 20 });
        assert.equal(r.found('request-size').status, 'warn', r.out);
        assert.match(r.found('request-size').message, /1024 KiB arrive/);
        assert.match(linesFor(r.found('request-size'), 'nginx'),
            /^client_max_body_size /);
        assert.equal(r.code, 0);
        const little = await behind(startDoctorProxy, { bodyMax: 70000 });
        assert.deepEqual(little.failed, ['request-size'], little.out);
    });

    test('takes the path away', async () => {
        const r = await behind(startDoctorProxy, { mount: '/there' });
        assert.ok(r.failed.includes('sub-path'), r.out);
        assert.equal(r.code, 1);
    });

    test('serves what is nobody’s business', async () => {
        const r = await behind(startDoctorProxy, { answers: {
            '/.env': { status: 200, type: 'text/plain',
                body: 'OPENAI_API_KEY=sk-not-to-be-shown' } } });
        assert.deepEqual(r.failed, ['files'], r.out);
        assert.doesNotMatch(r.out, /not-to-be-shown/);
    });

    test('sends scripts as text, or no page', async () => {
        const text = await behind(startDoctorProxy, { answers: {
            '/static/js/early.js': { status: 200, type: 'text/plain',
                body: '' } } });
        assert.deepEqual(text.failed, ['page'], text.out);
        const json = await behind(startDoctorProxy, { answers: {
            '/': { status: 200, type: 'application/json', body: '{}' } } });
        assert.deepEqual(json.failed, ['page'], json.out);
    });

    test('has a certificate, of an authority that is known or not', async () => {
        const papers = makeCertificates();
        try {
            const good = await behind(startDoctorProxy,
                { tls: papers.server }, ['--ca-file', papers.ca]);
            assert.deepEqual(good.failed, [], good.out);
            /* it is made for two days */
            assert.equal(good.found('tls').status, 'warn');
            assert.equal(good.found('websocket').status, 'ok', good.out);
            const other = await behind(startDoctorProxy,
                { tls: papers.server }, ['--ca-file', papers.otherCa]);
            assert.deepEqual(other.failed, ['tls'], other.out);
            assert.equal(other.found('buffering').status, 'ok');
            assert.equal(other.code, 1);
            const stranger = await behind(startDoctorProxy,
                { tls: papers.stranger }, ['--ca-file', papers.ca]);
            assert.deepEqual(stranger.failed, ['tls'], stranger.out);
        } finally {
            papers.release();
        }
    });
});

describe('parley doctor on the machine', () => {
    test('finds folders that others may look into', async () => {
        const dataDir = path.join(newHome(), 'data');
        fs.mkdirSync(path.join(dataDir, 'store'), { recursive: true });
        fs.chmodSync(dataDir, 0o700);
        fs.chmodSync(path.join(dataDir, 'store'), 0o755);
        const r = await findings([], { dataDir });
        assert.deepEqual(r.failed, ['folder-mode'], r.out);
        assert.match(linesFor(r.found('folder-mode'), 'shell'),
            /^chmod 700 .*\/store$/);
        assert.equal(r.code, 1);

        fs.chmodSync(path.join(dataDir, 'store'), 0o700);
        assert.equal((await findings([], { dataDir })).code, 0);
        fs.chmodSync(dataDir, 0o777);
        assert.deepEqual((await findings([], { dataDir })).failed,
            ['folder-mode']);
        fs.chmodSync(dataDir, 0o755);
        assert.equal((await findings([], { dataDir }))
            .found('folder-mode').status, 'warn');
    });

    test('finds a data folder that is none, and one that is not there yet',
        async () => {
            const file = path.join(newHome(), 'file');
            fs.writeFileSync(file, '');
            const r = await findings([], { dataDir: file });
            assert.ok(r.failed.includes('folder'), r.out);
            const none = await findings([], { dataDir: `${file}-not` });
            assert.equal(none.found('folder').status, 'note', none.out);
            assert.equal(none.found('engine.sock').status, 'note');
            assert.equal(none.code, 0);
        });

    test('finds a socket that nobody answers', async () => {
        const dataDir = newHome();
        const { createServer } = await import('node:net');
        const server = createServer();
        await new Promise((resolve) =>
            server.listen(path.join(dataDir, 'ws.sock'), resolve));
        server.on('connection', (s) => s.resume().end('nonsense\r\n\r\n'));
        const r = await findings([], { dataDir });
        assert.deepEqual(r.failed, ['ws.sock'], r.out);
        await new Promise((resolve) => server.close(resolve));
    });

    test('finds names, values and rights of .env', async () => {
        const root = newHome();
        const env = { OPENAI_API_KEY: undefined };
        fs.writeFileSync(path.join(root, '.env'), 'OPENAI_API_KY=sk-hidden\n' +
            'THREADS=many\nnot a line\n', { mode: 0o644 });
        const r = await findings([], { root, env });
        assert.deepEqual(r.failed, ['settings', 'settings'], r.out);
        const unknown = r.list.find((f) => /OPENAI_API_KY/.test(f.message));
        assert.equal(unknown.status, 'warn');
        assert.equal(linesFor(unknown, '.env'), 'OPENAI_API_KEY=…');
        assert.ok(r.list.some((f) => f.message.startsWith('THREADS must be a ' +
            'whole number from 1 to 64')), r.out);
        assert.ok(r.list.some((f) => f.message.startsWith('.env, line 3')));
        assert.equal(r.found('settings-file').status, 'warn');
        assert.match(linesFor(r.found('settings-file'), 'shell'), /^chmod /);
        assert.doesNotMatch(r.out, /sk-hidden/);
        assert.equal(r.code, 1);

        fs.writeFileSync(path.join(root, '.env'), 'THREADS=3\n');
        fs.chmodSync(path.join(root, '.env'), 0o600);
        const good = await findings([], { root });
        assert.equal(good.found('settings').status, 'ok', good.out);
        assert.equal(good.found('settings-file').status, 'ok');

        fs.writeFileSync(path.join(root, '.env'), 'OPENAI_API_KEY=sk-hidden\n');
        fs.chmodSync(path.join(root, '.env'), 0o640);
        const exposed = await findings([], { root, env });
        assert.equal(exposed.found('settings-file').status, 'fail');
        assert.match(linesFor(exposed.found('settings-file'), 'shell'),
            /^chmod 600 /);
        assert.doesNotMatch(exposed.out, /sk-hidden/);
    });

    test('finds lines of .htaccess that do harm', async () => {
        const root = newHome();
        const file = path.join(root, '.htaccess');
        const shipped = fs.readFileSync(
            path.join(ROOT, 'apache/htaccess'), 'utf8');
        fs.writeFileSync(file, shipped);
        const good = await findings([], { root });
        assert.equal(good.found('web-config'), undefined, good.out);
        assert.ok(good.list.some((f) => f.name === 'web-server' &&
            f.status === 'ok' && f.message.includes(file)), good.out);
        fs.writeFileSync(file,
            `RequestHeader unset Last-Event-ID\n${shipped}LimitRequestBody 9\n`);
        const r = await findings([], { root });
        const bad = r.list.filter((f) => f.name === 'web-config');
        assert.equal(bad.length, 2, r.out);
        assert.match(bad[0].message, /\.htaccess, line 1, takes a header away/);
        assert.equal(linesFor(bad[1], '.htaccess'), 'LimitRequestBody 0');
        assert.equal(linesFor(bad[1], 'nginx'), '');
    });

    test('finds providers that nobody knows', async () => {
        const r = await findings([], { env: { AI_PROVIDER: 'oracle' } });
        assert.ok(r.failed.includes('settings'), r.out);
        assert.equal(r.code, 1);
    });

    test('finds too few descriptors for MAX_STREAMS', async () => {
        const r = await findings([], { env: { MAX_STREAMS: '1000000' } });
        assert.equal(r.found('descriptors').status, 'warn', r.out);
        assert.match(linesFor(r.found('descriptors'), 'systemd'),
            /^LimitNOFILE=2000256$/);
    });
});

describe('parley doctor --providers', () => {
    const KEY = 'sk-secret-0123456789';
    const models = JSON.stringify({ object: 'list', data: [
        { id: 'm-1', object: 'model' }, { id: 'm-2', object: 'model' }] });
    const http200 = Buffer.from('HTTP/1.1 200 OK\r\n' +
        'Content-Type: application/json\r\n' +
        `Content-Length: ${models.length}\r\n\r\n${models}`);

    async function ask(script) {
        const replay = await startReplay(script);
        try {
            const r = await findings(['--providers'], { env: {
                ...replay.env(), OPENAI_API_KEY: KEY, AI_PROVIDER: 'openai' } });
            assert.doesNotMatch(r.out + r.err, new RegExp(KEY));
            return { ...r, requests: replay.requests };
        } finally {
            await replay.stop();
        }
    }

    test('says whose key is good', async () => {
        const r = await ask(whole(http200));
        assert.equal(r.found('key').status, 'ok', r.out);
        assert.match(r.found('key').message, /^openai accepts it; models: 2/);
        assert.equal(r.requests.length, 1);
        assert.equal(r.code, 0);
    });

    test('says whose key is refused, and not what it is', async () => {
        const r = await ask(status(401));
        assert.deepEqual(r.failed, ['key'], r.out);
        assert.equal(linesFor(r.found('key'), '.env'), 'OPENAI_API_KEY=…');
        assert.equal(r.code, 1);
    });

    test('says who cannot be reached', async () => {
        const r = await findings(['--providers'], { env: {
            OPENAI_API_KEY: KEY, AI_PROVIDER: 'openai',
            OPENAI_BASE_URL: `http://127.0.0.1:${await freePort()}/v1` } });
        assert.deepEqual(r.failed, ['key'], r.out);
        assert.doesNotMatch(r.out, new RegExp(KEY));
    });

    test('asks nobody without the option', async () => {
        const replay = await startReplay(status(401));
        const r = await findings([], { env: { ...replay.env(),
            OPENAI_API_KEY: KEY, AI_PROVIDER: 'openai' } });
        assert.equal(r.found('key'), undefined);
        assert.equal(replay.requests.length, 0);
        await replay.stop();
    });
});

describe('parley doctor', () => {
    test('ends with 3 where nobody is, 1 where another program is', async () => {
        const none = await findings([`http://127.0.0.1:${await freePort()}`]);
        assert.equal(none.code, 3, none.out);
        assert.deepEqual(none.failed, ['connect']);
        const proxy = await startDoctorProxy(parley, { mount: '/else' });
        const other = await findings([proxy.url.replace('/else', '')]);
        await proxy.stop();
        assert.equal(other.code, 1, other.out);
        assert.match(other.found('connect').message, /is no Parley/);
    });

    test('ends with 2 for wrong arguments', async () => {
        for (const args of [['--nonsense'], ['--look'], ['--look', 'x'],
            ['--look', '0'], ['ftp://x'], ['http://'], ['http://a@b/'],
            [parley.url, 'twice']]) {
            const r = await run(args);
            assert.equal(r.code, 2, args.join(' '));
            assert.equal(r.out, '');
        }
        const help = await run(['--help']);
        assert.equal(help.code, 0);
        assert.match(help.out, /--providers/);
    });

    test('names lines that the shipped files have', () => {
        const folders = { LIGHTTPD: 'lighttpd', APACHE: 'apache',
            HTACCESS: 'apache', NGINX: 'nginx' };
        /* What the files have no need of. */
        const others = ['LimitRequestBody', 'server.max-request-size',
            'RequestHeader unset', 'proxy_pass_request_headers'];
        const table = fs.readFileSync(
            path.join(ROOT, 'cli/doctor_advice.c'), 'utf8');
        const rows = [...table.matchAll(
            /\{ADVICE_\w+,\s+(\w+),\s+((?:"(?:\\.|[^"\\])*"\s*)+)\}/g)];
        assert.ok(rows.length > 25);
        for (const [, web, literal] of rows) {
            const line = literal.trim().split(/"\s*\n\s*"/).join('')
                .replace(/^"|"$/g, '').replaceAll('\\"', '"');
            if (others.some((o) => line.startsWith(o)))
                continue;
            const shipped = fs.readdirSync(path.join(ROOT, folders[web]),
                { withFileTypes: true }).filter((e) => e.isFile())
                .map((e) => fs.readFileSync(path.join(e.parentPath ?? e.path,
                    e.name), 'utf8')).join('\n').replace(/\s+/g, ' ');
            for (const part of line.split(/…|%s/))
                assert.ok(shipped.includes(part
                    .replace(/^\/?"?|"$| \)$/g, '').trim()), `${folders[web]}: ${line}`);
        }
    });
});
