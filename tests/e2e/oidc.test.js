/* Signing in at OpenID providers that others wrote: the whole way there and
 * back, what a login is good for, and every way back that lets nobody in. */

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { startBrowser } from '../lib/browser.js';
import { newSession } from '../lib/client.js';
import {
    CALLBACK, CLIENT_ID, CLIENT_SECRET, LOGIN, MOCK_ID, Visitor, signIn,
    startMockProvider, startOidcProvider,
} from '../lib/oidc.js';
import { startParley } from '../lib/server.js';
import { within } from '../lib/wait.js';

const BASE64URL_256 = /^[A-Za-z0-9_-]{43}$/;

/* Go there and come back, and see that it let nobody in. */
async function refused(parley, visitor, callback, code, next = '/') {
    const r = await visitor.call(callback);
    assert.equal(r.status, 302, r.text);
    const [path, fragment] = next.split('#');
    assert.equal(r.to, new URL(`${path}${path.includes('?') ? '&' : '?'}` +
        `login_error=${code}${fragment === undefined ? '' : `#${fragment}`}`,
    parley.url).href);
    assert.equal(visitor.cookie('parley_login'), undefined);
    const me = await visitor.me(parley);
    assert.equal(me.signed_in, false);
}

function noSecretsIn(log, secrets) {
    for (const secret of secrets.filter((s) => s?.length > 12))
        assert.ok(!log.includes(secret), `in the log: ${secret}\n${log}`);
}

describe('oidc-provider', () => {
    let provider, parley;

    before(async () => {
        provider = await startOidcProvider();
        parley = await startParley({ env: provider.env });
        provider.serve(parley);
    });
    after(async () => {
        await parley?.stop();
        await provider?.stop();
    });

    test('somebody signs in, is known, and signs out', async () => {
        const visitor = new Visitor();
        const before = await visitor.me(parley);
        assert.equal(before.signed_in, false);
        assert.equal(before.sign_in.oidc, 'the provider');
        const callback = await provider.toCallback(visitor, parley, 'ann',
            '/?a=b#session-1');
        const args = new URL(callback).searchParams;
        assert.equal(args.get('iss'), provider.issuer);
        const r = await visitor.call(callback);
        assert.equal(r.to, `${parley.url}/?a=b#session-1`);
        assert.equal(r.status, 302);
        assert.equal(r.headers.get('cache-control'), 'no-store');
        assert.equal(r.headers.get('referrer-policy'), 'no-referrer');

        const me = await visitor.me(parley);
        assert.equal(me.signed_in, true);
        assert.equal(me.user, `oidc/${provider.host}/ann`);
        assert.equal(me.name, 'ann of the tests'); /* by userinfo */
        assert.equal(me.role, 'user');
        assert.equal(me.way, 'login');

        const login = visitor.cookie('parley_login');
        const out = await visitor.post(parley, '/auth/logout');
        assert.equal(out.status, 200, out.text);
        assert.equal(out.body.signed_in, false);
        const end = new URL(out.body.end_session_url);
        assert.equal(end.origin, provider.issuer);
        assert.deepEqual(Object.fromEntries(end.searchParams), {
            client_id: CLIENT_ID,
            post_logout_redirect_uri: `${parley.url}/` });
        assert.equal(visitor.cookie('parley_login'), undefined);
        assert.equal((await visitor.me(parley)).signed_in, false);
        const old = await fetch(`${parley.url}/auth/me`,
            { headers: { cookie: `parley_login=${login}` } });
        assert.equal((await old.json()).signed_in, false);
        noSecretsIn(parley.log(), [CLIENT_SECRET,
            encodeURIComponent(CLIENT_SECRET), login, args.get('code'),
            args.get('state')]);
    });

    test('the provider is asked as it should be', async () => {
        const visitor = new Visitor();
        const r = await visitor.call(`${parley.url}${LOGIN}`);
        assert.equal(r.status, 302);
        assert.equal(r.headers.get('cache-control'), 'no-store');
        const url = new URL(r.to);
        const args = Object.fromEntries(url.searchParams);
        assert.equal(url.origin, provider.issuer);
        assert.equal(args.response_type, 'code');
        assert.equal(args.client_id, CLIENT_ID);
        assert.equal(args.redirect_uri, `${parley.url}${CALLBACK}`);
        assert.equal(args.scope, 'openid profile email');
        assert.equal(args.code_challenge_method, 'S256');
        for (const name of ['state', 'nonce', 'code_challenge'])
            assert.match(args[name], BASE64URL_256);
        const [cookie] = visitor.set.filter((c) =>
            c.startsWith('parley_oidc='));
        assert.match(cookie, /; HttpOnly/);
        assert.match(cookie, /; SameSite=Lax/);
        assert.match(cookie, /; Max-Age=600/);
        assert.match(visitor.cookie('parley_oidc'), BASE64URL_256);
        /* nothing is used twice */
        const again = new URL((await visitor.call(`${parley.url}${LOGIN}`)).to);
        for (const name of ['state', 'nonce', 'code_challenge'])
            assert.notEqual(again.searchParams.get(name), args[name]);
    });

    test('the sessions of before become theirs', async () => {
        const visitor = new Visitor();
        await visitor.me(parley);
        assert.ok(visitor.cookie('parley_owner'));
        const session = newSession();
        const asked = await visitor.post(parley, '/chat',
            { message: 'hello', session_id: session });
        assert.equal(asked.status, 200, asked.text);
        await signIn(provider, visitor, parley, 'carla');
        const list = await visitor.call(`${parley.url}/sessions`);
        assert.deepEqual(list.body.sessions.map((s) => s.session_id ?? s.id),
            [session]);
        const stranger = new Visitor();
        await signIn(provider, stranger, parley, 'dora');
        const other = await stranger.call(`${parley.url}/sessions/${session}`);
        assert.equal(other.status, 404, other.text);
    });

    test('a way back that was gone already is over', async () => {
        const visitor = new Visitor();
        const callback = await provider.toCallback(visitor, parley, 'ann');
        assert.equal((await visitor.call(callback)).to, `${parley.url}/`);
        await visitor.post(parley, '/auth/logout');
        await refused(parley, visitor, callback, 'login_expired');
    });

    test('somebody else\'s way back is of no use', async () => {
        const victim = new Visitor();
        const attacker = new Visitor();
        const callback = await provider.toCallback(attacker, parley, 'eve');
        await refused(parley, victim, callback, 'login_foreign');
        /* nor with a cookie of the victim's own attempt */
        await victim.call(`${parley.url}${LOGIN}`);
        await refused(parley, victim, callback, 'login_foreign');
        /* whose it is can still go it */
        assert.equal((await attacker.call(callback)).to, `${parley.url}/`);
        assert.equal((await attacker.me(parley)).user,
            `oidc/${provider.host}/eve`);
    });

    test('another issuer in the response is refused', async () => {
        for (const iss of ['https://evil.example', `${provider.issuer}/`,
            null]) {
            const visitor = new Visitor();
            const url = new URL(await provider.toCallback(visitor, parley,
                'ann'));
            if (iss === null)
                url.searchParams.delete('iss');
            else
                url.searchParams.set('iss', iss);
            await refused(parley, visitor, url.href, 'token_invalid');
        }
    });

    test('a code of another attempt is refused', async () => {
        const visitor = new Visitor();
        const first = new URL(await provider.toCallback(visitor, parley,
            'ann'));
        const second = new URL(await provider.toCallback(visitor, parley,
            'ann'));
        second.searchParams.set('code', first.searchParams.get('code'));
        await refused(parley, visitor, second.href, 'login_expired');
    });

    test('two tabs sign in at once', async () => {
        const visitor = new Visitor();
        const first = await provider.toCallback(visitor, parley, 'ann', '/#1');
        const second = await provider.toCallback(visitor, parley, 'ann',
            '/#2');
        assert.equal((await visitor.call(second)).to, `${parley.url}/#2`);
        assert.equal((await visitor.call(first)).to, `${parley.url}/#1`);
    });

    test('who says no at the provider is back in the page', async () => {
        const visitor = new Visitor();
        const page = await visitor.go(
            `${parley.url}${LOGIN}?next=${encodeURIComponent('/?x=1#s')}`);
        const abort = /href="([^"]*\/abort)"/.exec(page.text);
        assert.ok(abort, page.text);
        const back = await visitor.go(new URL(abort[1], page.url).href, {},
            (url) => new URL(url).pathname === CALLBACK);
        await refused(parley, visitor, back.to, 'access_denied', '/?x=1#s');
    });

    test('nobody is sent elsewhere', async () => {
        for (const next of ['//evil.example', 'https://evil.example/',
            '/\\evil.example', '/../x', 'javascript:alert(1)', '/%2e%2e/x',
            '']) {
            const visitor = new Visitor();
            assert.equal(await signIn(provider, visitor, parley, 'ann', next),
                `${parley.url}/`, next);
        }
    });

    test('HEAD begins nothing, and a made-up way back leads nowhere',
        async () => {
            const visitor = new Visitor();
            const head = await visitor.call(`${parley.url}${LOGIN}`,
                { method: 'HEAD' });
            assert.equal(head.status, 200);
            assert.equal(visitor.cookie('parley_oidc'), undefined);
            const state = randomBytes(32).toString('base64url');
            for (const query of ['', '?code=x', `?code=x&state=${state}`,
                '?state=../../x&code=y', `?state=${state}&error=x`])
                await refused(parley, visitor,
                    `${parley.url}${CALLBACK}${query}`, 'login_expired');
            const callback = await provider.toCallback(visitor, parley, 'ann');
            const seen = await visitor.call(callback, { method: 'HEAD' });
            assert.equal(seen.status, 200);
            assert.equal((await visitor.call(callback)).to, `${parley.url}/`);
        });

    test('an image of another site begins nothing', async () => {
        const visitor = new Visitor();
        const r = await visitor.call(`${parley.url}${LOGIN}`, { headers: {
            'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' } });
        assert.equal(r.status, 403, r.text);
        assert.equal(visitor.cookie('parley_oidc'), undefined);
    });

    test('in a browser', async () => {
        const browser = await startBrowser();
        try {
            const context = await browser.window();
            const page = await context.newPage();
            await page.goto(`${parley.url}${LOGIN}?next=/`);
            await page.fill('input[name=login]', 'bob');
            await page.fill('input[name=password]', 'any');
            await page.click('button[type=submit]');
            await page.waitForSelector('input[name=prompt][value=consent]',
                { state: 'attached' });
            await page.click('button[type=submit]');
            await page.waitForURL(`${parley.url}/`);
            await page.waitForSelector('#input');
            const me = await page.evaluate(async () =>
                (await fetch('auth/me')).json());
            assert.equal(me.user, `oidc/${provider.host}/bob`);
            const cookies = await context.cookies(parley.url);
            const login = cookies.find((c) => c.name === 'parley_login');
            assert.equal(login.httpOnly, true);
            assert.equal(login.sameSite, 'Lax');
            assert.equal(await page.evaluate(() =>
                document.cookie.includes('parley_')), false);
        } finally {
            await browser.stop();
        }
    });
});

describe('other clients of oidc-provider', () => {
    for (const [what, options] of [
        ['a public client', { secret: '' }],
        ['a secret in the form', { method: 'client_secret_post' }],
    ])
        test(what, async (t) => {
            const provider = await startOidcProvider(options);
            t.after(() => provider.stop());
            const parley = await startParley({ env: provider.env,
                basePath: '/below/this' });
            t.after(() => parley.stop());
            provider.serve(parley);
            const visitor = new Visitor();
            assert.equal(await signIn(provider, visitor, parley, 'ann',
                '/below/other/'), `${parley.url}/`);
            assert.equal((await visitor.me(parley)).user,
                `oidc/${provider.host}/ann`);
            const paths = [...visitor.cookies.keys()]
                .filter((k) => k.includes('parley_'))
                .map((k) => k.split(' ')[1]);
            assert.ok(paths.length > 0);
            for (const path of paths)
                assert.match(path, /^\/below\/this\/?$/);
        });

    test('where all have to sign in, this is a way to', async (t) => {
        const provider = await startOidcProvider();
        t.after(() => provider.stop());
        const parley = await startParley({ env: { ...provider.env,
            AUTH_REQUIRED: '1',
            ADMINS: `oidc/${provider.host}/root` } });
        t.after(() => parley.stop());
        provider.serve(parley);
        const visitor = new Visitor();
        const before = await visitor.call(`${parley.url}/sessions`);
        assert.equal(before.status, 401, before.text);
        await signIn(provider, visitor, parley, 'root');
        const list = await visitor.call(`${parley.url}/sessions`);
        assert.equal(list.status, 200, list.text);
        assert.equal((await visitor.me(parley)).role, 'admin');
        /* a document that was read serves on, tokens cannot be had */
        const other = new Visitor();
        const callback = await provider.toCallback(other, parley, 'ann');
        provider.down();
        const r = await other.call(callback);
        assert.equal(r.to, `${parley.url}/?login_error=provider_failed`);
        assert.equal(other.cookie('parley_login'), undefined);
        assert.equal((await visitor.me(parley)).signed_in, true);
    });
});

describe('oauth2-mock-server', () => {
    let provider, parley;

    before(async () => {
        provider = await startMockProvider('ES256');
        parley = await startParley({ env: { ...provider.env,
            OIDC_ADMIN_CLAIM: 'groups=admins' } });
    });
    after(async () => {
        await parley?.stop();
        await provider?.stop();
    });

    /* Every attempt with what the provider is made to say. */
    async function spoiled(spoil, code = 'token_invalid') {
        provider.spoil = spoil;
        const visitor = new Visitor();
        const callback = await provider.toCallback(visitor, parley);
        await refused(parley, visitor, callback, code);
        provider.spoil = null;
    }

    test('somebody signs in, also as an administrator', async () => {
        const visitor = new Visitor();
        assert.equal(await signIn(provider, visitor, parley), `${parley.url}/`);
        const me = await visitor.me(parley);
        assert.equal(me.user, `oidc/${provider.host}/johndoe`);
        assert.equal(me.role, 'user');
        assert.equal(me.sign_in.oidc, provider.host);
        provider.spoil = (claims) => { claims.groups = ['x', 'admins']; };
        const first = visitor.cookie('parley_login');
        await signIn(provider, visitor, parley);
        provider.spoil = null;
        assert.equal((await visitor.me(parley)).role, 'admin');
        /* a login rotates when its owner signs in anew */
        const old = await fetch(`${parley.url}/auth/me`,
            { headers: { cookie: `parley_login=${first}` } });
        assert.equal((await old.json()).signed_in, false);
    });

    const now = () => Math.floor(Date.now() / 1000);
    for (const [what, spoil] of [
        ['the wrong nonce', (c) => { c.nonce = 'another'; }],
        ['no nonce', (c) => { delete c.nonce; }],
        ['the wrong audience', (c) => { c.aud = 'somebody else'; }],
        ['several audiences and no azp',
            (c) => { c.aud = [MOCK_ID, 'somebody else']; }],
        ['the wrong azp', (c) => { c.azp = 'somebody else'; }],
        ['the wrong issuer', (c) => { c.iss = 'https://evil.example'; }],
        ['an end in the past', (c) => {
            c.iat = now() - 7200;
            c.nbf = c.iat;
            c.exp = now() - 3600;
        }],
        ['no end', (c) => { delete c.exp; }],
        ['a beginning in the future', (c) => {
            c.iat = now() + 3600;
            c.exp = now() + 7200;
        }],
        ['no subject', (c) => { delete c.sub; }],
        ['the at_hash of another token',
            (c) => { c.at_hash = '77QmUPtjPfzWtF2AnpK9RQ'; }],
        ['a key that nobody knows', (c, h) => { h.kid = 'unknown'; }],
        ['a critical extension', (c, h) => { h.crit = ['b64']; h.b64 = true; }],
    ])
        test(`an ID token with ${what} is refused`, () => spoiled(spoil));

    test('an at_hash that is right is fine', async () => {
        const visitor = new Visitor();
        const callback = await provider.toCallback(visitor, parley);
        /* the access token is made first, and is known when the ID token is */
        let access;
        const build = provider.server.service.buildToken;
        provider.server.service.buildToken = async function (...args) {
            const token = await build.apply(this, args);
            access ??= token;
            return token;
        };
        provider.spoil = (claims) => {
            claims.at_hash = createHash('sha256').update(access).digest()
                .subarray(0, 16).toString('base64url');
        };
        assert.equal((await visitor.call(callback)).to, `${parley.url}/`);
        provider.spoil = null;
        provider.server.service.buildToken = build;
    });

    test('a token without a signature, or with another\'s, is refused',
        async () => {
            const text = (o) => Buffer.from(JSON.stringify(o))
                .toString('base64url');
            for (const change of [
                ([, claims]) => `${text({ alg: 'none' })}.${claims}.`,
                ([header, claims]) => `${header}.${claims}.`,
                ([header, claims, signature]) => [header, text({
                    ...JSON.parse(Buffer.from(claims, 'base64url')),
                    sub: 'root' }), signature].join('.'),
                () => 'x',
                () => undefined,
            ]) {
                provider.reply = ({ body }) => {
                    body.id_token = change(body.id_token.split('.'));
                };
                const visitor = new Visitor();
                const callback = await provider.toCallback(visitor, parley);
                const r = await visitor.call(callback);
                assert.match(r.to,
                    /login_error=(token_invalid|provider_failed)$/);
                assert.equal((await visitor.me(parley)).signed_in, false);
            }
            provider.reply = null;
        });

    test('what the provider answers with an error lets nobody in', async () => {
        for (const [statusCode, body, code] of [
            [400, { error: 'invalid_grant' }, 'login_expired'],
            [401, { error: 'invalid_client' }, 'provider_failed'],
            [500, 'oops', 'provider_failed'],
            [200, [], 'provider_failed'],
            [200, { token_type: 'mac', id_token: 'x' }, 'provider_failed'],
        ]) {
            provider.reply = (response) => Object.assign(response,
                { statusCode, body });
            const visitor = new Visitor();
            await refused(parley, visitor,
                await provider.toCallback(visitor, parley), code);
        }
        provider.reply = null;
    });

    test('of many that come back with one code, one is let in', async () => {
        const visitor = new Visitor();
        const callback = await provider.toCallback(visitor, parley);
        const cookie = `parley_oidc=${visitor.cookie('parley_oidc')}`;
        const all = await Promise.all(Array.from({ length: 5 }, async () => {
            const r = await within('the way back', fetch(callback,
                { redirect: 'manual', headers: { cookie } }));
            await r.text();
            return r.headers.getSetCookie()
                .some((c) => /^parley_login=[^;]/.test(c));
        }));
        assert.equal(all.filter((one) => one).length, 1);
    });

    test('the log has no secret, no code and no token', async () => {
        const visitor = new Visitor();
        await signIn(provider, visitor, parley);
        assert.ok(provider.codes.length > 10);
        noSecretsIn(parley.log(), [CLIENT_SECRET, ...provider.codes,
            ...provider.tokens, visitor.cookie('parley_login'),
            visitor.cookie('parley_oidc')]);
        assert.match(parley.log(), /oidc\.failed .*step=id_token/);
        const audit = fs.readFileSync(`${parley.dataDir}/audit.log`, 'utf8');
        noSecretsIn(audit, [CLIENT_SECRET, ...provider.codes,
            ...provider.tokens, visitor.cookie('parley_login')]);
        const events = audit.trim().split('\n').map((l) => JSON.parse(l));
        assert.ok(events.some((e) => e.event === 'login' && e.way === 'oidc' &&
            e.who === `oidc/${provider.host}/johndoe`));
        assert.ok(events.some((e) => e.reason === 'token_invalid'));
    });
});

describe('behind other web servers', () => {
    for (const door of ['lighttpd-cgi', 'apache-cgi'])
        test(`somebody signs in and out: ${door}`, async (t) => {
            const provider = await startMockProvider();
            t.after(() => provider.stop());
            const parley = await startParley({ door, env: provider.env });
            t.after(() => parley.stop());
            const visitor = new Visitor();
            assert.equal(await signIn(provider, visitor, parley, '', '/#s'),
                `${parley.url}/#s`);
            assert.equal((await visitor.me(parley)).user,
                `oidc/${provider.host}/johndoe`);
            const out = await visitor.post(parley, '/auth/logout');
            assert.match(out.body.end_session_url, /\/endsession\?/);
            assert.equal((await visitor.me(parley)).signed_in, false);
            await refused(parley, visitor,
                `${parley.url}${CALLBACK}?code=x&state=y`, 'login_expired');
        });

    test('too many who begin are told to wait', async (t) => {
        const provider = await startMockProvider();
        t.after(() => provider.stop());
        const parley = await startParley({ env: { ...provider.env,
            RATE_IP: '2' } });
        t.after(() => parley.stop());
        const all = [];
        for (let i = 0; i < 3; i++)
            all.push((await new Visitor().call(`${parley.url}${LOGIN}`)).to);
        assert.ok(all[0].startsWith(provider.issuer), all[0]);
        assert.ok(all[1].startsWith(provider.issuer), all[1]);
        assert.equal(all[2], `${parley.url}/?login_error=server_busy`);
    });
});

describe('a provider whose keys change', () => {
    test('the next key is known before it signs', async (t) => {
        const provider = await startMockProvider();
        t.after(() => provider.stop());
        const kids = [];
        provider.spoil = (claims, header) => { kids.push(header.kid); };
        await provider.server.issuer.keys.generate('PS384');
        const parley = await startParley({ env: provider.env });
        t.after(() => parley.stop());
        for (let i = 0; i < 2; i++) {
            assert.equal(await signIn(provider, new Visitor(), parley),
                `${parley.url}/`);
            /* its keys take turns, two of them in each login */
            await provider.server.issuer.buildToken();
        }
        assert.equal(new Set(kids).size, 2);
    });
});

describe('a provider that is none', () => {
    const documents = {
        '/another': (issuer) => ({ ...good(issuer),
            issuer: issuer.replace('/another', '/good') }),
        '/plain': (issuer) => ({ ...good(issuer),
            token_endpoint: 'http://10.0.0.1/token' }),
        '/lacking': (issuer) => ({ issuer }),
        '/text': () => 'not JSON',
        '/failing': () => null,
    };
    let server, base;

    function good(issuer) {
        return { issuer, authorization_endpoint: `${issuer}/a`,
            token_endpoint: `${issuer}/t`, jwks_uri: `${issuer}/j` };
    }

    before(async () => {
        server = http.createServer((req, res) => {
            const name = /^\/\w+/.exec(req.url)[0];
            const body = documents[name]?.(`${base}${name}`);
            res.writeHead(body === null ? 500 : 200);
            res.end(typeof body === 'string' ? body : JSON.stringify(body));
        });
        await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
        base = `http://127.0.0.1:${server.address().port}`;
    });
    after(() => server.close());

    test('nobody is sent to it', async () => {
        for (const name of [...Object.keys(documents), '']) {
            const parley = await startParley({ env: { OIDC_CLIENT_ID: 'c',
                OIDC_ISSUER: name === '' ? 'http://127.0.0.1:9'
                    : `${base}${name}` } });
            try {
                const visitor = new Visitor();
                for (let i = 0; i < 2; i++) {
                    const r = await visitor.call(`${parley.url}${LOGIN}`);
                    assert.equal(r.status, 302, r.text);
                    assert.equal(r.to,
                        `${parley.url}/?login_error=provider_failed`, name);
                }
            } finally {
                await parley.stop();
            }
        }
    });

    test('without settings there is no such way in', async () => {
        const parley = await startParley();
        try {
            for (const path of [LOGIN, CALLBACK]) {
                const r = await new Visitor().call(`${parley.url}${path}`);
                assert.equal(r.status, 404, r.text);
                assert.equal(r.body.code, 'no_oidc');
            }
            assert.equal((await new Visitor().me(parley)).sign_in.oidc, null);
        } finally {
            await parley.stop();
        }
    });
});
