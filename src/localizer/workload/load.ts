// Step 12: is a rise only arriving work? Slowness of a part of the fleet that follows more tokens or requests per second, at an
// unchanged cost per token, sits in the engine's own phases and spares nobody: the workload moved and nothing is broken.
import { PHASES, phaseColumn } from '@longpole/model/phase'
import { quantileOf, sortedRatios } from '../contrast/effect.ts'
import type { PhaseExcess } from '../phases/phases.ts'
import type { Case } from '../selection/case.ts'
import { type Growth, measureGrowth } from './arrivals.ts'

export interface LoadCheck {
  driven: boolean
  /** The kind of work that grew most, against its own scatter. */
  growth: Growth | null
  /** Fast rows (10th percentile at equal workload) now ÷ before: the cost of a request that hardly waits. */
  floorRatio: number
  reasons: string[]
}

const MIN_GROWTH = 1.15
const MIN_GROWTH_Z = 1.5
const MAX_FLOOR_RATIO = 1.35
const MAX_CACHE_FALL = 0.8
const ENGINE_PHASES: ReadonlySet<string> = new Set(
  PHASES.filter((phase) => phase.owner === 'engine').flatMap((phase) => [phase.id, phaseColumn(phase.id)]),
)
const OTHER_PHASES: ReadonlySet<string> = new Set(
  PHASES.filter((phase) => phase.owner !== 'engine' && phase.id !== 'unattributed').flatMap((phase) => [phase.id, phaseColumn(phase.id)]),
)

export function checkLoad(given: Case, incident: Int32Array, baseline: Int32Array, excess: readonly PhaseExcess[]): LoadCheck {
  const reasons: string[] = []
  const growths = measureGrowth(given, incident, baseline).filter((growth) => growth.before > 0)
  const grown = growths.filter((growth) => growth.now / growth.before >= MIN_GROWTH && growth.z >= MIN_GROWTH_Z)
  grown.sort((left, right) => right.now / right.before - left.now / left.before)
  const growth = grown[0] ?? null
  const floorRatio = floorOf(given, incident) / Math.max(floorOf(given, baseline), 1e-12)
  if (growth === null) reasons.push('arriving work is unchanged')
  if (floorRatio > MAX_FLOOR_RATIO) reasons.push(`even the fastest tenth takes ${floorRatio.toFixed(2)} times as long`)
  const outside = outsideShare(excess)
  if (outside > 0.5) reasons.push(`${Math.round(outside * 100)} % of the excess is outside the engines`)
  const cache = cacheRatio(given, incident, baseline)
  if (cache < MAX_CACHE_FALL) reasons.push(`cached tokens a request fell to ${Math.round(cache * 100)} %`)
  return { driven: reasons.length === 0, growth, floorRatio, reasons }
}

function floorOf(given: Case, rows: Int32Array): number {
  return quantileOf(sortedRatios(given.population, given.conditioning, rows), 0.1)
}

/** Share of the positive excess in phases that no engine owns; 0 where phases are unknown. */
function outsideShare(excess: readonly PhaseExcess[]): number {
  let inside = 0
  let outside = 0
  for (const { phase, excess: seconds } of excess) {
    if (ENGINE_PHASES.has(phase)) inside += Math.max(seconds, 0)
    else if (OTHER_PHASES.has(phase)) outside += Math.max(seconds, 0)
  }
  return inside + outside > 0 ? outside / (inside + outside) : 0
}

/** Cached tokens a request, now ÷ before; 1 where unknown. */
export function cacheRatio(given: Case, incident: Int32Array, baseline: Int32Array): number {
  const cached = given.table.numbers.get('cached_tokens')
  if (cached === undefined) return 1
  const now = meanOf(cached, incident)
  const before = meanOf(cached, baseline)
  return before > 0 && Number.isFinite(now) ? now / before : 1
}

export function meanOf(column: Float64Array, rows: Int32Array): number {
  let sum = 0
  let known = 0
  for (let index = 0; index < rows.length; index++) {
    const value = column[rows[index] as number] as number
    if (Number.isNaN(value)) continue
    sum += value
    known++
  }
  return known === 0 ? Number.NaN : sum / known
}
