// Everything known after the first steps about one question: what the later steps read.
import type { Conditioning } from '../conditioning/conditioning.ts'
import type { Levels } from '../conditioning/levels.ts'
import type { Population } from '../population/population.ts'
import type { Question } from '../question.ts'
import type { DimensionColumn, Table } from '../table.ts'

export interface Case {
  table: Table
  question: Question
  population: Population
  conditioning: Conditioning
  levels: Levels
  /** The searched dimensions, in the question's order. */
  dimensions: readonly DimensionColumn[]
}
