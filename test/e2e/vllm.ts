// `npm run e2e:vllm`: 200 and more streaming requests through openai client + SDK → relay → sidecar → a real vLLM, and every promise of
// their records held against what client, relay and engine said. Prints a table; exit status 0 only when all hold. See README.md.

import { constants, setPriority } from 'node:os'
import type { Span } from '@longpole/model/span'
import { instrumentOpenAI } from '@longpole/sdk'
import { startTracing } from '@longpole/sdk/node'
import OpenAI from 'openai'
import * as checks from './checks.ts'
import { findEngine, VLLM } from './engine.ts'
import { startOtlpTap } from './otlp-tap.ts'
import { runProgram, startHub, startSidecar, type Workspace, waitFor } from './processes.ts'
import { fetchRecords, total } from './records.ts'
import { startRelay } from './relay.ts'
import { planRequests, run, type Sizes } from './workload.ts'

const SIZES: Sizes = { sequential: { short: 70, long: 20, prefix: 24, aborted: 16, rejected: 12, n2: 12, tool: 12 }, burst: 44 }
const CONCURRENCY = 3
/** The engine exports every 5 s, a record settles 5 s after its last span. */
const SETTLE_LIMIT_MS = 60_000

async function main(workspace: Workspace): Promise<boolean> {
  const engine = await findEngine(workspace, VLLM)
  if (engine === null) return false
  const hub = await startHub(workspace)
  const sidecar = await startSidecar(workspace, { upstreamUrl: engine.url, hubUrl: hub.otlpUrl, replica: 'vllm-0' })
  const tap = await startOtlpTap(engine.otlpPort, `http://127.0.0.1:${sidecar.otlpPort}`)
  workspace.defer(() => tap.close())
  goFirst()
  const relay = await startRelay({ upstreamPort: sidecar.port })
  workspace.defer(() => relay.close())
  const tracing = startTracing({ endpoint: hub.otlpUrl, serviceName: 'e2e-client', flushOnExit: false })
  const client = instrumentOpenAI(new OpenAI({ baseURL: `http://127.0.0.1:${relay.port}/v1`, apiKey: 'planted-key-7f3a', maxRetries: 0 }))

  const model = ((await (await fetch(`${engine.url}/v1/models`)).json()) as { data: { id: string }[] }).data[0]?.id ?? ''
  const runId = `e2e-${process.pid}`
  const plan = planRequests(runId, model, SIZES, 20_261_124)
  const planned = [...plan.sequential, ...plan.burst]
  console.log(`${planned.length} requests to ${model} at ${engine.url}`)
  const before = await (await fetch(`${engine.url}/metrics`)).text()
  const truths = await run(client, plan, CONCURRENCY)
  await tracing.shutdown()
  const sequences = truths.filter(({ outcome }) => outcome === 'ok').reduce((sum, { group }) => sum + (group === 'n2' ? 2 : 1), 0)
  const own = () => requestSpans(tap.spans, runId)
  await waitFor(`${sequences} engine spans`, SETTLE_LIMIT_MS, async () => [...own().values()].flat().length >= sequences).catch(
    console.error,
  )
  const after = await (await fetch(`${engine.url}/metrics`)).text()
  const engineSpans = own()
  const isSettled = async (): Promise<boolean> => {
    const records = await fetchRecords(hub.apiUrl, runId)
    return records.size >= truths.length && [...engineSpans.keys()].every((id) => records.get(id)?.[0]?.joined.includes('engine'))
  }
  await waitFor('records of all requests, joined', SETTLE_LIMIT_MS, isSettled).catch(console.error)

  const stamps = new Map((await relay.stamps()).map((entry) => [entry.requestId, entry]))
  const evidence: checks.Evidence = { truths, records: await fetchRecords(hub.apiUrl, runId), stamps, engineSpans }
  checks.dump(workspace.directory, evidence)
  return checks.print([
    checks.oneRecordEach(evidence),
    checks.allVantages(evidence),
    checks.sumsAddUp(evidence),
    checks.noPhaseExceedsTheWhole(evidence),
    checks.littleIsUnattributed(evidence),
    checks.engineTimesAreTheEngines(evidence, timesOf),
    checks.firstTokenIsTheRelays(evidence),
    checks.fieldsAreTheClients(evidence),
    totalsAreTheCounters(evidence, before, after),
  ])
}

/**
 * Client and relay, whose stamps are compared, before the threads of an engine on the same cores: else the scheduler's pauses stand between
 * the two. Where that is not allowed they stay as they are.
 */
function goFirst(): void {
  try {
    setPriority(constants.priority.PRIORITY_HIGHEST)
  } catch {
    console.log('the client keeps its priority: times against the relay are as calm as this machine')
  }
}

/** The engine's `llm_request` spans by the caller's request id: `chatcmpl-<id>`. */
function requestSpans(spans: readonly Span[], prefix: string): Map<string, Span[]> {
  const own = spans.filter(({ name, attributes }) => name === 'llm_request' && String(attributes['gen_ai.request.id']).includes(prefix))
  return Map.groupBy(own, ({ attributes }) => String(attributes['gen_ai.request.id']).replace('chatcmpl-', ''))
}

/** `n` = 2: queue and prefill of the earliest first token, decode to the last. */
function timesOf(spans: readonly Span[]): checks.EngineTimes {
  const read = (span: Span, name: string) => Number(span.attributes[`gen_ai.latency.${name}`])
  const arrival = (span: Span) => Number(span.startUnixNano - (spans[0] as Span).startUnixNano) / 1e9
  const firstToken = (span: Span) => arrival(span) + read(span, 'time_to_first_token')
  const first = spans.reduce((best, next) => (firstToken(next) < firstToken(best) ? next : best))
  const last = Math.max(...spans.map((span) => firstToken(span) + read(span, 'time_in_model_decode')))
  return {
    queue: read(first, 'time_in_queue'),
    prefill: read(first, 'time_in_model_prefill'),
    decode: spans.length === 1 ? read(first, 'time_in_model_decode') : last - firstToken(first),
  }
}

/** Finished requests only: what an aborted one had produced is in the engine's token counters, and nobody else knows it. */
function totalsAreTheCounters({ truths, records }: checks.Evidence, before: string, after: string): checks.Check {
  const gained = (name: string) => total(after, name) - total(before, name)
  const ok = truths
    .filter(({ outcome }) => outcome === 'ok')
    .flatMap(({ id, group }) => (records.get(id) ?? []).map((record) => ({ record, n: group === 'n2' ? 2 : 1 })))
  const pairs = [
    ['finished', ok.reduce((sum, { n }) => sum + n, 0), gained('vllm:request_success_total')],
    ['output tokens', ok.reduce((sum, { record }) => sum + (record.output_tokens ?? 0), 0), gained('vllm:request_generation_tokens_sum')],
    [
      'prompt tokens',
      ok.reduce((sum, { record, n }) => sum + (record.prompt_tokens ?? 0) * n, 0),
      gained('vllm:request_prompt_tokens_sum'),
    ],
  ] as const
  return {
    name: "totals are the difference of the engine's counters",
    ok: pairs.every(([, ours, theirs]) => ours === theirs),
    detail: pairs.map(([name, ours, theirs]) => `${name} ${ours} of ${theirs}`).join(', '),
  }
}

await runProgram(main)
