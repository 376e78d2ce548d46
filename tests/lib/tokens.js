/* JSON Web Tokens for tests: good ones are made with jose, a library that is
 * not ours; bad ones from parts, since no library makes them. An issuer is a
 * web server on 127.0.0.1 that publishes public keys. */

import http from 'node:http';
import { createHmac } from 'node:crypto';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose';

export const SECRET = 'a secret for tests that has more than 32 bytes';

export const seconds = () => Math.floor(Date.now() / 1000);

export function base64url(value) {
    const bytes = Buffer.isBuffer(value) || typeof value === 'string'
        ? value : JSON.stringify(value);
    return Buffer.from(bytes).toString('base64url');
}

/* A token by jose. Claims that are undefined are left out. */
export function sign(key, header, claims) {
    const from = typeof key === 'string' ? Buffer.from(key) : key;
    return new SignJWT({
        sub: 'ann', exp: seconds() + 300, ...claims,
    }).setProtectedHeader(header).sign(from);
}

/* A token from texts or objects, signed by HMAC whatever its header says. */
export function handmade(header, claims, key = SECRET, hash = 'sha256') {
    const text = `${base64url(header)}.${base64url(claims)}`;
    const mac = createHmac(hash, key).update(text).digest();
    return `${text}.${mac.toString('base64url')}`;
}

/* {kid, alg, privateKey, publicJwk, pem} */
export async function makeKey(kid, alg, options = {}) {
    const { privateKey, publicKey } = await generateKeyPair(alg,
        { extractable: true, ...options });
    return {
        kid, alg, privateKey, pem: await exportSPKI(publicKey),
        publicJwk: { ...await exportJWK(publicKey), kid },
    };
}

/* The same bytes with the last character's spare bits set, or null if it has
 * none. */
export function otherSpelling(part) {
    const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz' +
        '0123456789-_';
    if (part.length % 4 === 0)
        return null;
    const last = digits.indexOf(part.at(-1));
    return part.slice(0, -1) + digits[last + 1];
}

/* Publishes `keys` (JWKs) at /keys; answers as `say(res)` wants, if it is set.
 * `asked` counts. */
export async function startIssuer(keys) {
    const issuer = { keys, asked: 0, say: null };
    const server = http.createServer((req, res) => {
        issuer.asked++;
        if (issuer.say) {
            issuer.say(res);
            return;
        }
        res.writeHead(200, { 'content-type': 'application/json' });
        res.end(JSON.stringify({ keys: issuer.keys }));
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    server.unref(); /* it keeps no test file from ending */
    issuer.url = `http://127.0.0.1:${server.address().port}`;
    issuer.stop = () => new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
    });
    return issuer;
}
