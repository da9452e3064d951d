// `npm run e2e:collector`: requests to a real vLLM, sent on by the hub to OpenTelemetry's own Collector: one trace a request, one child span
// a phase with the record's length, nothing doubled, parents right. And a stock Python client that never met our SDK. See README.md.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ApiRequest } from '@longpole/model/api'
import type { Span } from '@longpole/model/span'
import { instrumentOpenAI } from '@longpole/sdk'
import { startTracing } from '@longpole/sdk/node'
import OpenAI from 'openai'
import { type Check, print } from './checks.ts'
import { findEngine, VLLM } from './engine.ts'
import { startOtlpTap } from './otlp-tap.ts'
import { freePorts, isOpen, runProgram, startHub, startProcess, startSidecar, type Workspace, waitFor } from './processes.ts'
import { fetchRecords } from './records.ts'
import { planRequests, run } from './workload.ts'

const SIZES = { sequential: { short: 12, long: 4, prefix: 4, aborted: 4, n2: 4, tool: 2 }, burst: 10 }
const PYTHON_REQUESTS = 3
const SETTLE_LIMIT_MS = 90_000
/** The hub holds a settled request back so long for late spans. */
const DELAY_SECONDS = 10

async function main(workspace: Workspace): Promise<boolean> {
  const collector = process.env.LONGPOLE_E2E_OTELCOL ?? ''
  if (collector === '') {
    console.error('set LONGPOLE_E2E_OTELCOL to a binary of the OpenTelemetry Collector. See test/e2e/README.md.')
    return false
  }
  const engine = await findEngine(workspace, VLLM)
  if (engine === null) return false
  const sink = await startOtlpTap(0, null)
  workspace.defer(() => sink.close())
  const collectorPort = await startCollector(workspace, collector, sink.port)
  const hub = await startHub(workspace, 'hub', {
    LONGPOLE_EXPORTERS_OTLP_ENDPOINT: `http://127.0.0.1:${collectorPort}`,
    LONGPOLE_EXPORTERS_OTLP_DELAY_SECONDS: String(DELAY_SECONDS),
  })
  const { otlpPort } = engine
  const sidecar = await startSidecar(workspace, { upstreamUrl: engine.url, hubUrl: hub.otlpUrl, replica: 'vllm-0', otlpPort })
  const tracing = startTracing({ endpoint: hub.otlpUrl, serviceName: 'e2e-client', flushOnExit: false })
  const client = instrumentOpenAI(new OpenAI({ baseURL: `http://127.0.0.1:${sidecar.port}/v1`, apiKey: 'none', maxRetries: 0 }))
  const model = ((await (await fetch(`${engine.url}/v1/models`)).json()) as { data: { id: string }[] }).data[0]?.id ?? ''
  const runId = `export-${process.pid}`
  const truths = await run(client, planRequests(runId, model, SIZES, 20_261_124), 3)
  await tracing.shutdown()
  const traces = await askInPython(workspace, `${engine.url}/v1/chat/completions`, hub.otlpUrl, model)

  const answered = truths.filter(({ outcome }) => outcome === 'ok')
  const isJoined = (record: ApiRequest | undefined) => record?.joined.includes('engine') === true
  await waitFor('records of all requests, joined', SETTLE_LIMIT_MS, async () => {
    const records = await fetchRecords(hub.apiUrl, runId)
    return records.size === truths.length && answered.every(({ id }) => isJoined(records.get(id)?.[0]))
  }).catch(console.error)
  const records = await fetchRecords(hub.apiUrl, runId)
  const all = [...records.values()].flat()
  await waitFor('their traces, behind the Collector', (DELAY_SECONDS + 30) * 1e3, async () => {
    const seen = new Set(sink.spans.map(({ traceId }) => traceId))
    return all.every(({ trace_id }) => seen.has(trace_id))
  }).catch(console.error)
  const foreign = await Promise.all(traces.map((traceId) => recordsOfTrace(hub.apiUrl, traceId)))
  writeFileSync(join(workspace.directory, 'evidence.json'), text({ records: all, spans: sink.spans, foreign }))
  return print([...checkTraces(all, sink.spans), checkForeign(foreign)])
}

async function startCollector(workspace: Workspace, binary: string, sinkPort: number): Promise<number> {
  const [port] = (await freePorts(1)) as [number]
  const file = join(workspace.directory, 'otelcol.yaml')
  writeFileSync(
    file,
    `receivers: { otlp: { protocols: { http: { endpoint: 127.0.0.1:${port} } } } }
exporters: { otlp_http: { endpoint: "http://127.0.0.1:${sinkPort}" } }
service: { telemetry: { metrics: { level: none } }, pipelines: { traces: { receivers: [otlp], exporters: [otlp_http] } } }
`,
  )
  startProcess(workspace, 'otelcol', binary, ['--config', file])
  await waitFor(`the Collector on port ${port}`, 30_000, () => isOpen(port))
  return port
}

/** Spans behind the Collector, by record. */
function checkTraces(records: readonly ApiRequest[], spans: readonly Span[]): Check[] {
  const byTrace = Map.groupBy(spans, ({ traceId }) => traceId)
  const lengths: string[] = []
  const parents: string[] = []
  let phases = 0
  for (const record of records) {
    const trace = byTrace.get(record.trace_id) ?? []
    const ids = new Set(trace.map(({ spanId }) => spanId))
    const roots = trace.filter(({ parentSpanId }) => parentSpanId === '')
    if (roots.length !== 1) parents.push(`${record.request_id} has ${roots.length} roots`)
    for (const span of trace) if (span.parentSpanId !== '' && !ids.has(span.parentSpanId)) parents.push(`${record.request_id} ${span.name}`)
    for (const { phase, seconds } of record.phases.filter((entry) => entry.phase !== 'unattributed' || entry.seconds > 0)) {
      phases++
      const own = trace.filter(({ attributes }) => attributes['longpole.phase'] === phase)
      const got = own.map(({ startUnixNano, endUnixNano }) => Number(endUnixNano - startUnixNano) / 1e9)
      if (got.length !== 1 || Math.abs((got[0] as number) - seconds) > 1e-6)
        lengths.push(`${record.request_id} ${phase}: ${seconds} s, spans ${got.join() || 'none'}`)
    }
    const known = new Set<string>(record.phases.map(({ phase }) => phase))
    for (const { attributes } of trace) {
      const phase = attributes['longpole.phase']
      if (typeof phase === 'string' && !known.has(phase))
        lengths.push(`${record.request_id} has a span of ${phase}, which the record lacks`)
    }
  }
  const doubled = spans.length - new Set(spans.map(({ traceId, spanId }) => traceId + spanId)).size
  const list = (bad: readonly string[]) => bad.slice(0, 3).join('; ')
  return [
    {
      name: 'one child span a phase, as long as in the record',
      ok: phases > 0 && lengths.length === 0,
      detail: lengths.length === 0 ? `${phases} phases of ${records.length} records` : `${lengths.length} bad: ${list(lengths)}`,
    },
    { name: 'nothing is there twice', ok: spans.length > 0 && doubled === 0, detail: `${doubled} of ${spans.length} spans` },
    {
      name: 'one root a trace, and every parent is in it',
      ok: parents.length === 0,
      detail: parents.length === 0 ? `${byTrace.size} traces` : `${parents.length} bad: ${list(parents)}`,
    },
  ]
}

/** A client span of the stock SDK and the engine's own span: one record, joined by trace. */
function checkForeign(found: readonly (readonly ApiRequest[])[]): Check {
  const good = found.filter(
    ([record, ...more]) => more.length === 0 && record?.joined.includes('client') && record.joined.includes('engine'),
  )
  return {
    name: 'a stock Python client and the engine give one joined record',
    ok: found.length > 0 && good.length === found.length,
    detail: found.map((records) => records.map(({ joined }) => joined.join('+')).join(' and ') || 'none').join(', ') || 'not tried',
  }
}

/** Trace ids of the requests that a stock Python client made. */
async function askInPython(workspace: Workspace, url: string, otlpUrl: string, model: string): Promise<string[]> {
  const python = process.env.LONGPOLE_E2E_PYTHON ?? ''
  if (python === '') {
    console.error('LONGPOLE_E2E_PYTHON (a Python with opentelemetry-sdk and opentelemetry-exporter-otlp-proto-http) is not set')
    return []
  }
  const script = join(import.meta.dirname, 'stock-client.py')
  const child = spawn(python, [script, url, `${otlpUrl}/v1/traces`, model, String(PYTHON_REQUESTS)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (data) => {
    output += data
  })
  workspace.defer(async () => void child.kill())
  await once(child, 'exit')
  return output.split('\n').filter((line) => /^[0-9a-f]{32}$/.test(line))
}

/** Joined ones, as soon as there are any: without our SDK a record waits for its engine's batch. */
async function recordsOfTrace(apiUrl: string, traceId: string): Promise<ApiRequest[]> {
  const read = async () => {
    const response = await fetch(`${apiUrl}/api/v1/requests?limit=1000`)
    return ((await response.json()) as { items: ApiRequest[] }).items.filter(({ trace_id }) => trace_id === traceId)
  }
  await waitFor(`a joined record of trace ${traceId}`, SETTLE_LIMIT_MS, async () =>
    (await read()).some(({ joined }) => joined.includes('engine') && joined.includes('client')),
  ).catch(console.error)
  return read()
}

function text(value: unknown): string {
  return JSON.stringify(value, (_, entry) => (typeof entry === 'bigint' ? entry.toString() : entry), 1)
}

await runProgram(main)
