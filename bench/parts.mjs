// What is measured, part by part. A part has the contestants it is for, how
// often it is repeated, and a function that measures one contestant once and
// gives named numbers. run.mjs interleaves them and takes medians.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as files from './files.mjs';
import * as procs from './procs.mjs';
import {
  bin, chat, isParley, load, metric, request, stackPids, stackReady, stackStart,
  stackStop,
} from './stack.mjs';

const PIECE_BYTES = 4; // of every piece of the stand-in model's texts
const STREAMS = 1000;
const HELD = Number(process.env.BENCH_HELD ?? 8800);
const STALLED = 50;
const HISTORY = 10000; // messages of a long conversation

const chunksOf = (result) => result.text_bytes / PIECE_BYTES;

/** Run fn on a stack with all contestants, one that lives for the whole part
 * and so has warm processes and connections. */
const shared = (fn) => ({
  async begin(names) {
    const stack = await stackStart(names);
    try {
      for (const name of names) await stackReady(stack, name);
      for (const name of names)
        await load(stack, name, 'post', 'bench:instant',
          { conns: 64, seconds: 1 });
    } catch (e) {
      await stackStop(stack);
      throw e;
    }
    return stack;
  },
  measure: fn,
  end: stackStop,
});

/** Run fn on a fresh stack with one contestant only, for memory and starts. */
const alone = (fn) => ({
  async measure(_, name) {
    const stack = await stackStart([name]);
    try {
      return await fn(stack, name, await stackReady(stack, name));
    } finally {
      await stackStop(stack);
    }
  },
});

async function post(stack, name) {
  const before = await commits(stack, name);
  const result = await load(stack, name, 'post', 'bench:instant',
    { conns: 64, seconds: 2 });
  const after = await commits(stack, name);
  return {
    perSecond: result.ok / result.seconds,
    p50Ms: result.whole_us.p50 / 1000,
    p99Ms: result.whole_us.p99 / 1000,
    failures: result.failures,
    commits: after === null ? undefined : (after - before) / result.begun,
  };
}

const commits = (stack, name) =>
  name === 'parley' ? metric(stack, 'parley_store_commits_total') : null;

async function burst(stack, name) {
  const result = await load(stack, name, 'stream', 'bench:burst:20000',
    { conns: 8, seconds: 2 });
  return {
    perSecond: chunksOf(result) / result.seconds,
    missing: result.begun * 20000 - chunksOf(result),
    failures: result.failures,
  };
}

const CHUNK = 'bench:chunk:1000:2000';

async function chunk(stack, name) {
  const pids = stackPids(stack);
  const before = procs.cpuMs(pids);
  const result = await load(stack, name, 'stream', CHUNK,
    { conns: 32, seconds: 1 });
  return {
    cpuMs: (procs.cpuMs(pids) - before) / (chunksOf(result) / 1000),
    events: result.text_events / chunksOf(result),
    failures: result.failures,
  };
}

/** System calls a chunk: of the tree, then of the program alone. */
async function calls(stack, name) {
  const [lighttpd] = stackPids(stack);
  const program = programPid(stack, name);
  const numbers = {};
  const whom = { tree: [lighttpd, program], program: [program] };
  for (const [what, pids] of Object.entries(whom)) {
    if (pids.includes(null) && what === 'program') continue;
    const count = await procs.countCalls(pids.filter((pid) => pid !== null));
    const result = await load(stack, name, 'stream', CHUNK,
      { conns: 32, seconds: 1 });
    const counted = await count();
    if (counted !== null) numbers[what] = counted / chunksOf(result);
    numbers.failures = (numbers.failures ?? 0) + result.failures;
  }
  return numbers;
}

/** The process of a FastCGI contestant, or null for pass. */
function programPid(stack, name) {
  const program = { relay: join(bin, 'relay'), hello: join(bin, 'hello') };
  const wanted = isParley(name) ? chat : program[name];
  return stackPids(stack).find((pid) =>
    readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0')[0] === wanted,
  ) ?? null;
}

/** 1,000 streams begun within a second, ten pieces a second each, for four.
 * CPU is taken between the last beginning and the first end, when the streams
 * only stream; what beginning and ending cost is seen in POST/s. */
async function paced(stack, name) {
  const pids = stackPids(stack);
  const running = load(stack, name, 'once', 'bench:paced:40:100000',
    { conns: STREAMS, 'ramp-ms': 1000 });
  await sleep(1400);
  const beforeMs = performance.now();
  const before = procs.cpuMs(pids);
  await sleep(2200);
  const cpu = procs.cpuMs(pids) - before;
  const pieces = (STREAMS * (performance.now() - beforeMs)) / 100;
  const result = await running;
  return {
    cpuMs: cpu / (pieces / 1000),
    events: result.text_events / chunksOf(result),
    firstP50Ms: result.first_us.p50 / 1000,
    firstP99Ms: result.first_us.p99 / 1000,
    textP50Ms: result.text_us.p50 / 1000,
    textP99Ms: result.text_us.p99 / 1000,
    failures: result.failures,
  };
}

/** The compatible API: the streaming parts once more, in one. */
async function compatible(stack, name) {
  const found = {
    burst: await burst(stack, name),
    chunk: await chunk(stack, name),
    paced: await paced(stack, name),
  };
  return {
    perSecond: found.burst.perSecond,
    missing: found.burst.missing,
    cpuMs: found.chunk.cpuMs,
    pacedCpuMs: found.paced.cpuMs,
    firstP50Ms: found.paced.firstP50Ms,
    firstP99Ms: found.paced.firstP99Ms,
    failures: Object.values(found).reduce((n, part) => n + part.failures, 0),
  };
}

async function idle(stack, name, readyMs) {
  await sleep(300);
  return {
    startMs: readyMs,
    pssMib: procs.memoryKib(stackPids(stack)).pss / 1024,
  };
}

async function held(stack, name) {
  await sleep(200);
  const server = [stack.lighttpd.pid];
  const before = procs.memoryKib(stackPids(stack));
  const beforeServer = procs.memoryKib(server);
  let during, duringServer;
  const result = await load(stack, name, 'hold', 'bench:hold:60:10000000',
    { conns: HELD, 'ramp-ms': 5000 },
    async () => {
      await sleep(11000); /* every stream has had another piece by then */
      during = procs.memoryKib(stackPids(stack));
      duringServer = procs.memoryKib(server);
    });
  return {
    open: result.open,
    failures: result.failures + (result.text_events < 2 * HELD ? 1 : 0),
    kib: (during.pss - before.pss) / HELD,
    anonKib: (during.anon - before.anon) / HELD,
    serverKib: (duringServer.pss - beforeServer.pss) / HELD,
  };
}

/** Readers of a long answer that stop after its first event. In Parley they
 * all follow one turn, whose log is there already: what is left is what a
 * reader costs. Through the floors each has a stream of its own. */
async function stalled(stack, name) {
  const mark = 'bench:burst:20000';
  const get = name === 'parley' ? await finishedTurn(stack, mark) : undefined;
  const before = procs.memoryKib(stackPids(stack));
  let during;
  const result = await load(stack, name, 'stall', mark,
    { conns: STALLED, 'ramp-ms': 500 },
    async () => {
      await sleep(3000);
      during = procs.memoryKib(stackPids(stack));
    }, get);
  return {
    kib: (during.pss - before.pss) / STALLED,
    anonKib: (during.anon - before.anon) / STALLED,
    failures: result.failures,
  };
}

async function finishedTurn(stack, mark) {
  const reply = await request(stack.port, 'POST', '/chat',
    JSON.stringify({ message: mark, detach: true }));
  await sleep(1500);
  return `/chat/stream?turn_id=${JSON.parse(reply.body).turn_id}`;
}

/** Plain CGI against a file, one request after the other. The engine that the
 * first CGI starts is not a child of the web server: it is found by the data
 * folder in its environment and ended with the rest. */
async function cgi() {
  const stack = await stackStart([], { cgi: true });
  const www = join(stack.dir, 'www');
  writeFileSync(join(www, 'file.txt'), 'x'.repeat(300));
  try {
    await fileReady(stack);
    const numbers = { failures: 0 };
    for (const [what, path] of [
      ['file', '/file.txt'], ['cgi', '/cgi/status'],
    ]) {
      const times = [];
      for (let i = 0; i < 60; i++) {
        const begun = performance.now();
        const { status, body } = await request(stack.port, 'GET', path);
        if (status !== 200 && numbers.failures++ === 0)
          console.error(`bench: ${path}: ${status} ${body.slice(0, 300)}`);
        if (i >= 10) times.push(performance.now() - begun);
      }
      times.sort((a, b) => a - b);
      numbers[`${what}Ms`] = times[25];
    }
    return numbers;
  } finally {
    for (const pid of enginePids(stack.dir)) process.kill(pid, 'SIGTERM');
    await stackStop(stack);
  }
}

async function fileReady(stack) {
  for (let i = 0; i < 200; i++) {
    try {
      if ((await request(stack.port, 'GET', '/file.txt')).status === 200)
        return;
    } catch {
      await sleep(10);
    }
  }
  throw new Error('lighttpd does not serve a file');
}

function enginePids(dir) {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const words = readFileSync(`/proc/${name}/cmdline`, 'latin1');
      const env = readFileSync(`/proc/${name}/environ`, 'latin1');
      return words.includes('--engine') && env.includes(`=${dir}/`);
    } catch {
      return false;
    }
  }).map(Number);
}

/** bench/commit.c prints one line of JSON. */
async function commit() {
  const child = procs.start(join(bin, 'commit'), []);
  return JSON.parse(await procs.output(child));
}

/** bench/parse.c prints one as well, a member for each provider. */
async function parse() {
  const child = procs.start(join(bin, 'parse'), []);
  return JSON.parse(await procs.output(child));
}

/** bench/search.c prints one line of JSON. */
async function search() {
  const child = procs.start(join(bin, 'search'), []);
  return JSON.parse(await procs.output(child));
}

/** A conversation as a file of ours. With branches, every tenth question is
 * asked once more, as bench/history.c does it. */
function conversation(id, branched) {
  const messages = [];
  const name = (i) => `00000000-0000-7000-8000-${String(i).padStart(12, '0')}`;
  for (let i = 0; i < HISTORY; i++) {
    const again = branched && i % 20 === 2 && i >= 4;
    messages.push({
      id: name(i), parent_id: i === 0 ? null : name(again ? i - 3 : i - 1),
      role: i % 2 ? 'assistant' : 'user', content: 'What was said. '.repeat(15),
    });
  }
  return { id, messages };
}

/** The newest page of a long conversation by HTTP, one request after the
 * other, each with a connection of its own; and the same from the store. */
async function history(stack) {
  const sessions = { line: false, tree: true };
  const numbers = { failures: 0 };
  const file = JSON.stringify({ format: 'parley', version: 1,
    sessions: Object.entries(sessions).map(([id, branched]) =>
      conversation(id, branched)) });
  const put = await request(stack.port, 'POST', '/import', file);
  if (put.status !== 200)
    throw new Error(`import: ${put.status} ${put.body.slice(0, 300)}`);
  const { body } = await request(stack.port, 'GET', '/sessions');
  const longest = JSON.parse(body).sessions
    .filter((s) => s.conversation_length > HISTORY / 2);
  for (const { session_id: id, conversation_length: n } of longest) {
    const what = n === HISTORY ? 'line' : 'tree';
    const times = [];
    for (let i = 0; i < 320; i++) {
      const begun = performance.now();
      const reply = await request(stack.port, 'GET', `/sessions/${id}/messages`);
      if (i >= 20) times.push(performance.now() - begun);
      const page = reply.status === 200 && JSON.parse(reply.body).messages;
      if (page.length !== 50 ||
        (what === 'tree') !== page.some((m) => m.siblings)) numbers.failures++;
    }
    times.sort((a, b) => a - b);
    numbers[`${what}Ms`] = times[150];
    numbers[`${what}P99Ms`] = times[297];
  }
  if (longest.length !== 2) numbers.failures++;
  const child = procs.start(join(bin, 'history'), []);
  return { ...numbers, ...JSON.parse(await procs.output(child)) };
}

const all = ['pass', 'relay', 'hello', 'parley'];
const streaming = ['pass', 'relay', 'parley'];

/** In the order in which they run. */
export const parts = {
  post: { ...shared(post), names: all },
  burst: { ...shared(burst), names: streaming },
  chunk: { ...shared(chunk), names: streaming },
  calls: { ...shared(calls), names: streaming, once: true },
  paced: { ...shared(paced), names: streaming },
  idle: { ...alone(idle), names: streaming },
  held: { ...alone(held), names: streaming, once: true },
  stalled: { ...alone(stalled), names: streaming, once: true },
  v1: { ...shared(compatible), names: ['pass', 'relay', 'v1'] },
  cgi: { measure: cgi, names: ['parley'], once: true },
  commit: { measure: commit, names: ['parley'], once: false },
  parse: { measure: parse, names: ['parley'], once: true },
  history: { ...alone(history), names: ['parley'], once: true },
  search: { measure: search, names: ['parley'], once: true },
  files: { measure: files.index, names: ['parley'], once: true },
  context: { ...alone(files.context), names: ['parley'], once: true },
};
