/*
 * Makes etc/lexicon/passwords.txt: the passwords that are tried first, and the
 * words that most others are made of. `parley passwd` refuses them.
 *
 *   passwords.txt       from the npm package @zxcvbn-ts/language-common, which
 *                       lists passwords by how many people chose them: first
 *                       those that are long enough to be one here, then short
 *                       words of letters; one a line, as people chose them. A
 *                       line that begins with "# " is none.
 *   LICENSE-passwords   the package's licence, in full
 *
 * Usage: node scripts/passwords.mjs [folder]
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const LONG = 5000; /* of PASSWORD_MIN characters or more */
const SHORT = 2000; /* words of letters that are shorter */
const PASSWORD_MIN = 8;

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const out = path.resolve(process.argv[2] ?? path.join(root, 'etc/lexicon'));
const theirs = path.join(root, 'node_modules/@zxcvbn-ts/language-common');
const read = (name) => fs.readFileSync(path.join(theirs, name), 'utf8');
const { name, version, license } = JSON.parse(read('package.json'));
assert.equal(license, 'MIT');

function write(file, text) {
  const to = path.join(out, file);
  fs.writeFileSync(`${to}.new`, text);
  fs.renameSync(`${to}.new`, to);
}

const all = JSON.parse(read('src/passwords.json'));
assert(all.every((s) => /^[\x21-\x7e]+$/.test(s)));
const words = [
  ...all.filter((s) => s.length >= PASSWORD_MIN).slice(0, LONG),
  ...all.filter((s) => /^[a-z]+$/.test(s) && s.length >= 4 &&
    s.length < PASSWORD_MIN).slice(0, SHORT),
];
assert.equal(words.length, LONG + SHORT);

fs.mkdirSync(out, { recursive: true });
write('LICENSE-passwords', read('LICENSE.txt'));
write('passwords.txt',
  `# Passwords that many people chose, npm package ${name} ${version},\n` +
  `# ${license}: see LICENSE-passwords.\n` +
  words.map((word) => `${word}\n`).join(''));
