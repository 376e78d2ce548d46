/* Signing in, and what one has when one is: a name, API keys, the browsers in
 * which one is signed in, a way out.
 *
 * The page begins anew behind each of them, since everything that it shows
 * belongs to somebody. Signing out leaves nothing of it in the browser. */

import { announce } from '../announce.js';
import * as api from '../api.js';
import { copyWith } from '../clipboard.js';
import { el, iconButton } from '../dom.js';
import { button, confirm, openDialog, tellFailure } from './dialog.js';

/* Of the settings of the page; all else that is stored belongs to somebody. */
const KEPT = ['theme', 'side'];

/* Pure: what came of a login at a provider. */
export function loginError(code) {
    return {
        access_denied: 'The provider did not let you in.',
        login_expired: 'That took too long. Please try again.',
        login_foreign: 'That began in another browser. Please try again.',
        provider_failed: 'The provider cannot be asked now. Please try again ' +
            'later.',
        server_busy: 'Too many sign in just now. Please try again.',
    }[code] ?? 'Signing in did not work. Please try again.';
}

/* Pure: a key's line. */
export function keyText({ scope, created_at: made, last_used_at: used,
    expires_at: ends }) {
    const day = (t) => new Date(t).toLocaleDateString();
    return [{ read: 'may read', chat: 'may chat', admin: 'may do anything' }[
        scope], `made ${day(made)}`,
    used ? `used ${day(used)}` : 'not used yet',
    ends ? `until ${day(ends)}` : null].filter(Boolean).join(', ');
}

const BROWSERS = [['Edg', 'Edge'], ['OPR', 'Opera'], ['Firefox', 'Firefox'],
    ['Chrom', 'Chrome'], ['Safari', 'Safari']];
const SYSTEMS = [['Windows', 'Windows'], ['Android', 'Android'],
    ['iPhone', 'iPhone'], ['iPad', 'iPad'], ['Mac OS', 'macOS'],
    ['CrOS', 'ChromeOS'], ['Linux', 'Linux']];

/* Pure: what a User-Agent says it is, in a word or two. */
export function agentText(agent) {
    const named = (list) => list.find(([part]) => agent.includes(part))?.[1];
    const browser = named(BROWSERS);
    const system = named(SYSTEMS);
    if (browser)
        return system ? `${browser} on ${system}` : browser;
    return agent.split(/[/ ]/)[0] || 'An unknown program';
}

/* Pure: a login's line. */
export function loginText({ address, way, begun_at: begun,
    last_used_at: used }) {
    const time = (t) => new Date(t).toLocaleString([],
        { dateStyle: 'short', timeStyle: 'short' });
    return [address || null, `by ${way}`, `since ${time(begun)}`,
        `used ${time(used)}`].filter(Boolean).join(', ');
}

/* Pure: this browser's login first, then the one that was used last. */
export function loginOrder(logins) {
    return [...logins].sort((a, b) => b.current - a.current ||
        Date.parse(b.last_used_at) - Date.parse(a.last_used_at));
}

/* The address without what a login left in it. */
function cleanAddress(hash) {
    history.replaceState(null, '', location.pathname + hash);
}

function begin(hash = location.hash) {
    cleanAddress(hash);
    location.reload();
}

/* ---- signing in ---- */

const labelled = (label, input) => el('label', { class: 'labelled' }, label,
    input);

function passwordForm(first, tell, done) {
    const user = el('input', { class: 'field', name: 'username',
        autocomplete: 'username', autocapitalize: 'none', required: true });
    const password = el('input', { class: 'field', name: 'password',
        type: 'password', autocomplete: 'current-password', required: true });
    const claim = el('input', { type: 'checkbox', checked: true });
    const send = el('button', { class: 'button primary' }, 'Sign in');
    return el('form', { method: 'dialog', onsubmit: async (e) => {
        e.preventDefault();
        send.disabled = true;
        tell('');
        try {
            await api.call('POST', 'auth/login', { body: {
                username: user.value, password: password.value,
                claim: claim.checked,
            } });
            done();
        } catch (error) {
            tell([`${error.message}.`, error.hint].filter(Boolean).join(' '));
            password.value = '';
            password.focus();
        }
        send.disabled = false;
    } }, labelled('User name', user), labelled('Password', password),
    first ? el('label', { class: 'check' }, claim,
        'Take over the conversations of this browser') : null,
    el('div', { class: 'actions' }, send));
}

async function signIn({ password, oidc, required }, hasSessions) {
    const code = new URLSearchParams(location.search).get('login_error');
    const error = el('p', { class: 'wrong', role: 'alert' },
        code ? loginError(code) : '');
    const next = encodeURIComponent(location.pathname);
    const parts = [error];
    if (password)
        parts.push(passwordForm(hasSessions, (text) => {
            error.textContent = text;
        }, () => node.close('in')));
    if (oidc)
        parts.push(el('div', { class: 'actions' }, el('a', {
            class: password ? 'button' : 'button primary',
            href: `auth/oauth2/login?next=${next}`,
        }, `Sign in with ${oidc}`)));
    if (parts.length === 1)
        parts.push(el('p', {}, 'Ask whoever runs this server for a way in.'));
    const { node, closed } = openDialog('Sign in', ...parts);
    node.addEventListener('cancel', (e) => {
        if (required)
            e.preventDefault();
    });
    if (!required)
        node.append(el('div', { class: 'actions' },
            button('Not now', () => node.close(''))));
    if (await closed === 'in')
        begin();
    else if (code)
        cleanAddress(location.hash);
}

/* ---- signed in ---- */

async function signOut(store, all) {
    if (all && !await confirm({ title: 'Sign out everywhere?',
        text: 'Every browser and every token of yours is signed out, at once.',
        action: 'Sign out everywhere' }))
        return;
    try {
        const r = await api.call('POST', 'auth/logout', { body: { all } });
        store.clear(KEPT);
        if (r.end_session_url)
            location.assign(r.end_session_url);
        else
            begin('');
    } catch (e) {
        tellFailure('You are not signed out', e);
    }
}

/* A new key is shown once, to be copied. */
async function showKey(key) {
    const code = el('code', { class: 'secret' }, key);
    const copy = iconButton('copy', 'Copy', () => copyWith(copy, key));
    const { node, closed } = openDialog('Your new key', el('p', {},
        'Copy it now: it is not shown again.'),
    el('div', { class: 'row' }, code, copy),
    el('div', { class: 'actions' },
        button('Done', () => node.close(''), 'primary')));
    await closed;
}

function keysPart() {
    const list = el('ul', { class: 'keys-list' });
    const name = el('input', { class: 'field', placeholder: 'Name',
        'aria-label': 'Name of the key', maxlength: '64' });
    const scope = el('select', { class: 'field', 'aria-label': 'It may' },
        el('option', { value: 'chat' }, 'May chat'),
        el('option', { value: 'read' }, 'May read'));
    const load = async () => {
        try {
            const { keys } = await api.call('GET', 'keys');
            list.replaceChildren(...keys.map((k) => el('li', {},
                el('span', {}, el('b', {}, k.name || k.id),
                    el('small', {}, keyText(k))),
                button('Revoke', () => revoke(k), 'danger'))));
        } catch (e) {
            list.replaceChildren(el('li', {}, `${e.message}.`));
        }
    };
    const revoke = async (k) => {
        if (!await confirm({ title: `Revoke “${k.name || k.id}”?`,
            text: 'Programs that use it stop working at once.',
            action: 'Revoke' }))
            return;
        try {
            await api.call('DELETE', `keys/${encodeURIComponent(k.id)}`);
            announce('The key is revoked');
        } catch (e) {
            await tellFailure('The key was not revoked', e);
        }
        load();
    };
    const make = async () => {
        try {
            const made = await api.call('POST', 'keys', { body: {
                name: name.value.trim(), scope: scope.value } });
            name.value = '';
            await showKey(made.key);
        } catch (e) {
            await tellFailure('No key was made', e);
        }
        load();
    };
    load();
    return el('section', {}, el('h3', {}, 'API keys'), list,
        el('div', { class: 'row' }, name, scope, button('Make a key', make)));
}

/* Its own login is ended by signing out. */
function loginsPart(mayEnd) {
    const list = el('ul', { class: 'keys-list' });
    const load = async () => {
        try {
            const { logins } = await api.call('GET', 'auth/logins');
            list.replaceChildren(...loginOrder(logins).map((l) => el('li', {},
                el('span', {}, el('b', { title: l.user_agent },
                    agentText(l.user_agent)),
                l.current ? ' (this browser)' : null,
                el('small', {}, loginText(l))),
                l.current || !mayEnd ? null
                    : button('End', () => end(l), 'danger'))));
        } catch (e) {
            list.replaceChildren(el('li', {}, `${e.message}.`));
        }
    };
    const end = async (l) => {
        try {
            await api.call('DELETE', `auth/logins/${encodeURIComponent(l.id)}`);
            announce('It is signed out');
        } catch (e) {
            await tellFailure('It was not signed out', e);
        }
        load();
    };
    load();
    return el('section', {}, el('h3', {}, 'Where you are signed in'), list);
}

async function showMe(me, store) {
    const readOnly = me.role === 'read-only';
    const { node, closed } = openDialog(me.name ?? me.user,
        el('p', {}, [me.user, me.role === 'user' ? null : me.role]
            .filter(Boolean).join(', ')),
        readOnly ? null : keysPart(),
        loginsPart(!readOnly),
        el('div', { class: 'actions' },
            button('Sign out everywhere', () => signOut(store, true)),
            button('Sign out', () => signOut(store, false)),
            button('Close', () => node.close(''), 'primary')));
    node.classList.add('data');
    await closed;
}

let shown = false;

/* me: as GET /auth/me has it. */
export async function showAccount(me, store, hasSessions) {
    if (shown)
        return;
    shown = true;
    if (me.signed_in)
        await showMe(me, store);
    else
        await signIn(me.sign_in, hasSessions);
    shown = false;
}
