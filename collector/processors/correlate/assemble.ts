// The observations of one request → its record. Pure: the same distinct spans give the same record in whatever order they came, and
// its version is their number. Phases add up: sum(phases) + unattributed = e2e at the outermost vantage.
import { secondsBetween } from '@longpole/model/clock'
import { type Observation, VANTAGES } from '@longpole/model/observation'
import type { PhaseDuration, PhaseId } from '@longpole/model/phase'
import type { Attempt, Hop, Outcome, RequestRecord } from '@longpole/model/request-record'
import type { SeamStamps } from './clock-offset.ts'
import { fillTimes, mergeColumns, outcomeOf } from './columns.ts'
import { type RequestParts, vantageRank } from './join.ts'
import { addPhases, nonNegative, sum } from './layers.ts'
import { composePath, type Path, type PathContext, shrinkTo } from './path.ts'

export interface AssembleContext extends PathContext {
  /** 1 ÷ sampling probability of the span's trace. */
  weightOf(observation: Observation): number
}

export interface Assembled {
  record: RequestRecord
  negatives: PhaseId[]
  seams: SeamStamps[]
}

export function recordId(traceId: string, spanId: string): string {
  return `${traceId}-${spanId}`
}

export function assembleRecord(parts: RequestParts, context: AssembleContext): Assembled {
  const { observations } = parts
  const root = observations[0] as Observation
  const tries = splitAttempts(parts)
  const path = tries.length === 1 && tries[0]?.outer === root ? onlyTry(tries[0], root, context) : composeTries(root, tries, context)
  const columns = mergeColumns(observations)
  columns.trace_id = root.traceId
  columns.record_id = recordId(root.traceId, root.spanId)
  const sent = observations.map((entry) => entry.columns.request_id).find((id) => id != null)
  columns.request_id = sent ?? observations.map((entry) => entry.requestIds[0]).find((id) => id !== undefined) ?? null
  columns.start_unix_ns = root.startUnixNano
  columns.vantage = root.vantage
  columns.version = countSpans(observations)
  columns.joined = VANTAGES.filter((vantage) => observations.some((entry) => entry.vantage === vantage))
  columns.weight = context.weightOf(root)
  columns.e2e = sum(path.phases)
  fillTimes(columns, root, observations)
  const attempts = tries.map(({ outer }) => attemptOf(outer))
  columns.attempts ??= root.vantage === 'client' || attempts.length > 1 ? attempts.length : null
  const hops = hopsOf(observations)
  columns.prefill_replica ??= hops.find((hop) => hop.pool === 'prefill')?.replica ?? null
  columns.decode_replica ??= hops.find((hop) => hop.pool === 'decode')?.replica ?? null
  if (hops.length > 1) columns.pool = 'both'
  const record = Object.assign(columns, {
    outcome: columns.outcome as Outcome,
    vantage: root.vantage,
    phases: path.phases,
    overlays: overlaysOf(observations),
    hops,
    attempt_list: attempts,
  })
  return { record, negatives: path.negatives, seams: path.seams }
}

/** Distinct ones. */
function countSpans(observations: readonly Observation[]): number {
  const [only] = observations
  if (observations.length === 1 && only?.spanIds.length === 1) return 1
  const distinct = new Set<string>()
  for (const { traceId, spanIds } of observations) for (const spanId of spanIds) distinct.add(traceId + spanId)
  return distinct.size
}

/** One exchange with a server: its outermost observation and those below it. */
interface Try {
  outer: Observation
  inside: Observation[]
}

/**
 * The attempts of a logical request: the client's own where it told them, else what the sidecars saw, else all in one. An observation
 * that parentage does not place belongs to the attempt with its request id, else to the last.
 */
function splitAttempts({ observations, above }: RequestParts): Try[] {
  const root = observations[0] as Observation
  const clientAttempts = observations.filter(({ vantage, role }) => vantage === 'client' && role === 'attempt')
  const sidecars = observations.filter(({ vantage }) => vantage === 'sidecar')
  const outers = clientAttempts.length > 0 ? clientAttempts : sidecars.length > 1 ? sidecars : [root]
  const tries: Try[] = [...outers]
    .sort((left, right) => (left.startUnixNano < right.startUnixNano ? -1 : left.startUnixNano > right.startUnixNano ? 1 : 0))
    .map((outer) => ({ outer, inside: [] }))
  const depth = vantageRank((outers[0] as Observation).vantage)
  for (const observation of observations) {
    if (outers.includes(observation) || observation === root) continue
    if (vantageRank(observation.vantage) < depth || (observation.vantage === 'client' && observation.role === 'request')) continue
    placeOf(observation, tries, above).inside.push(observation)
  }
  return tries
}

function placeOf(observation: Observation, tries: readonly Try[], above: ReadonlyMap<Observation, Observation>): Try {
  for (let at: Observation | undefined = observation, steps = 0; at !== undefined && steps < 100; at = above.get(at), steps++) {
    const found = tries.find(({ outer }) => outer === at)
    if (found !== undefined) return found
  }
  const sharing = tries.find(({ outer }) => outer.requestIds.some((id) => observation.requestIds.includes(id)))
  return sharing ?? (tries.at(-1) as Try)
}

function onlyTry({ outer, inside }: Try, root: Observation, context: PathContext): Path {
  return composePath(outer, inside, root.phases, context)
}

/**
 * The client's own time from the call until the first exchange begins (serialising, waiting for its event loop): part of the way from
 * the call to a usable connection.
 */
function preparation(root: Observation, first: Observation | undefined): PhaseDuration[] {
  if (first === undefined || first.vantage !== 'client' || first.clock !== root.clock) return []
  const seconds = nonNegative(secondsBetween(root.startUnixNano, first.startUnixNano))
  const source = 'request start to first attempt'
  return seconds === 0 ? [] : [{ phase: 'client.connect', seconds, source, exactness: 'measured', parts: { prepare: seconds } }]
}

/**
 * Several attempts, or one below a logical request: their paths one after the other on the caller's clock, and between them the
 * backoff. Of attempts that overlap (hedges) the earlier one counts until the later one began, as waiting.
 */
function composeTries(root: Observation, tries: readonly Try[], context: PathContext): Path {
  const duration = nonNegative(secondsBetween(root.startUnixNano, root.endUnixNano))
  const sameClock = tries.every(({ outer }) => outer.vantage === root.vantage)
  const collected: PhaseDuration[] = []
  const negatives: PhaseId[] = []
  const seams: SeamStamps[] = []
  collected.push(...preparation(root, tries[0]?.outer))
  const consume = splitConsume(root, tries.at(-1)?.outer)
  let backoff = 0
  for (const [index, { outer, inside }] of tries.entries()) {
    const next = tries[index + 1]?.outer
    if (next !== undefined && next.startUnixNano < outer.endUnixNano) {
      backoff += nonNegative(secondsBetween(outer.startUnixNano, next.startUnixNano))
      continue
    }
    if (next !== undefined) backoff += nonNegative(secondsBetween(outer.endUnixNano, next.startUnixNano))
    const isLast = next === undefined
    const shared = isLast
      ? [...root.phases.filter(({ phase }) => phase !== 'client.backoff' && phase !== 'client.consume'), ...consume.before]
      : []
    const path = composePath(outer, inside, shared, context)
    collected.push(...path.phases)
    negatives.push(...path.negatives)
    seams.push(...path.seams)
  }
  if (tries.length > 1) {
    const told = root.phases.find(({ phase }) => phase === 'client.backoff')
    collected.push({
      phase: 'client.backoff',
      seconds: told?.seconds ?? backoff,
      source: told?.source ?? 'gaps between attempts',
      exactness: told?.exactness ?? 'residual',
    })
  }
  collected.push(...consume.after)
  const phases = addPhases(collected.filter(({ phase }) => phase !== 'unattributed'))
  // Attempts seen by a sidecar leave the way from the client to it to the network.
  const outside = sameClock ? 0 : nonNegative(duration - sum(collected))
  if (outside > 0)
    phases.push({ phase: 'stream.network', seconds: outside, source: 'request - attempts seen by the sidecar', exactness: 'upper_bound' })
  const added = addPhases(phases)
  shrinkTo(duration, added, negatives)
  const rest = nonNegative(duration - sum(added))
  return {
    phases: [...added, { phase: 'unattributed', seconds: rest, source: 'remainder', exactness: 'residual' }],
    negatives,
    seams,
  }
}

/** The caller's pauses: what the request outlasts its last attempt by, whose stamps were taken below the caller, and the rest before. */
function splitConsume(root: Observation, last: Observation | undefined): { before: PhaseDuration[]; after: PhaseDuration[] } {
  const told = root.phases.find(({ phase }) => phase === 'client.consume')
  if (told === undefined) return { before: [], after: [] }
  const outlasted = last?.clock === root.clock ? nonNegative(secondsBetween(last.endUnixNano, root.endUnixNano)) : 0
  const after = Math.min(told.seconds, outlasted)
  return { before: [{ ...told, seconds: told.seconds - after }], after: after > 0 ? [{ ...told, seconds: after }] : [] }
}

function attemptOf(outer: Observation): Attempt {
  return {
    span_id: outer.spanId,
    start_unix_ns: outer.startUnixNano,
    seconds: nonNegative(secondsBetween(outer.startUnixNano, outer.endUnixNano)),
    outcome: outcomeOf([outer]),
    error_class: outer.columns.error_class ?? null,
    http_status: outer.columns.http_status ?? null,
  }
}

function hopsOf(observations: readonly Observation[]): Hop[] {
  return observations
    .filter(({ vantage, role }) => vantage === 'engine' && role === 'hop')
    .map((entry) => ({
      replica: entry.columns.replica ?? '',
      pool: entry.columns.pool ?? '',
      engine: entry.columns.engine ?? '',
      span_id: entry.spanId,
      start_unix_ns: entry.startUnixNano,
      seconds: nonNegative(secondsBetween(entry.startUnixNano, entry.endUnixNano)),
      phases: entry.phases,
    }))
    .sort((left, right) => (left.pool === right.pool ? 0 : left.pool === 'prefill' ? -1 : 1))
}

/** The longest word on each overlay. */
function overlaysOf(observations: readonly Observation[]): RequestRecord['overlays'] {
  const longest: RequestRecord['overlays'] = []
  for (const { overlays } of observations) {
    for (const overlay of overlays) {
      const at = longest.findIndex((known) => known.overlay === overlay.overlay)
      if (at < 0) longest.push(overlay)
      else if (overlay.seconds > (longest[at] as (typeof longest)[number]).seconds) longest[at] = overlay
    }
  }
  return longest
}
