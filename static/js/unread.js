/* What is said in the place of messages that could not be read. */

/* After ApiError e. retry() reads again; remove() (or null) takes the
 * conversation off the list. */
export function unread(e, { retry, remove }) {
    if (e.status === 404)
        return {
            text: 'This conversation is not on the server.',
            hint: 'It was deleted, or its time ran out.', quiet: true,
            actions: remove
                ? [{ label: 'Remove from the list', run: remove }] : [],
        };
    return {
        text: `The messages were not loaded. ${e.message}.`,
        hint: e.hint, requestId: e.requestId, waitMs: e.waitMs,
        actions: [{ label: 'Retry', run: retry }],
    };
}
