import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accountLabel } from '../../../static/js/account.js';
import { agentText, keyText, loginError, loginOrder, loginText } from
    '../../../static/js/later/account.js';

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

test('a login says where it is from, and what it is', () => {
    const chrome = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 ' +
        '(KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36';
    assert.equal(agentText(chrome), 'Chrome on Linux');
    assert.equal(agentText(`${chrome} Edg/120.0`), 'Edge on Linux');
    assert.equal(agentText('Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) ' +
        'AppleWebKit/605.1 (KHTML, like Gecko) Version/17 Safari/605.1'),
    'Safari on macOS');
    assert.equal(agentText('curl/7.88.1'), 'curl');
    assert.equal(agentText(''), 'An unknown program');
    const at = '2026-01-02T12:00:00Z';
    const time = new Date(at).toLocaleString([],
        { dateStyle: 'short', timeStyle: 'short' });
    const login = { way: 'password', address: '192.0.2.7', begun_at: at,
        last_used_at: at };
    assert.equal(loginText(login),
        `192.0.2.7, by password, since ${time}, used ${time}`);
    assert.match(loginText({ ...login, address: '' }), /^by password/);
});

test('this login is the first, then those used last', () => {
    const login = (id, day, current = false) =>
        ({ id, current, last_used_at: `2026-01-0${day}T00:00:00Z` });
    const logins = [login('a', 1), login('b', 3), login('c', 2, true)];
    assert.deepEqual(loginOrder(logins).map((l) => l.id), ['c', 'b', 'a']);
    assert.equal(logins[0].id, 'a', 'they stay as they were');
});

test('what went wrong at a provider is said in words', () => {
    assert.match(loginError('access_denied'), /did not let you in/);
    assert.match(loginError('whatever'), /try again/);
});
