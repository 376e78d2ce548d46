// Measures Parley beside three floors and prints what it finds as Markdown.
//
//     node bench/run.mjs            all of it, about five minutes
//     ONLY=post,burst …             some parts
//     BENCH_RUNS=5 …                how often each is repeated (3)
//     BENCH_NAMES=pass,relay …      some contestants
//     BENCH_JSON=file …             all numbers of all runs, too
//     BENCH_VERBOSE=1 …             and on stderr, as they come
//
// Runs of the contestants alternate, so that what else the machine does hits
// all alike; a ratio is taken within one round, and then the median of the
// rounds. Everything is on 127.0.0.1 and in a folder that is removed.
import {
  closeSync, existsSync, fdatasyncSync, openSync, rmSync, writeFileSync,
  writeSync,
} from 'node:fs';
import { cpus, loadavg, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { printFiles } from './files.mjs';
import { parts } from './parts.mjs';
import { stopAll } from './procs.mjs';
import { bin, chat, isParley } from './stack.mjs';
import {
  pair, printGoals, printHistory, printParsing, printSearch, printTable, short,
} from './table.mjs';

const list = (text) => text?.split(/[, ]+/).filter(Boolean);
const only = list(process.env.ONLY) ?? Object.keys(parts);
const wanted = list(process.env.BENCH_NAMES) ?? [
  'pass', 'relay', 'hello', 'parley', 'v1',
];
const runs = Number(process.env.BENCH_RUNS ?? 3);

function check() {
  const unknown = only.filter((name) => !parts[name]);
  if (unknown.length > 0)
    throw new Error(`no part "${unknown}"; there are ${Object.keys(parts)}`);
  if (!(runs >= 1 && runs <= 100)) throw new Error('BENCH_RUNS: 1 to 100');
  const tools = ['llm', 'load', 'relay', 'hello', 'commit', 'parse', 'search',
    'history', 'files'];
  for (const name of tools)
    if (!existsSync(join(bin, name)))
      throw new Error(`${join(bin, name)} is not built: run make bench`);
  if (wanted.some(isParley) && !existsSync(chat))
    throw new Error(`${chat} is not built: run make bench`);
}

/** Milliseconds until a small write is on the disk: the median of 100. Every
 * durable answer waits for a few of these. */
function syncMs() {
  const file = join(process.env.BENCH_DIR ?? tmpdir(), `sync-${process.pid}`);
  const fd = openSync(file, 'w');
  const times = [];
  for (let i = 0; i < 100; i++) {
    writeSync(fd, Buffer.alloc(4096, i), 0, 4096, (i % 16) * 4096);
    const begun = performance.now();
    fdatasyncSync(fd);
    times.push(performance.now() - begun);
  }
  closeSync(fd);
  rmSync(file);
  return times.sort((a, b) => a - b)[50];
}

/** What is going on, on stderr; with BENCH_VERBOSE also what was found. */
function progress(what, numbers) {
  const more = process.env.BENCH_VERBOSE ? ` ${JSON.stringify(numbers)}` : '';
  console.error(`bench: ${what}${more}`);
}

/** All runs of one part: {contestant: [numbers of run 1, …]}. */
async function runPart(name) {
  const part = parts[name];
  const names = part.names.filter((who) => wanted.includes(who));
  const found = Object.fromEntries(names.map((who) => [who, []]));
  if (names.length === 0) return found;
  const stack = part.begin ? await part.begin(names) : null;
  try {
    for (let i = 0; i < (part.once ? 1 : runs); i++) {
      for (const who of names) {
        const numbers = await part.measure(stack, who);
        found[who].push(numbers);
        progress(`${name} ${i + 1} ${who}`, numbers);
      }
    }
  } finally {
    if (part.end) await part.end(stack);
  }
  return found;
}

async function main() {
  check();
  const begun = Date.now();
  const load = loadavg()[0];
  const sync = syncMs();
  const found = {};
  for (const name of only) {
    try {
      found[name] = await runPart(name);
    } catch (e) {
      console.error(`bench: ${name}: ${e.message}`);
      process.exitCode = 1;
    }
  }
  console.log(
    `${cpus().length} × ${cpus()[0].model.trim()}, ` +
      `${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release().split('.').slice(0, 2).join('.')}, ` +
      `${new Date().toISOString().slice(0, 10)}; ` +
      `${Math.round((Date.now() - begun) / 1000)} s, ` +
      `median of ${runs}; load before: ${load.toFixed(2)}; fdatasync of ` +
      `4 KiB before: ${sync.toFixed(2)} ms, after: ${syncMs().toFixed(2)} ms\n`,
  );
  printTable(found, wanted);
  printParsing(found);
  printSearch(found);
  printHistory(found);
  printFiles(found, short, pair);
  printGoals(found);
  if (process.env.BENCH_JSON)
    writeFileSync(process.env.BENCH_JSON, JSON.stringify(found, null, 1));
}

for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => {
    void stopAll().then(() => process.exit(130));
  });
try {
  await main();
} catch (e) {
  console.error(`bench: ${e.message}`);
  process.exitCode = 1;
} finally {
  await stopAll();
}
