/* The OpenAPI document, and finding one's way in it. Knows no page. */

const METHODS = ['get', 'put', 'post', 'patch', 'delete'];

export class ApiDocument {
    constructor(json) {
        this.json = json;
    }

    /* What a reference stands for; anything else stands for itself. */
    follow(value) {
        let at = value;
        while (at?.$ref)
            at = at.$ref.split('/').slice(1).reduce((o, name) =>
                o?.[name.replaceAll('~1', '/').replaceAll('~0', '~')],
            this.json);
        return at;
    }

    /* [{tag, operations: [{id, method, path, op, parameters}]}] */
    groups() {
        const all = [];
        for (const [path, item] of Object.entries(this.json.paths))
            for (const method of METHODS.filter((m) => item[m]))
                all.push({
                    id: item[method].operationId,
                    method: method.toUpperCase(),
                    path,
                    op: item[method],
                    parameters: [...item.parameters ?? [],
                        ...item[method].parameters ?? []]
                        .map((p) => this.follow(p)),
                });
        return this.json.tags.map((tag) => ({
            tag,
            operations: all.filter((o) => o.op.tags.includes(tag.name)),
        }));
    }

    /* The members of an object's schema, through allOf and references:
     * {properties, required: Set}. */
    members(schema) {
        const s = this.follow(schema) ?? {};
        const out = {
            properties: { ...s.properties },
            required: new Set(s.required ?? []),
        };
        for (const part of s.allOf ?? []) {
            const more = this.members(part);
            out.properties = { ...more.properties, ...out.properties };
            more.required.forEach((name) => out.required.add(name));
        }
        return out;
    }

    /* The schemas of which a value fits one; [] if there is no choice. */
    choices(schema) {
        const s = this.follow(schema) ?? {};
        return s.oneOf ?? s.anyOf ?? [];
    }

    /* Is there more to say of it than its type? */
    hasInside(schema) {
        const s = this.follow(schema) ?? {};
        if (s.items && this.hasInside(s.items))
            return true;
        return Object.keys(this.members(s).properties).length > 0 ||
            this.choices(s).some((c) => this.hasInside(c));
    }

    /* A few words: "string", "Usage", "Message[]", "string or null". */
    typeName(schema) {
        if (schema?.$ref) {
            const s = this.follow(schema);
            const name = schema.$ref.split('/').at(-1);
            return this.hasInside(s) || s.pattern || s.format
                ? name : this.typeName(s);
        }
        const s = schema ?? {};
        if ('const' in s)
            return JSON.stringify(s.const);
        if (s.enum)
            return s.enum.map((v) => JSON.stringify(v)).join(' or ');
        if (this.choices(s).length > 0)
            return this.choices(s).map((c) => this.typeName(c)).join(' or ');
        const types = [s.type ?? (s.allOf ? 'object' : 'any')].flat();
        return types.map((t) => (t === 'array' && s.items
            ? `${this.typeName(s.items)}[]` : t)).join(' or ');
    }
}

/* Limits, as words: ["1 to 500", "default 50"]. */
export function limitsOf(schema) {
    const out = [];
    const range = (min, max, unit) => {
        if (min !== undefined && max !== undefined)
            out.push(`${min} to ${max}${unit}`);
        else if (max > 0)
            out.push(`at most ${max}${unit}`);
        else if (min > 0)
            out.push(min === 1 && unit ? 'not empty' : `at least ${min}`);
    };
    range(schema.minimum, schema.maximum, '');
    range(schema.minLength, schema.maxLength, ' characters');
    range(schema.minItems, schema.maxItems, ' items');
    if (schema.format)
        out.push(schema.format);
    if (schema.pattern)
        out.push(`matches ${schema.pattern}`);
    if (schema.default !== undefined)
        out.push(`default ${schema.default}`);
    return out;
}

/* The value of a reply's or a body's example, if there is one. */
export function exampleOf(doc, media) {
    const first = Object.values(media.examples ?? {})[0];
    return first === undefined ? undefined : doc.follow(first).value;
}

const quote = (text) => `'${text.replaceAll("'", String.raw`'\''`)}'`;

const SAMPLES = {
    id: '01a1ffc9-eeda-7001-b06b-9844637bf740',
    model: 'offline/parley-offline',
    client_id: 'chat',
};

/* A command for curl that does it. base has no slash at its end. */
export function curlOf(doc, { method, path, op, parameters }, base) {
    const inSession = path.startsWith('/sessions/');
    const address = base + path.replace(/\{(\w+)\}/g, (_, name) =>
        (inSession ? 'my-session' : SAMPLES[name]));
    const query = parameters
        .filter((p) => p.in === 'query' && p.name === 'turn_id')
        .map((p) => `?${p.name}=${SAMPLES.id}`).join('');
    const types = Object.keys(op.responses[200]?.content ?? {});
    const words = ['curl'];
    if (types[0] === 'text/event-stream')
        words.push('-N');
    if (method === 'DELETE' || method === 'PATCH')
        words.push(`-X ${method}`);
    const json = op.requestBody &&
        doc.follow(op.requestBody).content['application/json'];
    if (json) {
        words.push("-H 'Content-Type: application/json'");
        words.push(`-d ${quote(JSON.stringify(exampleOf(doc, json) ?? {}))}`);
    } else if (method === 'POST') {
        words.push("-d ''");
    }
    words.push(/[^\w:/.-]/.test(address + query)
        ? quote(address + query) : address + query);
    return words.join(' ');
}
