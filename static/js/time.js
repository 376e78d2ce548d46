/* Words for points in time. Pure, except for the reader's own clock zone. */

const DAY_MS = 24 * 60 * 60 * 1000;

function midnight(ms) {
    return new Date(ms).setHours(0, 0, 0, 0);
}

/* The heading under which something of that age stands in a list. */
export function ageGroup(atMs, nowMs) {
    const days = Math.round((midnight(nowMs) - midnight(atMs)) / DAY_MS);
    if (days <= 0)
        return 'Today';
    if (days === 1)
        return 'Yesterday';
    if (days < 7)
        return 'Past week';
    if (days < 30)
        return 'Past month';
    return new Date(atMs).toLocaleDateString(undefined,
        { month: 'long', year: 'numeric' });
}

export function clockTime(date) {
    return date.toLocaleTimeString(undefined,
        { hour: '2-digit', minute: '2-digit' });
}

export function fullTime(date) {
    return date.toLocaleString(undefined,
        { dateStyle: 'full', timeStyle: 'short' });
}

/* What a Retry-After header asks for, in ms; null if there is none. */
export function retryAfterMs(header, nowMs) {
    if (!header)
        return null;
    if (/^\s*\d+\s*$/.test(header))
        return Number(header) * 1000;
    const at = Date.parse(header);
    return Number.isNaN(at) ? null : Math.max(0, at - nowMs);
}

/* The pause before try number n (from 0), in ms: doubling up to a ceiling. */
export function backoffMs(n, firstMs = 1000, ceilingMs = 15000) {
    return Math.min(firstMs * 2 ** n, ceilingMs);
}
