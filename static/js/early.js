/* Before the first paint: the colours that the reader chose, and whether the
 * side bar is open. A classic script because modules run too late; theme.js
 * and shell.js do the rest. data-base says where the chat lies, for a page
 * that is beside it. */
(function () {
    'use strict';
    var root = document.documentElement;
    var base = document.currentScript.dataset.base || '.';
    var prefix = 'parley ' + new URL(base, document.baseURI).pathname + ' ';

    function stored(key) {
        try {
            return JSON.parse(localStorage.getItem(prefix + key));
        } catch (e) {
            return null; /* no storage, no choice */
        }
    }

    var theme = stored('theme');
    if (theme === 'dark' || theme === 'light')
        root.dataset.theme = theme;
    root.dataset.side = matchMedia('(max-width: 760px)').matches ||
        stored('side') === false ? 'closed' : 'open';
}());
