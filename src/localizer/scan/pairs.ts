// Conjunctions of two values of two dimensions, and of a third on top of the best pairs. Pairs where one dimension determines the
// other (replica → cluster) are skipped: they are the narrower value alone.
import type { DimensionColumn } from '../table.ts'
import { type Candidate, type Literal, literalKey, type ScanInput } from './candidate.ts'
import type { MassSample, ScanSample } from './sample.ts'
import { MIN_EVENTS } from './singles.ts'
import { logLikelihoodRatio } from './statistic.ts'

/** Dense tables up to so many cells; beyond, only keys with events. */
const DENSE_CELLS = 1 << 18
const KEPT_PAIRS = 60
const EXTENDED_PAIRS = 30

export function scanPairs(input: ScanInput, sample: ScanSample, totalValues: number): Candidate[] {
  const found: Candidate[] = []
  const penalty = 2 * Math.log(totalValues)
  const tables: Scratch = { counts: [0, 1, 2, 3].map(() => new Float64Array(DENSE_CELLS)), seen: new Uint8Array(DENSE_CELLS) }
  for (let first = 0; first < input.dimensions.length; first++) {
    for (let second = first + 1; second < input.dimensions.length; second++) {
      const pair = new PairTable(input.dimensions, sample, first, second, tables)
      pair.collect(found, penalty)
      pair.clear()
    }
    if (found.length > 50_000) prune(found)
  }
  prune(found)
  return found
}

function prune(found: Candidate[]): void {
  found.sort((left, right) => right.score - left.score)
  found.length = Math.min(found.length, KEPT_PAIRS * 4)
}

/** All zero before and after a pair. */
interface Scratch {
  counts: Float64Array[]
  seen: Uint8Array
}

/** Counts of one pair of dimensions in tables that are all zero before and after: most pairs of large dimensions touch few of their cells. */
class PairTable {
  private readonly first: number
  private readonly second: number
  private readonly width: number
  private readonly slots: Map<number, number> | null = null
  private readonly counts: Float64Array[]
  private readonly added: (MassSample | null)[] = [null, null, null, null]
  /** Cells that have enough events in the incident, ascending; of others nothing is said. */
  private frequent: Int32Array = new Int32Array(0)

  constructor(dimensions: readonly DimensionColumn[], sample: ScanSample, first: number, second: number, scratch: Scratch) {
    this.first = first
    this.second = second
    const height = (dimensions[first] as DimensionColumn).values.length + 1
    this.width = (dimensions[second] as DimensionColumn).values.length + 1
    const cells = height * this.width
    if (cells > DENSE_CELLS) this.slots = this.frequentKeys(sample.eventsA)
    const size = this.slots === null ? cells : this.slots.size
    this.counts = scratch.counts.map((table) => (size <= table.length ? table.subarray(0, size) : new Float64Array(size)))
    this.add(sample.eventsA, 0)
    if (this.slots === null) this.frequent = this.frequentCells(sample.eventsA, cells - this.width)
    const isSilent = this.slots === null ? this.frequent.length === 0 : this.slots.size === 0
    if (isSilent) return
    if (this.slots === null && this.isDetermined(sample.expectedA, height, scratch.seen)) {
      this.frequent = new Int32Array(0)
      return
    }
    this.add(sample.expectedA, 1)
    this.add(sample.eventsB, 2)
    this.add(sample.expectedB, 3)
  }

  private frequentKeys(sample: MassSample): Map<number, number> {
    const a = sample.ids[this.first] as Int32Array
    const b = sample.ids[this.second] as Int32Array
    const counts = new Map<number, number>()
    for (let at = 0; at < a.length; at++) {
      const key = (a[at] as number) * this.width + (b[at] as number)
      counts.set(key, (counts.get(key) ?? 0) + (sample.mass[at] as number))
    }
    const slots = new Map<number, number>()
    for (const [key, count] of counts) if (count >= MIN_EVENTS) slots.set(key, slots.size)
    return slots
  }

  /** Of the cells below `end`. Where there are fewer rows than cells they are found by the rows. */
  private frequentCells(sample: MassSample, end: number): Int32Array {
    const counts = this.counts[0] as Float64Array
    const found: number[] = []
    if (sample.mass.length >= end) {
      for (let cell = 0; cell < end; cell++) if ((counts[cell] as number) >= MIN_EVENTS) found.push(cell)
      return Int32Array.from(found)
    }
    const a = sample.ids[this.first] as Int32Array
    const b = sample.ids[this.second] as Int32Array
    for (let at = 0; at < a.length; at++) {
      const cell = (a[at] as number) * this.width + (b[at] as number)
      if (cell < end && (counts[cell] as number) >= MIN_EVENTS) found.push(cell)
    }
    const sorted = Int32Array.from(found).sort()
    return sorted.filter((cell, index) => index === 0 || cell !== sorted[index - 1])
  }

  private add(sample: MassSample, table: number): void {
    const a = sample.ids[this.first] as Int32Array
    const b = sample.ids[this.second] as Int32Array
    const target = this.counts[table] as Float64Array
    const { mass } = sample
    const { width, slots } = this
    this.added[table] = sample
    if (slots === null) {
      for (let at = 0; at < a.length; at++) {
        const key = (a[at] as number) * width + (b[at] as number)
        target[key] = (target[key] as number) + (mass[at] as number)
      }
      return
    }
    for (let at = 0; at < a.length; at++) {
      const slot = slots.get((a[at] as number) * width + (b[at] as number))
      if (slot !== undefined) target[slot] = (target[slot] as number) + (mass[at] as number)
    }
  }

  /** One dimension determines the other when it has no more combinations than values. */
  private isDetermined({ ids, mass }: MassSample, height: number, seen: Uint8Array): boolean {
    const a = ids[this.first] as Int32Array
    const b = ids[this.second] as Int32Array
    const rows = new Uint8Array(height)
    const columns = new Uint8Array(this.width)
    const most = Math.max(height, this.width)
    let used = 0
    let looked = 0
    // With more combinations than one of them has values, nothing is determined: mostly clear after a few rows.
    for (; looked < a.length && used <= most; looked++) {
      const cell = (a[looked] as number) * this.width + (b[looked] as number)
      if (seen[cell] === 1 || !((mass[looked] as number) > 0)) continue
      seen[cell] = 1
      rows[a[looked] as number] = 1
      columns[b[looked] as number] = 1
      used++
    }
    for (let at = 0; at < looked; at++) seen[(a[at] as number) * this.width + (b[at] as number)] = 0
    const count = (flags: Uint8Array) => flags.reduce((sum, flag) => sum + flag, 0)
    return used <= Math.max(count(rows), count(columns))
  }

  collect(found: Candidate[], penalty: number): void {
    const [cA, xA, cB, xB] = this.counts as [Float64Array, Float64Array, Float64Array, Float64Array]
    const visit = (key: number, slot: number) => {
      if ((cA[slot] as number) < MIN_EVENTS) return
      const a = Math.floor(key / this.width)
      const b = key % this.width
      if (b === this.width - 1) return
      const counts = { cA: cA[slot] as number, xA: xA[slot] as number, cB: cB[slot] as number, xB: xB[slot] as number }
      const g = logLikelihoodRatio(counts.cA, counts.xA, counts.cB, counts.xB)
      if (g <= penalty / 2) return
      const literals = [
        { dimension: this.first, values: [a] },
        { dimension: this.second, values: [b] },
      ]
      found.push({ ...counts, literals, g, penalty, phi: 1, score: g - penalty })
    }
    if (this.slots !== null) for (const [key, slot] of this.slots) visit(key, slot)
    else for (const cell of this.frequent) visit(cell, cell)
  }

  /** Leaves the tables all zero for the next pair. */
  clear(): void {
    for (const [table, sample] of this.added.entries()) {
      if (sample === null) continue
      const target = this.counts[table] as Float64Array
      if (this.slots !== null || sample.mass.length >= target.length) {
        target.fill(0)
        continue
      }
      const a = sample.ids[this.first] as Int32Array
      const b = sample.ids[this.second] as Int32Array
      for (let at = 0; at < a.length; at++) target[(a[at] as number) * this.width + (b[at] as number)] = 0
    }
  }
}

/** Adds one more literal to the best slices found so far. */
export function extendSlices(input: ScanInput, sample: ScanSample, parents: readonly Candidate[], totalValues: number): Candidate[] {
  const found = new Map<string, Candidate>()
  for (const parent of parents.slice(0, EXTENDED_PAIRS)) {
    const inside = [sample.eventsA, sample.expectedA, sample.eventsB, sample.expectedB].map((part) =>
      membersOfSample(part, parent.literals),
    )
    for (let dimension = 0; dimension < input.dimensions.length; dimension++) {
      if (parent.literals.some((literal) => literal.dimension === dimension)) continue
      extendBy(input, sample, parent, inside, dimension, totalValues, found)
    }
  }
  return [...found.values()]
}

function extendBy(
  input: ScanInput,
  sample: ScanSample,
  parent: Candidate,
  inside: Int32Array[],
  dimension: number,
  totalValues: number,
  found: Map<string, Candidate>,
): void {
  const size = (input.dimensions[dimension] as DimensionColumn).values.length + 1
  const parts = [sample.eventsA, sample.expectedA, sample.eventsB, sample.expectedB]
  const [cA, xA, cB, xB] = parts.map((part, index) => {
    const counts = new Float64Array(size)
    const ids = part.ids[dimension] as Int32Array
    for (const at of inside[index] as Int32Array)
      counts[ids[at] as number] = (counts[ids[at] as number] as number) + (part.mass[at] as number)
    return counts
  }) as [Float64Array, Float64Array, Float64Array, Float64Array]
  const penalty = (parent.literals.length + 1) * Math.log(totalValues)
  const total = xA.reduce((sum, value) => sum + value, 0)
  for (let id = 0; id < size - 1; id++) {
    if ((cA[id] as number) < MIN_EVENTS || (xA[id] as number) > 0.97 * total) continue
    const counts = { cA: cA[id] as number, xA: xA[id] as number, cB: cB[id] as number, xB: xB[id] as number }
    const g = logLikelihoodRatio(counts.cA, counts.xA, counts.cB, counts.xB)
    if (g <= penalty / 2) continue
    const literals: Literal[] = [...parent.literals, { dimension, values: [id] }].sort((left, right) => left.dimension - right.dimension)
    found.set(literalKey(literals), { ...counts, literals, g, penalty, phi: 1, score: g - penalty })
  }
}

function membersOfSample(sample: MassSample, literals: readonly Literal[]): Int32Array {
  const members = new Int32Array(sample.mass.length)
  let count = 0
  for (let at = 0; at < members.length; at++) {
    let inside = true
    for (const literal of literals) {
      if (!literal.values.includes((sample.ids[literal.dimension] as Int32Array)[at] as number)) {
        inside = false
        break
      }
    }
    if (inside) members[count++] = at
  }
  return members.subarray(0, count)
}
