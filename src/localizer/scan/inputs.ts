// Builds what the scan reads, one input per tail level: events and expected events of every usable row on both sides.
import type { Conditioning } from '../conditioning/conditioning.ts'
import { type Levels, UNUSABLE } from '../conditioning/levels.ts'
import { applyMainEffects, fitMainEffects, type MainEffects, type Side } from '../expectation/main-effects.ts'
import type { Population } from '../population/population.ts'
import { sampleRows } from '../sampling.ts'
import type { Case } from '../selection/case.ts'
import type { DimensionColumn, Table } from '../table.ts'
import type { ScanInput } from './candidate.ts'

/** Baseline rows that the main effects are fitted on: enough for so many events, within limits. */
const FIT_EVENTS = 3_000
const FIT_ROWS = { least: 30_000, most: 100_000 }

export interface PreparedRows {
  incident: Int32Array
  baseline: Int32Array
  weights: Float32Array | null
}

export function prepareRows(table: Table, population: Population, levels: Levels): PreparedRows {
  const usable = (row: number) => levels.level[row] !== UNUSABLE
  const incident = population.incident.filter(usable)
  const baseline = population.baseline.filter(usable)
  return {
    incident,
    baseline,
    weights: normalizedWeights(table, incident, baseline),
  }
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

/** The input at one level, with the factors of main effects that it was built with. */
export function buildInput(given: Case, rows: PreparedRows, index: number): ScanInput {
  const { levels, conditioning, dimensions } = given
  const hidden = Number.isNaN(levels.alphas[index] as number) && conditioning.bins > 1 ? [binDimension(conditioning)] : []
  const all = [...dimensions, ...hidden]
  const rate = eventRate(rows, levels, index)
  const limit = Math.min(FIT_ROWS.most, Math.max(FIT_ROWS.least, FIT_EVENTS / rate))
  const fitted = makeSide(sampleRows(given.population.draw, rows.baseline, limit, given.question.seed), rows, levels, index, rate)
  const effects: MainEffects = fitMainEffects(fitted, all)
  const a = makeSide(rows.incident, rows, levels, index, rate)
  const b = makeSide(rows.baseline, rows, levels, index, rate)
  if (!given.question.without?.has('main_effects')) {
    applyMainEffects(a, all, effects)
    applyMainEffects(b, all, effects)
  }
  return {
    dimensions,
    a,
    b,
    all: { cA: total(a.events), xA: total(a.expected), cB: total(b.events), xB: total(b.expected) },
    weightVariance: weightVariance(rows),
    draw: given.population.draw,
  }
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

function total(values: Float32Array): number {
  let sum = 0
  for (let at = 0; at < values.length; at++) sum += values[at] as number
  return sum
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
