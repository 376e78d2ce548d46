/* Before the first paint: the colours that the reader chose in the chat, which
 * lies one folder higher. A classic script because modules run too late. */
(function () {
    'use strict';
    var path = new URL('..', document.baseURI).pathname;
    try {
        var theme = JSON.parse(localStorage.getItem('parley ' + path +
            ' theme'));
        if (theme === 'dark' || theme === 'light')
            document.documentElement.dataset.theme = theme;
    } catch (e) {
        /* no storage, no choice */
    }
}());
