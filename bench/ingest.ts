// How many spans a second one core of the hub takes into the store. Method of the design's performance notes: spans of 15 attributes,
// three a record (client attempt, sidecar, engine), gzip batches of 1,000, hub pinned to one core and its store process to the other,
// cost read from the kernel's account of CPU time; wall clock beside it. A round ends when every request of it is a record in the store,
// so the cost of joining is in it; how long that took after the last span is told apart. Raw rounds go to bench/results/ingest.json.
//
//   node bench/ingest.ts [--rounds 5] [--batches 100] [--save]
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { METRICS } from '@longpole/model/conventions/metrics'
import type { Span } from '@longpole/model/span'
import { encodeTraces } from '../src/wire/otlp/encode.ts'
import { makeRequest } from './ingest-spans.ts'

const REQUESTS_PER_BATCH = 333
const SPANS_PER_BATCH = 3 * REQUESTS_PER_BATCH
const RECORDS_WITHIN_MS = 120_000
const CONCURRENCY = 8
const GATE = 40_000
const PORTS = { api: 47171, http: 44318, grpc: 44317 }
const ROOT = fileURLToPath(new URL('..', import.meta.url))

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    batches: { type: 'string', default: '100' },
    save: { type: 'boolean', default: false },
  },
})
const rounds = Number(values.rounds)
const batchesPerRound = Number(values.batches)

interface Round {
  spans: number
  seconds: number
  spansPerSecond: number
  hubCpuMicrosecondsPerSpan: number
  spansPerHubCpuSecond: number
  storeCpuMicrosecondsPerSpan: number
  /** From the last acknowledged span until as many records as requests are in the store: they settle after 5 s at the earliest. */
  secondsToLastRecord: number
  openP99Milliseconds: number
  summaryP99Milliseconds: number
  hubRssMegabytes: number
  loadAverage: number
}

const directory = mkdtempSync(join(tmpdir(), 'longpole-bench-'))
const hub = await startHub()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => hub.kill('SIGKILL') && process.exit(1))
const results: Round[] = []
try {
  const store = childOf(hub.pid as number)
  if (cpus().length > 1) {
    pin(hub.pid as number, 1)
    if (store !== null) pin(store, 0)
  }
  const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY })
  let requests = await sendAll(makeBatches(20), agent)
  await recordsWritten(requests)
  for (let round = 0; round < rounds; round++) {
    const batches = makeBatches(batchesPerRound)
    requests += batches.length * REQUESTS_PER_BATCH
    results.push(await measure(batches, agent, hub.pid as number, store, requests))
    process.stdout.write(`${JSON.stringify(results.at(-1))}\n`)
  }
  agent.destroy()
  const median = (key: keyof Round) => [...results].sort((a, b) => a[key] - b[key])[Math.floor(results.length / 2)]?.[key] ?? 0
  const verdict = median('spansPerHubCpuSecond') >= GATE ? 'met' : 'missed'
  process.stdout.write(
    `median: ${Math.round(median('spansPerSecond'))} spans/s by the clock, ${Math.round(median('spansPerHubCpuSecond'))} spans per second of hub CPU ` +
      `(gate ${GATE}: ${verdict}), all records ${median('secondsToLastRecord').toFixed(1)} s after the last span, API p99 ` +
      `${median('openP99Milliseconds').toFixed(0)} ms (open) and ${median('summaryP99Milliseconds').toFixed(0)} ms (summary)\n`,
  )
  if (values.save) save(results)
} finally {
  hub.kill('SIGTERM')
  await new Promise((resolve) => hub.once('exit', resolve))
  rmSync(directory, { recursive: true, force: true })
}

async function startHub(): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(ROOT, 'bin/longpole.mjs'), 'hub', '--data', join(directory, 'data')], {
    env: {
      ...process.env,
      LONGPOLE_LISTEN_API: `127.0.0.1:${PORTS.api}`,
      LONGPOLE_LISTEN_OTLP_HTTP: `127.0.0.1:${PORTS.http}`,
      LONGPOLE_LISTEN_OTLP_GRPC: `127.0.0.1:${PORTS.grpc}`,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await new Promise<void>((resolve, reject) => {
    child.stdout?.once('data', () => resolve())
    child.once('exit', (code) => reject(new Error(`the hub ended with status ${code}`)))
  })
  return child
}

/** Batches with ids of their own, ready to send, so that the sender costs next to nothing. */
function makeBatches(count: number): Buffer[] {
  return Array.from({ length: count }, () => {
    const spans: Span[] = []
    while (spans.length < SPANS_PER_BATCH) spans.push(...makeRequest())
    return gzipSync(encodeTraces(spans), { level: 6 })
  })
}

async function measure(batches: Buffer[], agent: Agent, pid: number, store: number | null, requests: number): Promise<Round> {
  const spans = batches.length * SPANS_PER_BATCH
  const [hubBefore, storeBefore] = [cpuSeconds(pid), store === null ? 0 : cpuSeconds(store)]
  const startMs = performance.now()
  let isSending = true
  const probes = Promise.all(['/api/v1/open', '/api/v1/summary'].map((path) => probeApi(path, () => isSending)))
  await sendAll(batches, agent)
  const seconds = (performance.now() - startMs) / 1e3
  isSending = false
  const [open, summary] = (await probes) as [number[], number[]]
  await recordsWritten(requests)
  const secondsToLastRecord = (performance.now() - startMs) / 1e3 - seconds
  const hubCpu = cpuSeconds(pid) - hubBefore
  const storeCpu = store === null ? 0 : cpuSeconds(store) - storeBefore
  return {
    spans,
    seconds,
    spansPerSecond: spans / seconds,
    hubCpuMicrosecondsPerSpan: (hubCpu / spans) * 1e6,
    spansPerHubCpuSecond: spans / hubCpu,
    storeCpuMicrosecondsPerSpan: (storeCpu / spans) * 1e6,
    secondsToLastRecord,
    openP99Milliseconds: percentile(open, 0.99),
    summaryP99Milliseconds: percentile(summary, 0.99),
    hubRssMegabytes: Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024,
    loadAverage: Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[0]),
  }
}

function percentile(values: readonly number[], q: number): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length * q)] ?? 0
}

/** Settled records by the hub's own count, asked for as seldom as a scrape: it is part of what is measured. */
async function recordsWritten(requests: number): Promise<void> {
  const line = new RegExp(`^${METRICS.recordsTotal.name}\\{event="settled"\\} (\\d+)`, 'm')
  for (const limit = performance.now() + RECORDS_WITHIN_MS; performance.now() < limit; ) {
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    const page = await (await fetch(`http://127.0.0.1:${PORTS.api}/metrics`)).text()
    if (Number(line.exec(page)?.[1] ?? 0) >= requests) return
  }
  throw new Error(`not all of ${requests} requests became records within ${RECORDS_WITHIN_MS / 1e3} s`)
}

/** The number of requests sent. */
async function sendAll(batches: Buffer[], agent: Agent): Promise<number> {
  let next = 0
  async function worker(): Promise<void> {
    for (let body = batches[next++]; body !== undefined; body = batches[next++]) {
      for (let status = 0; status !== 200; ) {
        status = await post(body, agent)
        if (status !== 200) await new Promise((resolve) => setTimeout(resolve, 200))
      }
    }
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, worker))
  return batches.length * REQUESTS_PER_BATCH
}

function post(body: Buffer, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/x-protobuf', 'content-encoding': 'gzip', 'content-length': body.length }
    request({ host: '127.0.0.1', port: PORTS.http, path: '/v1/traces', method: 'POST', headers, agent }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode ?? 0))
    })
      .on('error', reject)
      .end(body)
  })
}

/** A question of the page, over and over while spans come in. */
async function probeApi(path: string, goOn: () => boolean): Promise<number[]> {
  const latencies: number[] = []
  while (goOn()) {
    const startMs = performance.now()
    await (await fetch(`http://127.0.0.1:${PORTS.api}${path}`)).arrayBuffer()
    latencies.push(performance.now() - startMs)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return latencies
}

/** CPU time of all threads, from the scheduler's account. */
function cpuSeconds(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`)
  return tasks.reduce((sum, task) => sum + Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]), 0) / 1e9
}

function childOf(pid: number): number | null {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
  return children[0] ? Number(children[0]) : null
}

function pin(pid: number, core: number): void {
  execFileSync('taskset', ['-a', '-p', '-c', String(core), String(pid)], { stdio: 'ignore' })
}

function save(raw: Round[]): void {
  const folder = join(ROOT, 'bench/results')
  mkdirSync(folder, { recursive: true })
  writeFileSync(
    join(folder, 'ingest.json'),
    `${JSON.stringify({ cpu: cpus()[0]?.model, cores: cpus().length, node: process.version, rounds: raw }, null, 2)}\n`,
  )
}
