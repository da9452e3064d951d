// What a paired counterfactual says about a truth: as claimed, below its own noise, or not as claimed and why.
import type { FaultDefinition } from '../../src/simulator/faults/fault.ts'
import type { PhaseEffect } from '../../src/simulator/truth/effect.ts'
import type { InjectionTruth } from '../../src/simulator/truth/truth.ts'

/** Mean seconds, and share of the healthy mean, above which a phase has moved. */
const MOVED = { seconds: 0.002, ratio: 0.08 }
/** Of a phase that must stay: twice as much, for queueing spreads a little everywhere. */
const STEADY_FACTOR = 2
/** Standard errors of the difference above which it is no accident: a fault changes who waits behind whom in the whole fleet. */
const ERRORS = 3
/** Slices whose failures rise by so much have felt the fault, whatever their phases do. */
const FAILED_RATIO = 0.02

export type Judgement = { result: 'right' | 'quiet' } | { result: 'wrong'; why: string }

export function judge({ id }: FaultDefinition, truth: InjectionTruth): Judgement {
  const { effect } = truth
  const isShift = id.startsWith('W')
  if (effect === null) return { result: 'wrong', why: 'no counterfactual' }
  // A skewed clock makes nothing slower: what it does is in the phases alone.
  if (id !== 'F30' && !isShift && !effect.material) return { result: 'quiet' }
  const inside = new Map(effect.slice.phases.map((entry) => [entry.phase, entry]))
  const moved = truth.phases.filter(({ phase }) => hasMoved(inside.get(phase), 1))
  const failed = effect.slice.failed_ratio.with > effect.slice.failed_ratio.without + FAILED_RATIO
  if (truth.phases.length > 0 && moved.length === 0 && !failed) {
    const other = effect.slice.phases.find((entry) => entry.with > entry.without && isSure(entry, 1))
    if (isShift || other === undefined) return { result: 'quiet' }
    return { result: 'wrong', why: `${other.phase} moved, none of ${truth.phases.map(({ phase }) => phase).join(', ')}` }
  }
  // Who tries again walks the whole way again: its phases add up over the attempts.
  const retried = hasMoved(inside.get('client.backoff'), 1)
  const restless = retried ? undefined : truth.steady.phases.map((phase) => inside.get(phase)).find((entry) => isSure(entry, STEADY_FACTOR))
  if (restless !== undefined) return { result: 'wrong', why: `${restless.phase} moved from ${restless.without} to ${restless.with} s` }
  if (isShift) return { result: 'right' }
  // Closed-loop callers who wait send less to others, which may make these faster.
  const elsewhere = effect.elsewhere.phases.find((entry) => entry.with > entry.without && isSure(entry, STEADY_FACTOR))
  if (elsewhere === undefined) return { result: 'right' }
  return { result: 'wrong', why: `elsewhere ${elsewhere.phase} moved from ${elsewhere.without} to ${elsewhere.with} s` }
}

function hasMoved(entry: PhaseEffect | undefined, factor: number): boolean {
  if (entry === undefined) return false
  return Math.abs(entry.with - entry.without) > factor * (MOVED.seconds + MOVED.ratio * entry.without)
}

function isSure(entry: PhaseEffect | undefined, factor: number): entry is PhaseEffect {
  return entry !== undefined && hasMoved(entry, factor) && Math.abs(entry.with - entry.without) > ERRORS * entry.error
}
