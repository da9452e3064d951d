// The promises of one request's way, each as a check over what the client, the relay, the engine and the hub said independently.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ApiRequest } from '@longpole/model/api'
import type { Span } from '@longpole/model/span'
import type { ExchangeStamps } from './relay.ts'
import type { ClientTruth } from './workload.ts'

export interface Check {
  name: string
  ok: boolean
  detail: string
}

/** Everything that is held against each other. */
export interface Evidence {
  truths: readonly ClientTruth[]
  records: ReadonlyMap<string, readonly ApiRequest[]>
  stamps: ReadonlyMap<string, ExchangeStamps>
  /** The engine's own request spans, by the caller's request id; several where `n` > 1. */
  engineSpans: ReadonlyMap<string, readonly Span[]>
}

const MILLISECOND = 0.001
const ms = (seconds: number) => `${(seconds * 1000).toFixed(2)} ms`

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((left, right) => left - right)
  return sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN
}

export function phaseOf(record: ApiRequest, phase: string): number | null {
  return record.phases.find((entry) => entry.phase === phase)?.seconds ?? null
}

function recordsOf({ records }: Evidence): ApiRequest[] {
  return [...records.values()].flat()
}

function withEngine(evidence: Evidence): ApiRequest[] {
  return recordsOf(evidence).filter(({ joined }) => joined.includes('engine'))
}

function worst(name: string, bad: readonly string[], good: string): Check {
  const shown = bad.slice(0, 3).join('; ')
  return { name, ok: bad.length === 0, detail: bad.length === 0 ? good : `${bad.length} bad: ${shown}` }
}

export function oneRecordEach({ truths, records }: Evidence): Check {
  const bad = truths.filter(({ id }) => records.get(id)?.length !== 1).map(({ id }) => `${id} has ${records.get(id)?.length ?? 0}`)
  return worst('exactly one record a request', bad, `${truths.length} requests`)
}

export function allVantages({ truths, records, engineSpans }: Evidence): Check {
  const bad = truths.flatMap(({ id, outcome }) => {
    const joined = records.get(id)?.[0]?.joined ?? []
    const expected = ['client', 'sidecar', ...(engineSpans.has(id) ? ['engine'] : [])]
    const missing = expected.filter((vantage) => !joined.includes(vantage))
    return missing.length === 0 ? [] : [`${id} (${outcome}) lacks ${missing.join(', ')}`]
  })
  return worst('every record joins what was seen', bad, `${engineSpans.size} with an engine span`)
}

export function sumsAddUp(evidence: Evidence): Check {
  const off = recordsOf(evidence).map(({ phases, e2e }) =>
    Math.abs(phases.reduce((sum, { seconds }) => sum + seconds, 0) - (e2e ?? Number.NaN)),
  )
  const most = Math.max(...off)
  return { name: 'phases + unattributed = e2e within 1 ms', ok: most <= MILLISECOND, detail: `at most ${ms(most)} off` }
}

export function noPhaseExceedsTheWhole(evidence: Evidence): Check {
  const bad = recordsOf(evidence).flatMap(({ request_id, phases, e2e }) =>
    phases
      .filter(({ seconds, error_seconds }) => seconds > (e2e ?? 0) + (error_seconds ?? 0) + MILLISECOND || seconds < 0)
      .map(({ phase, seconds }) => `${request_id} ${phase} ${ms(seconds)} of ${ms(e2e ?? 0)}`),
  )
  return worst('no phase exceeds the whole, none is negative', bad, `${recordsOf(evidence).length} records`)
}

export function littleIsUnattributed(evidence: Evidence): Check {
  const records = withEngine(evidence).filter(({ outcome }) => outcome === 'ok')
  const rest = records.map((record) => ({ record, seconds: phaseOf(record, 'unattributed') ?? 0 }))
  const over = rest.map(({ record, seconds }) => seconds - Math.max(0.01, 0.02 * (record.e2e ?? 0)))
  const p99 = quantile(
    rest.map(({ seconds }) => seconds),
    0.99,
  )
  return {
    name: 'unattributed p99 <= max(10 ms, 2 % of e2e)',
    ok: records.length > 0 && quantile(over, 0.99) <= 0,
    detail: `p50 ${ms(
      quantile(
        rest.map(({ seconds }) => seconds),
        0.5,
      ),
    )}, p99 ${ms(p99)}, ${over.filter((value) => value > 0).length} of ${over.length} above`,
  }
}

export interface EngineTimes {
  queue: number
  prefill: number
  decode: number | null
}

/** The engine's own word against the record's phases, within 1 ms. */
export function engineTimesAreTheEngines(evidence: Evidence, read: (spans: readonly Span[]) => EngineTimes): Check {
  const bad: string[] = []
  for (const [id, spans] of evidence.engineSpans) {
    const record = evidence.records.get(id)?.[0]
    if (record === undefined) continue
    const expected = read(spans)
    for (const [phase, seconds] of Object.entries({
      'engine.queue': expected.queue,
      'engine.prefill': expected.prefill,
      'engine.decode': expected.decode,
    })) {
      if (seconds === null) continue
      const got = phaseOf(record, phase)
      if (got === null || Math.abs(got - seconds) > MILLISECOND)
        bad.push(`${id} ${phase}: engine ${ms(seconds)}, record ${got === null ? 'none' : ms(got)}`)
    }
  }
  return worst("queue, prefill and decode are the engine's own within 1 ms", bad, `${evidence.engineSpans.size} spans`)
}

export function firstTokenIsTheRelays(evidence: Evidence): Check {
  const off = recordsOf(evidence).flatMap(({ request_id, start_unix_ns, ttft }) => {
    const stamp = evidence.stamps.get(request_id ?? '')?.firstToken
    if (ttft == null || stamp == null) return []
    return [Math.abs(Number(BigInt(start_unix_ns) / 1000n) / 1000 + ttft * 1000 - stamp)]
  })
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((q) => quantile(off, q)) as [number, number, number]
  return {
    name: 'first token within 2 ms (p95) and 10 ms (p99) of the relay',
    ok: off.length > 0 && p95 <= 2 && p99 <= 10,
    detail: `p50 ${p50.toFixed(2)} ms, p95 ${p95.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms of ${off.length}`,
  }
}

export function fieldsAreTheClients(evidence: Evidence): Check {
  const bad: string[] = []
  for (const truth of evidence.truths) {
    const record = evidence.records.get(truth.id)?.[0]
    if (record === undefined) continue
    const compare = (field: string, got: unknown, expected: unknown) => {
      if (got !== expected) bad.push(`${truth.id} ${field}: expected ${String(expected)}, got ${String(got)}`)
    }
    compare('outcome', record.outcome, truth.outcome)
    if (truth.outcome === 'rejected') compare('http_status', record.http_status, truth.status)
    if (truth.outcome !== 'ok') continue
    // Of several sequences any may stand for the request.
    if (!truth.finishReasons.includes(record.finish_reason ?? ''))
      compare('finish_reason', record.finish_reason, truth.finishReasons.join())
    compare('prompt_tokens', record.prompt_tokens, truth.usage?.prompt)
    compare('output_tokens', record.output_tokens, truth.usage?.output)
    compare('cached_tokens', record.cached_tokens, truth.usage?.cached)
  }
  return worst('outcome, finish reason and tokens are what the caller saw', bad, `${evidence.truths.length} requests`)
}

/** A file beside the logs, kept when a check failed. */
export function dump(directory: string, { truths, records, stamps, engineSpans }: Evidence, name = 'evidence.json'): void {
  const rows = truths.map((truth) => ({
    truth,
    records: records.get(truth.id) ?? [],
    stamps: stamps.get(truth.id) ?? null,
    spans: engineSpans.get(truth.id) ?? [],
  }))
  const text = JSON.stringify(rows, (_, value) => (typeof value === 'bigint' ? value.toString() : value), 1)
  writeFileSync(join(directory, name), text)
}

export function print(checks: readonly Check[]): boolean {
  const width = Math.max(...checks.map(({ name }) => name.length))
  for (const { name, ok, detail } of checks) console.log(`${ok ? 'ok  ' : 'FAIL'}  ${name.padEnd(width)}  ${detail}`)
  return checks.every(({ ok }) => ok)
}
