// What is measured: one lighttpd, the model stand-in, and the contestants
// behind them, with the settings that Parley ships.
import {
  existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as procs from './procs.mjs';

const root = resolve(import.meta.dirname, '..');
export const bin = resolve(process.env.BENCH_BIN ?? 'build/gcc-release/bench');
export const chat = resolve(process.env.BENCH_CHAT ?? join(bin, '../bin/chat'));

/** A contestant: where it is asked, and in what words. `mark` goes to the
 * model stand-in, see llm.c. */
const openai = (mark, stream) =>
  JSON.stringify({
    model: 'bench',
    messages: [{ role: 'user', content: mark }],
    stream,
  });
export const contestants = {
  pass: { path: '/pass/v1/chat/completions', body: openai },
  relay: { path: '/relay', body: openai },
  hello: { path: '/hello', body: openai },
  parley: {
    path: '/chat',
    body: (mark, stream) => JSON.stringify({ message: mark, stream }),
  },
  v1: { path: '/v1/chat/completions', body: openai },
};

/** Contestants that are Parley's own program. */
export const isParley = (name) => name === 'parley' || name === 'v1';

/** A port of 127.0.0.1 that nobody listens at just now. */
async function freePort() {
  const server = createServer();
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

/** The hard limit of open files of this process. */
function filesMax() {
  const text = readFileSync('/proc/self/limits', 'utf8');
  const hard = text.match(/^Max open files\s+\S+\s+(\S+)/m)[1];
  return hard === 'unlimited' ? 65535 : Math.min(Number(hard), 65535);
}

const fastcgi = (program, socket) => `fastcgi.server = ( "" => ((
        "bin-path" => "${program}",
        "socket" => "${socket}",
        "max-procs" => 1,
        "listen-backlog" => 4096,
        "check-local" => "disable",
        "fix-root-scriptname" => "enable",
        "tcp-fin-propagate" => "enable"
    )) )`;

/* Parley comes with its own settings, which hold for the whole server; where
 * it does not take part, these are the same ones. */
const parley = (dir) => `
var.parley_root = "${root}"
var.parley_bin = "${dirname(chat)}"
var.parley_data = "${dir}/data"
var.parley_run = "${dir}"
var.parley_mount = "/"
include "${root}/lighttpd/parley.conf"`;
const alike = `
server.modules = ( "mod_proxy", "mod_fastcgi" )
server.listen-backlog = 4096
server.max-write-idle = 120
server.max-read-idle = 60
server.feature-flags = ( "server.h2proto" => "disable" )
server.stream-response-body = 2
server.stream-request-body = 0`;

/* mod_cgi passes on no environment but what is named. */
const plainCgi = (settings) => `
server.modules += ( "mod_cgi", "mod_alias", "mod_setenv" )
$HTTP["url"] =~ "^/cgi" {
    alias.url = ( "/cgi" => "${dirname(chat)}/chat.cgi" )
    cgi.assign = ( ".cgi" => "" )
    setenv.set-environment = ( ${Object.entries(settings)
    .map(([name, value]) => `"${name}" => "${value}"`).join(', ')} )
}`;

function configText({ dir, port, names, llm, cgi, settings }) {
  const floors = {
    pass: `fastcgi.server = ()
    proxy.server = ( "" => (( "host" => "127.0.0.1", "port" => ${llm} )) )`,
    relay: fastcgi(`${bin}/relay 127.0.0.1:${llm}`, `${dir}/relay.sock`),
    hello: fastcgi(`${bin}/hello`, `${dir}/hello.sock`),
  };
  return `server.bind = "127.0.0.1"
server.port = ${port}
server.document-root = "${dir}/www"
server.errorlog = "${dir}/lighttpd.log"
server.max-keep-alive-requests = 100000
${names.some(isParley) ? parley(dir) : alike}
server.max-fds := ${filesMax()}
server.max-connections := ${Math.floor(filesMax() * 0.45)}
${cgi ? plainCgi(settings) : ''}
${names.filter((who) => floors[who]).map((who) =>
    `$HTTP["url"] =~ "^/${who}" {\n    ${floors[who]}\n}`).join('\n')}
`;
}

/** Start a lighttpd with the named contestants behind it. */
export async function stackStart(names, { cgi = false } = {}) {
  const dir = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'bench-'));
  mkdirSync(join(dir, 'www'));
  mkdirSync(join(dir, 'data'));
  const llm = procs.start(join(bin, 'llm'), ['127.0.0.1:0']);
  const [, llmPort] = await procs.line(llm, /listening 127\.0\.0\.1:(\d+)/);
  const port = await freePort();
  const settings = {
    DATA_DIR: join(dir, 'data'),
    PARLEY_ROOT: root,
    AI_PROVIDER: 'openai',
    AI_MODEL: 'bench',
    OPENAI_API_KEY: 'bench',
    OPENAI_BASE_URL: `http://127.0.0.1:${llmPort}/v1`,
    TITLE_MODEL: 'off', /* one request for each question */
    LOG_LEVEL: process.env.LOG_LEVEL ?? 'error',
    ENGINE_IDLE_MS: '2000',
  };
  writeFileSync(
    join(dir, 'lighttpd.conf'),
    configText({ dir, port, names, llm: llmPort, cgi, settings }),
  );
  const stack = { dir, port, llm, names, startedMs: performance.now() };
  stack.lighttpd = procs.start(
    'lighttpd', ['-D', '-f', join(dir, 'lighttpd.conf')],
    {
      cwd: dir,
      env: { PATH: process.env.PATH, HOME: dir, ...settings },
    },
  );
  return stack;
}

/** End it all, and what it started, and remove its folder. */
export async function stackStop(stack) {
  const pids = procs.tree(stack.lighttpd.pid);
  await procs.stop(stack.lighttpd);
  await procs.stop(stack.llm);
  for (let i = 0; i < 100; i++) {
    const left = pids.filter((pid) => existsSync(`/proc/${pid}`));
    if (left.length === 0) break;
    if (i === 20 || i === 80)
      for (const pid of left) {
        try {
          process.kill(pid, i === 20 ? 'SIGTERM' : 'SIGKILL');
        } catch {
          /* it went by itself */
        }
      }
    await sleep(50);
  }
  if (process.env.BENCH_KEEP) console.error(`kept ${stack.dir}`);
  else rmSync(stack.dir, { recursive: true, force: true });
}

/** The processes that make up the answer: the web server and the program. */
export const stackPids = (stack) => procs.tree(stack.lighttpd.pid);

/** One request over its own connection; resolves to {status, body}, or rejects
 * when there is nobody to ask. */
export function request(port, method, path, body = '', headers = '') {
  return new Promise((resolve_, reject) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.setEncoding('latin1');
    socket.setTimeout(10000, () => socket.destroy(new Error('no answer')));
    socket.on('connect', () =>
      socket.write(
        `${method} ${path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n` +
          `Accept: application/json\r\n${headers}` +
          `Content-Type: application/json\r\n` +
          `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      ),
    );
    socket.on('data', (part) => (text += part));
    socket.on('error', reject);
    socket.on('close', () => {
      const status = Number(text.slice(9, 12));
      if (!status) reject(new Error('closed without an answer'));
      resolve_({ status, body: text.slice(text.indexOf('\r\n\r\n') + 4) });
    });
  });
}

/** Ask until the contestant answers; gives the milliseconds since start. */
export async function stackReady(stack, name) {
  const { path, body } = contestants[name];
  for (;;) {
    const now = performance.now() - stack.startedMs;
    try {
      const reply = await request(
        stack.port, 'POST', path, body('bench:instant', false));
      if (reply.status === 200) return performance.now() - stack.startedMs;
      if (now > 5000)
        throw new Error(`${name}: ${reply.status} ${reply.body.slice(0, 300)}`);
    } catch (e) {
      if (now > 5000) throw e;
    }
    await sleep(1);
  }
}

/** Run the load generator on a contestant; gives what it reports. With `hold`
 * it is called when all streams are open, and they are closed after it. With
 * `get` that path is asked instead of the contestant's own. */
export async function load(stack, name, mode, mark, options, hold, get) {
  const { path, body } = contestants[name];
  const args = [mode];
  for (const [key, value] of Object.entries(options))
    args.push(`--${key}`, String(value));
  if (!get) args.push('--body', body(mark, mode !== 'post'));
  args.push(`127.0.0.1:${stack.port}${get ?? path}`);
  const child = procs.start(join(bin, 'load'), args);
  const all = procs.output(child);
  if (hold) {
    await procs.line(child, /^ready .*\n/m, 60000);
    await hold();
    child.stdin.end();
  }
  const text = await all;
  const last = text.trim().split('\n').pop();
  if (!last.startsWith('{')) throw new Error(`load: ${text}`);
  return JSON.parse(last);
}

/** Sum of a counter in /metrics, or null where there is none. */
export async function metric(stack, name) {
  const { status, body } = await request(stack.port, 'GET', '/metrics');
  if (status !== 200) return null;
  let sum = null;
  for (const found of body.matchAll(
    new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)`, 'gm')))
    sum = (sum ?? 0) + Number(found[1]);
  return sum;
}
