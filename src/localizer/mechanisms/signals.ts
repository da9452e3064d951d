// What mechanisms read: means of record columns in the slice and outside it, before and now; engine samples of the slice's replicas;
// phase shares by kind; growth of work.
import type { EngineSample } from '@longpole/model/engine-sample'
import type { Slice } from '@longpole/model/finding'
import type { PhaseAnswer } from '../phases/phases.ts'
import type { Case } from '../selection/case.ts'
import { measureGrowth } from '../workload/arrivals.ts'
import { meanOf } from '../workload/load.ts'
import type { Move } from '../workload/moves.ts'
import { type PhaseKind, phaseKind } from './phase-kind.ts'

/** Compute that takes so many times as long at equal tokens is the cause, waiting its consequence. */
export const SLOWER_COMPUTE = 1.2

/** Growth of the tail against growth of the fast quarter from which a cause comes and goes. */
const INTERMITTENT = 1.5

export interface RowSets {
  incident: Int32Array
  baseline: Int32Array
}

type SampleNumber = { [K in keyof EngineSample]: EngineSample[K] extends number | null ? K : never }[keyof EngineSample]

export class Signals {
  readonly given: Case
  readonly slice: Slice
  readonly rows: RowSets
  readonly rest: RowSets
  readonly phases: PhaseAnswer
  readonly moves: readonly Move[]

  constructor(given: Case, slice: Slice, rows: RowSets, rest: RowSets, phases: PhaseAnswer, moves: readonly Move[]) {
    this.given = given
    this.slice = slice
    this.rows = rows
    this.rest = rest
    this.phases = phases
    this.moves = moves
  }

  /** Share of the change that lies in phases of these kinds; 0 where phases are unknown. */
  share(...kinds: PhaseKind[]): number {
    return this.phases.shares.filter(({ phase }) => kinds.includes(phaseKind(phase))).reduce((sum, { share }) => sum + share, 0)
  }

  get hasPhases(): boolean {
    return this.phases.shares.length > 0
  }

  /** Mean seconds of these kinds above the baseline, and the mean expected. */
  excess(...kinds: PhaseKind[]): { excess: number; expected: number } {
    const found = this.phases.excess.filter(({ phase }) => kinds.includes(phaseKind(phase)))
    return {
      excess: found.reduce((sum, entry) => sum + entry.excess, 0),
      expected: found.reduce((sum, entry) => sum + entry.expected, 0),
    }
  }

  /** How much longer compute takes at equal tokens, 1 = as before; the larger of prefill and decode. Queues behind it are its consequence. */
  get computeRatio(): number {
    const ratio = ({ excess, expected }: { excess: number; expected: number }) => (expected > 0 ? 1 + excess / expected : 1)
    return Math.max(ratio(this.excess('prefill')), ratio(this.excess('decode')))
  }

  /** Means of a record column over the slice's rows; null where the column is missing or empty. */
  change(column: string, of: RowSets = this.rows): { before: number; now: number } | null {
    const values = this.given.table.numbers.get(column)
    if (values === undefined) return null
    const now = meanOf(values, of.incident)
    const before = meanOf(values, of.baseline)
    return Number.isNaN(now) || Number.isNaN(before) ? null : { before, now }
  }

  quantileChange(column: string, q: number): { before: number; now: number } | null {
    const values = this.given.table.numbers.get(column)
    if (values === undefined) return null
    const at = (rows: Int32Array): number => {
      const sorted = Float64Array.from(rows, (row) => values[row] as number)
        .filter((value) => !Number.isNaN(value))
        .sort()
      return sorted.length < 5 ? Number.NaN : (sorted[Math.floor(q * (sorted.length - 1))] as number)
    }
    const now = at(this.rows.incident)
    const before = at(this.rows.baseline)
    return Number.isNaN(now) || Number.isNaN(before) ? null : { before, now }
  }

  /**
   * How much more the slow requests of these phases rose than the fast ones: growth of the 90th percentile ÷ growth of the 25th. About 1
   * where everything takes longer, large where some requests are hit and the others are as fast as ever. Null where unknown.
   */
  tailSpread(kind: PhaseKind): number | null {
    const column = this.phases.excess.find(({ phase }) => phaseKind(phase) === kind)?.phase
    if (column === undefined) return null
    const fast = this.quantileChange(column, 0.25)
    const slow = this.quantileChange(column, 0.9)
    if (fast === null || slow === null || !(fast.before > 0) || !(slow.before > 0)) return null
    return slow.now / slow.before / Math.max(fast.now / fast.before, 1e-9)
  }

  /** Some requests are hit hard and others not at all, in prefill and in decode. */
  get isIntermittent(): boolean {
    const spreads = [this.tailSpread('prefill'), this.tailSpread('decode')].filter((spread) => spread !== null)
    return spreads.length > 0 && spreads.every((spread) => spread >= INTERMITTENT)
  }

  /** Share of the rows whose `outcome` is one of these. */
  outcomes(...wanted: string[]): { before: number; now: number } | null {
    const outcome = this.given.table.dimensions.get('outcome')
    if (outcome === undefined) return null
    const flags = outcome.values.map((value) => wanted.includes(value))
    const share = (rows: Int32Array) => rows.filter((row) => flags[outcome.ids[row] as number] === true).length / Math.max(rows.length, 1)
    return { before: share(this.rows.baseline), now: share(this.rows.incident) }
  }

  /** Work per second, now ÷ before, of the rows. */
  growth(quantity: string, of: RowSets = this.rows): number {
    const found = measureGrowth(this.given, of.incident, of.baseline).find((growth) => growth.quantity === quantity)
    return found !== undefined && found.before > 0 ? found.now / found.before : 1
  }

  /** The most that any kind of work grew in the slice. */
  get mostGrowth(): number {
    return Math.max(
      ...measureGrowth(this.given, this.rows.incident, this.rows.baseline).map(({ before, now }) => (before > 0 ? now / before : 1)),
    )
  }

  get fleet(): RowSets {
    return { incident: this.given.population.incident, baseline: this.given.population.baseline }
  }

  isSliceOf(...dimensions: string[]): boolean {
    return dimensions.some((name) => name in this.slice)
  }

  /** How many values of a dimension the slice's rows use, before and now; values with few rows are left out. */
  distinct(dimension: string, of: RowSets = this.rows): { before: number; now: number } | null {
    const column = this.given.table.dimensions.get(dimension)
    if (column === undefined) return null
    const count = (rows: Int32Array): number => {
      const seen = new Float64Array(column.values.length + 1)
      for (const row of rows) seen[column.ids[row] as number] = (seen[column.ids[row] as number] as number) + 1
      const least = (0.1 * rows.length) / Math.max(column.values.length, 1)
      return seen.subarray(0, column.values.length).filter((rowsOf) => rowsOf > least).length
    }
    return { before: count(of.baseline), now: count(of.incident) }
  }

  /** Mean of a sample field over the slice's replicas, before and during the incident. */
  sampled(field: SampleNumber): { before: number; now: number } | null {
    const { from, to } = this.given.population.windows.incident
    const sums = { before: [0, 0], now: [0, 0] }
    for (const sample of this.samplesOfSlice()) {
      const value = sample[field]
      if (value === null) continue
      const at = Number(sample.unix_ns / 1_000_000n) / 1000
      const side = at >= from && at < to ? sums.now : at < from ? sums.before : null
      if (side === null) continue
      side[0] = (side[0] as number) + value
      side[1] = (side[1] as number) + 1
    }
    if (sums.now[1] === 0 || sums.before[1] === 0) return null
    return { before: (sums.before[0] as number) / (sums.before[1] as number), now: (sums.now[0] as number) / (sums.now[1] as number) }
  }

  samplesOfSlice(): EngineSample[] {
    const replicas = this.replicasOf(this.rows.incident)
    return this.given.question.samples.filter((sample) => replicas === null || replicas.has(sample.replica))
  }

  samplesNow(): EngineSample[] {
    const { from, to } = this.given.population.windows.incident
    return this.samplesOfSlice().filter((sample) => {
      const at = Number(sample.unix_ns / 1_000_000n) / 1000
      return at >= from && at < to
    })
  }

  private replicasOf(rows: Int32Array): Set<string> | null {
    const names = ['replica', 'prefill_replica', 'decode_replica']
      .map((name) => this.given.table.dimensions.get(name))
      .filter((column) => column !== undefined)
    if (names.length === 0) return null
    const found = new Set<string>()
    for (const column of names) {
      const seen = new Uint8Array(column.values.length + 1)
      for (const row of rows) seen[column.ids[row] as number] = 1
      column.values.forEach((value, id) => {
        if (seen[id] === 1) found.add(value)
      })
    }
    return found
  }
}
