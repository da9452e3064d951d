// `npm run e2e:blame`: 200 ms injected at each hop in turn must be found in that hop's phases and nowhere else; then the same with the
// engine's clock ahead by 250 ms and behind by 37 s. Turn by turn with and without the delay. See README.md.

import type { ApiRequest } from '@longpole/model/api'
import { METRICS } from '@longpole/model/conventions/metrics'
import { PHASE_IDS } from '@longpole/model/phase'
import { instrumentIterator, instrumentOpenAI } from '@longpole/sdk'
import { startTracing } from '@longpole/sdk/node'
import OpenAI from 'openai'
import { type Check, phaseOf, print, quantile } from './checks.ts'
import { findEngine, VLLM } from './engine.ts'
import { startOtlpTap } from './otlp-tap.ts'
import { runProgram, startHub, startSidecar, type Workspace, waitFor } from './processes.ts'
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

interface Pair {
  plain: ApiRequest
  delayed: ApiRequest
}

async function main(workspace: Workspace): Promise<boolean> {
  const engine = await findEngine(workspace, VLLM)
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
  const patient = instrumentOpenAI(new OpenAI(settings), { untilConsumed: true })
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
  /** Sleeps after each chunk while the next ones come: what the request lasts longer is the caller's. */
  const askSlowly = (sleepMs: number) => async (id: string) => {
    for await (const _ of await patient.chat.completions.create(parameters(id), { headers: { 'x-request-id': id } })) {
      if (sleepMs > 0) await new Promise((resolve) => setTimeout(resolve, sleepMs))
    }
  }
  /** One request with as many sequences as there are slots, left unread once all of them speak. */
  const askBehindOthers = async (id: string): Promise<void> => {
    const leave = new AbortController()
    const others = await plain.chat.completions.create({ ...parameters(`${id} others`, 96), n: SLOTS }, { signal: leave.signal })
    const speaking = new Set<number>()
    const reader = others[Symbol.asyncIterator]()
    while (speaking.size < SLOTS) {
      const { value, done } = await reader.next()
      if (done) break
      for (const { index, delta } of value.choices) if (delta.content) speaking.add(index)
    }
    await ask(id)
    leave.abort()
  }

  let round = 0
  /** Turn by turn without and with the delay, so that what else changes meanwhile changes both. */
  const compare = async (
    plainly: (id: string) => Promise<void>,
    delayed: (id: string) => Promise<void>,
    needsEngine = true,
  ): Promise<Pair[]> => {
    const prefix = `blame-${process.pid}-${round++}-`
    for (let index = 0; index < REQUESTS; index++) {
      await plainly(`${prefix}${index}-plain`)
      await delayed(`${prefix}${index}-delayed`)
    }
    const isComplete = async () => {
      const records = [...(await fetchRecords(hub.apiUrl, prefix)).values()].flat()
      return records.length >= 2 * REQUESTS && records.every(({ joined }) => !needsEngine || joined.includes('engine'))
    }
    await waitFor(`records of ${prefix}`, 60_000, isComplete).catch(console.error)
    const records = await fetchRecords(hub.apiUrl, prefix)
    return Array.from({ length: REQUESTS }, (_, index) => ({
      plain: records.get(`${prefix}${index}-plain`)?.[0],
      delayed: records.get(`${prefix}${index}-delayed`)?.[0],
    })).flatMap(({ plain: left, delayed: right }) => (left === undefined || right === undefined ? [] : [{ plain: left, delayed: right }]))
  }

  const checks: Check[] = []
  for (const shift of [0, 0.25, -37]) {
    tap.setShift(shift)
    const label = shift === 0 ? '' : ` (engine clock ${shift > 0 ? '+' : ''}${shift} s)`
    const add = (name: string, pairs: Pair[], expected: readonly string[], seconds?: number) => {
      checks.push(blame(`${name}${label}`, pairs, expected, seconds))
      if (shift !== 0) checks.push(noneIsNegative(pairs, `${name}: no phase is negative${label}`))
    }
    const inject = async (name: string, relay: typeof front, delay: { toServerMs: number; toClientMs: number }) => {
      const delayed = async (id: string) => {
        await relay.setDelay(delay)
        await ask(id)
        await relay.setDelay({ toServerMs: 0, toClientMs: 0 })
      }
      add(name, await compare(ask, delayed), NETWORK, DELAY_MS / 1000)
    }
    await inject('client to sidecar', front, { toServerMs: DELAY_MS, toClientMs: 0 })
    await inject('sidecar to engine', behind, { toServerMs: DELAY_MS, toClientMs: 0 })
    await inject('return path to the client', front, { toServerMs: 0, toClientMs: DELAY_MS })
    await inject('return path from the engine', behind, { toServerMs: 0, toClientMs: DELAY_MS })
    add(`queue behind ${SLOTS} others`, await compare(ask, askBehindOthers), ['engine.queue', 'engine.admit'])
    const iterate = (sleepMs: number) => (id: string) => askAsIterator(id, sleepMs)
    add('a consumer that sleeps', await compare(iterate(0), iterate(DELAY_MS), false), ['client.consume'], DELAY_MS / 1000)
    add('a consumer that sleeps after each chunk', await compare(askSlowly(0), askSlowly(40)), ['client.consume'])
    checks.push(await offsetIsReported(hub.apiUrl, shift))
  }
  await tracing.shutdown()
  return print(checks)
}

/** Mean without the fifth at either end: additive over phases as good as, and deaf to a hiccup of the machine. */
function trimmedMean(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right)
  const cut = Math.floor(sorted.length / 5)
  const kept = sorted.slice(cut, sorted.length - cut)
  return kept.reduce((sum, value) => sum + value, 0) / kept.length
}

const differenceOf = (phase: string) => (pair: Pair) => (phaseOf(pair.delayed, phase) ?? 0) - (phaseOf(pair.plain, phase) ?? 0)

/** At least 95 % of the delay in the hop's phases together, at most 5 % added to all others together. */
function blame(name: string, pairs: readonly Pair[], expected: readonly string[], seconds: number | undefined): Check {
  if (seconds === undefined) return blameShare(name, pairs, expected)
  const inside = trimmedMean(pairs.map((pair) => expected.reduce((sum, phase) => sum + differenceOf(phase)(pair), 0)))
  const others = PHASE_IDS.filter((phase) => !expected.includes(phase)).map((phase) => ({
    phase,
    seconds: trimmedMean(pairs.map(differenceOf(phase))),
  }))
  const outside = others.reduce((sum, entry) => sum + Math.max(0, entry.seconds), 0)
  const named = others.filter((entry) => entry.seconds > 0.002).map((entry) => `${entry.phase} ${(entry.seconds * 1000).toFixed(1)}`)
  const detail = `${(inside * 1000).toFixed(1)} of ${(seconds * 1000).toFixed(1)} ms found, ${(outside * 1000).toFixed(1)} elsewhere${named.length > 0 ? ` (${named.join(', ')})` : ''}`
  return { name, ok: inside >= FOUND * seconds && outside <= ELSEWHERE * seconds, detail }
}

/** Where the delay is another each time: the median share of what each request lasted longer. */
function blameShare(name: string, pairs: readonly Pair[], expected: readonly string[]): Check {
  const shares = pairs.map((pair) => expected.reduce((sum, phase) => sum + differenceOf(phase)(pair), 0) / grownBy(pair))
  const others = PHASE_IDS.filter((phase) => !expected.includes(phase))
  const elsewhere = pairs.map((pair) => others.reduce((sum, phase) => sum + Math.max(0, differenceOf(phase)(pair)), 0) / grownBy(pair))
  const [inside, outside] = [quantile(shares, 0.5), quantile(elsewhere, 0.5)]
  const grown = `${(quantile(pairs.map(grownBy), 0.5) * 1000).toFixed(0)} ms longer`
  const detail = `${(inside * 100).toFixed(1)} % found, ${(outside * 100).toFixed(1)} % elsewhere (medians; ${grown})`
  return { name, ok: inside >= FOUND && outside <= ELSEWHERE, detail }
}

function grownBy({ plain, delayed }: Pair): number {
  return (delayed.e2e ?? Number.NaN) - (plain.e2e ?? Number.NaN)
}

function noneIsNegative(pairs: readonly Pair[], name: string): Check {
  const records = pairs.flatMap(({ plain, delayed }) => [plain, delayed])
  const negative = records.flatMap(({ phases }) => phases.filter(({ seconds }) => seconds < 0))
  return { name, ok: records.length > 0 && negative.length === 0, detail: `${records.length} records` }
}

/** The hub's metric for the engine's clock, within 5 ms (the round trips here are far below 10 ms). */
async function offsetIsReported(apiUrl: string, shift: number): Promise<Check> {
  const page = await (await fetch(`${apiUrl}/metrics`)).text()
  const series = page.split('\n').filter((line) => line.startsWith(`${METRICS.clockOffsetSeconds.name}{`))
  const values = series.map((line) => Number(line.slice(line.lastIndexOf(' ') + 1)))
  const found = values.reduce((best, value) => (Math.abs(value - shift) < Math.abs(best - shift) ? value : best), values[0] ?? Number.NaN)
  return { name: `a clock is reported ${shift} s off`, ok: Math.abs(found - shift) <= 0.005, detail: `${found} s` }
}

await runProgram(main)
