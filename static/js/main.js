/* Puts the page together: makes the parts, joins them, and lets the address
 * choose the conversation. Read chat.js next. */

import { startAccount } from './account.js';
import { announce, announceIn } from './announce.js';
import { Chat } from './chat.js';
import { Composer } from './composer.js';
import { icon } from './dom.js';
import { Net } from './net.js';
import { Scroll } from './scroll.js';
import { Sessions } from './sessions.js';
import { Shell } from './shell.js';
import { Sidebar } from './sidebar.js';
import { openStore } from './store.js';
import { startTheme } from './theme.js';
import { Thread } from './thread.js';

const STALE_MS = 30000;     /* a list not seen for that long is read again */

const $ = (id) => document.getElementById(id);

for (const node of document.querySelectorAll('[data-icon]'))
    node.prepend(icon(node.dataset.icon));
announceIn($('announcer'));

const store = openStore();
const applyTheme = startTheme($('theme'), store);
const shell = new Shell({
    page: document.documentElement, side: $('side'), main: $('main'),
    button: $('menu'), backdrop: $('backdrop'),
}, store);

const sessions = new Sessions(store, () => listChanged());
const sidebar = new Sidebar({ box: $('sessions'), archive: $('archive') },
    sessions, act);
const scroll = new Scroll($('scroll'), $('thread'), $('jump'));
const thread = new Thread({
    list: $('messages'), empty: $('empty'), scroll, top: $('top'),
});
const net = new Net($('banner'), () => chat.kick());
const composer = new Composer({
    form: $('composer'), input: $('input'), button: $('send'),
    hint: $('too-long'),
}, store, {
    send: (text) => chat.send(text),
    stop: () => chat.stop(),
});
const chat = new Chat({
    store, sessions, thread, scroll, composer, net, opened,
});

$('messages').addEventListener('edit', (e) => chat.edit(e.detail));
$('messages').addEventListener('branch', (e) => chat.branch(e.detail));

/* ---- the address: #<session id>, or nothing for a new conversation ---- */

function addressed() {
    try {
        return decodeURIComponent(location.hash.slice(1)) || null;
    } catch {
        return null;
    }
}

function pageUrl(id) {
    return `${location.pathname}${location.search}` +
        (id === null ? '' : `#${encodeURIComponent(id)}`);
}

/* A new conversation gets its address when its first message is sent; until
 * then there is nothing to come back to. */
function opened(id, fresh = false) {
    if (fresh)
        history.replaceState(null, '', pageUrl(id));
    sidebar.current = id;
    showTitle();
}

function showTitle() {
    const { begun, temporary } = chat;
    const title = temporary ? 'Temporary chat'
        : begun ? sessions.find(chat.id)?.title : null;
    $('title').textContent = title ?? 'New chat';
    document.title = title ? `${title} – Parley` : 'Parley';
    $('main').classList.toggle('is-temporary', temporary);
    $('unsaved').hidden = !temporary;
    $('keep').hidden = !begun;
    $('temporary').hidden = begun;
    $('temporary').setAttribute('aria-pressed', String(temporary));
    $('more').hidden = !begun;
}

/* Opens another conversation. */
function goTo(id) {
    location.hash = encodeURIComponent(id);
}

/* Touch screens would cover half of the page with a keyboard. */
function focusComposer() {
    if (matchMedia('(hover: hover)').matches)
        composer.focus();
}

function begin() {
    if (location.hash)
        history.pushState(null, '', pageUrl(null));
    chat.open(null);
    shell.close();
    composer.focus();
}

/* Browsers tell of a new address in one of two ways, or in both. */
function moved() {
    if (addressed() === chat.id)
        return;
    chat.open(addressed());
    shell.close();
    focusComposer();
}

addEventListener('hashchange', moved);
addEventListener('popstate', moved);
$('side').addEventListener('click', (e) => {
    if (e.target.closest('a.open'))
        shell.close();
});

/* ---- what is loaded when it is wanted: js/later/ ---- */

let actions = null;

/* Does one of the actions of later/actions.js. */
async function act(name, ...args) {
    try {
        const { Actions } = await import('./later/actions.js');
        actions ??= new Actions(sessions, {
            open: goTo,
            removed: (id) => {
                if (id === chat.id)
                    begin();
                else
                    sidebar.focus(id);
            },
            focus: (id) => {
                if (document.activeElement === document.body)
                    sidebar.focus(id);
            },
        });
    } catch {
        net.doubt();
        return;
    }
    actions[name](...args);
}

/* What a module of that folder does, once it is there. */
async function wanted(module, use) {
    try {
        use(await module);
    } catch {
        net.doubt();
    }
}

$('find').addEventListener('focus', ({ target }) => {
    wanted(import('./later/search.js'), ({ startSearch }) => startSearch(
        { input: target, box: $('found'), list: $('sessions') }, sessions));
});

function showData() {
    wanted(import('./later/data.js'), (data) =>
        data.showData(sessions, { emptied: begin, showFiles }));
}

function showFiles() {
    wanted(import('./later/files.js'), (files) => files.showFiles(store));
}

function showAccount(me) {
    wanted(import('./later/account.js'), (account) =>
        account.showAccount(me, store, sessions.list.length > 0));
}

/* Files that are dragged over the page, or dropped. */
function dragged(e) {
    const { types, files } = e.dataTransfer;
    if (!types.includes('Files'))
        return;
    e.preventDefault();
    const { type } = e;
    const dropped = [...files];
    wanted(import('./later/files.js'), (later) =>
        later.dragged(type, dropped, store));
}

/* ---- what happens around the conversation ---- */

function listChanged() {
    sidebar.draw();
    showTitle();
}

function loadList() {
    sessions.load().catch(() => {
        /* No list on the server: this browser's own is shown. */
    });
}

store.watch(window, (key, value) => {
    if (key === 'theme') {
        applyTheme();
    } else if (key === 'sessions') {
        const known = chat.begun && !chat.temporary &&
            document.title !== 'Parley';
        listChanged();
        if (known && !sessions.find(chat.id)) {
            announce('This conversation was deleted in another tab');
            begin();
        }
    } else if (key.startsWith('turn ')) {
        chat.entryChanged(key.slice(5), value);
    }
});

let leftMs = 0;             /* when the page went out of sight */
document.addEventListener('visibilitychange', () => {
    chat.visible(!document.hidden);
    if (document.hidden)
        leftMs = Date.now();
    else if (Date.now() - leftMs > STALE_MS)
        loadList();
});

$('temporary').addEventListener('click', () => {
    chat.toggleTemporary();
    if (chat.temporary)
        announce($('unsaved').textContent.trim());
    focusComposer();
});
$('keep').addEventListener('click', async () => {
    const id = await chat.keep();
    if (id !== null) {
        goTo(id);
        announce('This chat is kept');
    }
});
$('more').addEventListener('click', () => act('menu', $('more'), chat.id));
$('data').addEventListener('click', showData);
$('files').addEventListener('click', showFiles);
addEventListener('dragover', dragged);
addEventListener('drop', dragged);
$('new').addEventListener('click', begin);
$('new-top').addEventListener('click', begin);
for (const button of document.querySelectorAll('#empty button'))
    button.addEventListener('click', () => chat.send(button.textContent));

addEventListener('keydown', (e) => {
    if (e.isComposing || e.defaultPrevented ||
        document.querySelector('dialog[open]'))
        return;
    if (e.key === 'Escape') {
        if (shell.drawerOpen)
            shell.close();
        else
            chat.stop();
    } else if ((e.ctrlKey || e.metaKey) && !e.shiftKey && !e.altKey &&
        e.key.toLowerCase() === 'k') {
        e.preventDefault();
        begin();
    }
});

chat.open(addressed());
focusComposer();
loadList();
startAccount($('account'), showAccount);
