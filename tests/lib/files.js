/* Files for tests: uploads as browsers and curl send them, and files that are
 * made here, bad ones included. */

import assert from 'node:assert/strict';
import zlib from 'node:zlib';
import { call } from './client.js';
import { until } from './wait.js';

/* --- sending -------------------------------------------------------------- */

/* POST /files by a form: files is {name: bytes or text}; the whole reply. */
export function sendForm(parley, files, { fields = {}, headers = {} } = {}) {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields))
        form.append(name, value);
    for (const [name, bytes] of Object.entries(files))
        form.append('file', new Blob([bytes]), name);
    return call(parley, '/files', { method: 'POST', body: form, headers });
}

/* POST /files?name=; the whole reply. */
export function sendFile(parley, name, bytes,
    { query = '', headers = {} } = {}) {
    return call(parley, `/files?name=${encodeURIComponent(name)}${query}`, {
        method: 'POST', body: bytes,
        headers: { 'content-type': 'application/octet-stream', ...headers },
    });
}

export const at = (name) =>
    `/files/${name.split('/').map(encodeURIComponent).join('/')}`;

/* What the server says of a file, once it has been read. */
export function readFile(parley, name, headers = {}) {
    return until(`${name} to be read`, async () => {
        const r = await call(parley, at(name), { headers });
        assert.equal(r.status, 200, r.text);
        return r.body.status !== 'waiting' && r.body;
    });
}

/* Upload, and wait until all of them are read; what is said of them. */
export async function upload(parley, files, options = {}) {
    const r = await sendForm(parley, files, options);
    assert.equal(r.status, 201, r.text);
    assert.equal(r.body.files.length, Object.keys(files).length);
    return Promise.all(r.body.files.map((f) => f.status === 'waiting'
        ? readFile(parley, f.name, options.headers) : f));
}

export async function search(parley, q, headers = {}) {
    const r = await call(parley, `/search?q=${encodeURIComponent(q)}`,
        { headers });
    assert.equal(r.status, 200, r.text);
    return r.body.results;
}

export const namesOf = (list) => [...new Set(list.map((f) => f.name))].sort();

/* --- making --------------------------------------------------------------- */

/* A ZIP of {name: bytes}, packed. */
export function zip(entries) {
    const local = [];
    const central = [];
    let offset = 0;
    for (const [name, content] of Object.entries(entries)) {
        const data = Buffer.from(content);
        const packed = zlib.deflateRawSync(data, { level: 9 });
        const head = Buffer.alloc(30);
        head.writeUInt32LE(0x04034b50, 0);
        head.writeUInt16LE(20, 4);
        head.writeUInt16LE(8, 8);
        head.writeUInt16LE(0x21, 12);
        head.writeUInt32LE(zlib.crc32(data), 14);
        head.writeUInt32LE(packed.length, 18);
        head.writeUInt32LE(data.length, 22);
        head.writeUInt16LE(Buffer.byteLength(name), 26);
        const entry = Buffer.alloc(46);
        entry.writeUInt32LE(0x02014b50, 0);
        entry.writeUInt16LE(20, 4);
        head.copy(entry, 6, 4, 30);
        entry.writeUInt32LE(offset, 42);
        local.push(head, Buffer.from(name), packed);
        central.push(entry, Buffer.from(name));
        offset += 30 + Buffer.byteLength(name) + packed.length;
    }
    const size = central.reduce((n, b) => n + b.length, 0);
    const end = Buffer.alloc(22);
    end.writeUInt32LE(0x06054b50, 0);
    end.writeUInt16LE(central.length / 2, 8);
    end.writeUInt16LE(central.length / 2, 10);
    end.writeUInt32LE(size, 12);
    end.writeUInt32LE(offset, 16);
    return Buffer.concat([...local, ...central, end]);
}

/* A DOCX of these paragraphs. */
export function docx(...paragraphs) {
    const type = 'application/vnd.openxmlformats-officedocument.' +
        'wordprocessingml.document.main+xml';
    return zip({
        '[Content_Types].xml': '<?xml version="1.0"?><Types xmlns="http://' +
            'schemas.openxmlformats.org/package/2006/content-types">' +
            '<Default Extension="rels" ContentType="application/vnd.' +
            'openxmlformats-package.relationships+xml"/><Override ' +
            `PartName="/word/document.xml" ContentType="${type}"/></Types>`,
        '_rels/.rels': '<?xml version="1.0"?><Relationships xmlns="http://' +
            'schemas.openxmlformats.org/package/2006/relationships">' +
            '<Relationship Id="r" Type="http://schemas.openxmlformats.org/' +
            'officeDocument/2006/relationships/officeDocument" ' +
            'Target="word/document.xml"/></Relationships>',
        'word/document.xml': '<?xml version="1.0"?><w:document xmlns:w="' +
            'http://schemas.openxmlformats.org/wordprocessingml/2006/main">' +
            `<w:body>${paragraphs.map((p) =>
                `<w:p><w:r><w:t>${p}</w:t></w:r></w:p>`).join('')}` +
            '</w:body></w:document>',
    });
}

/* A PDF with one page that says this; encrypted: its trailer says so. */
export function pdf(text, { encrypted = false } = {}) {
    const stream = `BT /F1 12 Tf 72 720 Td (${text}) Tj ET`;
    const objects = [
        '<< /Type /Catalog /Pages 2 0 R >>',
        '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
        '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] ' +
            '/Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
        `<< /Length ${stream.length} >>\nstream\n${stream}\nendstream`,
        '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
    ];
    if (encrypted)
        objects.push('<< /Filter /Standard /V 1 /R 2 /Length 40 /P -4 ' +
            `/O <${'5a'.repeat(32)}> /U <${'a5'.repeat(32)}> >>`);
    let out = '%PDF-1.4\n';
    const places = objects.map((o, i) => {
        const place = out.length;
        out += `${i + 1} 0 obj\n${o}\nendobj\n`;
        return place;
    });
    const xref = out.length;
    out += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n` +
        places.map((p) => `${String(p).padStart(10, '0')} 00000 n \n`).join('');
    const id = 'ab'.repeat(16);
    out += `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R` +
        (encrypted ? ` /Encrypt 6 0 R /ID [<${id}> <${id}>]` : '') +
        ` >>\nstartxref\n${xref}\n%%EOF\n`;
    return Buffer.from(out, 'latin1');
}
