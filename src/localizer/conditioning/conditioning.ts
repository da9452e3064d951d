// Step 2: what the workload alone explains is taken out. Each row gets a scale (seconds that its model and lengths cost in the
// baseline) and levels: how many of the baseline's conditional tail thresholds it exceeds, P_B(Y > y | x) ≤ α.
// Conditions on exogenous workload only (docs: localization design, section 7.2): conditioning on cached tokens or queue depth would
// hide cache and queue faults.

import type { Population } from '../population/population.ts'
import { defaultCovariates, ENDOGENOUS_COLUMNS, type Question } from '../question.ts'
import { sampleRows } from '../sampling.ts'
import { type DimensionColumn, QuestionError, type Table } from '../table.ts'
import { fitLinearScale, type LinearScale, medianOf, scaleAt } from './fit.ts'
import { applyStaticEffects } from './static-effects.ts'

export interface Conditioning {
  /** Per table row: baseline seconds at its workload; 1 where nothing is conditioned on. */
  scale: Float32Array
  /** Per table row: index of its (model × length) bin. */
  bin: Uint16Array
  bins: number
  covariates: string[]
  /** Bins of rows without covariates (open requests have no output tokens yet), with the baseline's sorted value ÷ scale regardless of them. */
  marginal: ReadonlyMap<number, Float64Array>
}

/** At least so many baseline rows in a bin, and at most so many bins a model. */
const ROWS_PER_BIN = 400
const MAX_BINS = 16
const MIN_GROUP_ROWS = 60
/** Rows that the edges of bins are taken from, at most. */
const EDGE_ROWS = 50_000
const FIT_ROWS = 20_000

export function conditionOnWorkload(
  table: Table,
  question: Question,
  population: Population,
  dimensions: readonly DimensionColumn[],
): Conditioning {
  const covariates = chooseCovariates(table, question)
  const columns = covariates.map((name) => table.numbers.get(name) as Float64Array)
  const groups = groupRows(table, population)
  const scale = new Float32Array(table.rows).fill(1)
  const bin = new Uint16Array(table.rows)
  const timed = question.measure.kind === 'quantile' || question.measure.kind === 'deadline'
  const marginal = new Map<number, Float64Array>()
  let bins = 0
  for (let group = 0; group < groups.count; group++) {
    const baseline = population.baseline.filter((row) => groups.of[row] === group)
    const incident = population.incident.filter((row) => groups.of[row] === group)
    const fit = fitGroup(population, baseline, columns, timed, question.seed)
    for (const rows of [baseline, incident]) {
      for (let index = 0; index < rows.length; index++) {
        const row = rows[index] as number
        scale[row] = fit.scaleOf(row)
      }
    }
    bins += assignBins(scale, bin, bins, baseline, incident, columns, population.draw)
    if (timed && columns.length > 0)
      bins += separateUnknown(population, columns, baseline, incident, fit.median, { scale, bin, bins, marginal })
  }
  if (!timed) scale.fill(1)
  else if (!question.without?.has('main_effects')) applyStaticEffects(population, dimensions, scale, bin, marginal, question.seed)
  return { scale, bin, bins, covariates, marginal }
}

function chooseCovariates(table: Table, question: Question): string[] {
  if (question.measure.kind === 'sum') return []
  if (question.covariates === null) {
    if (question.measure.kind === 'ratio') return []
    return defaultCovariates(question.target).filter((name) => isKnown(table, name))
  }
  for (const name of question.covariates) {
    if (!table.numbers.has(name)) throw new QuestionError('covariates', `one of the columns ${[...table.numbers.keys()].join(', ')}`, name)
  }
  return question.covariates.filter((name) => name !== question.target && !ENDOGENOUS_COLUMNS.has(name))
}

function isKnown(table: Table, name: string): boolean {
  const column = table.numbers.get(name)
  if (column === undefined) return false
  let known = 0
  for (let row = 0; row < table.rows; row++) if (!Number.isNaN(column[row] as number)) known++
  return known >= table.rows * 0.2
}

/** Rows by model; models with a thin baseline share one group. */
function groupRows(table: Table, population: Population): { of: Uint16Array; count: number } {
  const of = new Uint16Array(table.rows)
  const model = table.dimensions.get('model')
  if (model === undefined || model.values.length < 2) return { of, count: 1 }
  const counts = new Int32Array(model.values.length + 1)
  for (const row of population.baseline) counts[model.ids[row] as number] = (counts[model.ids[row] as number] as number) + 1
  let count = 1
  const renamed = new Uint16Array(counts.length)
  for (let id = 0; id < model.values.length; id++) if ((counts[id] as number) >= MIN_GROUP_ROWS) renamed[id] = count++
  for (let row = 0; row < table.rows; row++) of[row] = renamed[model.ids[row] as number] as number
  return { of, count }
}

function fitGroup(population: Population, baseline: Int32Array, columns: Float64Array[], timed: boolean, seed: number) {
  const usable = sampleRows(population.draw, baseline, FIT_ROWS, seed).filter(
    (row) =>
      population.censored[row] === 0 &&
      Number.isFinite(population.value[row] as number) &&
      columns.every((column) => Number.isFinite(column[row] as number)),
  )
  const y = Float64Array.from(usable, (row) => (timed ? (population.value[row] as number) : 1))
  const median = Math.max(medianOf(y), 1e-9)
  let fit: LinearScale = { coefficients: Float64Array.of(median, ...columns.map(() => 0)), floor: median / 5 }
  if (columns.length > 0 && usable.length >= 40 && timed) {
    fit = fitLinearScale(
      y,
      columns.map((column) => Float64Array.from(usable, (row) => column[row] as number)),
    )
  }
  const first = columns[0]
  const scaleOf = (row: number): number => {
    const scale = timed || first === undefined ? scaleAt(fit, columns, row) : (first[row] as number)
    return Number.isFinite(scale) ? scale : median
  }
  return { scaleOf, median }
}

/** Rows whose lengths are unknown are compared with all rows of their group, whatever their lengths. */
function separateUnknown(
  population: Population,
  columns: Float64Array[],
  baseline: Int32Array,
  incident: Int32Array,
  median: number,
  into: { scale: Float32Array; bin: Uint16Array; bins: number; marginal: Map<number, Float64Array> },
): number {
  const isUnknown = (row: number) => columns.some((column) => Number.isNaN(column[row] as number))
  const unknown = [...incident.filter(isUnknown), ...baseline.filter(isUnknown)]
  if (unknown.length === 0) return 0
  for (const row of unknown) {
    into.scale[row] = median
    into.bin[row] = into.bins
  }
  const known = baseline.filter((row) => population.censored[row] === 0)
  into.marginal.set(into.bins, Float64Array.from(known, (row) => (population.value[row] as number) / median).sort())
  return 1
}

/** Equal-frequency bins of the scale inside a group, by the baseline; rows without covariates have a bin of their own. */
function assignBins(
  scale: Float32Array,
  bin: Uint16Array,
  first: number,
  baseline: Int32Array,
  incident: Int32Array,
  columns: Float64Array[],
  draw: Uint32Array,
): number {
  const sorted = Float32Array.from(sampleRows(draw, baseline, EDGE_ROWS, 9), (row) => scale[row] as number).sort()
  const count = columns.length === 0 ? 1 : Math.max(1, Math.min(MAX_BINS, Math.floor(baseline.length / ROWS_PER_BIN)))
  const edges: number[] = []
  for (let index = 1; index < count; index++) {
    const edge = sorted[Math.floor((index * sorted.length) / count)] as number
    if (edges.length === 0 || edge > (edges.at(-1) as number)) edges.push(edge)
  }
  for (const rows of [baseline, incident]) {
    for (let index = 0; index < rows.length; index++) {
      const row = rows[index] as number
      const value = scale[row] as number
      let low = 0
      let high = edges.length
      while (low < high) {
        const middle = (low + high) >> 1
        if ((edges[middle] as number) <= value) low = middle + 1
        else high = middle
      }
      bin[row] = first + low
    }
  }
  return edges.length + 1
}
