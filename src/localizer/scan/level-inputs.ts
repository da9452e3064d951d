// One input per tail level. Of many rows only the levels where single values stand out most are built on every row; a sample chooses.

import { sampleRows } from '../sampling.ts'
import type { Case } from '../selection/case.ts'
import type { ScanInput } from './candidate.ts'
import { buildInput, type PreparedRows, prepareRows } from './inputs.ts'
import { countValues, scanSingles } from './singles.ts'
import { buildSumInputs } from './sum-inputs.ts'
import { thin } from './thin.ts'

/** Levels at which conjunctions are searched. */
const DEEP_LEVELS = 2
const PROMISING_ROWS = 60_000
/** Beyond so many rows only the promising levels are looked at. */
export const MANY_ROWS = 200_000
const CHOOSING_ROWS = 30_000

export function buildInputs(given: Case): ScanInput[] {
  const rows = prepareRows(given)
  if (given.question.measure.kind === 'sum') return buildSumInputs(given, rows)
  const all = given.levels.alphas.map((_, index) => index)
  if (all.length <= DEEP_LEVELS || rows.incident.length + rows.baseline.length <= MANY_ROWS)
    return all.map((index) => buildInput(given, rows, index))
  const few = fewRows(given, rows)
  const some = all.map((index) => buildInput(given, few, index))
  return [...promisingLevels(some)].sort((left, right) => left - right).map((index) => buildInput(given, rows, index))
}

function fewRows(given: Case, { name, incident, baseline, weights }: PreparedRows): PreparedRows {
  const few = (rows: Int32Array) => sampleRows(given.population.draw, rows, CHOOSING_ROWS, given.question.seed + 17)
  return { name: name === null ? null : 'few', incident: few(incident), baseline: few(baseline), weights }
}

/** Indices of the inputs at which single values stand out most. */
export function promisingLevels(inputs: readonly ScanInput[]): Set<number> {
  if (inputs.length <= DEEP_LEVELS) return new Set(inputs.keys())
  const best = inputs.map((whole, level) => {
    const input = thin(whole, PROMISING_ROWS)
    const top = scanSingles(input, countValues(input), 2).reduce((most, candidate) => Math.max(most, candidate.g), 0)
    return { level, top: top / input.variance }
  })
  best.sort((left, right) => right.top - left.top || left.level - right.level)
  return new Set(best.slice(0, DEEP_LEVELS).map(({ level }) => level))
}
