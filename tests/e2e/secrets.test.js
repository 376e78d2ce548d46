/* A run that uses every kind of secret there is, and every way of giving it,
 * right and wrong; then all that the server wrote and says is searched for each
 * of them. Prompts and answers are secrets, too, wherever they are not asked
 * for. What the audit log must have of the run instead is looked at as well. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import WebSocket from 'ws';
import { accounts, basic, bearer, cookiesAfter, signed, writePasswords } from
    '../lib/accounts.js';
import { ask, call, newSession, postJson } from '../lib/client.js';
import { CLIENT_SECRET, startMockProvider, Visitor } from
    '../lib/oidc.js';
import { makeKey } from '../lib/parley_keys.js';
import { PARLEY } from '../lib/programs.js';
import { lastMessage, echo, startReplay, status } from '../lib/replay.js';
import { commandLine, startParley } from '../lib/server.js';
import { until, within } from '../lib/wait.js';

const random = (n = 24) => randomBytes(n).toString('hex');

/* As it is, and as it may be written in an address, a header or JSON. */
function spellings(secret) {
    return [...new Set([secret, encodeURIComponent(secret),
        JSON.stringify(secret).slice(1, -1),
        Buffer.from(secret).toString('base64').replace(/=+$/, ''),
        Buffer.from(secret).toString('base64url')])];
}

function filesBelow(folder) {
    return fs.readdirSync(folder, { withFileTypes: true, recursive: true })
        .filter((e) => e.isFile())
        .map((e) => path.join(e.parentPath, e.name));
}

describe('secrets', () => {
    const password = `pass ${random()}`;
    const wrongPassword = `wrong ${random()}`;
    const prompt = `prompt-${random()}`;
    const answer = `answer-${random()}`;
    const auditKey = random();
    const providerKey = `sk-${random()}`;
    const secrets = { password, wrongPassword, prompt, answer, auditKey,
        providerKey, clientSecret: CLIENT_SECRET };
    const replies = []; /* what the server said to who did it wrong */
    let folder;
    let parley;
    let replay;
    let issuer;
    let people;

    before(async () => {
        folder = fs.mkdtempSync(path.join(os.tmpdir(), 'parley-secrets-'));
        people = accounts(folder);
        writePasswords(people.env.HTPASSWD_FILE, ['ann', 'eve'], password);
        secrets.serverSecret = people.secret;
        secrets.passwordHash = fs.readFileSync(people.env.HTPASSWD_FILE, 'utf8')
            .split('\n')[0].split('$').at(-1);
        replay = await startReplay(echo(() => answer));
        replay.on('money', status(401, {}, JSON.stringify({
            error: { message: `Incorrect API key provided: ${providerKey}` },
        })));
        issuer = await startMockProvider();
        parley = await startParley({ env: {
            ...people.env, ...issuer.env, ...replay.env(providerKey),
            AUDIT_KEY: auditKey, LOG_LEVEL: 'debug',
        } });
        issuer.serve(parley);
    });
    after(async () => {
        await parley?.stop();
        await replay?.stop();
        await issuer?.stop();
        fs.rmSync(folder, { recursive: true, force: true });
    });

    /* A request that is answered with an error, which is kept. */
    async function refused(at, init, code) {
        const r = await call(parley, at, init);
        assert.equal(r.status, code, JSON.stringify(r.body));
        replies.push(JSON.stringify(r.body) +
            JSON.stringify([...r.headers]));
        return r;
    }

    async function overWebSocket(at, frames) {
        const socket = new WebSocket(parley.url.replace(/^http/, 'ws') + at);
        const heard = [];
        socket.on('message', (data) => heard.push(String(data)));
        socket.on('error', () => {});
        await within('the socket to open', new Promise((resolve) =>
            socket.once('open', resolve)));
        for (const [frame, type] of frames) {
            const from = heard.length;
            socket.send(JSON.stringify(frame));
            await until(`${type} over WebSocket`, () => heard.slice(from)
                .some((text) => JSON.parse(text).type === type));
        }
        socket.close();
        replies.push(...heard.filter((text) => !text.includes(answer)));
    }

    test('each of them is used', async () => {
        /* The anonymous owner's cookie. */
        const owner = cookiesAfter(await call(parley, '/sessions'));
        secrets.ownerCookie = owner.split('=')[1];
        await ask(parley, { message: prompt, session_id: newSession() },
            { cookie: owner });

        /* The form, and the cookie of the login. */
        const login = await postJson(parley, '/auth/login',
            { username: 'ann', password }, { cookie: owner });
        assert.equal(login.status, 200, JSON.stringify(login.body));
        const cookie = cookiesAfter(login, owner);
        secrets.loginCookie = /parley_login=([^;]+)/.exec(cookie)[1];
        const session_id = newSession();
        await ask(parley, { message: prompt, session_id }, { cookie });
        const wrong = await postJson(parley, '/auth/login',
            { username: 'ann', password: wrongPassword });
        assert.equal(wrong.status, 401);
        replies.push(JSON.stringify(wrong.body));

        /* Basic. */
        assert.equal((await call(parley, '/sessions',
            { headers: basic('eve', password) })).status, 200);
        await refused('/sessions',
            { headers: basic('eve', wrongPassword) }, 401);

        /* API keys, good and made up. */
        const key = await makeKey(parley, '--owner', 'ann');
        secrets.apiKey = key.secret;
        for (const headers of [bearer(key.secret),
            { 'x-api-key': key.secret }])
            assert.equal((await call(parley, '/sessions', { headers })).status,
                200);
        secrets.noKey = key.secret.slice(0, -6) + 'abcdef';
        await refused('/sessions', { headers: bearer(secrets.noKey) }, 401);

        /* Tokens, good and spoilt, and in addresses. */
        secrets.token = signed(people.secret, { sub: 'sue' });
        secrets.badToken = signed(random(), { sub: 'sue' });
        assert.equal((await call(parley, '/sessions',
            { headers: bearer(secrets.token) })).status, 200);
        await refused('/sessions', { headers: bearer(secrets.badToken) }, 401);
        const stream = await fetch(`${parley.url}/chat/stream?message=` +
            `${prompt}&session_id=${newSession()}&token=${secrets.token}`);
        assert.equal(stream.status, 200);
        assert.match(await stream.text(), /event: response_complete/);
        await refused('/chat/stream?message=hello&session_id=' +
            `${newSession()}&token=${secrets.badToken}`, {}, 401);

        /* OpenID: the code, the state, and the tokens behind it. */
        const visitor = new Visitor();
        const callback = await issuer.toCallback(visitor, parley, 'joe');
        const back = await visitor.call(callback);
        assert.equal(back.status, 302, back.text);
        secrets.oidcCode = issuer.codes.at(-1);
        secrets.oidcState = new URL(callback).searchParams.get('state');
        secrets.oidcLogin = visitor.cookie('parley_login');
        issuer.tokens.forEach((token, i) => { secrets[`issued${i}`] = token; });

        /* WebSocket: frames, and the address. */
        await overWebSocket('/ws/chat', [
            [{ type: 'auth', auth_type: 'bearer_token',
                token: secrets.badToken }, 'auth_response'],
            [{ type: 'auth', auth_type: 'basic_auth', username: 'ann',
                password: wrongPassword }, 'auth_response'],
            [{ type: 'auth', auth_type: 'bearer_token',
                token: secrets.token }, 'auth_response'],
            [{ type: 'chat', message: prompt, session_id: newSession() },
                'ai_response'],
        ]);
        await overWebSocket(`/ws/chat?token=${secrets.token}`, [
            [{ type: 'chat', message: prompt, session_id: newSession() },
                'ai_response'],
        ]);

        /* A provider that gives the key away in its error. */
        const turn = await postJson(parley, '/chat',
            { message: 'money', session_id: newSession() });
        assert.ok(turn.status >= 400, JSON.stringify(turn.body));
        replies.push(JSON.stringify(turn.body));

        /* What else goes into the audit log. */
        assert.equal((await call(parley, `/sessions/${session_id}/export`,
            { headers: { cookie } })).status, 200);
        assert.equal((await call(parley, `/sessions/${session_id}`,
            { method: 'DELETE', headers: { cookie } })).status, 200);
        const out = await postJson(parley, '/auth/logout', {}, { cookie });
        assert.ok(out.status < 300, JSON.stringify(out.body));
        assert.equal(replay.requests.some((r) =>
            lastMessage(r).includes(prompt)), true);
    });

    const audited = () => filesBelow(parley.dataDir)
        .filter((f) => path.basename(f).startsWith('audit'));
    const audit = (dataDir, ...args) => spawnSync(PARLEY, ['audit', ...args],
        { env: { ...process.env, ...parley.settings, DATA_DIR: dataDir },
            encoding: 'utf8', timeout: 60000 });
    const lines = () => fs.readFileSync(
        path.join(parley.dataDir, 'audit.log'), 'utf8').trim().split('\n')
        .map(JSON.parse);

    /* Fails with the name of the secret; of the text only where it is. */
    function assertNone(where, text) {
        for (const [name, secret] of Object.entries(secrets)) {
            assert.ok(secret?.length >= 12, `${name} is a secret`);
            for (const spelling of spellings(secret)) {
                const at = text.indexOf(spelling);
                assert.ok(at < 0, `${name} in ${where}, behind "${
                    text.slice(Math.max(0, at - 120), at)}"`);
            }
        }
    }

    test('the search would find one', () => {
        assert.throws(() => assertNone('a text', `x=${secrets.apiKey};`),
            /apiKey in a text, behind "x="/);
        assert.throws(() => assertNone('a text',
            basic('ann', password).authorization.replace(/ann/, '')
                .concat(Buffer.from(password).toString('base64'))),
        /password in a text/);
    });

    test('the audit log tells who did what', async () => {
        const has = (event, fields) => lines().some((line) =>
            line.event === event && Object.entries(fields).every(
                ([name, value]) => line[name] === value));
        for (const [event, fields] of [
            ['config_changed', { first: true }],
            ['login', { who: 'local/ann' }],
            ['login_failed', { user: 'ann' }],
            ['logout', { who: 'local/ann' }],
            ['key_made', { of: 'local/ann' }],
            ['provider_call', { provider: 'openai', model: 'replay-1',
                who: 'local/ann' }],
            ['provider_call', { who: 'jwt/sue' }],
            ['export', { who: 'local/ann', format: 'json' }],
            ['session_deleted', { who: 'local/ann' }],
        ])
            await until(`${event} ${JSON.stringify(fields)} in the audit log`,
                () => has(event, fields));
        const made = lines().find((line) => line.event === 'provider_call');
        assert.deepEqual(made.files, []);
        const checked = audit(parley.dataDir, 'verify');
        assert.equal(checked.status, 0, checked.stdout + checked.stderr);
        const shown = audit(parley.dataDir, 'show', '--event', 'login',
            '--who', 'local/ann');
        assert.match(shown.stdout,
            /^\d+ \d{4}-\d\d-\S+ login who=local\/ann .*way=/);
        assert.equal(audit(parley.dataDir, 'show', '--event', 'nonsense')
            .status, 64);
    });

    test('parley audit verify finds what was changed in a copy', () => {
        const copy = path.join(folder, 'copy');
        fs.mkdirSync(copy);
        for (const file of audited())
            fs.copyFileSync(file, path.join(copy, path.basename(file)));
        const whole = audit(copy, 'verify');
        assert.equal(whole.status, 0, whole.stdout);
        const last = /^last (\d+:[0-9a-f]{64})$/m.exec(whole.stdout)[1];
        assert.equal(audit(copy, 'verify', '--expect', last).status, 0);
        const other = last.slice(0, -4) +
            (last.endsWith('0000') ? '1111' : '0000');
        assert.equal(audit(copy, 'verify', '--expect', other).status, 1);
        const file = path.join(copy, 'audit.log');
        fs.writeFileSync(file, fs.readFileSync(file, 'utf8')
            .replace('"local/ann"', '"local/bob"'));
        const changed = audit(copy, 'verify');
        assert.equal(changed.status, 1);
        assert.match(changed.stdout, /^audit\.log:\d+: line \d+ was changed/m);
        assert.equal(audit(folder, 'verify').status, 2, 'no log there');
    });

    test('none is in the log, the audit log or a command line', () => {
        assertNone('the log', parley.log());
        assert.match(parley.log(), / (info|debug) /);
        assert.ok(audited().length >= 3);
        for (const file of audited())
            assertNone(path.basename(file), fs.readFileSync(file, 'latin1'));
        for (const pid of parley.pids())
            assertNone('a command line', commandLine(pid).join(' '));
    });

    test('none is in what everybody may see', async () => {
        for (const at of ['/metrics', '/status', '/health', '/v1/models',
            '/api/openapi.json'])
            assertNone(at, JSON.stringify((await call(parley, at)).body ??
                await (await fetch(parley.url + at)).text()));
        assert.ok(replies.length > 5);
        for (const reply of replies)
            assertNone('an answer', reply);
    });

    /* Logs of the web server, and all that lies beside the data. */
    test('none is in a file beside the store', () => {
        const kept = new Set(['store', 'streams', 'search']
            .map((name) => path.join(parley.dataDir, name) + path.sep));
        for (const file of filesBelow(parley.folder))
            if (![...kept].some((folder_) => file.startsWith(folder_)))
                assertNone(file, fs.readFileSync(file, 'latin1'));
    });

    /* Prompts and answers are in the store; what opens doors is not. */
    test('the store has no secret that lets somebody in', () => {
        const { prompt: p, answer: a, ...doors } = secrets;
        assert.ok(p && a);
        for (const file of filesBelow(path.join(parley.dataDir, 'store'))) {
            const bytes = fs.readFileSync(file);
            for (const [name, secret] of Object.entries(doors))
                for (const spelling of spellings(secret))
                    assert.ok(!bytes.includes(spelling),
                        `${name} in ${path.basename(file)}`);
        }
    });
});
