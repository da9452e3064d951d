// `npm run e2e:sglang`: a real SGLang, first unified, then prefill + decode behind its router, through openai client + SDK → relay →
// sidecar. Each part runs where the environment names its servers. Prints a table a part; exit status 0 only when all hold. README.md.

import type { Span } from '@longpole/model/span'
import { instrumentOpenAI } from '@longpole/sdk'
import { startTracing } from '@longpole/sdk/node'
import { trace } from '@opentelemetry/api'
import OpenAI from 'openai'
import * as checks from './checks.ts'
import { type Engine, findEngine, SGLANG } from './engine.ts'
import { type OtlpTap, startOtlpTap } from './otlp-tap.ts'
import { type Hub, runProgram, startHub, startSidecar, type Workspace, waitFor } from './processes.ts'
import { fetchRecords } from './records.ts'
import { startRelay } from './relay.ts'
import { type ClientTruth, planRequests, run, type Sizes } from './workload.ts'

const UNIFIED: Sizes = { sequential: { short: 24, long: 8, prefix: 10, aborted: 6, rejected: 4, n2: 4 }, burst: 20 }
const DISAGGREGATED: Sizes = { sequential: { short: 34, long: 10 }, burst: 16 }
const CONCURRENCY = 2
const SETTLE_LIMIT_MS = 90_000

interface Part {
  hub: Hub
  url: string
  taps: OtlpTap[]
  evidence: checks.Evidence
}

async function main(workspace: Workspace): Promise<boolean> {
  const results: boolean[] = []
  if (process.env.LONGPOLE_E2E_SGLANG_URL || process.env.LONGPOLE_E2E_SGLANG_COMMAND) results.push(await unified(workspace))
  if (process.env.LONGPOLE_E2E_SGLANG_ROUTER_URL) results.push(await disaggregated(workspace))
  if (results.length > 0) return results.every(Boolean)
  console.error('No engine: set LONGPOLE_E2E_SGLANG_URL or _COMMAND, or LONGPOLE_E2E_SGLANG_ROUTER_URL. See test/e2e/README.md.')
  return false
}

async function unified(workspace: Workspace): Promise<boolean> {
  const engine = (await findEngine(workspace, SGLANG)) as Engine
  const { evidence } = await play(workspace, 'unified', engine.url, [engine.otlpPort], UNIFIED)
  console.log('\nunified')
  return checks.print([
    ...common(evidence),
    checks.engineTimesAreTheEngines(evidence, (spans) => timesOf(firstRoot(spans), spans)),
    checks.firstTokenIsTheRelays(evidence),
    checks.fieldsAreTheClients(evidence),
  ])
}

async function disaggregated(workspace: Workspace): Promise<boolean> {
  const ports = (process.env.LONGPOLE_E2E_SGLANG_PD_OTLP_PORTS ?? '').split(',').filter(Boolean).map(Number)
  const { evidence } = await play(workspace, 'disaggregated', process.env.LONGPOLE_E2E_SGLANG_ROUTER_URL as string, ports, DISAGGREGATED)
  console.log('\nprefill + decode')
  return checks.print([
    ...common(evidence),
    bothInHops(evidence),
    transferIsABound(evidence),
    checks.firstTokenIsTheRelays(evidence),
    checks.fieldsAreTheClients(evidence),
  ])
}

function common(evidence: checks.Evidence): checks.Check[] {
  return [
    checks.oneRecordEach(evidence),
    checks.allVantages(evidence),
    checks.sumsAddUp(evidence),
    checks.noPhaseExceedsTheWhole(evidence),
    checks.littleIsUnattributed(evidence),
  ]
}

/** One part: its own hub and sidecar in front of `url`, engines' spans by way of a tap on each port they export to. */
async function play(workspace: Workspace, name: string, url: string, otlpPorts: readonly number[], sizes: Sizes): Promise<Part> {
  const hub = await startHub(workspace, `hub-${name}`)
  const sidecar = await startSidecar(workspace, {
    name: `sidecar-${name}`,
    upstreamUrl: url,
    hubUrl: hub.otlpUrl,
    replica: `sglang-${name}`,
  })
  const taps = await Promise.all(otlpPorts.map((port) => startOtlpTap(port, `http://127.0.0.1:${sidecar.otlpPort}`)))
  for (const tap of taps) workspace.defer(() => tap.close())
  const relay = await startRelay({ upstreamPort: sidecar.port })
  workspace.defer(() => relay.close())
  const tracing = startTracing({ endpoint: hub.otlpUrl, serviceName: 'e2e-client', flushOnExit: false })
  const client = instrumentOpenAI(new OpenAI({ baseURL: `http://127.0.0.1:${relay.port}/v1`, apiKey: 'none', maxRetries: 0 }))
  const model = ((await (await fetch(`${url}/v1/models`)).json()) as { data: { id: string }[] }).data[0]?.id ?? ''
  const runId = `e2e-${name}-${process.pid}`
  const plan = planRequests(runId, model, sizes, 20_261_124)
  console.log(`${plan.sequential.length + plan.burst.length} requests to ${model} at ${url}`)
  const truths = await run(client, plan, CONCURRENCY)
  await tracing.shutdown()
  // The next part starts tracing of its own in this process.
  trace.disable()
  const finished = truths.filter(({ outcome }) => outcome === 'ok').map(({ id }) => id)
  const isSettled = async (): Promise<boolean> => {
    const records = await fetchRecords(hub.apiUrl, runId)
    return records.size >= truths.length && finished.every((id) => records.get(id)?.[0]?.joined.includes('engine'))
  }
  await waitFor('records of all requests, joined', SETTLE_LIMIT_MS, isSettled).catch(console.error)
  const records = await fetchRecords(hub.apiUrl, runId)
  const stamps = new Map((await relay.stamps()).map((entry) => [entry.requestId, entry]))
  const evidence = {
    truths,
    records,
    stamps,
    engineSpans: spansById(
      truths,
      records,
      taps.flatMap(({ spans }) => spans),
    ),
  }
  checks.dump(workspace.directory, evidence, `evidence-${name}.json`)
  return { hub, url, taps, evidence }
}

/** SGLang reads no `x-request-id`: its spans belong to a request by their trace. Only requests that finished have all of theirs. */
function spansById(truths: readonly ClientTruth[], records: checks.Evidence['records'], spans: readonly Span[]): Map<string, Span[]> {
  const byTrace = Map.groupBy(spans, ({ traceId }) => traceId)
  const found = new Map<string, Span[]>()
  for (const { id, outcome } of truths) {
    const own = byTrace.get(records.get(id)?.[0]?.trace_id ?? '')
    if (outcome === 'ok' && own !== undefined) found.set(id, own)
  }
  return found
}

const isRoot = (span: Span) => span.attributes.module === 'sglang::request'
const seconds = (span: Span) => Number(span.endUnixNano - span.startUnixNano) / 1e9

/** Of several sequences the one whose first token came first; those without output are warm-up. */
function firstRoot(spans: readonly Span[]): Span {
  const ttft = (span: Span) => Number(span.attributes['gen_ai.latency.time_to_first_token'] ?? Number.POSITIVE_INFINITY)
  const roots = spans.filter((span) => isRoot(span) && Number(span.attributes['gen_ai.usage.completion_tokens'] ?? 0) > 0)
  return roots.reduce((best, next) => (ttft(next) < ttft(best) ? next : best))
}

/** From the slices below one root; decode from the end of its prefill to the last token of any sequence. */
function timesOf(root: Span, spans: readonly Span[]): checks.EngineTimes {
  const below = (top: Span): Span[] =>
    spans.filter(({ parentSpanId }) => parentSpanId === top.spanId).flatMap((span) => [span, ...below(span)])
  const named = (name: string, of: readonly Span[]) => of.filter((span) => span.name === name)
  const own = below(root)
  const prefill = named('prefill_forward', own)[0] as Span
  const last = named('decode_forward', spans).reduce((most, span) => (span.endUnixNano > most ? span.endUnixNano : most), 0n)
  return {
    queue: named('prefill_waiting', own).reduce((sum, span) => sum + seconds(span), 0),
    prefill: seconds(prefill),
    decode: last === 0n ? null : Number(last - prefill.endUnixNano) / 1e9,
  }
}

function bothInHops({ records }: checks.Evidence): checks.Check {
  const bad = [...records].filter(([, [record]]) => {
    const pools = (record?.hops ?? []).map(({ pool }) => pool).sort()
    return pools.join() !== 'decode,prefill' || record?.prefill_replica === record?.decode_replica
  })
  return {
    name: 'both servers are in hops',
    ok: bad.length === 0,
    detail: bad.length === 0 ? `${records.size} records` : `${bad.length} not, ${bad[0]?.[0]}`,
  }
}

/** Start of the prefill server's slice to the end of the decode server's: no server's own slice alone is as tight. */
function transferIsABound({ records, engineSpans }: checks.Evidence): checks.Check {
  const bad: string[] = []
  for (const [id, spans] of engineSpans) {
    const sent = spans.find(({ name }) => name === 'prefill_transfer_kv_cache')
    const arrived = spans.find(({ name }) => name === 'decode_transferred')
    const transfer = records.get(id)?.[0]?.phases.find(({ phase }) => phase === 'kv.transfer')
    if (sent === undefined || arrived === undefined) continue
    const tightest = Number(arrived.endUnixNano - sent.startUnixNano) / 1e9
    const isBound = transfer?.exactness === 'upper_bound' && Math.abs(transfer.seconds - tightest) <= 0.001
    if (!isBound) bad.push(`${id}: ${JSON.stringify(transfer)} for ${tightest}`)
  }
  return {
    name: 'kv.transfer is its tightest bound, marked as a bound',
    ok: bad.length === 0,
    detail: bad[0] ?? `${engineSpans.size} transfers`,
  }
}

await runProgram(main)
