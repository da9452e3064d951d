// Builds what the scan reads, one input per tail level: events and expected events of every usable row on both sides.
import type { Conditioning } from '../conditioning/conditioning.ts'
import { type Levels, UNUSABLE } from '../conditioning/levels.ts'
import { applyMainEffects, fitMainEffects, type MainEffects, type Side } from '../expectation/main-effects.ts'
import { sampleRows } from '../sampling.ts'
import type { Case } from '../selection/case.ts'
import type { DimensionColumn, Table } from '../table.ts'
import { countsOf, type Mass, type ScanInput, sumSide } from './candidate.ts'

/** Baseline rows that the main effects are fitted on: enough for so many events, within limits. */
const FIT_EVENTS = 3_000
const FIT_ROWS = { least: 30_000, most: 100_000 }

export interface PreparedRows {
  /** What is worked out from these baseline rows is kept under this name; null: it depends on the incident too. */
  name: string | null
  incident: Int32Array
  baseline: Int32Array
  weights: Float32Array | null
}

export function prepareRows(given: Case): PreparedRows {
  const { level } = given.levels
  const usable = (rows: Int32Array) => rows.filter((row) => level[row] !== UNUSABLE)
  const incident = usable(given.population.incident)
  const baseline = given.memory.once('usable baseline', () => usable(given.population.baseline))
  const weights = normalizedWeights(given.table, incident, baseline)
  return { name: weights === null ? 'all' : null, incident, baseline, weights }
}

/** Weights with mean 1, or null where all are alike. */
function normalizedWeights(table: Table, incident: Int32Array, baseline: Int32Array): Float32Array | null {
  if (table.weight === null) return null
  let sum = 0
  let low = Number.POSITIVE_INFINITY
  let high = 0
  for (const rows of [incident, baseline]) {
    for (let index = 0; index < rows.length; index++) {
      const weight = table.weight[rows[index] as number] as number
      sum += weight
      low = Math.min(low, weight)
      high = Math.max(high, weight)
    }
  }
  if (!(high > low)) return null
  const mean = sum / (incident.length + baseline.length)
  return Float32Array.from(table.weight, (weight) => weight / mean)
}

/** What the baseline gives to the input at one level. */
interface BaselineSide {
  rate: number
  effects: MainEffects
  b: Side
  all: Mass
}

export function buildInput(given: Case, rows: PreparedRows, index: number): ScanInput {
  const { levels, dimensions } = given
  const all = [...dimensions, ...hiddenDimensions(given, index)]
  const make = () => baselineSide(given, rows, index, all)
  const { rate, effects, b, all: before } = rows.name === null ? make() : given.memory.once(`side ${rows.name} ${index}`, make)
  const a = makeSide(rows.incident, rows, levels, index, rate)
  if (!given.question.without?.has('main_effects')) applyMainEffects(a, all, effects)
  return {
    dimensions,
    a,
    b,
    all: countsOf(sumSide(a), before),
    rate,
    burstiness: 1,
    variance: (1 - rate) * Math.max(1, weightVariance(rows)),
    draw: given.population.draw,
  }
}

function baselineSide(given: Case, rows: PreparedRows, index: number, all: readonly DimensionColumn[]): BaselineSide {
  const { levels, population, question } = given
  const rate = eventRate(rows, levels, index)
  const limit = Math.min(FIT_ROWS.most, Math.max(FIT_ROWS.least, FIT_EVENTS / rate))
  const fitted = makeSide(sampleRows(population.draw, rows.baseline, limit, question.seed), rows, levels, index, rate)
  const effects = fitMainEffects(fitted, all)
  const b = makeSide(rows.baseline, rows, levels, index, rate)
  if (!question.without?.has('main_effects')) applyMainEffects(b, all, effects)
  return { rate, effects, b, all: sumSide(b) }
}

/** A fixed deadline is missed more often by longer work: its bins are a dimension of the expectation, though no part of an answer. */
function hiddenDimensions({ levels, conditioning }: Case, index: number): DimensionColumn[] {
  return Number.isNaN(levels.alphas[index] as number) && conditioning.bins > 1 ? [binDimension(conditioning)] : []
}

function binDimension(conditioning: Conditioning): DimensionColumn {
  return { name: 'workload bin', values: Array.from({ length: conditioning.bins }, (_, index) => String(index)), ids: conditioning.bin }
}

function eventRate(rows: PreparedRows, levels: Levels, index: number): number {
  let events = 0
  let weight = 0
  for (let at = 0; at < rows.baseline.length; at++) {
    const row = rows.baseline[at] as number
    const w = rows.weights === null ? 1 : (rows.weights[row] as number)
    weight += w
    if ((levels.level[row] as number) > index) events += w
  }
  return (events + 0.5) / (weight + 1)
}

function makeSide(of: Int32Array, rows: PreparedRows, levels: Levels, index: number, rate: number): Side {
  const events = new Float32Array(of.length)
  const expected = new Float32Array(of.length)
  const { weights } = rows
  for (let at = 0; at < of.length; at++) {
    const row = of[at] as number
    const weight = weights === null ? 1 : (weights[row] as number)
    if ((levels.level[row] as number) > index) events[at] = weight
    expected[at] = weight * rate
  }
  return { rows: of, events, expected }
}

function weightVariance(rows: PreparedRows): number {
  if (rows.weights === null) return 1
  let sum = 0
  let squares = 0
  for (const row of rows.incident) {
    const weight = rows.weights[row] as number
    sum += weight
    squares += weight * weight
  }
  return sum > 0 ? squares / sum : 1
}

/** Multiplies the expected events of a slice's incident rows: what is already explained is expected. */
export function explainAway(input: ScanInput, members: Uint8Array, factor: number): void {
  for (let at = 0; at < members.length; at++) {
    if (members[at] === 1) input.a.expected[at] = (input.a.expected[at] as number) * factor
  }
  let expected = 0
  for (let at = 0; at < input.a.expected.length; at++) expected += input.a.expected[at] as number
  input.all = { ...input.all, xA: expected }
}
