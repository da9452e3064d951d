// `npm run e2e:blame`: 200 ms injected at each hop in turn must be found in that hop's phases and nowhere else; then the same with the
// engine's clock ahead by 250 ms and behind by 37 s. Medians of a few requests against medians without the delay. See README.md.

import type { ApiRequest } from '@longpole/model/api'
import { PHASE_IDS } from '@longpole/model/phase'
import { instrumentIterator, instrumentOpenAI } from '@longpole/sdk'
import { startTracing } from '@longpole/sdk/node'
import OpenAI from 'openai'
import { type Check, phaseOf, print, quantile } from './checks.ts'
import { findEngine } from './engine.ts'
import { startOtlpTap } from './otlp-tap.ts'
import { createWorkspace, startHub, startSidecar, type Workspace, waitFor } from './processes.ts'
import { fetchRecords } from './records.ts'
import { startRelay } from './relay.ts'

const DELAY_MS = 200
const REQUESTS = Number(process.env.LONGPOLE_E2E_BLAME_REQUESTS ?? 15)
/** Requests that the engine runs at once: the test fills them all to make one wait. */
const SLOTS = Number(process.env.LONGPOLE_E2E_VLLM_SLOTS ?? 16)
/** Share of the delay that must be found, and that may be found elsewhere. */
const FOUND = 0.95
const ELSEWHERE = 0.05
const NETWORK = ['client.upload', 'stream.network']

interface Medians {
  e2e: number
  phases: Map<string, number>
  records: ApiRequest[]
}

async function main(workspace: Workspace): Promise<boolean> {
  const engine = await findEngine(workspace, {
    url: 'LONGPOLE_E2E_VLLM_URL',
    otlpPort: 'LONGPOLE_E2E_VLLM_OTLP_PORT',
    command: 'LONGPOLE_E2E_VLLM_COMMAND',
  })
  if (engine === null) return false
  const hub = await startHub(workspace)
  const behind = await startRelay({ upstreamPort: Number(new URL(engine.url).port) })
  workspace.defer(() => behind.close())
  const sidecar = await startSidecar(workspace, { upstreamUrl: `http://127.0.0.1:${behind.port}`, hubUrl: hub.otlpUrl, replica: 'vllm-0' })
  const tap = await startOtlpTap(engine.otlpPort, `http://127.0.0.1:${sidecar.otlpPort}`)
  workspace.defer(() => tap.close())
  const front = await startRelay({ upstreamPort: sidecar.port })
  workspace.defer(() => front.close())
  const tracing = startTracing({ endpoint: hub.otlpUrl, serviceName: 'e2e-blame', flushOnExit: false })
  const settings = { baseURL: `http://127.0.0.1:${front.port}/v1`, apiKey: 'none', maxRetries: 0 }
  const client = instrumentOpenAI(new OpenAI(settings))
  const plain = new OpenAI(settings)
  const model = ((await (await fetch(`${engine.url}/v1/models`)).json()) as { data: { id: string }[] }).data[0]?.id ?? ''
  const parameters = (id: string, tokens = 8) => ({
    model,
    stream: true as const,
    stream_options: { include_usage: true },
    max_tokens: tokens,
    messages: [{ role: 'user' as const, content: `${id} return value index decode` }],
  })

  const ask = async (id: string): Promise<void> => {
    for await (const _ of await client.chat.completions.create(parameters(id), { headers: { 'x-request-id': id } }));
  }
  /** Sees the iterator alone, and sleeps once all chunks but the end have been read. */
  const askAsIterator = async (id: string, sleepMs: number): Promise<void> => {
    const startMs = performance.now()
    const stream = await plain.chat.completions.create(parameters(id), { headers: { 'x-request-id': id } })
    for await (const chunk of instrumentIterator(stream, { model, startMs })) {
      if (chunk.choices.length === 0) await new Promise((resolve) => setTimeout(resolve, sleepMs))
    }
  }
  /** All slots taken until the first of the blockers is done. */
  const askBehindOthers = async (id: string): Promise<void> => {
    const blockers = Array.from({ length: SLOTS }, async (_, index) => {
      const stream = await plain.chat.completions.create(parameters(`${id}-blocker-${index}`, 24))
      for await (const _chunk of stream);
    })
    await new Promise((resolve) => setTimeout(resolve, 150))
    await ask(id)
    await Promise.all(blockers)
  }

  let round = 0
  const measure = async (count: number, one: (id: string) => Promise<void>, readJoined = true): Promise<Medians> => {
    const prefix = `blame-${process.pid}-${round++}-`
    for (let index = 0; index < count; index++) await one(`${prefix}${index}-x`)
    const own = async () => {
      const found = await fetchRecords(hub.apiUrl, prefix)
      return [...found].filter(([id]) => !id.includes('blocker')).flatMap(([, records]) => records)
    }
    const isComplete = async () => {
      const records = await own()
      return records.length >= count && (!readJoined || records.every(({ joined }) => joined.includes('engine')))
    }
    await waitFor(`records of ${prefix}`, 60_000, isComplete).catch(console.error)
    return mediansOf(await own())
  }

  const checks: Check[] = []
  for (const shift of [0, 0.25, -37]) {
    tap.setShift(shift)
    const label = shift === 0 ? '' : ` (engine clock ${shift > 0 ? '+' : ''}${shift} s)`
    const base = await measure(REQUESTS, ask)
    checks.push(noneIsNegative(base, `no phase is negative${label}`))
    const inject = async (name: string, relay: typeof front, delay: { toServerMs: number; toClientMs: number }) => {
      await relay.setDelay(delay)
      const slow = await measure(REQUESTS, ask)
      await relay.setDelay({ toServerMs: 0, toClientMs: 0 })
      checks.push(
        blame(`${name}${label}`, base, slow, NETWORK, DELAY_MS / 1000),
        noneIsNegative(slow, `${name}: no phase is negative${label}`),
      )
    }
    await inject('client to sidecar', front, { toServerMs: DELAY_MS, toClientMs: 0 })
    await inject('sidecar to engine', behind, { toServerMs: DELAY_MS, toClientMs: 0 })
    await inject('return path to the client', front, { toServerMs: 0, toClientMs: DELAY_MS })
    await inject('return path from the engine', behind, { toServerMs: 0, toClientMs: DELAY_MS })
    const queued = await measure(Math.min(REQUESTS, 8), askBehindOthers)
    checks.push(blame(`queue behind ${SLOTS} others${label}`, base, queued, ['engine.queue', 'engine.admit'], queued.e2e - base.e2e))
    const read = await measure(REQUESTS, (id) => askAsIterator(id, 0), false)
    const slept = await measure(REQUESTS, (id) => askAsIterator(id, DELAY_MS), false)
    checks.push(blame(`a consumer that sleeps${label}`, read, slept, ['client.consume'], DELAY_MS / 1000))
  }
  await tracing.shutdown()
  return print(checks)
}

function mediansOf(records: ApiRequest[]): Medians {
  const median = (values: number[]) => quantile(values, 0.5)
  const phases = new Map(PHASE_IDS.map((phase) => [phase as string, median(records.map((record) => phaseOf(record, phase) ?? 0))]))
  return { e2e: median(records.map(({ e2e }) => e2e ?? Number.NaN)), phases, records }
}

/** At least 95 % of the delay in the hop's phases together, at most 5 % added to all others together. */
function blame(name: string, base: Medians, slow: Medians, expected: readonly string[], seconds: number): Check {
  const added = [...slow.phases].map(([phase, value]) => ({ phase, seconds: value - (base.phases.get(phase) ?? 0) }))
  const inside = added.filter(({ phase }) => expected.includes(phase)).reduce((sum, entry) => sum + entry.seconds, 0)
  const outside = added.filter(({ phase }) => !expected.includes(phase)).reduce((sum, entry) => sum + Math.max(0, entry.seconds), 0)
  const others = added
    .filter((entry) => !expected.includes(entry.phase) && entry.seconds > 0.002)
    .map((entry) => `${entry.phase} ${(entry.seconds * 1000).toFixed(1)}`)
  const detail = `${(inside * 1000).toFixed(1)} of ${(seconds * 1000).toFixed(1)} ms found, ${(outside * 1000).toFixed(1)} elsewhere${others.length > 0 ? ` (${others.join(', ')})` : ''}`
  return { name, ok: inside >= FOUND * seconds && outside <= ELSEWHERE * seconds, detail }
}

function noneIsNegative({ records }: Medians, name: string): Check {
  const negative = records.flatMap(({ phases }) => phases.filter(({ seconds }) => seconds < 0))
  return { name, ok: records.length > 0 && negative.length === 0, detail: `${records.length} records` }
}

const workspace = createWorkspace()
let ok = false
try {
  ok = await main(workspace)
} finally {
  await workspace.close(!ok)
}
process.exit(ok ? 0 : 1)
