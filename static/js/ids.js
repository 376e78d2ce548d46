/* Random ids for sessions and messages.
 *
 * crypto.randomUUID() exists only in secure contexts; a page served over plain
 * http to another machine has getRandomValues() alone. */

function hex(bytes) {
    return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
}

export function uuid() {
    if (crypto.randomUUID)
        return crypto.randomUUID();
    const b = crypto.getRandomValues(new Uint8Array(16));
    b[6] = (b[6] & 0x0f) | 0x40;
    b[8] = (b[8] & 0x3f) | 0x80;
    const s = hex(b);
    return [s.slice(0, 8), s.slice(8, 12), s.slice(12, 16), s.slice(16, 20),
        s.slice(20)].join('-');
}
