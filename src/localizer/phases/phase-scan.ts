// Where the target shows no slice, its phases may: what is 5 % of the whole is 50 % of a phase (FBDetect, SOSP 2024: measure at the
// finest part). Each phase is scanned like a target of its own; a slice counts only if its rise reaches the target.
import { makeBaseline } from '../baseline/baseline.ts'
import { measureEffect } from '../contrast/effect.ts'
import { isTimed, type Question } from '../question.ts'
import { buildInputs } from '../scan/level-inputs.ts'
import { type Case, caseOf } from '../selection/case.ts'
import { MIN_SCORE, type Pick, selectPicks } from '../selection/select.ts'
import { restEffect, sliceRows } from '../selection/slice-rows.ts'
import { TooFewRowsError } from '../table.ts'
import { relevantPhases } from './phases.ts'

/** The target's own rise: at least so much relative to its baseline, and so much of the phase's rise. */
const MIN_RELATIVE = 0.04
const MIN_REACH = 0.4
/** Nats that a phase's slice needs beyond the usual, besides the number of phases looked at. */
const EXTRA_SCORE = 2
/** Beyond so many rows a slice that matters is seen in the target itself. */
const MAX_ROWS = 400_000

/** The clearest slice of any phase, or none. */
export function scanPhases(given: Case): Pick[] {
  if (!isTimed(given.question.measure)) return []
  if (given.population.incident.length + given.population.baseline.length > MAX_ROWS) return []
  const phases = relevantPhases(given)
  const least = MIN_SCORE + EXTRA_SCORE + Math.log(Math.max(phases.length, 1))
  const found = phases.flatMap((phase) => {
    const pick = scanPhase(given, phase)
    return pick !== null && pick.candidate.score >= least ? [pick] : []
  })
  found.sort((left, right) => right.candidate.score - left.candidate.score)
  return found.slice(0, 1)
}

function scanPhase(given: Case, phase: string): Pick | null {
  const question: Question = { ...given.question, target: phase, measure: { kind: 'quantile', quantile: 0.95 }, phases: [] }
  const own = phaseCase(given, question)
  if (own === null) return null
  const inputs = buildInputs(own)
  const pick = selectPicks(own, inputs).picks[0]
  if (pick === undefined) return null
  const slice = sliceRows(pick.input, pick.candidate, true)
  const baseline = pick.candidate.fresh === true ? pick.input.b.rows : slice.baseline
  const target = measureEffect(given.question.measure, given.population, given.conditioning, slice.incident, baseline)
  // What everybody's target rose by is not the slice's, whether or not that was enough to be called a regression of everybody.
  const rest = restEffect(given, pick.input, pick.candidate)
  const beyond = { relative: target.relative - Math.max(0, rest.relative), absolute: target.absolute - Math.max(0, rest.absolute) }
  const reaches = given.question.measure.kind === 'deadline' || beyond.absolute >= MIN_REACH * pick.effect.absolute
  return reaches && beyond.relative >= MIN_RELATIVE ? { ...pick, effect: target, inPhaseOnly: true } : null
}

/** The same question about a phase; null where too few rows know it. */
function phaseCase(given: Case, question: Question): Case | null {
  try {
    const { table, dimensions } = given
    const finished = { ...table, dimensions: withoutOutcome(given) }
    return { ...caseOf(finished, question, dimensions, makeBaseline(finished, question, dimensions)), table }
  } catch (error) {
    if (error instanceof TooFewRowsError) return null
    throw error
  }
}

/** An unfinished request's phases are what they are: not censored, not failed. */
function withoutOutcome(given: Case) {
  return new Map([...given.table.dimensions].filter(([name]) => name !== 'outcome'))
}
