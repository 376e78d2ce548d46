/*
 * Makes static/vendor/openapi.json of docs/openapi.yaml: the same document for
 * programs, and for the page that shows it, which reads no YAML.
 *
 * With --check it writes nothing and tells what no validator of OpenAPI does:
 * references that lead nowhere, components that nothing refers to, operations
 * without a name of their own, a summary or a known tag, error replies without
 * the codes that they can have, and codes that no source file knows. Whether
 * the document is valid, and true, is for tests/e2e/openapi.test.js.
 *
 * Usage: node scripts/openapi.mjs [--check]
 */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import YAML from 'yaml';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch',
  'trace'];

const text = fs.readFileSync(path.join(root, 'docs/openapi.yaml'), 'utf8');
const doc = YAML.parse(text, { strict: true, uniqueKeys: true });

/* What a reference within the document leads to; undefined: nothing. */
function follow(ref) {
  return ref.split('/').slice(1).reduce((at, name) =>
    at?.[name.replaceAll('~1', '/').replaceAll('~0', '~')], doc);
}

function collectRefs(value, refs) {
  if (typeof value !== 'object' || value === null) return refs;
  if (typeof value.$ref === 'string') refs.add(value.$ref);
  for (const member of Object.values(value)) collectRefs(member, refs);
  return refs;
}

function* wrongRefs() {
  const refs = collectRefs(doc, new Set());
  for (const ref of refs)
    if (!ref.startsWith('#/') || follow(ref) === undefined)
      yield `${ref} leads nowhere`;
  for (const [kind, all] of Object.entries(doc.components))
    for (const name of Object.keys(all))
      if (!refs.has(`#/components/${kind}/${name}`))
        yield `components/${kind}/${name} is not used`;
}

/* [where it is, the operation] */
function* operations() {
  for (const [address, item] of Object.entries(doc.paths))
    for (const method of METHODS)
      if (item[method])
        yield [`${method.toUpperCase()} ${address}`, item[method]];
}

function* wrongOperations() {
  const tags = new Set(doc.tags.map((tag) => tag.name));
  const names = new Set();
  for (const [where, op] of operations()) {
    if (!op.operationId || names.has(op.operationId))
      yield `${where}: an operationId of its own`;
    names.add(op.operationId);
    if (!op.summary) yield `${where}: a summary`;
    if (!op.tags?.length || op.tags.some((tag) => !tags.has(tag)))
      yield `${where}: tags that are listed`;
  }
}

/* A health report has a status of an error and is none. */
const isError = (reply) => /Error$/.test(
  reply.content?.['application/json']?.schema?.$ref ?? '');

const WORDS = /"([a-z][a-z0-9_]*)"/g;

/* Every string in the sources that could be a code. */
function wordsOfSources() {
  const words = new Set();
  for (const file of fs.readdirSync(path.join(root, 'src'),
    { recursive: true })) {
    if (!file.endsWith('.c')) continue;
    const source = fs.readFileSync(path.join(root, 'src', file), 'utf8');
    for (const [, word] of source.matchAll(WORDS)) words.add(word);
  }
  /* Made of a member's name: "invalid_%s". */
  for (const name of ['title', 'context', 'model', 'leaf', 'pinned',
    'archived', 'temporary', 'tags', 'expires_at'])
    words.add(`invalid_${name}`);
  return words;
}

function* wrongCodes() {
  const words = wordsOfSources();
  for (const [where, op] of operations()) {
    for (const [status, given] of Object.entries(op.responses)) {
      const reply = given.$ref ? follow(given.$ref) : given;
      if (isError(reply) && !reply['x-codes']?.length)
        yield `${where}: the codes of ${status}`;
      for (const code of reply?.['x-codes'] ?? [])
        if (!words.has(code))
          yield `${where}: ${status}: no source has the code ${code}`;
    }
  }
}

if (process.argv[2] === '--check') {
  const wrong = new Set([...wrongRefs(), ...wrongOperations(),
    ...wrongCodes()]);
  for (const line of wrong) console.log(`docs/openapi.yaml: ${line}`);
  process.exit(wrong.size > 0 ? 1 : 0);
}

const file = path.join(root, 'static/vendor/openapi.json');
fs.mkdirSync(path.dirname(file), { recursive: true });
fs.writeFileSync(`${file}.new`, `${JSON.stringify(doc)}\n`);
fs.renameSync(`${file}.new`, file);
