// Everything that follows from the baseline alone: its rows, what workload costs there, thresholds. Kept with the table, so that a second
// question against the same baseline (a later incident window, a person who asks again) starts from it.
import { fitWorkload, type WorkloadModel } from '../conditioning/conditioning.ts'
import { fitThresholds, type Thresholds } from '../conditioning/levels.ts'
import { type BaselinePopulation, selectBaseline } from '../population/population.ts'
import type { Question } from '../question.ts'
import type { DimensionColumn, Table } from '../table.ts'
import { Memory } from './memory.ts'

export interface Baseline {
  population: BaselinePopulation
  workload: WorkloadModel
  thresholds: Thresholds
  memory: Memory
}

/** The newest baseline of each table: a table must not be written to between questions. */
const kept = new WeakMap<Table, { key: string; baseline: Baseline }>()

export function baselineOf(table: Table, question: Question, dimensions: readonly DimensionColumn[]): Baseline {
  const key = keyOf(question)
  const known = kept.get(table)
  if (known?.key === key && !known.baseline.population.aged) return known.baseline
  const baseline = makeBaseline(table, question, dimensions)
  kept.set(table, { key, baseline })
  return baseline
}

export function makeBaseline(table: Table, question: Question, dimensions: readonly DimensionColumn[]): Baseline {
  const population = selectBaseline(table, question)
  const workload = fitWorkload(table, question, population, dimensions)
  return { population, workload, thresholds: fitThresholds(question.measure, population, workload), memory: new Memory() }
}

function keyOf({ target, measure, incident, baseline, dimensions, covariates, seed, without }: Question): string {
  const overlaps = baseline.length === 0 || baseline.some(({ from, to }) => from < incident.to && to > incident.from)
  return JSON.stringify([target, measure, baseline, overlaps ? incident : null, dimensions, covariates, seed, [...(without ?? [])]])
}
