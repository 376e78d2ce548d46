import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accountLabel } from '../../../static/js/account.js';
import { keyText, loginError } from '../../../static/js/later/account.js';

const ways = (w) => ({ required: false, password: false, oidc: null, ...w });

test('the button says what it is for, and is not there for nothing', () => {
    const nobody = { signed_in: false, name: null, user: null };
    assert.equal(accountLabel({ ...nobody, sign_in: ways() }), null);
    assert.equal(accountLabel({ ...nobody, sign_in: ways({ password: true }) }),
        'Sign in');
    assert.equal(accountLabel({ ...nobody, sign_in: ways({ oidc: 'Work' }) }),
        'Sign in');
    assert.equal(accountLabel({ signed_in: true, name: 'Ann',
        user: 'local/ann', sign_in: ways() }), 'Signed in as Ann');
    assert.equal(accountLabel({ signed_in: true, name: null,
        user: 'jwt/7', sign_in: ways() }), 'Signed in as jwt/7');
});

test('a key says what it may and when it was used', () => {
    const day = new Date('2026-01-02T12:00:00Z').toLocaleDateString();
    const key = { scope: 'chat', created_at: '2026-01-02T12:00:00Z',
        last_used_at: null, expires_at: null };
    assert.equal(keyText(key), `may chat, made ${day}, not used yet`);
    assert.equal(keyText({ ...key, scope: 'read',
        last_used_at: '2026-01-02T12:00:00Z',
        expires_at: '2026-01-02T12:00:00Z' }),
    `may read, made ${day}, used ${day}, until ${day}`);
});

test('what went wrong at a provider is said in words', () => {
    assert.match(loginError('access_denied'), /did not let you in/);
    assert.match(loginError('whatever'), /try again/);
});
