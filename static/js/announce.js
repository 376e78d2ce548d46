/* Says something to a screen reader, politely and once.
 *
 * One region for the whole page. The answers themselves are not live regions:
 * nobody wants every token read out. */

let region = null;

export function announceIn(node) {
    region = node;
}

export function announce(text) {
    region.textContent = '';
    /* A region that changes twice in one task is read as unchanged. */
    setTimeout(() => {
        region.textContent = text;
    }, 60);
}
