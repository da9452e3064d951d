// What a fault did, by paired counterfactual: the same seed with and without it, compared inside its slice, among its victims and in
// the rest of the fleet.
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
  /** Seconds after the fault's start at which it first moved for good; null: it did not. */
  first_moves_after_seconds: number | null
}

type Selects = (log: RowLog, row: number) => boolean

export function measureEffect(actual: RowLog, healed: RowLog, selects: Selects, incident: Window): SliceEffect {
  const before: Window = { from: 0, to: incident.from }
  const rowsWith = pick(actual, selects, incident)
  const rowsWithout = pick(healed, selects, incident)
  const rowsBefore = pick(actual, selects, before)
  const target = (value: (log: RowLog, row: number) => number): TargetEffect =>
    targetEffect(
      rowsWith.map((row) => value(actual, row)),
      rowsWithout.map((row) => value(healed, row)),
      rowsBefore.map((row) => value(actual, row)),
    )
  return {
    rows: { with: rowsWith.length, without: rowsWithout.length },
    failed_ratio: { with: failedRatio(actual, rowsWith), without: failedRatio(healed, rowsWithout) },
    e2e: target((log, row) => log.total(row)),
    ttft: target((log, row) => log.firstTokens[row] as number),
    tpot: target((log, row) => log.perToken[row] as number),
    phases: PHASE_IDS.map((phase, index) => ({
      phase,
      with: mean(rowsWith.map((row) => actual.phase(row, index))),
      without: mean(rowsWithout.map((row) => healed.phase(row, index))),
      first_moves_after_seconds: firstMove(actual, healed, selects, index, incident),
    })),
  }
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

function firstMove(actual: RowLog, healed: RowLog, selects: Selects, phase: number, incident: Window): number | null {
  const bins = Math.floor((incident.to - incident.from) / BIN_SECONDS)
  const means = [actual, healed].map((log) => {
    const sums = new Float64Array(bins)
    const counts = new Float64Array(bins)
    for (let row = 0; row < log.rows; row++) {
      const bin = Math.floor(((log.starts[row] as number) - incident.from) / BIN_SECONDS)
      if (bin < 0 || bin >= bins || !selects(log, row)) continue
      sums[bin] = (sums[bin] as number) + log.phase(row, phase)
      counts[bin] = (counts[bin] as number) + 1
    }
    return sums.map((sum, bin) => sum / (counts[bin] as number))
  })
  const [withFault, without] = means as [Float64Array, Float64Array]
  const moved = (bin: number) => {
    const difference = Math.abs((withFault[bin] as number) - (without[bin] as number))
    return difference > MOVED_SECONDS + MOVED_RATIO * (without[bin] as number)
  }
  for (let bin = 0; bin + 2 < bins; bin++) if (moved(bin) && (moved(bin + 1) || moved(bin + 2))) return bin * BIN_SECONDS
  return null
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
