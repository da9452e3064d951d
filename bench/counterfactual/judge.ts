// What a paired counterfactual says about a truth: as claimed, below its own noise, or not as claimed and why.
import type { FaultDefinition } from '../../src/simulator/faults/fault.ts'
import type { PhaseEffect } from '../../src/simulator/truth/effect.ts'
import type { InjectionTruth } from '../../src/simulator/truth/truth.ts'

/** Mean seconds, and share of the healthy mean, above which a phase has moved. */
const MOVED = { seconds: 0.002, ratio: 0.08 }
/** Of a phase that must stay: twice as much, for queueing spreads a little everywhere. */
const STEADY_FACTOR = 2
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
    if (isShift) return { result: 'quiet' }
    return { result: 'wrong', why: `none of ${truth.phases.map(({ phase }) => phase).join(', ')} moved` }
  }
  for (const phase of truth.steady.phases) {
    const entry = inside.get(phase)
    if (hasMoved(entry, STEADY_FACTOR)) return { result: 'wrong', why: `${phase} moved from ${entry?.without} to ${entry?.with} s` }
  }
  if (isShift) return { result: 'right' }
  // Closed-loop callers who wait send less to others, which may make these faster.
  const elsewhere = effect.elsewhere.phases.find((entry) => entry.with > entry.without && hasMoved(entry, STEADY_FACTOR))
  if (elsewhere === undefined) return { result: 'right' }
  return { result: 'wrong', why: `elsewhere ${elsewhere.phase} moved from ${elsewhere.without} to ${elsewhere.with} s` }
}

function hasMoved(entry: PhaseEffect | undefined, factor: number): boolean {
  if (entry === undefined) return false
  return Math.abs(entry.with - entry.without) > factor * (MOVED.seconds + MOVED.ratio * entry.without)
}
