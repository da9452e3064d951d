// What a fault did, by paired counterfactual: the same requests with and without it, compared inside its slice, among its victims and in
// the rest of the fleet. Paired by request, for a fault moves traffic: those whom a slow replica still gets are others than those whom
// it would have got.
import { PHASE_IDS, type PhaseId } from '@longpole/model/phase'
import type { RowLog } from './row-log.ts'

const BIN_SECONDS = 10
/** Least difference of a bin's mean that counts as moved. */
const MOVED_SECONDS = 0.001
const MOVED_RATIO = 0.1

export interface Window {
  from: number
  to: number
}

export interface TargetEffect {
  /** Mean and 95th percentile: in the incident with and without the fault, and before it. */
  mean: { with: number; without: number; before: number }
  p95: { with: number; without: number; before: number }
  p99: { with: number; without: number; before: number }
  /** Part of the change since before that the fault is the cause of; null where nothing changed. */
  share_of_regression: { mean: number | null; p99: number | null }
}

export interface SliceEffect {
  /** Requests of the incident, and those of them that the run without the fault has too. */
  rows: { with: number; without: number }
  failed_ratio: { with: number; without: number }
  e2e: TargetEffect
  ttft: TargetEffect
  tpot: TargetEffect
  phases: PhaseEffect[]
}

export interface PhaseEffect {
  phase: PhaseId
  /** Mean seconds a request. */
  with: number
  without: number
  /** Standard error of the difference, from its spread over bins of 10 s. */
  error: number
  /** Seconds after the fault's start at which it first moved for good; null: it did not. */
  first_moves_after_seconds: number | null
}

type Selects = (log: RowLog, row: number) => boolean

export function measureEffect(actual: RowLog, healed: RowLog, selects: Selects, incident: Window): SliceEffect {
  const before: Window = { from: 0, to: incident.from }
  const pairs = pairRows(actual, healed, selects, incident)
  const rowsBefore = pick(actual, selects, before)
  const target = (value: (log: RowLog, row: number) => number): TargetEffect =>
    targetEffect(
      pairs.actual.map((row) => value(actual, row)),
      pairs.healed.map((row) => value(healed, row)),
      rowsBefore.map((row) => value(actual, row)),
    )
  return {
    rows: { with: pairs.all, without: pairs.healed.length },
    failed_ratio: { with: failedRatio(actual, pairs.actual), without: failedRatio(healed, pairs.healed) },
    e2e: target((log, row) => log.total(row)),
    ttft: target((log, row) => log.firstTokens[row] as number),
    tpot: target((log, row) => log.perToken[row] as number),
    phases: PHASE_IDS.map((phase, index) => {
      const bins = binMeans(actual, healed, pairs, index, incident)
      return {
        phase,
        with: mean(pairs.actual.map((row) => actual.phase(row, index))),
        without: mean(pairs.healed.map((row) => healed.phase(row, index))),
        error: standardError(bins),
        first_moves_after_seconds: firstMove(bins),
      }
    }),
  }
}

/** Rows of the same requests in both runs, position by position. */
interface Pairs {
  actual: number[]
  healed: number[]
  /** Rows selected, also those that the other run does not have. */
  all: number
}

function pairRows(actual: RowLog, healed: RowLog, selects: Selects, window: Window): Pairs {
  const selected = pick(actual, selects, window)
  const rowOf = new Map<number, number>()
  for (let row = 0; row < healed.rows; row++) rowOf.set(healed.keys[row] as number, row)
  const pairs: Pairs = { actual: [], healed: [], all: selected.length }
  for (const row of selected) {
    const other = rowOf.get(actual.keys[row] as number)
    if (other === undefined) continue
    pairs.actual.push(row)
    pairs.healed.push(other)
  }
  return pairs
}

function pick(log: RowLog, selects: Selects, { from, to }: Window): number[] {
  const rows: number[] = []
  for (let row = 0; row < log.rows; row++) {
    const start = log.starts[row] as number
    if (start >= from && start < to && selects(log, row)) rows.push(row)
  }
  return rows
}

function targetEffect(actual: number[], healed: number[], earlier: number[]): TargetEffect {
  const sets = [actual, healed, earlier].map((values) => Float64Array.from(values.filter((value) => !Number.isNaN(value))).sort())
  const [first, second, third] = sets as [Float64Array, Float64Array, Float64Array]
  const of = (statistic: (sorted: Float64Array) => number) => ({
    with: statistic(first),
    without: statistic(second),
    before: statistic(third),
  })
  const means = of(mean)
  const p99 = of((sorted) => quantile(sorted, 0.99))
  return {
    mean: means,
    p95: of((sorted) => quantile(sorted, 0.95)),
    p99,
    share_of_regression: { mean: share(means), p99: share(p99) },
  }
}

function share({ with: actual, without, before }: { with: number; without: number; before: number }): number | null {
  const regression = actual - before
  if (!(Math.abs(regression) > 0.02 * before)) return null
  return rounded((actual - without) / regression)
}

/** Means of a phase by the bin in which the request began; NaN where none did. */
interface BinMeans {
  with: Float64Array
  without: Float64Array
}

function binMeans(actual: RowLog, healed: RowLog, pairs: Pairs, phase: number, incident: Window): BinMeans {
  const bins = Math.floor((incident.to - incident.from) / BIN_SECONDS)
  const means: BinMeans = { with: new Float64Array(bins), without: new Float64Array(bins) }
  const counts = new Float64Array(bins)
  pairs.actual.forEach((row, index) => {
    const bin = Math.floor(((actual.starts[row] as number) - incident.from) / BIN_SECONDS)
    if (bin >= bins) return
    means.with[bin] = (means.with[bin] as number) + actual.phase(row, phase)
    means.without[bin] = (means.without[bin] as number) + healed.phase(pairs.healed[index] as number, phase)
    counts[bin] = (counts[bin] as number) + 1
  })
  for (const side of [means.with, means.without])
    for (let bin = 0; bin < bins; bin++) side[bin] = (side[bin] as number) / (counts[bin] as number)
  return means
}

function firstMove({ with: actual, without: healed }: BinMeans): number | null {
  const moved = (bin: number) => {
    const difference = Math.abs((actual[bin] as number) - (healed[bin] as number))
    return difference > MOVED_SECONDS + MOVED_RATIO * (healed[bin] as number)
  }
  for (let bin = 0; bin + 2 < actual.length; bin++) if (moved(bin) && (moved(bin + 1) || moved(bin + 2))) return bin * BIN_SECONDS
  return null
}

/** Requests of one bin share their fate, so bins are counted and not requests. */
function standardError({ with: actual, without: healed }: BinMeans): number {
  const differences = Array.from(actual, (value, bin) => value - (healed[bin] as number)).filter((value) => !Number.isNaN(value))
  if (differences.length < 2) return 0
  const middle = differences.reduce((sum, value) => sum + value, 0) / differences.length
  const squares = differences.reduce((sum, value) => sum + (value - middle) * (value - middle), 0)
  return rounded(Math.sqrt(squares / (differences.length - 1) / differences.length))
}

function failedRatio(log: RowLog, rows: readonly number[]): number {
  return rounded(mean(rows.map((row) => log.failed[row] as number)))
}

function mean(values: ArrayLike<number>): number {
  let sum = 0
  for (let index = 0; index < values.length; index++) sum += values[index] as number
  return values.length === 0 ? 0 : rounded(sum / values.length)
}

function quantile(sorted: Float64Array, q: number): number {
  return sorted.length === 0 ? 0 : rounded(sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] as number)
}

function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6
}
