// A finding about a slice (or the whole fleet): every field from its own step.
import type { Finding, Interval } from '@longpole/model/finding'
import { matchChanges } from '../changes/changes.ts'
import { clarity, confidenceOf, probabilityOf } from '../confidence/confidence.ts'
import { badShare, measureEffect } from '../contrast/effect.ts'
import { findOnset, type Onset } from '../onset/onset.ts'
import type { PhaseAnswer } from '../phases/phases.ts'
import { isTimed } from '../question.ts'
import { type Candidate, membersOf, type ScanInput, toSlice } from '../scan/candidate.ts'
import type { Case } from '../selection/case.ts'
import type { Pick } from '../selection/select.ts'
import { type Healing, healRows, sharesExplained } from '../share/share.ts'
import { blankFinding, instant } from './finding.ts'
import { nextCheck } from './wording.ts'

export interface SliceRows {
  incident: Int32Array
  baseline: Int32Array
}

export function localizedFinding(
  given: Case,
  input: ScanInput,
  pick: Pick,
  rows: SliceRows,
  phases: PhaseAnswer,
  healing: Healing,
): Finding {
  const slice = toSlice(pick.candidate.literals, input.dimensions)
  const { onset } = rowsOnset(given, input, pick.candidate)
  const finding = blankFinding(given, 'localized', slice, onset)
  const inSlice = new Set(rows.incident)
  finding.aliases = pick.aliases.map((alias) => toSlice(alias.literals, input.dimensions))
  finding.siblings = siblingsOf(given, input, pick.candidate)
  finding.phases = phases.shares
  const healed = healSlice(given, input, pick.candidate, rows)
  finding.share_explained = pick.victims
    ? { value: 1, low: 0.8, high: 1 }
    : (sharesExplained(given, healing, [healed])[0] as Interval | null)
  finding.excess_seconds = excessSeconds(given, rows.incident, healed)
  finding.bad_requests = badRequests(given, pick.candidate, rows)
  finding.changes = matchChanges(given, inSlice, onset)
  finding.probability = Math.min(probabilityOf(clarity(pick)), pick.inPhaseOnly === true ? IN_PHASE_ONLY : 1)
  finding.confidence = confidenceOf(finding.probability)
  if (pick.victims) {
    finding.looked_at.push(
      `the rest of the fleet is ${Math.round(pick.rest.relative * 100)} % slower too, the slice ${Math.round(pick.effect.relative * 100)} %: victims`,
    )
  }
  finding.next_check = nextCheck(finding)
  return finding
}

/** The slice's incident rows with the values that they would have in the baseline. */
export function healSlice(given: Case, input: ScanInput, candidate: Candidate, rows: SliceRows): Map<number, number> {
  const healed = healRows(given, rows.incident, candidate.fresh === true ? input.b.rows : rows.baseline)
  const byRow = new Map<number, number>()
  for (let index = 0; index < rows.incident.length; index++) byRow.set(rows.incident[index] as number, healed[index] as number)
  return byRow
}

/** Onset of the slice's rise over the incident and as much time before it. Null candidate: the whole fleet. */
export function rowsOnset(given: Case, input: ScanInput, candidate: Candidate | null): { onset: Onset | null; text: Finding['onset'] } {
  const { incident } = given.population.windows
  const length = incident.to - incident.from
  const from = incident.from - length
  const times: number[] = []
  const events: number[] = []
  const expected: number[] = []
  const literals = candidate?.literals ?? []
  const factor = candidate === null ? 1 : (candidate.cB + 2) / (candidate.xB + 2)
  for (const side of [input.b, input.a]) {
    const members = membersOf(side.rows, literals, input.dimensions)
    for (let at = 0; at < members.length; at++) {
      const time = given.table.time[side.rows[at] as number] as number
      if (members[at] !== 1 || time < from) continue
      times.push(time)
      events.push(side.events[at] as number)
      expected.push((side.expected[at] as number) * factor)
    }
  }
  if (candidate?.fresh === true) return firstSeen(times)
  const last = times.reduce((max, time) => Math.max(max, time), from)
  const onset = findOnset(
    Float64Array.from(times),
    Float64Array.from(events),
    Float64Array.from(expected),
    from,
    Math.min(incident.to, last + 1e-3),
  )
  return {
    onset,
    text: onset === null ? null : { at: instant(onset.at), low: instant(onset.low), high: instant(onset.high) },
  }
}

/** A part of the fleet that is new has been at fault since it is there. */
function firstSeen(times: number[]): { onset: Onset | null; text: Finding['onset'] } {
  if (times.length === 0) return { onset: null, text: null }
  const at = times.reduce((least, time) => Math.min(least, time), Number.POSITIVE_INFINITY)
  return { onset: { at, low: at, high: at, score: 0 }, text: { at: instant(at), low: instant(at), high: instant(at) } }
}

/** What the target itself does not show is never called high. */
const IN_PHASE_ONLY = 0.85
const SIBLINGS = 5
const MIN_SIBLING_ROWS = 10

/** Other values of the slice's dimension, the busiest first, with how many times as slow (or as often bad) they are as before. */
function siblingsOf(given: Case, input: ScanInput, candidate: Candidate): Finding['siblings'] {
  const literal = candidate.literals[0]
  const dimension = literal === undefined ? undefined : input.dimensions[literal.dimension]
  if (literal === undefined || dimension === undefined || candidate.literals.length !== 1) return []
  const counts = new Float64Array(dimension.values.length + 1)
  for (const row of input.a.rows) counts[dimension.ids[row] as number] = (counts[dimension.ids[row] as number] as number) + 1
  const name = (id: number) => dimension.values[id] as string
  const others = dimension.values
    .map((_, id) => id)
    .filter((id) => !literal.values.includes(id) && (counts[id] as number) >= MIN_SIBLING_ROWS)
  others.sort((left, right) => (counts[right] as number) - (counts[left] as number) || (name(left) < name(right) ? -1 : 1))
  return others.slice(0, SIBLINGS).map((id) => {
    const of = (rows: Int32Array) => rows.filter((row) => dimension.ids[row] === id)
    return { slice: { [dimension.name]: [name(id)] }, ratio: changeRatio(given, of(input.a.rows), of(input.b.rows)) }
  })
}

function changeRatio(given: Case, incident: Int32Array, baseline: Int32Array): number {
  const { measure } = given.question
  if (measure.kind === 'deadline' || measure.kind === 'ratio') {
    const threshold = measure.kind === 'deadline' ? measure.seconds : 0.5
    const bad = (rows: Int32Array) => badShare(given.population, rows, threshold) + 0.5 / Math.max(rows.length, 1)
    return bad(incident) / bad(baseline)
  }
  return 1 + measureEffect(measure, given.population, given.conditioning, incident, baseline).relative
}

function excessSeconds(given: Case, rows: Int32Array, healed: ReadonlyMap<number, number>): number {
  const { measure, target } = given.question
  if (!isTimed(measure)) return 0
  let sum = 0
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index] as number
    const excess = (given.population.value[row] as number) - (healed.get(row) ?? Number.NaN)
    const weight = given.table.weight === null ? 1 : (given.table.weight[row] as number)
    if (Number.isFinite(excess)) sum += excess * weight
  }
  return Math.max(0, /_ms$/.test(target) ? sum / 1000 : sum)
}

/** Requests that would have been good: above the deadline (or above the baseline's own quantile) beyond the expected share. */
function badRequests(given: Case, candidate: Candidate, rows: SliceRows): number {
  const { measure } = given.question
  if (measure.kind === 'deadline' || measure.kind === 'ratio') {
    const threshold = measure.kind === 'deadline' ? measure.seconds : 0.5
    const extra = badShare(given.population, rows.incident, threshold) - badShare(given.population, rows.baseline, threshold)
    return Math.max(0, Math.round(extra * rows.incident.length))
  }
  return Math.max(0, Math.round(candidate.cA - (candidate.xA * (candidate.cB + 2)) / (candidate.xB + 2)))
}
