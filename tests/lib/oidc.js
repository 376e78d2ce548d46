/* Two OpenID providers that are not ours, in this process and on this machine,
 * and somebody who signs in there with a jar of cookies instead of a browser.
 *
 *     const provider = await startOidcProvider();
 *     const parley = await startParley({ env: provider.env });
 *     provider.serve(parley);
 *     const visitor = new Visitor();
 *     await provider.signIn(visitor, parley, 'ann', '/#s');
 *
 * They are at "localhost" and Parley is at 127.0.0.1: two sites to a browser,
 * and to the jar. */

import assert from 'node:assert/strict';
import http from 'node:http';
import { OAuth2Server } from 'oauth2-mock-server';
import Provider from 'oidc-provider';
import { within } from './wait.js';

export const CLIENT_ID = 'parley of the tests';
export const MOCK_ID = 'parley-tests'; /* as it decodes none */
export const CLIENT_SECRET = 'a client secret: &=+%/';
export const LOGIN = '/auth/oauth2/login';
export const CALLBACK = '/auth/oauth2/callback';

const HOPS_MAX = 20;

/* Cookies by host (of all its ports, as browsers have it) and path. */
export class Visitor {
    cookies = new Map();
    set = [];           /* all Set-Cookie lines so far */

    #keep(url, lines) {
        for (const line of lines) {
            const [pair, ...rest] = line.split(/;\s*/);
            const [name, value] = pair.split(/=(.*)/s);
            const attribute = Object.fromEntries(rest.map((a) => {
                const [k, v] = a.split('=');
                return [k.toLowerCase(), v ?? true];
            }));
            const key = `${url.hostname} ${attribute.path ?? '/'} ${name}`;
            this.set.push(line);
            if (attribute['max-age'] === '0' ||
                Date.parse(attribute.expires) < Date.now())
                this.cookies.delete(key);
            else
                this.cookies.set(key, value);
        }
    }

    #header(url) {
        return [...this.cookies].map(([key, value]) => {
            const [host, path, name] = key.split(' ');
            const below = url.pathname === path ||
                url.pathname.startsWith(path.replace(/\/?$/, '/'));
            return host === url.hostname && below ? `${name}=${value}` : null;
        }).filter((c) => c !== null).join('; ');
    }

    cookie(name) {
        for (const [key, value] of this.cookies)
            if (key.endsWith(` ${name}`))
                return value;
        return undefined;
    }

    /* One request, and no redirect followed. */
    async call(address, init = {}) {
        const url = new URL(address);
        const r = await within(`${init.method ?? 'GET'} ${address}`,
            fetch(url, { redirect: 'manual', ...init, headers: {
                ...init.headers, cookie: this.#header(url) } }));
        this.#keep(url, r.headers.getSetCookie());
        const text = await r.text();
        const to = r.headers.get('location');
        let body = null;
        try {
            body = JSON.parse(text);
        } catch { /* a page */ }
        return { url: url.href, status: r.status, text, body,
            headers: r.headers, to: to === null ? null
                : new URL(to, url).href };
    }

    /* Follow redirects; stops before an address that `until` is true of. */
    async go(address, init = {}, until = () => false) {
        let r = await this.call(address, init);
        for (let hops = 0; r.to !== null && !until(r.to); hops++) {
            assert.ok(hops < HOPS_MAX, `too many redirects: ${r.to}`);
            r = await this.call(r.to);
        }
        return r;
    }

    post(parley, path, body) {
        return this.call(`${parley.url}${path}`, { method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(body ?? {}) });
    }

    /* Who Parley says it is. */
    async me(parley) {
        const r = await this.call(`${parley.url}/auth/me`);
        assert.equal(r.status, 200, r.text);
        return r.body;
    }
}

/* A page's only form, sent with these fields. */
function formOf(page, fields) {
    const action = /<form[^>]* action="([^"]+)"/.exec(page.text);
    assert.ok(action, `no form: ${page.status} ${page.text}`);
    const body = new URLSearchParams(fields);
    for (const [, name, value] of page.text.matchAll(
        /<input type="hidden" name="([^"]+)" value="([^"]*)"/g))
        body.set(name, value);
    return [new URL(action[1], page.url).href, { method: 'POST', body }];
}

const isCallback = (url) => new URL(url).pathname.endsWith(CALLBACK);

/* npm's oidc-provider: a certified one, with its own pages for signing in. A
 * name is only told at its userinfo endpoint. */
export async function startOidcProvider(options = {}) {
    const { secret = CLIENT_SECRET, claims = {} } = options;
    let answer = (req, res) => res.writeHead(503).end();
    const server = http.createServer((req, res) => answer(req, res));
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const issuer = `http://localhost:${server.address().port}`;
    const provider = {
        issuer,
        host: new URL(issuer).host,
        env: { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: CLIENT_ID,
            OIDC_CLIENT_SECRET: secret, OIDC_NAME: 'the provider' },
        down: () => { answer = (req, res) => res.writeHead(503).end(); },
    };

    /* From here on it knows this Parley. */
    provider.serve = (parley) => {
        const quiet = console.warn;
        console.warn = () => {}; /* what is fine in tests only */
        const op = new Provider(issuer, {
            clients: [{
                client_id: CLIENT_ID,
                redirect_uris: [`${parley.url}${CALLBACK}`],
                post_logout_redirect_uris: [`${parley.url}/`],
                ...(secret === '' ? { token_endpoint_auth_method: 'none' }
                    : { client_secret: secret,
                        token_endpoint_auth_method: options.method ??
                            'client_secret_basic' }),
            }],
            clientAuthMethods: options.method ? [options.method] : undefined,
            claims: { openid: ['sub'], email: ['email'],
                profile: ['name', 'preferred_username'] },
            cookies: { keys: ['a key of the tests'] },
            pkce: { required: () => true },
            findAccount: (ctx, id) => ({
                accountId: id,
                claims: () => ({ sub: id, name: `${id} of the tests`,
                    ...claims }),
            }),
        });
        answer = op.callback();
        console.warn = quiet;
    };

    /* From the link in Parley's page to the way back, not gone yet. */
    provider.toCallback = async (visitor, parley, name, next = '/') => {
        let page = await visitor.go(`${parley.url}${LOGIN}?next=` +
            encodeURIComponent(next), {}, isCallback);
        for (let i = 0; page.to === null && i < 2; i++)
            page = await visitor.go(...formOf(page,
                { login: name, password: 'any' }), isCallback);
        assert.ok(page.to !== null, `${page.status} ${page.url} ${page.text}`);
        return page.to;
    };
    provider.stop = () => new Promise((resolve) => {
        server.closeAllConnections();
        server.close(resolve);
    });
    return provider;
}

/* npm's oauth2-mock-server: lets everybody in as johndoe, and tests change what
 * it says. `spoil(claims, header)` may change an ID token before it is signed;
 * `reply(body)` the whole reply. */
export async function startMockProvider(alg = 'RS256') {
    const server = new OAuth2Server();
    await server.issuer.keys.generate(alg);
    await server.start(0, '127.0.0.1');
    const { issuer, service } = server;
    const provider = {
        server, issuer: issuer.url, host: new URL(issuer.url).host,
        env: { OIDC_ISSUER: issuer.url, OIDC_CLIENT_ID: MOCK_ID,
            OIDC_CLIENT_SECRET: CLIENT_SECRET },
        spoil: null, reply: null, codes: [], tokens: [],
        serve: () => {},
    };
    service.on('beforeTokenSigning', (token) => {
        if (token.payload.aud !== undefined)
            provider.spoil?.(token.payload, token.header);
    });
    service.on('beforeResponse', (response) => {
        provider.reply?.(response);
        provider.tokens.push(response.body.id_token,
            response.body.access_token);
    });
    service.on('beforeAuthorizeRedirect', ({ url }) =>
        provider.codes.push(url.searchParams.get('code')));
    provider.toCallback = async (visitor, parley, name, next = '/') => {
        const r = await visitor.go(`${parley.url}${LOGIN}?next=` +
            encodeURIComponent(next), {}, isCallback);
        assert.ok(r.to !== null, `${r.status} ${r.url} ${r.text}`);
        return r.to;
    };
    provider.stop = () => server.stop();
    return provider;
}

/* All of the way; what the last redirect leads to. */
export async function signIn(provider, visitor, parley, name, next) {
    const callback = await provider.toCallback(visitor, parley, name, next);
    const r = await visitor.call(callback);
    assert.equal(r.status, 302, r.text);
    return r.to;
}
