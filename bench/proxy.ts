// What the sidecar adds to a stream, as a ratio to Debian's nginx in the same run: time to the first token, time of every later chunk, CPU
// of a chunk. Method of the design's performance notes: engine and clients in one process and on one clock (proxy-load.c), load on one
// core and the proxy on the other, candidates taking turns, an nginx against nginx control that voids a noisy run.
//
//   node bench/proxy.ts [--rounds 5] [--seconds 4] [--streams 100] [--rate 50] [--closed] [--nice | --realtime] [--save]
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const PORTS = { engine: 18_810, nginx: 18_811, control: 18_812, sidecar: 18_813, admin: 18_814 }
/** Added time to the first token, median, at most so many times nginx's. */
const GATE = 4
/** Two nginx that differ by more than this make the run worth nothing. */
const NOISE = 0.15

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    streams: { type: 'string', default: '100' },
    rate: { type: 'string', default: '50' },
    closed: { type: 'boolean', default: false },
    nice: { type: 'boolean', default: false },
    realtime: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
  },
})

interface Measured {
  requests: number
  events: number
  errors: number
  ttftP50: number
  ttftP99: number
  chunkP50: number
  chunkP99: number
}
interface Round extends Measured {
  candidate: string
  cpuMicrosecondsPerEvent: number | null
  rssMegabytes: number | null
  loadAverage: number
}

const directory = mkdtempSync(join(tmpdir(), 'longpole-bench-proxy-'))
const children: ChildProcess[] = []

/**
 * Prefix that puts a program on one core: ahead of others with --nice (root), before all others with --realtime (root; there the worker of
 * the sidecar is not told apart from its byte thread).
 */
function onCore(core: number): string[] {
  const ahead = values.realtime ? ['chrt', '-r', '1'] : values.nice ? ['nice', '-n', '-20'] : []
  return cpus().length < 2 ? ahead : [...ahead, 'taskset', '-c', String(core)]
}

function start(command: string[], env: Record<string, string> = {}): ChildProcess {
  const [program, ...args] = [...onCore(1), ...command]
  const child = spawn(program as string, args, { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, ...env } })
  children.push(child)
  return child
}

async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
    if (isOpen) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`nothing listens on port ${port}`)
}

async function startNginx(name: string, port: number): Promise<ChildProcess> {
  const prefix = join(directory, name)
  mkdirSync(join(prefix, 'logs'), { recursive: true })
  const file = join(prefix, 'nginx.conf')
  writeFileSync(
    file,
    `daemon off; worker_processes 1; pid ${prefix}/pid; error_log ${prefix}/error.log crit;
     events { worker_connections 8192; }
     http {
       access_log off; client_body_temp_path ${prefix}/body; proxy_temp_path ${prefix}/proxy; fastcgi_temp_path ${prefix}/f; uwsgi_temp_path ${prefix}/u; scgi_temp_path ${prefix}/s;
       keepalive_requests 1000000; tcp_nodelay on;
       upstream engine { server 127.0.0.1:${PORTS.engine}; keepalive 1024; keepalive_requests 1000000; }
       server { listen 127.0.0.1:${port}; location / { proxy_pass http://engine; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; proxy_read_timeout 3600s; } }
     }`,
  )
  const child = start(['/usr/sbin/nginx', '-p', prefix, '-c', file])
  await listening(port)
  return child
}

async function startSidecar(hub: string): Promise<ChildProcess> {
  const at = (port: number) => `127.0.0.1:${port}`
  const args = [
    '--upstream',
    `http://${at(PORTS.engine)}`,
    '--listen',
    at(PORTS.sidecar),
    '--admin',
    at(PORTS.admin),
    '--hub',
    hub,
    '--no-scrape',
  ]
  const child = start([process.execPath, join(ROOT, 'bin/longpole.mjs'), 'sidecar', ...args])
  await listening(PORTS.sidecar)
  return child
}

/** Nanoseconds on a core of all threads of a process and its children. */
function cpuNanoseconds(pid: number): number {
  let total = 0
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    total += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0])
    for (const child of readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean))
      total += cpuNanoseconds(Number(child))
  }
  return total
}

function rssMegabytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}

function load(program: string, target: number): Promise<Measured> {
  const [command, ...args] = [
    ...onCore(0),
    program,
    PORTS.engine,
    target,
    values.streams,
    values.rate,
    values.seconds,
    values.closed ? 'closed' : 'paced',
  ].map(String)
  return new Promise((resolve, reject) => {
    const child = spawn(command as string, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    child.stdout.on('data', (data) => {
      text += data
    })
    child.on('exit', (code) => (code === 0 ? resolve(JSON.parse(text)) : reject(new Error(`proxy-load ended with ${code}`))))
  })
}

async function measure(program: string, candidate: string, target: number, pid: number | null): Promise<Round> {
  const before = pid === null ? 0 : cpuNanoseconds(pid)
  const measured = await load(program, target)
  const spent = pid === null ? null : (cpuNanoseconds(pid) - before) / 1000 / Math.max(1, measured.events)
  return {
    candidate,
    ...measured,
    cpuMicrosecondsPerEvent: spent,
    rssMegabytes: pid === null ? null : rssMegabytes(pid),
    loadAverage: loadavg()[0] as number,
  }
}

const median = (list: number[]) => [...list].sort((left, right) => left - right)[Math.floor(list.length / 2)] as number

function report(rounds: Round[]): { ratio: number; noise: number } {
  const of = (candidate: string, key: keyof Measured | 'cpuMicrosecondsPerEvent' | 'rssMegabytes') =>
    median(rounds.filter((round) => round.candidate === candidate).map((round) => round[key] ?? Number.NaN))
  console.log('candidate  TTFT p50   p99   chunk p50   p99   CPU µs/event   RSS MB   errors')
  for (const candidate of ['direct', 'nginx', 'nginx (control)', 'sidecar']) {
    const cells = (['ttftP50', 'ttftP99', 'chunkP50', 'chunkP99', 'cpuMicrosecondsPerEvent', 'rssMegabytes', 'errors'] as const).map(
      (key) => of(candidate, key).toFixed(0).padStart(8),
    )
    console.log(`${candidate.padEnd(16)}${cells.join(' ')}`)
  }
  const ratios = (['ttftP50', 'ttftP99', 'chunkP50', 'chunkP99', 'cpuMicrosecondsPerEvent'] as const).map(
    (key) => `${key} ${(of('sidecar', key) / of('nginx', key)).toFixed(2)}×`,
  )
  console.log(`sidecar ÷ nginx: ${ratios.join(', ')}`)
  return {
    ratio: of('sidecar', 'ttftP50') / of('nginx', 'ttftP50'),
    noise: Math.abs(of('nginx (control)', 'ttftP50') / of('nginx', 'ttftP50') - 1),
  }
}

async function main(): Promise<void> {
  const program = join(directory, 'proxy-load')
  if (spawnSync('cc', ['-O2', '-o', program, join(ROOT, 'bench/proxy-load.c')], { stdio: 'inherit' }).status !== 0) {
    throw new Error('a C compiler is needed (Debian packages gcc and libc6-dev)')
  }
  const hub = createServer((request, response) => request.resume().on('end', () => response.end()))
  await new Promise<void>((resolve) => hub.listen(0, '127.0.0.1', resolve))
  const nginx = await startNginx('nginx', PORTS.nginx)
  const control = await startNginx('control', PORTS.control)
  const sidecar = await startSidecar(`http://127.0.0.1:${(hub.address() as AddressInfo).port}`)
  const rounds: Round[] = []
  for (let round = 0; round < Number(values.rounds); round++) {
    rounds.push(await measure(program, 'direct', PORTS.engine, null))
    rounds.push(await measure(program, 'nginx', PORTS.nginx, nginx.pid as number))
    rounds.push(await measure(program, 'sidecar', PORTS.sidecar, sidecar.pid as number))
    rounds.push(await measure(program, 'nginx (control)', PORTS.control, control.pid as number))
    process.stderr.write(`round ${round + 1} of ${values.rounds}, load average ${(loadavg()[0] as number).toFixed(1)}\n`)
  }
  hub.close()
  const { ratio, noise } = report(rounds)
  console.log(`control differs by ${(noise * 100).toFixed(0)} %${noise > NOISE ? ': too noisy, this run decides nothing' : ''}`)
  console.log(`gate: added TTFT p50 ${ratio.toFixed(2)} × nginx, at most ${GATE} ×: ${ratio <= GATE ? 'passed' : 'FAILED'}`)
  if (!values.save) return
  mkdirSync(join(ROOT, 'bench/results'), { recursive: true })
  const nginxVersion = spawnSync('/usr/sbin/nginx', ['-v'], { encoding: 'utf8' }).stderr.trim()
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version, nginx: nginxVersion, options: values }
  writeFileSync(join(ROOT, 'bench/results/proxy.json'), `${JSON.stringify({ machine, ratio, noise, rounds }, null, 1)}\n`)
}

try {
  await main()
} finally {
  for (const child of children) child.kill('SIGTERM')
  rmSync(directory, { recursive: true, force: true })
}
