// Everything known after the first steps about one question: what the later steps read.
import type { Baseline } from '../baseline/baseline.ts'
import type { Memory } from '../baseline/memory.ts'
import { type Conditioning, conditionOnWorkload } from '../conditioning/conditioning.ts'
import { type Levels, scoreLevels } from '../conditioning/levels.ts'
import { type Population, selectPopulation } from '../population/population.ts'
import type { Question } from '../question.ts'
import type { DimensionColumn, Table } from '../table.ts'

export interface Case {
  table: Table
  question: Question
  population: Population
  conditioning: Conditioning
  levels: Levels
  /** What was worked out from the baseline alone. */
  memory: Memory
  /** The searched dimensions, in the question's order. */
  dimensions: readonly DimensionColumn[]
}

export function caseOf(table: Table, question: Question, dimensions: readonly DimensionColumn[], baseline: Baseline): Case {
  const population = selectPopulation(table, question, baseline.population)
  const conditioning = conditionOnWorkload(baseline.workload, question, population.incident)
  const levels = scoreLevels(baseline.thresholds, population, conditioning)
  return { table, question, population, conditioning, levels, memory: baseline.memory, dimensions }
}
