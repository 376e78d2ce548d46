/* Who the reader is: asked once when the page is opened, and again when the
 * server wants somebody to sign in. The rest is in later/account.js. */

import * as api from './api.js';

/* Pure: what the button says; null: there is nothing to sign in to. */
export function accountLabel({ signed_in: known, name, user, sign_in: ways }) {
    if (known)
        return `Signed in as ${name ?? user}`;
    return ways.password || ways.oidc ? 'Sign in' : null;
}

async function whoAmI() {
    try {
        return await api.call('GET', 'auth/me');
    } catch (e) {
        if (e.status !== 401)
            throw e;
        return { signed_in: false, ...await api.call('GET', 'status') };
    }
}

/* show(me) opens what the button is for. */
export function startAccount(button, show) {
    let me = null;
    const load = async () => {
        try {
            me = await whoAmI();
        } catch {
            return; /* who is not reached asks again anyway */
        }
        const label = accountLabel(me);
        button.hidden = label === null;
        button.title = label;
        button.setAttribute('aria-label', label);
        if ((!me.signed_in && me.sign_in.required) ||
            new URLSearchParams(location.search).has('login_error'))
            show(me);
    };
    button.addEventListener('click', () => show(me));
    api.watchRefusals(load);
    load();
}
