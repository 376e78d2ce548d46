/* People with accounts, for the suites: a password file, tokens signed with
 * the server's secret, and the headers that each of them sends. */

import fs from 'node:fs';
import path from 'node:path';
import { createHmac, randomBytes } from 'node:crypto';
import { execFileSync } from 'node:child_process';

export const PASSWORD = 'correct horse battery';

/* A hash as `openssl passwd` makes it: sha512-crypt. */
export function hashOf(password) {
    return execFileSync('openssl', ['passwd', '-6', '-stdin'],
        { input: `${password}\n` }).toString().trim();
}

/* Writes a password file in which everybody has the same password. */
export function writePasswords(file, users, password = PASSWORD) {
    const hash = hashOf(password);
    fs.writeFileSync(file, users.map((u) => `${u}:${hash}\n`).join(''),
        { mode: 0o600 });
    return file;
}

export function newSecret() {
    return randomBytes(32).toString('hex');
}

const part = (o) => Buffer.from(JSON.stringify(o)).toString('base64url');

/* A JWT of HS256; claims over {exp: in an hour}. */
export function signed(secret, claims, header = {}) {
    const now = Math.floor(Date.now() / 1000);
    const text = `${part({ alg: 'HS256', typ: 'JWT', ...header })}.` +
        part({ iat: now, exp: now + 3600, ...claims });
    return `${text}.` +
        createHmac('sha256', secret).update(text).digest('base64url');
}

export const bearer = (token) => ({ authorization: `Bearer ${token}` });
export const basic = (user, password = PASSWORD) => ({
    authorization: 'Basic ' +
        Buffer.from(`${user}:${password}`).toString('base64'),
});

/* Settings for a server that has the users ann, bob, carl (who may only read)
 * and eve (an administrator), below folder. */
export function accounts(folder) {
    const secret = newSecret();
    return {
        secret,
        env: {
            HTPASSWD_FILE: writePasswords(path.join(folder, 'htpasswd'),
                ['ann', 'bob', 'carl', 'eve']),
            SECRET_KEY: secret, ADMINS: 'eve', READ_ONLY: 'carl',
        },
    };
}

/* The cookies that a reply sets, as the Cookie header that comes back: what
 * was there before, changed. */
export function cookiesAfter(reply, before = '') {
    const jar = new Map(before.split('; ').filter(Boolean)
        .map((c) => [c.split('=')[0], c]));
    for (const line of reply.headers.getSetCookie()) {
        const pair = line.split(';')[0];
        if (/;\s*max-age=0/i.test(line))
            jar.delete(pair.split('=')[0]);
        else
            jar.set(pair.split('=')[0], pair);
    }
    return [...jar.values()].join('; ');
}
