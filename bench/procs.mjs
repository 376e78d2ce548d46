// Starting, watching and ending processes, and what the kernel says of them.
//
// Every process that a benchmark starts is noted here and ended by its own id,
// also when the run is cut short. Nothing is ever looked up by name.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const running = new Set();

const exited = (child) =>
  child.exitCode !== null || child.signalCode !== null;

/** Start a program; it ends when this process does, whatever happens. */
export function start(file, args, options = {}) {
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', file, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    ...options,
  });
  child.stdin?.on('error', () => {});
  child.on('error', (e) => console.error(`bench: ${file}: ${e.message}`));
  child.on('exit', () => running.delete(child));
  running.add(child);
  return child;
}

/** End a started program, first politely; resolves when it is gone. */
export async function stop(child) {
  if (!exited(child)) {
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 3000);
    await gone;
    clearTimeout(timer);
  }
}

export async function stopAll() {
  await Promise.all([...running].map(stop));
}

/** All that a program prints, once it has ended. */
export async function output(child) {
  let text = '';
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (part) => (text += part));
  await new Promise((resolve) => child.once('close', resolve));
  return text;
}

/** The first line that a program prints and that the pattern matches. */
export function line(child, pattern, limitMs = 5000) {
  return new Promise((resolve, reject) => {
    let text = '';
    const timer = setTimeout(
      () => reject(new Error(`no ${pattern} in "${text}"`)),
      limitMs,
    );
    const end = (error, found) => {
      clearTimeout(timer);
      child.stdout.off('data', look);
      if (error) reject(error);
      else resolve(found);
    };
    const look = (part) => {
      text += part;
      const found = text.match(pattern);
      if (found) end(null, found);
    };
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', look);
    child.once('close', () => end(new Error(`ended after "${text}"`)));
  });
}

/** Fields of /proc/PID/stat after the name, or null when it is gone. */
function stat(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}

/** The process and all its descendants that are alive. */
export function tree(pid) {
  const parents = new Map();
  for (const name of readdirSync('/proc')) {
    const fields = /^\d+$/.test(name) ? stat(name) : null;
    if (fields && fields[0] !== 'Z') parents.set(Number(name), Number(fields[1]));
  }
  const found = [pid];
  for (let i = 0; i < found.length; i++)
    for (const [child, parent] of parents)
      if (parent === found[i]) found.push(child);
  return found.filter((id) => parents.has(id));
}

/** CPU time of processes in milliseconds: by the scheduler's own count, in
 * nanoseconds; where that is not kept, by ticks. Threads that ended are in the
 * ticks only, so the greater of the two is right to 10 ms at worst. */
export function cpuMs(pids) {
  let sum = 0;
  for (const pid of pids) {
    const fields = stat(pid);
    if (!fields) continue;
    const ticksMs = (Number(fields[11]) + Number(fields[12])) * 10;
    let exactNs = 0;
    try {
      for (const tid of readdirSync(`/proc/${pid}/task`))
        exactNs += Number(
          readFileSync(`/proc/${pid}/task/${tid}/schedstat`, 'utf8')
            .split(' ')[0],
        );
    } catch {
      exactNs = 0;
    }
    sum += Math.max(ticksMs - 10, exactNs / 1e6);
  }
  return sum;
}

/** Proportional set sizes in KiB, summed: all, and anonymous memory alone. */
export function memoryKib(pids) {
  const sum = { pss: 0, anon: 0 };
  for (const pid of pids) {
    const file = `/proc/${pid}/smaps_rollup`;
    if (!existsSync(file)) continue;
    const text = readFileSync(file, 'utf8');
    sum.pss += Number(text.match(/^Pss:\s+(\d+)/m)[1]);
    sum.anon += Number(text.match(/^Pss_Anon:\s+(\d+)/m)[1]);
  }
  return sum;
}

/** Count the system calls of processes until the returned function is called;
 * it gives the number, or null where nothing can count them. Uses the kernel's
 * tracepoint, which hardly slows the program; strace where there is none. */
export async function countCalls(pids) {
  const perf = spawnSync(
    'perf', ['stat', '-e', 'raw_syscalls:sys_enter', 'true'],
    { encoding: 'utf8' });
  const usePerf =
    perf.status === 0 && !/not supported|not counted/.test(perf.stderr);
  const args = usePerf
    ? ['stat', '-x', ',', '-e', 'raw_syscalls:sys_enter', '-p', pids.join(',')]
    : ['-f', '-c', '-qq', ...pids.flatMap((pid) => ['-p', String(pid)])];
  const child = spawn(usePerf ? 'perf' : 'strace', args, {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  running.add(child);
  child.on('exit', () => running.delete(child));
  child.on('error', () => {});
  let text = '';
  child.stderr.setEncoding('utf8');
  child.stderr.on('data', (part) => (text += part));
  await sleep(300); /* until it is attached */
  return async () => {
    if (exited(child)) return null;
    const gone = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGINT');
    await gone;
    const found = usePerf
      ? text.match(/^(\d+),,raw_syscalls/m)
      : text.match(/^100\.00\s+\S+\s+(?:\d+\s+)?(\d+)\s.*total$/m);
    return found ? Number(found[1]) : null;
  };
}
