/* Small images of each kind, whole and of one pixel, and where they are in what
 * a provider was sent. */

const bytes = (base64) => Buffer.from(base64, 'base64');

export const IMAGES = {
    'dot.gif': bytes(
        'R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7'),
    'dot.webp': bytes(
        'UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA'),
    'dot.jpg': bytes('/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP///////////////////' +
        '///////////////////////////////////////////////////////////////' +
        '////wgALCAABAAEBAREA/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQABPxA' +
        '='),
    'dot.png': bytes('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADU' +
        'lEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='),
};

/* The base64 of the images of a request, on any wire, in their order. */
export function imagesIn({ body }) {
    const found = [];
    const walk = (v) => {
        if (v === null || typeof v !== 'object')
            return;
        if (typeof v.image_url?.url === 'string')
            found.push(v.image_url.url.replace(/^data:image\/\w+;base64,/, ''));
        else if (v.type === 'image' && v.source?.type === 'base64')
            found.push(v.source.data);
        else if (typeof v.inlineData?.data === 'string')
            found.push(v.inlineData.data);
        else if (typeof v.image?.source?.bytes === 'string')
            found.push(v.image.source.bytes);
        else if (Array.isArray(v.images))
            found.push(...v.images);
        else
            Object.values(v).forEach(walk);
    };
    walk(body.messages ?? body.contents);
    return found;
}
