// The index of files: by itself (bench/files.c), and as a program asks for it,
// through a running server over FILES files that `parley index` took in.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as procs from './procs.mjs';
import { bin, request } from './stack.mjs';

const FILES = 1000;
const QUESTIONS = 300;
const WORDS = 5000; // different ones
const SYLLABLES = ['ka', 'to', 'mi', 're', 'lon', 'ta', 'shi', 'ber', 'en',
  'du', 'gra', 've', 'or', 'pli', 'na', 'ing', 'al', 'co', 'un', 'pa'];

/** Words that are always the same ones, the n-th n times as rare as the
 * first. */
function words() {
  let state = 88172645;
  const below = (n) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % n;
  };
  const all = Array.from({ length: WORDS }, () =>
    Array.from({ length: 1 + below(4) }, () =>
      SYLLABLES[below(SYLLABLES.length)]).join(''));
  return (n) => Array.from({ length: n }, () =>
    all[Math.floor(WORDS ** (below(1000000) / 1000000)) - 1]);
}

function textOf(take) {
  let text = '';
  for (let i = 0; i < 40; i++)
    text += `${take(6 + (i % 12)).join(' ')}.${i % 5 === 4 ? '\n\n' : ' '}`;
  return text;
}

/** bench/files.c prints one line of JSON. */
export async function index() {
  const child = procs.start(join(bin, 'files'), []);
  return JSON.parse(await procs.output(child));
}

/** Fill the index of a running server. */
async function fill(stack, take) {
  const root = join(stack.dir, 'thousand');
  for (let i = 0; i < FILES; i++) {
    const dir = join(root, String(i % 20));
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, `file${i}.txt`), textOf(take));
  }
  const child = procs.start(join(bin, '../cli/parley'), ['index', root], {
    env: { PATH: process.env.PATH, DATA_DIR: join(stack.dir, 'data'),
      LOG_LEVEL: 'error' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const said = await procs.output(child);
  if (!said.includes(`${FILES} files, ${FILES} new`))
    throw new Error(`parley index: ${said.slice(-300)}`);
}

/** One question after the other, each with a connection of its own. */
async function times(ask, isGood, numbers, name) {
  const found = [];
  for (let i = 0; i < QUESTIONS + 20; i++) {
    const begun = performance.now();
    const reply = await ask(i);
    if (i >= 20) found.push(performance.now() - begun);
    if (reply.status !== 200 || !isGood(JSON.parse(reply.body)))
      numbers.failures++;
  }
  found.sort((a, b) => a - b);
  numbers[`${name}Ms`] = found[QUESTIONS / 2];
  numbers[`${name}P99Ms`] = found[Math.floor(QUESTIONS * 0.99)];
}

/** The context package, and a page of hits. */
export async function context(stack) {
  const take = words();
  const numbers = { failures: 0, files: FILES };
  await fill(stack, take);
  const questions = Array.from({ length: QUESTIONS + 20 }, (_, i) =>
    take(2 + (i % 6)).join(' '));
  await times((i) => request(stack.port, 'POST', '/api/cloud-chat',
    JSON.stringify({
      message: questions[i],
      history: [{ role: 'user', content: questions[(i + 7) % QUESTIONS] }],
    })),
  ({ data }) => typeof data.rag_context === 'string' &&
    data.relevant_files.length > 0, numbers, 'package');
  await times((i) => request(stack.port, 'GET',
    `/search?q=${encodeURIComponent(questions[i])}`),
  (page) => typeof page === 'object' && page !== null, numbers, 'search');
  return numbers;
}

/** What both found, as tables. */
export function printFiles(found, short, pair) {
  const [n] = found.files?.parley ?? [];
  const [c] = found.context?.parley ?? [];
  if (n) {
    console.log('| hybrid search in | median / p99 ms | of CPU time |');
    console.log('| --- | --- | --- |');
    for (const [name, kind] of [['1,000 documents', 'thousand'],
      [`${n.chunks} chunks`, 'hybrid']])
      console.log(`| ${name} | ${pair(n[`${kind}Ms`], n[`${kind}P99Ms`])} ` +
        `| ${pair(n[`${kind}CpuMs`], n[`${kind}CpuP99Ms`])} |`);
    console.log(`\n${n.documents} documents, ${Math.round(n.textBytes / 1e6)} ` +
      `MB of text: ${short(n.indexMBs)} MB/s indexed, ` +
      `${short(n.indexCpuNs)} ns of CPU time a byte; ` +
      `${short(n.bytesAByte)} bytes of index a byte of text; at most ` +
      `${Math.round(n.peakKib / 1024)} MiB of memory, ` +
      `${Math.round(n.idleKib)} KiB between queries.\n`);
  }
  if (c) {
    console.log(`| over ${c.files} files, by HTTP | median / p99 ms |`);
    console.log('| --- | --- |');
    console.log('| context package (`POST /api/cloud-chat`) ' +
      `| ${pair(c.packageMs, c.packageP99Ms)} |`);
    console.log(`| \`GET /search\` | ${pair(c.searchMs, c.searchP99Ms)} |\n`);
  }
}
