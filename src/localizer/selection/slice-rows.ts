// The rows of a slice and of everything else, and how much slower they became.

import { type Effect, measureEffect } from '../contrast/effect.ts'
import { type Candidate, countSlice, membersOf, type ScanInput } from '../scan/candidate.ts'
import { riskRatio } from '../scan/statistic.ts'
import type { Case } from './case.ts'

export function sliceRisk(input: ScanInput, candidate: Candidate): number {
  return Math.max(1, riskRatio(countSlice(input, candidate.literals)))
}

export function sliceRows(input: ScanInput, candidate: Candidate, inside: boolean): { incident: Int32Array; baseline: Int32Array } {
  const wanted = inside ? 1 : 0
  const pickRows = (rows: Int32Array) => {
    const members = membersOf(rows, candidate.literals, input.dimensions)
    const picked = new Int32Array(rows.length)
    let count = 0
    for (let at = 0; at < rows.length; at++) if (members[at] === wanted) picked[count++] = rows[at] as number
    return picked.slice(0, count)
  }
  return { incident: pickRows(input.a.rows), baseline: pickRows(input.b.rows) }
}

export function sliceEffect(given: Case, input: ScanInput, candidate: Candidate): Effect {
  const rows = sliceRows(input, candidate, true)
  const baseline = candidate.fresh === true ? input.b.rows : rows.baseline
  return measureEffect(given.question.measure, given.population, given.conditioning, rows.incident, baseline)
}

export function restEffect(given: Case, input: ScanInput, candidate: Candidate): Effect {
  const rows = sliceRows(input, candidate, false)
  return measureEffect(given.question.measure, given.population, given.conditioning, rows.incident, rows.baseline)
}

export function fleetEffect(given: Case): Effect {
  const { question, population, conditioning } = given
  return measureEffect(question.measure, population, conditioning, population.incident, population.baseline)
}
