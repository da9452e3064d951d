// Step 12: is a rise only arriving work? Slowness of a part of the fleet that follows more tokens or requests per second, at an
// unchanged cost per token, sits in the engine's own phases: the workload moved and nothing is broken. For a slice the extra work must
// be its own, and must come from whoever moved: replicas that get more because others are gone are a fault.
import { PHASES, phaseColumn } from '@longpole/model/phase'
import { quantileOf, sortedRatios } from '../contrast/effect.ts'
import { phaseKind } from '../mechanisms/phase-kind.ts'
import type { PhaseExcess } from '../phases/phases.ts'
import type { Case } from '../selection/case.ts'
import { type Growth, measureGrowth } from './arrivals.ts'
import type { Move } from './moves.ts'

export interface LoadCheck {
  driven: boolean
  /** The kind of work that grew most. */
  growth: Growth | null
  /** Who brought it; null: everybody. */
  mover: Move | null
  /** Cost of the work itself, now ÷ before: the lower of prefill, where it is measured, and of fast rows (10th percentile). */
  floorRatio: number
  /** Why it is not only load. */
  reasons: string[]
}

/** Growth that counts by itself, against its own scatter; and growth that counts where somebody moved. */
const MIN_GROWTH = 1.15
const MIN_GROWTH_Z = 1.5
const MIN_MOVED_GROWTH = 1.05
/** Without the mover's rows at most this part of the growth may be left. */
const MAX_UNMOVED = 0.5
const MAX_FLOOR_RATIO = 1.35
const SATURATION = 2
/** Cost of a token, incident ÷ baseline, up to which longer work is only longer. */
const MAX_COST_RATIO = 1.25
const MAX_CACHE_FALL = 0.8
const names = (owner: (phase: (typeof PHASES)[number]) => boolean): ReadonlySet<string> =>
  new Set(PHASES.filter(owner).flatMap((phase) => [phase.id, phaseColumn(phase.id)]))
const ENGINE_PHASES = names((phase) => phase.owner === 'engine')
const OTHER_PHASES = names((phase) => phase.owner !== 'engine' && phase.id !== 'unattributed')

interface Rows {
  incident: Int32Array
  baseline: Int32Array
}

/** `rest` holds the rows outside the slice; null for the whole fleet. */
export function checkLoad(given: Case, rows: Rows, rest: Rows | null, excess: readonly PhaseExcess[], moves: readonly Move[]): LoadCheck {
  const reasons: string[] = []
  const { growth, mover } = explainGrowth(given, rows, rest, moves)
  const floorRatio = Math.min(
    computeRatio(excess) ?? Number.POSITIVE_INFINITY,
    floorOf(given, rows.incident) / Math.max(floorOf(given, rows.baseline), 1e-12),
  )
  if (growth === null) reasons.push('arriving work does not explain it')
  const own = growth !== null && mover !== null && mover.quantity !== 'requests' && rest !== null && isOwnLengths(given, rows, mover)
  if (own) {
    const cost = costPerToken(given, rows)
    if (cost > MAX_COST_RATIO) reasons.push(`a token costs ${cost.toFixed(2)} times as much`)
  } else if (floorRatio > dearest(growth, mover, rest)) reasons.push(`work itself takes ${floorRatio.toFixed(2)} times as long`)
  const outside = outsideShare(excess)
  if (outside > 0.5) reasons.push(`${Math.round(outside * 100)} % of the excess is outside the engines`)
  const cache = cacheRatio(given, rows.incident, rows.baseline)
  if (cache < MAX_CACHE_FALL) reasons.push(`cached tokens a request fell to ${Math.round(cache * 100)} %`)
  return { driven: reasons.length === 0, growth, mover, floorRatio, reasons }
}

function explainGrowth(given: Case, rows: Rows, rest: Rows | null, moves: readonly Move[]): { growth: Growth | null; mover: Move | null } {
  const growths = grown(given, rows).filter((growth) => rest === null || isOwn(given, growth, rest))
  for (const growth of growths) {
    const mover = moves.find((move) => move.dimension !== null && move.to > move.from && brings(given, growth, rows, move))
    if (mover !== undefined) return { growth, mover }
  }
  const whole = rest === null ? growths : growths.filter((growth) => isFleetGrowth(given, growth))
  const strong = whole.find((growth) => growth.now / growth.before >= MIN_GROWTH && growth.z >= MIN_GROWTH_Z)
  return { growth: strong ?? null, mover: null }
}

function grown(given: Case, rows: Rows): Growth[] {
  return measureGrowth(given, rows.incident, rows.baseline)
    .filter((growth) => growth.before > 0 && growth.now / growth.before >= MIN_MOVED_GROWTH)
    .sort((left, right) => right.now / right.before - left.now / left.before)
}

function sameQuantity(given: Case, growth: Growth, rows: Rows): number {
  const other = measureGrowth(given, rows.incident, rows.baseline).find(({ quantity }) => quantity === growth.quantity)
  return other !== undefined && other.before > 0 ? other.now / other.before : 1
}

/** The slice grew clearly more than the rest, or everybody grew much. */
function isOwn(given: Case, growth: Growth, rest: Rows): boolean {
  const own = growth.now / growth.before - 1
  const others = sameQuantity(given, growth, rest) - 1
  return own >= 1.5 * others + 0.05 || others >= 0.2
}

function isFleetGrowth(given: Case, growth: Growth): boolean {
  const { incident, baseline } = given.population
  return sameQuantity(given, growth, { incident, baseline }) >= MIN_GROWTH
}

/** Without the mover's rows most of the growth is gone. */
function brings(given: Case, growth: Growth, rows: Rows, move: Move): boolean {
  const dimension = given.dimensions.find((candidate) => candidate.name === move.dimension)
  const id = dimension?.values.indexOf(move.value ?? '') ?? -1
  if (dimension === undefined || id < 0) return false
  const without = (of: Int32Array) => of.filter((row) => dimension.ids[row] !== id)
  const left = sameQuantity(given, growth, { incident: without(rows.incident), baseline: without(rows.baseline) }) - 1
  return left <= MAX_UNMOVED * (growth.now / growth.before - 1)
}

/** The slice's own lengths grew about as much as the mover's: the mover is who the slice is. */
function isOwnLengths(given: Case, rows: Rows, mover: Move): boolean {
  const column = given.table.numbers.get(mover.quantity)
  if (column === undefined) return false
  const own = meanOf(column, rows.incident) / meanOf(column, rows.baseline)
  return own >= 1 + 0.7 * (mover.to / mover.from - 1)
}

/** Seconds per token of the target now ÷ before, in sums: linear in length, whatever the fit made of lengths it had never seen. */
function costPerToken(given: Case, rows: Rows): number {
  const cost = (of: Int32Array): number => {
    let seconds = 0
    let tokens = 0
    const prompt = given.table.numbers.get('prompt_tokens')
    const cached = given.table.numbers.get('cached_tokens')
    const output = given.conditioning.covariates.includes('output_tokens') ? given.table.numbers.get('output_tokens') : undefined
    for (const row of of) {
      const value = given.population.value[row] as number
      if (!Number.isFinite(value) || given.population.censored[row] === 1) continue
      seconds += value
      tokens += (prompt?.[row] ?? 0) - (cached?.[row] || 0) + (output?.[row] || 0)
    }
    return tokens > 0 ? seconds / tokens : Number.NaN
  }
  const ratio = cost(rows.incident) / cost(rows.baseline)
  return Number.isFinite(ratio) ? ratio : Number.POSITIVE_INFINITY
}

/**
 * More work in the same batches makes each piece dearer: where somebody brought it, up to as many times as the work grew. Where it is the
 * whole fleet that waits, more: close to saturation time grows faster than work.
 */
function dearest(growth: Growth | null, mover: Move | null, rest: Rows | null): number {
  if (growth === null || mover === null) return MAX_FLOOR_RATIO
  const grown = growth.now / growth.before
  return Math.max(MAX_FLOOR_RATIO, rest === null ? grown ** SATURATION : grown)
}

/** Prefill at equal tokens, now ÷ before; null where it is not measured. Queues in front of it say nothing about it. */
function computeRatio(excess: readonly PhaseExcess[]): number | null {
  const prefill = excess.find(({ phase }) => phaseKind(phase) === 'prefill')
  return prefill === undefined || !(prefill.expected > 0) ? null : 1 + prefill.excess / prefill.expected
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
