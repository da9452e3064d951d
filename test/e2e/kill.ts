// `npm run e2e:kill [KILLS]`: the hub is killed (SIGKILL) again and again while spans come, and its store process in between. No
// acknowledged span may be lost, no record doubled, and the hub must be ready again within three seconds. See README.md.
import { readFileSync } from 'node:fs'
import { METRICS } from '@longpole/model/conventions/metrics'
import type { Span } from '@longpole/model/span'
import { type Check, print } from './checks.ts'
import { createTestHub, type TestHub } from './ingest/hub.ts'
import { keyOf, makeRequest } from './ingest/spans.ts'
import { runProgram, type Workspace } from './processes.ts'

const KILLS = Number(process.argv[2] ?? 20)
/** Every so often the store process is killed instead of the hub. */
const STORE_EVERY = 5
const READY_WITHIN_MS = 3_000
const SENDERS = 3
const BATCH_REQUESTS = 50
const SETTLED_WITHIN_MS = 90_000

async function main(workspace: Workspace): Promise<boolean> {
  const hub = await createTestHub(workspace)
  const firstMs = await hub.start()
  const acknowledged = new Set<string>()
  const traces = new Set<string>()
  let isSending = true

  /** Until it is acknowledged, as every OTLP exporter does. */
  async function send(spans: readonly Span[]): Promise<void> {
    while ((await hub.send(spans)) !== 200) await pause(50)
    for (const span of spans) acknowledged.add(keyOf(span))
  }

  async function sender(): Promise<void> {
    while (isSending) {
      const spans = Array.from({ length: BATCH_REQUESTS }, makeRequest)
      // Client and sidecar together, the engine a moment later, as in life.
      await send(spans.flatMap((request) => request.slice(0, 2)))
      await pause(Math.random() * 150)
      await send(spans.map(([, , engine]) => engine))
      for (const [{ traceId }] of spans) traces.add(traceId)
    }
  }

  const senders = Array.from({ length: SENDERS }, sender)
  const readyMs: number[] = []
  for (let kill = 0; kill < KILLS; kill++) {
    await pause(1_500 + Math.random() * 4_000)
    if (kill % STORE_EVERY === STORE_EVERY - 1) {
      const storeMs = await killStore(hub)
      console.log(`store killed: taking spans again after ${storeMs.toFixed(0)} ms`)
      await pause(500 + Math.random() * 1_000)
    }
    await hub.kill()
    readyMs.push(await hub.start())
    console.log(`kill ${kill + 1}: ready after ${(readyMs.at(-1) as number).toFixed(0)} ms, ${acknowledged.size} spans acknowledged`)
  }
  await pause(1_000)
  isSending = false
  await Promise.all(senders)
  await waitForSettled(hub)
  await hub.stop()

  const stored = new Set(
    (await hub.query<{ key: string }>('SELECT DISTINCT concat(trace_id, span_id) AS key FROM spans')).map(({ key }) => key),
  )
  const records = await hub.query<{ trace_id: string; rows: number; version: number }>(
    'SELECT trace_id, count() AS rows, max(version) AS version FROM requests GROUP BY trace_id',
  )
  const written = new Map(records.map((record) => [record.trace_id, record]))
  const slowest = Math.max(...readyMs)
  return print([
    none('no acknowledged span is lost', [...acknowledged].filter((key) => !stored.has(key)).length, acknowledged.size),
    none('no request without a record', [...traces].filter((trace) => !written.has(trace)).length, traces.size),
    none('no record is doubled', records.filter(({ rows }) => rows !== 1).length, records.length),
    none('each record holds all its spans', [...traces].filter((trace) => written.get(trace)?.version !== 3).length, traces.size),
    {
      name: `ready again within ${READY_WITHIN_MS / 1e3} s, ${KILLS} times`,
      ok: slowest <= READY_WITHIN_MS,
      detail: `slowest ${slowest.toFixed(0)} ms, median ${median(readyMs).toFixed(0)} ms, first start ${firstMs.toFixed(0)} ms`,
    },
  ])
}

/** Milliseconds from the death of the store process until a body is taken again. */
async function killStore(hub: TestHub): Promise<number> {
  const child = readFileSync(`/proc/${hub.pid()}/task/${hub.pid()}/children`, 'utf8').trim().split(' ')[0]
  process.kill(Number(child), 'SIGKILL')
  const startMs = performance.now()
  const probe = makeRequest()
  while ((await hub.send([probe[0]])) !== 200) await pause(20)
  const passedMs = performance.now() - startMs
  await hub.send(probe)
  return passedMs
}

async function waitForSettled(hub: TestHub): Promise<void> {
  const startMs = performance.now()
  for (let calm = 0; calm < 4 && performance.now() - startMs < SETTLED_WITHIN_MS; ) {
    await pause(1_000)
    const page = await hub.metrics()
    const isCalm = page(METRICS.unsettledRequests.name) === 0 && page(METRICS.unsettledLagSeconds.name) < 1
    calm = isCalm ? calm + 1 : 0
  }
}

function none(name: string, count: number, of: number): Check {
  return { name, ok: count === 0 && of > 0, detail: `${count} of ${of}` }
}

function median(values: readonly number[]): number {
  return [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

await runProgram(main)
