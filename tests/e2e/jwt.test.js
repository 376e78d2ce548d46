/* Who comes with a JSON Web Token: the good ones are let in as whom they name,
 * and each way known to forge, confuse or bend one is refused with 401. Good
 * tokens are made by jose, with a secret and with keys of an issuer. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { CompactEncrypt, exportPKCS8, importPKCS8, SignJWT } from 'jose';
import { call, postJson } from '../lib/client.js';
import { CHAT } from '../lib/programs.js';
import { startParley } from '../lib/server.js';
import {
    base64url, handmade, makeKey, otherSpelling, seconds, SECRET, sign,
    startIssuer,
} from '../lib/tokens.js';

const HS256 = { alg: 'HS256' };
const OTHER = 'another secret that has more than 32 bytes';
const ISSUER = 'https://issuer.example';
const AUDIENCE = 'parley';

const me = (parley, token, headers = {}) => call(parley, '/auth/me',
    { headers: { authorization: `Bearer ${token}`, ...headers } });

async function letIn(parley, token, user, role = 'user') {
    const r = await me(parley, token);
    assert.equal(r.status, 200, r.text);
    assert.equal(r.body.signed_in, true);
    assert.equal(r.body.user, user);
    assert.equal(r.body.role, role);
    assert.equal(r.body.way, 'jwt');
    return r.body;
}

async function refuse(parley, token, what, code = 'invalid_token') {
    const r = await me(parley, token);
    assert.equal(r.status, 401, `${what}: ${r.status} ${r.text}`);
    assert.equal(r.body.code, code, `${what}: ${r.text}`);
    assert.match(r.headers.get('www-authenticate') ?? '', /^Bearer/);
    assert.ok(!r.text.includes(token) || token.length < 8, what);
}

const refuseAll = async (parley, rows) => {
    for (const [what, token, code] of rows)
        await refuse(parley, token, what, code);
};

describe('tokens of a secret', () => {
    let parley;
    const claims = () => ({ sub: 'ann', exp: seconds() + 300 });

    before(async () => {
        parley = await startParley({ env: { SECRET_KEY: SECRET } });
    });
    after(async () => {
        const log = parley?.log() ?? '';
        await parley?.stop();
        assert.ok(!log.includes(SECRET), 'the secret is in the log');
        assert.ok(!log.includes('eyJ'), 'a token is in the log');
    });

    test('a good one names its owner', async () => {
        const body = await letIn(parley, await sign(SECRET, HS256,
            { name: 'Ann Ä.', iat: seconds(), jti: 'x' }), 'jwt/ann');
        assert.equal(body.name, 'Ann Ä.');
        assert.ok(Date.parse(body.until) > Date.now());
        await letIn(parley, await sign(SECRET, { ...HS256, typ: 'JWT',
            kid: 'any' }, { exp: seconds() - 30 }), 'jwt/ann');
        await letIn(parley, await sign(SECRET, { alg: 'HS256', typ: 'at+jwt' },
            { exp: seconds() + 1.5, nbf: seconds() - 0.5 }), 'jwt/ann');
    });

    test('what it owns is seen by its owner alone', async () => {
        const ann = { authorization:
            `Bearer ${await sign(SECRET, HS256, { sub: 'ann' })}` };
        const bob = { authorization:
            `Bearer ${await sign(SECRET, HS256, { sub: 'bob' })}` };
        const r = await postJson(parley, '/chat', { message: 'hello' }, ann);
        assert.equal(r.status, 200, r.text);
        const at = `/sessions/${r.body.session_id}`;
        assert.equal((await call(parley, at, { headers: ann })).status, 200);
        assert.equal((await call(parley, at, { headers: bob })).status, 404);
        assert.equal((await call(parley, at)).status, 404);
    });

    test('roles and scopes', async () => {
        const rows = [
            [{ role: 'admin' }, 'admin'], [{ roles: ['x', 'admin'] }, 'admin'],
            [{ role: 'read-only' }, 'read-only'],
            [{ scope: 'openid read' }, 'read-only'],
            [{ scope: 'read write' }, 'user'], [{ scope: 'openid' }, 'user'],
            [{ role: 'admin', scope: 'read' }, 'read-only'],
            [{ role: 'Admin' }, 'user'], [{ admin: true }, 'user'],
        ];
        for (const [more, role] of rows)
            await letIn(parley, await sign(SECRET, HS256, more), 'jwt/ann',
                role);
        const token = await sign(SECRET, HS256, { role: 'read-only' });
        const r = await postJson(parley, '/chat', { message: 'hello' },
            { authorization: `Bearer ${token}` });
        assert.equal(r.status, 403, r.text);
    });

    test('out of its time', async () => {
        await refuseAll(parley, [
            ['over', await sign(SECRET, HS256, { exp: seconds() - 3600 }),
                'token_expired'],
            ['over since a minute', await sign(SECRET, HS256,
                { exp: seconds() - 61 }), 'token_expired'],
            ['not yet', await sign(SECRET, HS256, { nbf: seconds() + 120 })],
            ['of the future', await sign(SECRET, HS256,
                { iat: seconds() + 120 })],
            ['without an end', handmade(HS256, { sub: 'ann' })],
            ['an end as text', handmade(HS256,
                { sub: 'ann', exp: String(seconds() + 300) })],
            ['an end in milliseconds', handmade(HS256,
                { sub: 'ann', exp: Date.now() + 300000 })],
            ['no number', handmade(HS256,
                `{"sub":"ann","exp":${seconds() + 300},"nbf":null}`)],
            ['infinite', handmade(HS256, '{"sub":"ann","exp":1e999}')],
        ]);
    });

    test('whose it is must be said', async () => {
        const exp = seconds() + 300;
        await refuseAll(parley, [
            ['nobody', handmade(HS256, { exp })],
            ['empty', handmade(HS256, { exp, sub: '' })],
            ['a number', handmade(HS256, { exp, sub: 7 })],
            ['a list', handmade(HS256, { exp, sub: ['ann'] })],
            ['an object', handmade(HS256, { exp, sub: { sub: 'ann' } })],
            ['control characters', handmade(HS256, { exp, sub: 'a\nb' })],
            ['NUL', handmade(HS256, { exp, sub: 'ann\0' })],
            ['too long', handmade(HS256, { exp, sub: 'a'.repeat(256) })],
            ['twice', handmade(HS256,
                `{"sub":"ann","exp":${exp},"sub":"bob"}`)],
            ['twice, once escaped', handmade(HS256,
                `{"sub":"ann","exp":${exp},"s\\u0075b":"bob"}`)],
        ]);
    });

    test('forged', async () => {
        const good = await sign(SECRET, HS256, {});
        const [header, payload, mac] = good.split('.');
        const admin = base64url({ ...claims(), role: 'admin' });
        await refuseAll(parley, [
            ['another secret', await sign(OTHER, HS256, {})],
            ['no secret', handmade(HS256, claims(), '')],
            ['other claims', `${header}.${admin}.${mac}`],
            ['another header', `${base64url({ ...HS256, kid: 'x' })}.${
                payload}.${mac}`],
            ['half a signature', `${header}.${payload}.${mac.slice(0, 22)}`],
            ['no signature', `${header}.${payload}.`],
            ['nothing for a signature', `${header}.${payload}`],
            ['SHA-1', handmade(HS256, claims(), SECRET, 'sha1')],
            ['SHA-512', handmade(HS256, claims(), SECRET, 'sha512')],
            ['the secret is too short for HS512',
                await sign(SECRET, { alg: 'HS512' }, {})],
            ['zeroes', `${header}.${payload}.${base64url(Buffer.alloc(32))}`],
        ]);
        await letIn(parley, good, 'jwt/ann');
    });

    test('unsigned', async () => {
        const rows = [];
        for (const alg of ['none', 'None', 'NONE', 'nOnE', ' none', '']) {
            const text = `${base64url({ alg })}.${base64url(claims())}`;
            rows.push([`${alg}, no signature`, `${text}.`]);
            rows.push([`${alg}, an HMAC`, handmade({ alg }, claims())]);
            rows.push([`${alg}, no third part`, text]);
        }
        for (const alg of [null, 0, [], {}, ['HS256'], true])
            rows.push([`alg ${JSON.stringify(alg)}`,
                handmade({ alg }, claims())]);
        rows.push(['no alg', handmade({ typ: 'JWT' }, claims())]);
        await refuseAll(parley, rows);
    });

    test('headers that change what the rest means', async () => {
        const rows = [
            { ...HS256, crit: ['exp'], exp: 1 }, { ...HS256, crit: [] },
            { ...HS256, b64: false, crit: ['b64'] }, { ...HS256, b64: true },
            { ...HS256, zip: 'DEF' }, { ...HS256, cty: 'JWT' },
            { ...HS256, enc: 'A128GCM' }, { ...HS256, typ: 'logout+jwt' },
            { ...HS256, typ: 'dpop+jwt' }, { ...HS256, kid: 7 },
            { ...HS256, kid: '' }, { ALG: 'HS256' }, { alg: 'hs256' },
            { alg: 'HS256 ' }, { alg: 'RS256' }, { alg: 'ES256' },
            { alg: 'PS256' }, { alg: 'EdDSA' }, { alg: 'dir' }, [HS256], null,
            '"HS256"', 'HS256', '{"alg":"HS256"} x', '{"alg":"HS256",}',
            '{"alg":"none","alg":"HS256"}', '{"alg":"HS256","alg":"none"}',
            '{"alg":"HS256","\\u0061lg":"none"}', '\ufeff{"alg":"HS256"}',
        ];
        await refuseAll(parley, rows.map((header) => [JSON.stringify(header),
            handmade(header, claims())]));
    });

    test('keys that a token brings along', async () => {
        const mine = { kty: 'oct', k: base64url(OTHER) };
        const asked = await startIssuer([mine]);
        try {
            await refuseAll(parley, [
                ['jwk', handmade({ ...HS256, jwk: mine }, claims(), OTHER)],
                ['jku', handmade({ ...HS256, jku: `${asked.url}/keys` },
                    claims(), OTHER)],
                ['x5u', handmade({ ...HS256, x5u: `${asked.url}/keys` },
                    claims(), OTHER)],
                ['kid, a path', handmade({ ...HS256, kid: '../../dev/null' },
                    claims(), '')],
                ['kid, a URL', handmade({ ...HS256, kid: `${asked.url}/keys` },
                    claims(), OTHER)],
            ]);
            assert.equal(asked.asked, 0);
        } finally {
            await asked.stop();
        }
    });

    test('other forms than the compact one', async () => {
        const good = await sign(SECRET, HS256, {});
        const [header, payload, mac] = good.split('.');
        const rows = [
            ['four parts', `${good}.${mac}`],
            ['five parts', `${good}.${mac}.${mac}`],
            ['detached', `${header}..${mac}`],
            ['padded', `${header}.${payload}.${mac}=`],
            ['padded header', `${header}=.${payload}.${mac}`],
            ['percent', `${header}.${payload}.${mac}%3D`],
            ['a tab', `${header}.${payload}.\t${mac}`],
            ['a space', `${header}. ${payload}.${mac}`],
            ['two tokens', `${good} ${good}`],
            ['two tokens with a comma', `${good},${good}`],
            ['a dot more', `${good}.`], ['a dot before', `.${good}`],
            ['nested', handmade({ ...HS256, cty: 'JWT' }, good)],
            ['a token in a token', handmade(HS256, good)],
            ['a list of claims', handmade(HS256, [claims()])],
            ['claims and more', handmade(HS256,
                `${JSON.stringify(claims())} {}`)],
            ['encrypted', await new CompactEncrypt(Buffer.from(
                JSON.stringify(claims())))
                .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
                .encrypt(Buffer.from(SECRET.slice(0, 32)))],
            ['with its own name', `eyJ${'A'.repeat(100)}`],
        ];
        const other = otherSpelling(mac);
        assert.deepEqual(Buffer.from(other, 'base64url'),
            Buffer.from(mac, 'base64url'));
        rows.push(['the same bytes, otherwise', `${header}.${payload}.${
            other}`]);
        for (const part of [header, payload]) {
            const bent = otherSpelling(part);
            if (bent !== null) {
                const text = good.replace(part, bent).split('.')
                    .slice(0, 2).join('.');
                rows.push(['a part, otherwise', `${text}.${mac}`]);
            }
        }
        await refuseAll(parley, rows);
    });

    test('a long one is taken, one that is too long is not', async () => {
        const token = await sign(SECRET, HS256, { x: 'x'.repeat(5000) });
        await letIn(parley, token, 'jwt/ann');
        const r = await me(parley, await sign(SECRET, HS256,
            { x: 'x'.repeat(6200) }));
        assert.ok([401, 431].includes(r.status), r.text); /* or the server */
    });

    test('what is no token at all is nobody', async () => {
        const [header, payload, mac] = (await sign(SECRET, HS256, {}))
            .split('.');
        for (const token of ['sk-proj-1234', JSON.stringify({ payload,
            signatures: [{ protected: header, signature: mac }] })]) {
            const r = await me(parley, token);
            assert.equal(r.status, 200, r.text);
            assert.equal(r.body.signed_in, false);
        }
    });
});

describe('tokens of an issuer', () => {
    let parley, issuer, rsa, ec, strangers;
    const audience = { iss: ISSUER, aud: AUDIENCE };
    const by = (key, claims = {}, header = {}) => sign(key.privateKey,
        { alg: key.alg, kid: key.kid, ...header }, { ...audience, ...claims });
    const USER = 'oidc/issuer.example/ann';

    before(async () => {
        [rsa, ec, strangers] = await Promise.all([
            makeKey('rsa-1', 'RS256'), makeKey('ec-1', 'ES256'),
            makeKey('rsa-1', 'RS256')]);
        issuer = await startIssuer([rsa.publicJwk, ec.publicJwk]);
        parley = await startParley({ env: {
            JWKS_URL: `${issuer.url}/keys`, JWT_ISSUER: ISSUER,
            JWT_AUDIENCE: AUDIENCE,
        } });
    });
    after(async () => {
        await parley?.stop();
        await issuer?.stop();
    });

    test('keys are fetched once, when the first token comes', async () => {
        assert.equal(issuer.asked, 0);
        await refuse(parley, 'a.b.c', 'no token');
        assert.equal(issuer.asked, 0);
        const tokens = await Promise.all([by(rsa), by(ec), by(rsa), by(ec)]);
        const replies = await Promise.all(tokens.map((t) => me(parley, t)));
        for (const r of replies) /* few wait at once; the others try again */
            assert.ok(r.status === 200 || (r.status === 503 &&
                r.headers.has('retry-after')), r.text);
        for (const t of tokens)
            await letIn(parley, t, USER);
        assert.equal(issuer.asked, 1);
    });

    test('algorithms of the keys', async () => {
        const pem = await exportPKCS8(rsa.privateKey);
        for (const alg of ['RS384', 'RS512', 'PS256', 'PS384', 'PS512'])
            await letIn(parley, await by({ kid: rsa.kid, alg,
                privateKey: await importPKCS8(pem, alg) }), USER);
        await letIn(parley, await by(ec), USER);
        await letIn(parley, await by(ec, { aud: ['x', AUDIENCE] }), USER);
        await letIn(parley, await sign(ec.privateKey, { alg: 'ES256' },
            audience), USER); /* the only key for ES256 */
    });

    test('forged and confused', async () => {
        const claims = { sub: 'ann', exp: seconds() + 300, ...audience };
        const spki = rsa.pem;
        const der = Buffer.from(spki.replace(/-.*-|\s/g, ''), 'base64');
        const modulus = Buffer.from(rsa.publicJwk.n, 'base64url');
        const rows = [
            ['another key of that name', await by(strangers)],
            ['no such key', await by({ ...rsa, kid: 'rsa-2' })],
            ['the name of another kind', await by({ ...rsa, kid: 'ec-1' })],
            ['and the other way', await by({ ...ec, kid: 'rsa-1' })],
            ['a key that it brings along', await new SignJWT(claims)
                .setProtectedHeader({ alg: 'RS256', kid: 'rsa-1',
                    jwk: strangers.publicJwk }).sign(strangers.privateKey)],
            ['another issuer', await by(rsa, { iss: 'https://evil.example' })],
            ['an issuer that is alike', await by(rsa, { iss: `${ISSUER}/` })],
            ['no issuer', await by(rsa, { iss: undefined })],
            ['for another audience', await by(rsa, { aud: 'other' })],
            ['for other audiences', await by(rsa, { aud: ['a', 'b'] })],
            ['for nobody', await by(rsa, { aud: undefined })],
            ['over', await by(rsa, { exp: seconds() - 100 }), 'token_expired'],
            ['not yet', await by(ec, { nbf: seconds() + 100 })],
        ];
        for (const alg of ['HS256', 'HS384', 'HS512', 'RS256', 'ES256'])
            for (const [what, key] of [['PEM', spki], ['its end', `${spki}\n`],
                ['trimmed', spki.trim()], ['DER', der], ['modulus', modulus],
                ['n', rsa.publicJwk.n], ['empty', ''],
                ['JWK', JSON.stringify(rsa.publicJwk)]])
                rows.push([`${alg} with the public key as ${what}`,
                    handmade({ alg, kid: 'rsa-1' }, claims, key,
                        `sha${alg.slice(2)}`)]);
        await refuseAll(parley, rows);
        const [h, p, s] = (await by(ec)).split('.');
        const bytes = Buffer.from(s, 'base64url');
        await refuseAll(parley, [
            ['r and s are zero', `${h}.${p}.${base64url(Buffer.alloc(64))}`],
            ['s is zero', `${h}.${p}.${base64url(Buffer.concat([
                bytes.subarray(0, 32), Buffer.alloc(32)]))}`],
            ['a byte more', `${h}.${p}.${base64url(Buffer.concat([bytes,
                Buffer.alloc(1)]))}`],
            ['a byte less', `${h}.${p}.${base64url(bytes.subarray(0, 63))}`],
            ['as DER', `${h}.${p}.${base64url(Buffer.concat([
                Buffer.from('3044022000', 'hex'), bytes]))}`],
        ]);
        assert.equal(issuer.asked, 1); /* none of these had keys fetched */
    });
});

describe('keys of an issuer that are changed', () => {
    let parley, key, next;
    const get = async (parley_, k) => me(parley_, await sign(k.privateKey,
        { alg: k.alg, kid: k.kid }, { iss: ISSUER }));

    before(async () => {
        [key, next] = await Promise.all([makeKey('1', 'ES384'),
            makeKey('2', 'ES512')]);
    });

    test('a file is read again', async () => {
        const folder = fs.mkdtempSync(path.join('/tmp', 'parley-keys-'));
        const file = path.join(folder, 'keys.json');
        const write = (k) => {
            fs.writeFileSync(`${file}.new`, JSON.stringify({ keys: [k] }));
            fs.renameSync(`${file}.new`, file);
        };
        write(key.publicJwk);
        parley = await startParley({ env: { JWKS_FILE: file } });
        try {
            assert.equal((await get(parley, key)).status, 200);
            assert.equal((await get(parley, next)).status, 401);
            write(next.publicJwk);
            const end = Date.now() + 20000;
            let r;
            do
                r = await get(parley, next);
            while (r.status !== 200 && Date.now() < end);
            assert.equal(r.status, 200, r.text);
            assert.equal((await get(parley, key)).status, 401);
        } finally {
            await parley.stop();
            fs.rmSync(folder, { recursive: true });
        }
    });

    test('an issuer that does not answer well is no way in', async () => {
        const issuer = await startIssuer([key.publicJwk]);
        const evil = await startIssuer([key.publicJwk]);
        const rows = [
            (res) => { res.writeHead(500); res.end('no'); },
            (res) => { res.writeHead(200); res.end('<html>'); },
            (res) => { res.writeHead(302,
                { location: `${evil.url}/keys` }); res.end(); },
            (res) => { res.writeHead(200);
                res.end(JSON.stringify({ keys: [{ kty: 'oct', kid: '1',
                    k: base64url(SECRET) }] })); },
            (res) => { res.writeHead(200); res.write('{"keys":[');
                res.write(' '.repeat(400000)); res.end(']}'); },
        ];
        for (const say of rows) {
            issuer.say = say;
            parley = await startParley({
                env: { JWKS_URL: `${issuer.url}/keys` } });
            try {
                const r = await get(parley, key);
                assert.equal(r.status, 503, r.text);
                assert.equal(r.body.code, 'keys_unavailable');
                assert.ok(r.headers.has('retry-after'));
                const forged = handmade({ alg: 'HS256', kid: '1' },
                    { sub: 'ann', exp: seconds() + 300 });
                await refuse(parley, forged, 'by a published secret');
            } finally {
                await parley.stop();
            }
        }
        assert.equal(evil.asked, 0);
        await issuer.stop();
        await evil.stop();
    });

    test('a slow issuer does not hold up the others', async () => {
        const issuer = await startIssuer([]);
        const waiting = [];
        issuer.say = (res) => { waiting.push(res); };
        parley = await startParley({ env: { SECRET_KEY: SECRET, THREADS: '4',
            JWKS_URL: `${issuer.url}/keys` } });
        try {
            const slow = Array.from({ length: 6 }, () => get(parley, key));
            const quick = await Promise.race(slow); /* found no place to wait */
            assert.equal(quick.status, 503);
            await letIn(parley, await sign(SECRET, HS256, {}), 'jwt/ann');
            assert.equal(issuer.asked, 1);
            for (const res of waiting) {
                res.writeHead(200);
                res.end(JSON.stringify({ keys: [key.publicJwk] }));
            }
            const ends = (await Promise.all(slow)).map((r) => r.status);
            assert.ok(ends.includes(200), String(ends));
            assert.equal((await get(parley, key)).status, 200);
        } finally {
            await parley.stop();
            await issuer.stop();
        }
    });
});

test('settings that are not safe keep it from starting', () => {
    const folder = fs.mkdtempSync(path.join('/tmp', 'parley-start-'));
    try {
        for (const [name, value] of [['JWT_SECRET', 'short'],
            ['SECRET_KEY', 'x'.repeat(31)],
            ['JWKS_FILE', '/nonexistent/keys.json'],
            ['JWKS_URL', 'http://issuer.example/keys']]) {
            const r = spawnSync(CHAT, ['--engine'], {
                env: { AI_PROVIDER: 'offline', DATA_DIR: folder,
                    [name]: value },
                encoding: 'utf8', timeout: 60000,
            });
            assert.equal(r.status, 1, `${name}: ${r.signal} ${r.stderr}`);
            const line = r.stderr.split('\n')
                .find((l) => l.includes('error auth.open'));
            assert.ok(line?.includes(name), r.stderr);
            if (name !== 'JWKS_FILE')
                assert.ok(!line.includes(value), line);
        }
    } finally {
        fs.rmSync(folder, { recursive: true });
    }
});
