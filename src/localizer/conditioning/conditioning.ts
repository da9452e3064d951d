// Step 2: what the workload alone explains is taken out. Each row gets a scale (seconds that its model and lengths cost in the
// baseline) and a bin of equal workload, in which the baseline's conditional tail P_B(Y > y | x) is known.
// Conditions on exogenous workload only (docs: localization design, section 7.2): conditioning on cached tokens or queue depth would
// hide cache and queue faults.

import type { BaselinePopulation } from '../population/population.ts'
import { defaultCovariates, ENDOGENOUS_COLUMNS, isTimed, type Question } from '../question.ts'
import { sampleRows } from '../sampling.ts'
import { type DimensionColumn, QuestionError, type Table } from '../table.ts'
import { fitLinearScale, type LinearScale, medianOf, scaleAt } from './fit.ts'
import { fitStaticEffects, multiplyEffects, type StaticEffects } from './static-effects.ts'

export interface Conditioning {
  /** Per table row: baseline seconds at its workload; 1 where nothing is conditioned on. */
  scale: Float32Array
  /** Per table row: index of its (model × length) bin. */
  bin: Uint16Array
  bins: number
  covariates: string[]
}

/** What the baseline says of workload, and the scale and bin of every row it was applied to. */
export interface WorkloadModel extends Conditioning {
  columns: Float64Array[]
  groups: Group[]
  groupOf: Uint16Array
  effects: StaticEffects | null
}

/** Rows of one model. */
interface Group {
  scaleOf(row: number): number
  median: number
  /** Ascending; the first bin lies below the first edge. */
  edges: Float64Array
  firstBin: number
  /** Bin of rows without lengths (open requests have no output tokens yet): compared with all rows of the group. Null without covariates. */
  unknownBin: number | null
  baseline: Int32Array
}

/** At least so many baseline rows in a bin, and at most so many bins a model. */
const ROWS_PER_BIN = 400
const MAX_BINS = 16
const MIN_GROUP_ROWS = 60
/** Rows that the edges of bins are taken from, at most. */
const EDGE_ROWS = 50_000
const FIT_ROWS = 20_000

export function fitWorkload(
  table: Table,
  question: Question,
  population: BaselinePopulation,
  dimensions: readonly DimensionColumn[],
): WorkloadModel {
  const covariates = chooseCovariates(table, question)
  const columns = covariates.map((name) => table.numbers.get(name) as Float64Array)
  const timed = isTimed(question.measure)
  const { of: groupOf, count } = groupRows(table, population.rows)
  const model: WorkloadModel = {
    scale: new Float32Array(table.rows).fill(1),
    bin: new Uint16Array(table.rows),
    bins: 0,
    covariates,
    columns,
    groups: [],
    groupOf,
    effects: null,
  }
  for (let index = 0; index < count; index++) {
    const baseline = count === 1 ? population.rows : population.rows.filter((row) => groupOf[row] === index)
    const fit = fitGroup(population, baseline, columns, timed, question.seed)
    const edges = fitEdges(population, baseline, fit.scaleOf, columns.length)
    const firstBin = model.bins
    model.bins += edges.length + 1
    const unknownBin = timed && columns.length > 0 ? model.bins++ : null
    model.groups.push({ ...fit, edges, firstBin, unknownBin, baseline })
  }
  applyWorkload(model, population.rows, timed)
  if (timed && !question.without?.has('main_effects')) {
    model.effects = fitStaticEffects(population, dimensions, model.scale, question.seed)
    applyEffects(model, population.rows)
  }
  return model
}

/** Writes scale and bin of the incident's rows. */
export function conditionOnWorkload(model: WorkloadModel, question: Question, incident: Int32Array): Conditioning {
  applyWorkload(model, incident, isTimed(question.measure))
  applyEffects(model, incident)
  return model
}

function applyWorkload({ scale, bin, columns, groups, groupOf }: WorkloadModel, rows: Int32Array, timed: boolean): void {
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index] as number
    const group = groups[groupOf[row] as number] as Group
    if (group.unknownBin !== null && columns.some((column) => Number.isNaN(column[row] as number))) {
      scale[row] = group.median
      bin[row] = group.unknownBin
      continue
    }
    const seconds = Math.fround(group.scaleOf(row))
    scale[row] = timed ? seconds : 1
    bin[row] = group.firstBin + binOf(group.edges, seconds)
  }
}

function applyEffects(model: WorkloadModel, rows: Int32Array): void {
  if (model.effects === null) return
  const unscaled = new Set(model.groups.map(({ unknownBin }) => unknownBin))
  multiplyEffects(model.effects, model.scale, rows, (row) => !unscaled.has(model.bin[row] as number))
}

function binOf(edges: Float64Array, value: number): number {
  let low = 0
  let high = edges.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((edges[middle] as number) <= value) low = middle + 1
    else high = middle
  }
  return low
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
function groupRows(table: Table, baseline: Int32Array): { of: Uint16Array; count: number } {
  const of = new Uint16Array(table.rows)
  const model = table.dimensions.get('model')
  if (model === undefined || model.values.length < 2) return { of, count: 1 }
  const counts = new Int32Array(model.values.length + 1)
  for (let index = 0; index < baseline.length; index++) {
    const id = model.ids[baseline[index] as number] as number
    counts[id] = (counts[id] as number) + 1
  }
  let count = 1
  const renamed = new Uint16Array(counts.length)
  for (let id = 0; id < model.values.length; id++) if ((counts[id] as number) >= MIN_GROUP_ROWS) renamed[id] = count++
  for (let row = 0; row < table.rows; row++) of[row] = renamed[model.ids[row] as number] as number
  return { of, count }
}

function fitGroup(population: BaselinePopulation, baseline: Int32Array, columns: Float64Array[], timed: boolean, seed: number) {
  const { value, censored } = population.values
  const usable = sampleRows(population.draw, baseline, FIT_ROWS, seed).filter(
    (row) =>
      censored[row] === 0 && Number.isFinite(value[row] as number) && columns.every((column) => Number.isFinite(column[row] as number)),
  )
  const y = Float64Array.from(usable, (row) => (timed ? (value[row] as number) : 1))
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

/** Edges of equal-frequency bins of the scale. */
function fitEdges({ draw }: BaselinePopulation, baseline: Int32Array, scaleOf: (row: number) => number, covariates: number): Float64Array {
  const sorted = Float32Array.from(sampleRows(draw, baseline, EDGE_ROWS, 9), scaleOf).sort()
  const count = covariates === 0 ? 1 : Math.max(1, Math.min(MAX_BINS, Math.floor(baseline.length / ROWS_PER_BIN)))
  const edges: number[] = []
  for (let index = 1; index < count; index++) {
    const edge = sorted[Math.floor((index * sorted.length) / count)] as number
    if (edges.length === 0 || edge > (edges.at(-1) as number)) edges.push(edge)
  }
  return Float64Array.from(edges)
}
