// The vantages of one attempt as nested intervals, outermost first, each measured on its own clock: what assemble.ts needs to tell
// what lies between two of them without ever subtracting stamps of two clocks.
import { secondsBetween } from '@longpole/model/clock'
import type { Observation } from '@longpole/model/observation'
import { PHASES, type PhaseDuration, type PhaseId, phaseOrder } from '@longpole/model/phase'

export interface Layer {
  observation: Observation
  /** Request received (sent, at the client) until the first token was sent on (seen); null where there was none. */
  first: number | null
  /** Request received (sent) until the last byte. */
  total: number
  /** Phases that this vantage measured itself. */
  phases: PhaseDuration[]
}

const BEFORE_FIRST_TOKEN = new Set<PhaseId>(PHASES.filter((phase) => phase.beforeFirstToken).map((phase) => phase.id))

export const isBeforeFirstToken = (phase: PhaseId): boolean => BEFORE_FIRST_TOKEN.has(phase)

export function layerOf(observation: Observation): Layer {
  const { boundaries, startUnixNano, endUnixNano } = observation
  const received = observation.vantage === 'client' ? startUnixNano : (boundaries.received ?? startUnixNano)
  const answered = observation.vantage === 'client' ? boundaries.firstToken : (boundaries.firstTokenOut ?? boundaries.firstToken)
  return {
    observation,
    first: answered === undefined ? null : nonNegative(secondsBetween(received, answered)),
    total: nonNegative(secondsBetween(received, endUnixNano)),
    phases: observation.phases,
  }
}

/**
 * All engines of one attempt as one layer. Hops (prefill and decode side) lie one after the other on the path, so their phases add
 * up; several unified observations (sequences that an adapter could not tell to be one request) count from the earliest first token
 * to the latest last one.
 */
export function engineLayer(engines: readonly Observation[]): Layer | null {
  const [only] = engines
  if (only === undefined) return null
  const layer = engines.some((engine) => engine.role === 'hop') ? hopsLayer(engines) : sequencesLayer(engines)
  const before = sum(layer.phases.filter(({ phase }) => isBeforeFirstToken(phase)))
  const after = sum(layer.phases.filter(({ phase }) => !isBeforeFirstToken(phase)))
  const first = layer.first === null && before === 0 ? null : Math.max(layer.first ?? 0, before)
  // An engine's span ends some ms after its last token; what it measured itself is nearer to the truth.
  const total = first !== null && after > 0 ? first + after : layer.total
  return { ...layer, first, total }
}

function hopsLayer(hops: readonly Observation[]): Layer {
  const last = hops.find((hop) => hop.columns.pool === 'decode') ?? (hops.at(-1) as Observation)
  return { ...layerOf(last), phases: addPhases(hops.flatMap((hop) => hop.phases)) }
}

function sequencesLayer(engines: readonly Observation[]): Layer {
  const firstTokenOf = (engine: Observation) => engine.boundaries.firstToken ?? engine.endUnixNano
  const first = engines.reduce((best, next) => (firstTokenOf(next) < firstTokenOf(best) ? next : best))
  const layer = layerOf(first)
  const lastToken = engines.reduce<bigint | undefined>((best, { boundaries }) => {
    return boundaries.lastToken !== undefined && (best === undefined || boundaries.lastToken > best) ? boundaries.lastToken : best
  }, undefined)
  const firstToken = first.boundaries.firstToken
  if (engines.length === 1 || firstToken === undefined || lastToken === undefined) return layer
  const phases = layer.phases.map((entry) =>
    entry.phase === 'engine.decode' ? { ...entry, seconds: nonNegative(secondsBetween(firstToken, lastToken)) } : entry,
  )
  return { ...layer, phases }
}

/** Phases of the same id become one: seconds and errors add, sources are joined, the worst exactness wins. */
export function addPhases(phases: readonly PhaseDuration[]): PhaseDuration[] {
  const byOrder: (PhaseDuration | undefined)[] = []
  for (const entry of phases) {
    const order = phaseOrder(entry.phase)
    const known = byOrder[order]
    byOrder[order] = known === undefined ? entry : addTwo(known, entry)
  }
  const added: PhaseDuration[] = []
  for (let order = 0; order < byOrder.length; order++) {
    const entry = byOrder[order]
    if (entry !== undefined) added.push(entry)
  }
  return added
}

const WORST = ['measured', 'residual', 'upper_bound'] as const

function addTwo(left: PhaseDuration, right: PhaseDuration): PhaseDuration {
  const worse = WORST.indexOf(left.exactness) >= WORST.indexOf(right.exactness) ? left : right
  const sources = left.source.split(' + ')
  const added: PhaseDuration = {
    phase: left.phase,
    seconds: left.seconds + right.seconds,
    source: sources.includes(right.source) || sources.length >= MAX_SOURCES ? left.source : `${left.source} + ${right.source}`,
    exactness: worse.exactness,
  }
  if (left.errorSeconds !== undefined || right.errorSeconds !== undefined) {
    added.errorSeconds = (left.errorSeconds ?? 0) + (right.errorSeconds ?? 0)
  }
  if (left.parts !== undefined || right.parts !== undefined) {
    const parts = { ...left.parts }
    for (const [part, seconds] of Object.entries(right.parts ?? {})) parts[part] = (parts[part] ?? 0) + seconds
    added.parts = parts
  }
  return added
}

const MAX_SOURCES = 4

export function sum(phases: readonly PhaseDuration[]): number {
  return phases.reduce((total, { seconds }) => total + seconds, 0)
}

export function nonNegative(seconds: number): number {
  return Math.max(0, seconds)
}
