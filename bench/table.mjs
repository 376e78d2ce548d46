// The numbers as Markdown: one table of contestants, one of goals.

const median = (values) => {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  if (sorted.length === 0) return NaN;
  const half = sorted.length >> 1;
  return sorted.length % 2
    ? sorted[half]
    : (sorted[half - 1] + sorted[half]) / 2;
};

/** Three significant digits, thousands as k. */
export function short(value) {
  if (!Number.isFinite(value)) return '';
  if (Math.abs(value) >= 999500) return `${(value / 1e6).toPrecision(3)}M`;
  if (Math.abs(value) >= 1000) return `${(value / 1000).toPrecision(3)}k`;
  if (value !== 0 && Math.abs(value) < 0.01) return value.toFixed(4);
  return String(Number(value.toPrecision(3)));
}

/** Access to what was found: medians, and medians of per-round relations. */
const reader = (found) => {
  const runsOf = (part, who) => found[part]?.[who] ?? [];
  const of = (part, who, field) =>
    median(runsOf(part, who).map((numbers) => numbers[field] ?? NaN));
  const sum = (part, who, field) =>
    runsOf(part, who).length === 0
      ? NaN
      : runsOf(part, who).reduce((n, numbers) => n + (numbers[field] ?? 0), 0);
  const relation = (part, field, fn, who = 'parley') =>
    median(runsOf(part, who).map((numbers, i) =>
      fn(numbers[field] ?? NaN, runsOf(part, 'relay')[i]?.[field] ?? NaN)));
  return {
    of,
    sum,
    ratio: (part, field, who) => relation(part, field, (a, b) => a / b, who),
    more: (part, field, who) => relation(part, field, (a, b) => a - b, who),
  };
};

const columns = [
  ['POST/s at 64', (f, w) => short(f.of('post', w, 'perSecond'))],
  ['burst chunks/s', (f, w) => short(f.of('burst', w, 'perSecond'))],
  ['chunk a write: CPU ms/1000', (f, w) => short(f.of('chunk', w, 'cpuMs'))],
  ['system calls a chunk (program)', (f, w) =>
    short(f.of('calls', w, 'tree')) +
    (Number.isFinite(f.of('calls', w, 'program'))
      ? ` (${short(f.of('calls', w, 'program'))})` : '')],
  ['1,000 paced: CPU ms/1000', (f, w) => short(f.of('paced', w, 'cpuMs'))],
  ['first event p50/p99 ms', (f, w) =>
    pair(f.of('paced', w, 'firstP50Ms'), f.of('paced', w, 'firstP99Ms'))],
  ['first text p50/p99 ms', (f, w) =>
    pair(f.of('paced', w, 'textP50Ms'), f.of('paced', w, 'textP99Ms'))],
  ['8,800 held: open, failures', (f, w) =>
    pair(f.of('held', w, 'open'), f.of('held', w, 'failures'))],
  ['KiB a stream', (f, w) => short(f.of('held', w, 'kib'))],
  ['idle MiB / first answer ms', (f, w) =>
    pair(f.of('idle', w, 'pssMib'), f.of('idle', w, 'startMs'))],
  ['stalled reader KiB', (f, w) => short(f.of('stalled', w, 'kib'))],
  ['`/v1`: burst chunks/s', (f, w) => short(f.of('v1', w, 'perSecond'))],
  ['`/v1`: chunk a write, CPU ms/1000', (f, w) => short(f.of('v1', w, 'cpuMs'))],
  ['`/v1`: 1,000 paced, CPU ms/1000', (f, w) =>
    short(f.of('v1', w, 'pacedCpuMs'))],
  ['`/v1`: first event p50/p99 ms', (f, w) =>
    pair(f.of('v1', w, 'firstP50Ms'), f.of('v1', w, 'firstP99Ms'))],
];

export const pair = (a, b) =>
  Number.isFinite(a) || Number.isFinite(b) ? `${short(a)} / ${short(b)}` : '';

/** A row per contestant, a column per measure that was taken. */
export function printTable(found, names) {
  const f = reader(found);
  const rows = names.map((who) => columns.map(([, cell]) => cell(f, who)));
  const used = columns
    .map(([title], i) => [title, i])
    .filter(([, i]) => rows.some((row) => row[i] !== ''));
  if (used.length === 0) return;
  const line = (cells) => console.log(`| ${cells.join(' | ')} |`);
  line(['', ...used.map(([title]) => title)]);
  line(['---', ...used.map(() => '---')]);
  names.forEach((who, row) => {
    if (rows[row].some((cell) => cell !== ''))
      line([who, ...used.map(([, i]) => rows[row][i])]);
  });
  console.log('');
}

/** [name, value, goal, is it met] */
const goals = [
  ['`POST /chat`, of relay', (f) => f.ratio('post', 'perSecond'), '≥', 0.4],
  ['commits a request', (f) => f.of('post', 'parley', 'commits'), '≤', 0.25],
  ['burst, chunks/s', (f) => f.of('burst', 'parley', 'perSecond'),
    '≥', 300000],
  ['burst, chunks that are missing', (f) => f.sum('burst', 'parley', 'missing'),
    '≤', 0],
  ['chunk a write, CPU of relay', (f) => f.ratio('chunk', 'cpuMs'), '≤', 1.4],
  ['system calls a chunk, tree', (f) => f.of('calls', 'parley', 'tree'),
    '≤', 8],
  ['system calls a chunk, chat', (f) => f.of('calls', 'parley', 'program'),
    '≤', 4.5],
  ['1,000 paced streams, CPU of relay', (f) => f.ratio('paced', 'cpuMs'),
    '≤', 1.3],
  ['first event p50, ms over relay', (f) => f.more('paced', 'firstP50Ms'),
    '≤', 0.3],
  ['first event p99, ms', (f) => f.of('paced', 'parley', 'firstP99Ms'),
    '≤', 3],
  ['8,800 held, failures', (f) => f.of('held', 'parley', 'failures'), '≤', 0],
  ['KiB a held stream', (f) => f.of('held', 'parley', 'kib'), '≤', 24],
  ['idle, MiB', (f) => f.of('idle', 'parley', 'pssMib'), '≤', 8],
  ['start to first answer, ms', (f) => f.of('idle', 'parley', 'startMs'),
    '≤', 50],
  ['a reader that stopped, KiB', (f) => f.of('stalled', 'parley', 'kib'),
    '≤', 64],
  ['`/v1`: burst, chunks/s', (f) => f.of('v1', 'v1', 'perSecond'),
    '≥', 300000],
  ['`/v1`: burst, chunks that are missing', (f) => f.sum('v1', 'v1', 'missing'),
    '≤', 0],
  ['`/v1`: chunk a write, CPU of relay', (f) => f.ratio('v1', 'cpuMs', 'v1'),
    '≤', 1.4],
  ['`/v1`: 1,000 paced streams, CPU of relay',
    (f) => f.ratio('v1', 'pacedCpuMs', 'v1'), '≤', 1.3],
  ['`/v1`: first event p50, ms over relay',
    (f) => f.more('v1', 'firstP50Ms', 'v1'), '≤', 0.3],
  ['`/v1`: first event p99, ms', (f) => f.of('v1', 'v1', 'firstP99Ms'),
    '≤', 3],
  ['plain CGI, ms over a file', (f) =>
    f.of('cgi', 'parley', 'cgiMs') - f.of('cgi', 'parley', 'fileMs'), '≤', 5],
  ['group commit, of raw LMDB', (f) => f.of('commit', 'parley', 'ratio'),
    '≥', 0.7],
  ['search over 100,000 messages, median ms',
    (f) => f.of('search', 'parley', 'allMs'), '≤', 10],
  ['last page of 10,000 messages, median ms',
    (f) => f.of('history', 'parley', 'lineMs'), '≤', 5],
  ['the same with branches, median ms',
    (f) => f.of('history', 'parley', 'treeMs'), '≤', 5],
  ['files: MB of text indexed a second',
    (f) => f.of('files', 'parley', 'indexMBs'), '≥', 20],
  ['files: memory while they are indexed, MiB',
    (f) => f.of('files', 'parley', 'peakKib') / 1024, '≤', 64],
  ['files: hybrid search in 50,000 chunks, median ms',
    (f) => f.of('files', 'parley', 'hybridMs'), '≤', 40],
  ['files: context package over 1,000 files, median ms',
    (f) => f.of('context', 'parley', 'packageMs'), '≤', 30],
];

/** What bench/parse.c found: a row per provider. */
export function printParsing(found) {
  const [numbers] = found.parse?.parley ?? [];
  if (!numbers) return;
  console.log('| stream of | bytes a chunk | ns a chunk | cJSON alone, ns ' +
    '| ratio |');
  console.log('| --- | --- | --- | --- | --- |');
  for (const [name, n] of Object.entries(numbers))
    console.log(`| ${name} | ${n.bytes} | ${n.ns} | ${n.jsonNs} ` +
      `| ${n.ratio} |`);
  console.log('');
}

/** What bench/search.c found: a row per kind of query. */
export function printSearch(found) {
  const [n] = found.search?.parley ?? [];
  if (!n) return;
  console.log('| search for | median ms | p99 ms |');
  console.log('| --- | --- | --- |');
  for (const [name, kind] of [
    ['a word', 'one'], ['two words', 'two'], ['a phrase', 'phrase'],
    ['a prefix', 'prefix'], ['all of these', 'all'],
  ])
    console.log(`| ${name} | ${short(n[`${kind}Ms`])} ` +
      `| ${short(n[`${kind}P99Ms`])} |`);
  console.log(`\n${n.messages} messages of ${Math.round(n.textBytes)} bytes, ` +
    `${Math.round(n.bytes)} bytes of index each; ${short(n.addPerSecond)} ` +
    `added a second; ${short(n.openMs)} ms for the first query after a ` +
    `start; ${short(n.forgetMs)} ms to forget a session; ` +
    `${Math.round(n.idleKib)} KiB of memory between queries.\n`);
}

/** The newest page of a long conversation: by HTTP and by the store. */
export function printHistory(found) {
  const [n] = found.history?.parley ?? [];
  if (!n) return;
  console.log(`| last page of ${n.messages} messages | by HTTP, median / p99 ` +
    'ms | store_messages(), median / p99 µs |');
  console.log('| --- | --- | --- |');
  for (const [name, kind] of [['a line', 'line'], ['with branches', 'tree']])
    console.log(`| ${name} | ${pair(n[`${kind}Ms`], n[`${kind}P99Ms`])} ` +
      `| ${pair(n[`${kind}Us`], n[`${kind}P99Us`])} |`);
  console.log('');
}

/** Failed requests anywhere make every number beside them doubtful. */
const failures = (found) =>
  Object.values(found).flatMap((part) => Object.values(part)).flat()
    .reduce((n, numbers) => n + (numbers.failures ?? 0), 0);

export function printGoals(found) {
  const f = reader(found);
  const rows = goals
    .map(([name, value, sign, goal]) => [name, value(f), sign, goal])
    .filter(([, value]) => Number.isFinite(value));
  if (rows.length > 0) {
    console.log('| goal | measured | wanted | |');
    console.log('| --- | --- | --- | --- |');
    for (const [name, value, sign, goal] of rows) {
      const met = sign === '≥' ? value >= goal : value <= goal;
      console.log(
        `| ${name} | ${short(value)} | ${sign} ${short(goal)} | ` +
          `${met ? 'met' : '**missed**'} |`,
      );
    }
    console.log('');
  }
  console.log(`Failed requests and streams in all parts: ${failures(found)}`);
}
