// From a table and a question to findings: the order of the steps. Pure and deterministic: the same rows in any order, with any
// dictionary ids, give the same answer.
import type { Finding } from '@longpole/model/finding'
import { answer } from './answer/answer.ts'
import { baselineOf } from './baseline/baseline.ts'
import { scanPhases } from './phases/phase-scan.ts'
import { knownClasses } from './population/known-classes.ts'
import type { Question } from './question.ts'
import { buildInputs } from './scan/level-inputs.ts'
import { caseOf } from './selection/case.ts'
import { selectPicks } from './selection/select.ts'
import { type DimensionColumn, QuestionError, type Table, usedValues } from './table.ts'

export interface Answer {
  /** Best first; always at least one, which may say that nothing is wrong. */
  findings: Finding[]
  rows: { incident: number; baseline: number }
}

/** Throws QuestionError on bad input and TooFewRowsError where nothing can be said. */
export function localize(table: Table, question: Question): Answer {
  const dimensions = searchedDimensions(table, question)
  const given = caseOf(table, question, dimensions, baselineOf(table, question, dimensions))
  const inputs = buildInputs(given)
  const selection = selectPicks(given, inputs)
  if (selection.picks.length === 0 && !question.without?.has('phase_scan')) selection.picks.push(...scanPhases(given))
  return {
    findings: answer(given, inputs, selection),
    rows: given.population.rows,
  }
}

function searchedDimensions(table: Table, question: Question): DimensionColumn[] {
  if (question.dimensions.length === 0) throw new QuestionError('dimensions', 'at least one dimension', 'none')
  return question.dimensions.map((name) => {
    const dimension = table.dimensions.get(name)
    if (dimension === undefined)
      throw new QuestionError('dimensions', `one of the columns ${[...table.dimensions.keys()].join(', ')}`, name)
    return usedValues(knownClasses(table, dimension))
  })
}
