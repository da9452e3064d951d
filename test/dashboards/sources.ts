// What happens in a fleet that boards count: requests, phases, tokens, transfers, judged objectives, each read from the record itself.
import { exponentialUpperBound } from '@longpole/model/conventions/buckets'
import { PHASES } from '@longpole/model/phase'
import type { RequestRecord } from '@longpole/model/request-record'
import { thresholdOf } from '@longpole/model/slo'
import { objectivesFor } from '../../src/config/objectives.ts'
import { over } from './oracle/combine.ts'
import { type Event, each, goodputOf, judged, type Source, several } from './oracle/events.ts'
import { frequency, perSecond } from './oracle/of-events.ts'
import type { FleetView, Truth } from './oracle/truth.ts'

export const requests = each(() => 1)
export const e2e = each((record) => record.e2e)
export const ttft = each((record) => record.ttft)
export const tpot = each((record) => record.tpot)
export const longestGap = each((record) => record.itl_max)

export const phases = several((record) => record.phases.map(({ phase, seconds }) => ({ value: seconds, extra: { phase } })))

const BEFORE_FIRST_TOKEN = new Set<string>(PHASES.filter((phase) => phase.beforeFirstToken).map(({ id }) => id))
export const isBeforeFirstToken = (phase: string): boolean => BEFORE_FIRST_TOKEN.has(phase)

/** Phases by the replica that had them: those of a prefill server are its own. */
export const replicaPhases = several((record) => {
  const hop = record.hops[0]
  const atPrefill = new Set(hop?.phases.map(({ phase }) => phase))
  return record.phases.flatMap(({ phase, seconds }) => {
    const isAtPrefill = hop !== undefined && atPrefill.has(phase)
    const replica = isAtPrefill ? hop.replica : record.replica
    const pool = isAtPrefill ? hop.pool : record.pool
    return replica === null ? [] : [{ value: seconds, extra: { phase, replica, pool } }]
  })
})

/** A part of another source; the same part is the same source. */
export function only(source: Source, keep: (event: Event) => boolean): Source {
  return (fleet) => source(fleet).filter(keep)
}

export const inPhase = (source: Source, matches: (phase: string) => boolean): Source =>
  only(source, ({ extra }) => matches(String(extra.phase)))
export const isPhase =
  (...names: string[]) =>
  (phase: string): boolean =>
    names.includes(phase)

export const judgedAs = (keep: Partial<{ slo: string; result: string }>): Source =>
  only(judged, ({ extra }) => Object.entries(keep).every(([name, value]) => extra[name] === value))

const goodputs = new WeakMap<RequestRecord, string>()

/** Phases with whether their request met its objectives. */
export const classPhases =
  (result?: string): Source =>
  (fleet: FleetView) =>
    phases(fleet).flatMap((event) => {
      const { record, extra } = event
      if (!goodputs.has(record)) goodputs.set(record, goodputOf(fleet, record))
      const goodput = goodputs.get(record)
      if (result !== undefined && goodput !== result) return []
      const { cluster, model, prompt_class, tenant_class } = record
      return [{ ...event, counter: JSON.stringify([cluster, model, prompt_class, tenant_class, goodput, extra.phase]) }]
    })

const TOKENS = {
  prompt: 'prompt_tokens',
  cached: 'cached_tokens',
  output: 'output_tokens',
  reasoning: 'reasoning_tokens',
  drafted: 'drafted',
  accepted: 'accepted',
} as const

const tokenSource = several((record) =>
  Object.entries(TOKENS).flatMap(([kind, column]) => (record[column] === null ? [] : [{ value: record[column], extra: { kind } }])),
)
export const tokens = (...kinds: (keyof typeof TOKENS)[]): Source =>
  only(tokenSource, ({ extra }) => kinds.includes(extra.kind as keyof typeof TOKENS))

export const cachedByTier = several((record) =>
  Object.entries(record.cached_tokens_by_tier ?? {}).map(([tier, value]) => ({ value, extra: { tier } })),
)

const pair = (record: RequestRecord) => ({ source: record.prefill_replica, destination: record.decode_replica, transport: null })
export const transfers = several((record) =>
  record.phases.filter(({ phase }) => phase === 'kv.transfer').map(({ seconds }) => ({ value: seconds, extra: pair(record) })),
)
export const transferBytes = several((record) => (record.kv_bytes === null ? [] : [{ value: record.kv_bytes, extra: pair(record) }]))
export const disaggregated = each((record) => (record.prefill_replica !== null && record.decode_replica !== null ? 1 : null))

export const cold = several((record) => [
  ...(record.cold === true ? [{ value: 1, extra: { kind: 'replica' } }] : []),
  ...(record.adapter_loaded === true ? [{ value: 1, extra: { kind: 'adapter' } }] : []),
])

const OUTSIDE = new Set(['client.backoff', 'client.connect', 'client.upload', 'stream.network'])
const isClient = (record: RequestRecord) => record.vantage === 'client'
export const clientTtft = each((record) => record.ttft, isClient)
export const serverTtft = each(
  (record) =>
    Math.max(0, (record.ttft as number) - record.phases.reduce((sum, part) => sum + (OUTSIDE.has(part.phase) ? part.seconds : 0), 0)),
  (record) => isClient(record) && record.ttft !== null && (record.joined.includes('sidecar') || record.joined.includes('engine')),
)

/** Every gap, as the middle of its bucket in the record's sketch. */
export const gaps = several((record) =>
  Object.entries(record.itl ?? {}).flatMap(([index, count]) =>
    Array.from({ length: count }, () => ({ value: exponentialUpperBound(Number(index) - 0.5), extra: {} })),
  ),
)

export const stalls = (): Source => (fleet) =>
  longestGap(fleet).filter(({ record, value }) => {
    const objective = objectivesFor(fleet.objectives, record.model, record.tenant_class).find(({ slo }) => slo === 'tpot')
    const limit = objective === undefined ? null : thresholdOf(objective, record.prompt_class)
    return limit !== null && value > 10 * limit
  })

/** Seconds of each phase for each request, phases adding up to the whole. */
export function phasePerRequest(by: readonly string[] = [], keep?: (phase: string) => boolean): Truth {
  const source = keep === undefined ? phases : inPhase(phases, keep)
  return over(perSecond(source, [...by, 'phase']), frequency(requests, by), by)
}
