/*
 * Makes static/vendor/: the page's three libraries as plain ES modules.
 *
 * The page has no build step and asks no other host, so what npm installed is
 * copied to where the browser can import it:
 *
 *   marked.js            Markdown to HTML, as published
 *   dompurify.js         the sanitiser; its minified UMD file in a module
 *   highlight.js         its core, and load(name) for a language
 *   languages/NAME.js    the languages below, each loaded when code needs it
 *   LICENSES.txt         the libraries' own licences, in full
 *
 * highlight.js is published as CommonJS, unminified. It is wrapped in modules,
 * and comments and indentation are left out (half of its compressed size);
 * nothing is renamed. The copy is then loaded and must give the same HTML as
 * the package does on every sample, which is each language's own source text.
 *
 * The colours of code are the page's own (static/css/prose.css).
 *
 * Usage: node scripts/vendor.mjs [-v] [folder]; -v prints the sizes.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import zlib from 'node:zlib';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const folder = process.argv.slice(2).find((word) => word !== '-v');
const out = path.resolve(folder ?? path.join(root, 'static/vendor'));
const modules = path.join(root, 'node_modules');
const require = createRequire(import.meta.url);

const LANGUAGES = [
  'bash', 'c', 'cpp', 'csharp', 'css', 'dart', 'diff', 'dockerfile', 'elixir',
  'go', 'graphql', 'haskell', 'http', 'ini', 'java', 'javascript', 'json',
  'kotlin', 'lua', 'makefile', 'markdown', 'nginx', 'perl', 'php',
  'plaintext', 'powershell', 'python', 'r', 'ruby', 'rust', 'scala', 'scss',
  'shell', 'sql', 'swift', 'typescript', 'xml', 'yaml',
];

const read = (name) => fs.readFileSync(path.join(modules, name), 'utf8');
const written = [];

function write(name, text) {
  const file = path.join(out, name);
  fs.writeFileSync(`${file}.new`, text);
  fs.renameSync(`${file}.new`, file);
  written.push([name, zlib.gzipSync(text, { level: 9 }).length]);
}

const withoutMap = (text) =>
  text.replace(/\n?\/\/# sourceMappingURL=\S+\s*$/, '\n');

/* Words after which a slash begins a regular expression. */
const BEFORE_REGEX = /(?:^|[^\w$.])(?:return|typeof|case|in|of|delete|void|throw|new|else|do)$/;

/* The end of the literal that begins at i: a string, template or regex. */
function literalEnd(text, i) {
  const quote = text[i];
  let inClass = false;
  for (let j = i + 1; j < text.length; j++) {
    const c = text[j];
    if (c === '\\') j++;
    else if (quote === '/' && c === '[') inClass = true;
    else if (quote === '/' && c === ']') inClass = false;
    else if (quote === '`' && c === '$' && text[j + 1] === '{')
      j = codeEnd(text, j + 2);
    else if (c === quote && !inClass) return j + 1;
    else if (c === '\n' && quote !== '`')
      throw new Error(`unfinished literal: ${text.slice(i, j)}`);
  }
  throw new Error('unfinished literal at the end of the file');
}

/* The brace that closes a template's ${ (no literal with braces inside). */
function codeEnd(text, i) {
  let depth = 1;
  for (let j = i; j < text.length; j++) {
    if (text[j] === '{') depth++;
    if (text[j] === '}' && --depth === 0) return j;
  }
  throw new Error('unfinished template');
}

function regexBegins(before) {
  return /[^\w$)\]}'"`]$|^$/.test(before) || BEFORE_REGEX.test(before);
}

/* Between words a space stays, and where two signs would become another. */
function needsSpace(before, after) {
  const word = /[\w$]/;
  return (word.test(before) && word.test(after)) ||
    ('+-/<!'.includes(before) && '+-/<!'.includes(after));
}

/* Comments, indentation and empty lines out; line ends stay where they are. */
function strip(text) {
  let kept = '';
  for (let i = 0; i < text.length;) {
    const c = text[i];
    const two = text.slice(i, i + 2);
    if (two === '//') {
      const end = text.indexOf('\n', i);
      i = end < 0 ? text.length : end;
    } else if (two === '/*') {
      const end = text.indexOf('*/', i + 2) + 2;
      kept += text.slice(i, end).includes('\n') ? '\n' : ' ';
      i = end;
    } else if (c === ' ' || c === '\t') {
      while (text[i] === ' ' || text[i] === '\t') i++;
      if (needsSpace(kept.at(-1) ?? '', text[i] ?? '')) kept += ' ';
    } else if (c === '\n') {
      kept = kept.trimEnd();
      kept += '\n';
      while (/\s/.test(text[i] ?? '')) i++;
    } else {
      const literal = c === '"' || c === "'" || c === '`' ||
        (c === '/' && regexBegins(kept.slice(-80).trimEnd()));
      const end = literal ? literalEnd(text, i) : i + 1;
      kept += text.slice(i, end);
      i = end;
    }
  }
  return kept.trim();
}

/* One CommonJS file as an expression whose value is its module.exports. */
function commonjs(name) {
  const text = strip(read(name));
  if (/\brequire\s*\(/.test(text)) throw new Error(`${name} wants another`);
  return `((module) => {\n${text}\nreturn module.exports;\n})({})`;
}

const LICENCE = '/*! highlight.js VERSION, BSD-3-Clause, see LICENSES.txt */';

/* What the module offers beside the library itself. */
const LOADER = `
const names = NAMES;
const embedded = { markdown: ['xml'], xml: ['css', 'javascript'] };
const coming = {};

/* Make a language known to hljs, and those that its texts often hold; its
 * name, or an alias of it. Resolves to false where there is none such. */
export async function load(name) {
  const key = name.toLowerCase();
  const file = Object.hasOwn(names, key) ? names[key] : null;
  if (!file) return false;
  for (const other of embedded[file] ?? []) await load(other);
  if (!hljs.getLanguage(file)) {
    coming[file] ??= import('./languages/' + file + '.js');
    try {
      hljs.registerLanguage(file, (await coming[file]).default);
    } finally {
      delete coming[file];
    }
  }
  return true;
}

export default hljs;
`;

/* Every name and alias of a language, and the file that has it. */
function aliases(theirs) {
  const names = {};
  for (const name of LANGUAGES) {
    names[name] = name;
    for (const alias of theirs.getLanguage(name).aliases ?? [])
      names[alias.toLowerCase()] ??= name;
  }
  return names;
}

async function highlight() {
  const version = JSON.parse(read('highlight.js/package.json')).version;
  const licence = LICENCE.replace('VERSION', version);
  const theirs = require(path.join(modules, 'highlight.js/lib/core.js'));
  for (const name of LANGUAGES)
    theirs.registerLanguage(name, require(
      path.join(modules, `highlight.js/lib/languages/${name}.js`)));

  const core = commonjs('highlight.js/lib/core.js');
  write('highlight.js', `${licence}\nconst hljs = ${core};` +
    LOADER.replace('NAMES', JSON.stringify(aliases(theirs))));
  for (const name of LANGUAGES)
    write(`languages/${name}.js`, `${licence}\nexport default ${
      commonjs(`highlight.js/lib/languages/${name}.js`)};\n`);
  await checkHighlight(theirs);
}

async function checkHighlight(theirs) {
  const file = pathToFileURL(path.join(out, 'highlight.js'));
  const { default: ours, load } = await import(file);
  for (const name of LANGUAGES) assert.equal(await load(name), true, name);
  for (const language of LANGUAGES) {
    for (const sample of ['css', 'markdown', 'perl', language]) {
      const text = read(`highlight.js/lib/languages/${sample}.js`);
      assert.equal(
        ours.highlight(text, { language }).value,
        theirs.highlight(text, { language }).value,
        `highlight.js as ${language} on ${sample}.js`);
    }
  }
  assert.equal(await load('no such language'), false);
}

function dompurify() {
  const umd = withoutMap(read('dompurify/dist/purify.min.js'));
  return 'const exports = {};\nconst module = { exports };\n' +
    `${umd}\nexport default module.exports;\n`;
}

function licences() {
  const names = ['marked/LICENSE', 'dompurify/LICENSE',
    'dompurify/LICENSE-MPL', 'highlight.js/LICENSE'];
  return names
    .map((name) => `==== ${name} ====\n\n${read(name)}`)
    .join('\n\n');
}

fs.mkdirSync(path.join(out, 'languages'), { recursive: true });
write('marked.js', withoutMap(read('marked/lib/marked.esm.js')));
write('dompurify.js', dompurify());
write('LICENSES.txt', licences());
await highlight();

if (process.argv.includes('-v'))
  for (const [name, bytes] of written) console.log(`${name} ${bytes} (gzip)`);
