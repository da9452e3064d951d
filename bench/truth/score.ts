// What an answer is worth against the truth: slice by the rows it covers (Jaccard ≥ 0.9), phase, mechanism, onset, silence.
import type { Finding, Slice } from '@longpole/model/finding'
import type { Table } from '../../src/localizer/table.ts'
import type { TruthCase } from './case.ts'

export interface Score {
  outcome: 'right' | 'wrong' | 'silent' | 'false_alarm' | 'quiet' | 'named' | 'unnamed'
  top3: boolean
  confident: boolean
  phase: boolean | null
  mechanism: boolean | null
  onsetError: number | null
  /** F1 of the set of slices that are named, where faults are paired with a run without them. */
  setF1: number | null
  /** |share explained − what the paired run says|, of each fault that was named. */
  shareErrors: number[]
  /** A change that did nothing is named beside a slice. */
  blamed: boolean | null
  /** Of the changes named, the first is the one that did it. */
  guilty: boolean | null
}

/** What a method says: its best slices first; empty: silent. */
export interface Said {
  verdict: Finding['verdict']
  slices: Slice[]
  finding: Finding | null
  /** All of them, where there are any. */
  findings: Finding[]
}

export const JACCARD = 0.9

export function scoreCase(given: TruthCase, said: Said): Score {
  const { truth } = given
  const unknown = { phase: null, mechanism: null, onsetError: null, setF1: null, shareErrors: [], guilty: null }
  const score: Score = { outcome: 'silent', top3: false, confident: false, ...unknown, blamed: blamesInnocent(given, said) }
  const alarm = said.verdict === 'localized' || said.verdict === 'fleet_wide'
  score.confident = alarm && said.finding?.confidence === 'high'
  if (truth.kind === 'quiet') return { ...score, outcome: alarm ? 'false_alarm' : 'quiet' }
  if (truth.kind === 'shift') return { ...score, outcome: alarm ? 'false_alarm' : namesMove(given, said) ? 'named' : 'unnamed' }
  if (!alarm) return score
  const slices = said.verdict === 'fleet_wide' ? [{}] : said.slices
  const hit = (slice: Slice) => truth.slices.some((wanted) => sameRows(given, slice, wanted))
  score.outcome = slices.length > 0 && hit(slices[0] as Slice) ? 'right' : 'wrong'
  score.top3 = slices.slice(0, 3).some(hit)
  const named = said.findings.filter(({ verdict }) => verdict === 'localized')
  if (truth.shares !== undefined)
    score.setF1 = setF1(
      given,
      named.map(({ slice }) => slice),
    )
  for (const { slice, share } of truth.shares ?? []) {
    const finding = named.find((candidate) => sameRows(given, candidate.slice, slice))
    if (finding?.share_explained != null) score.shareErrors.push(Math.abs(finding.share_explained.value - Math.min(1, Math.max(0, share))))
  }
  judgeDetails(given, said, score)
  return score
}

function blamesInnocent({ truth }: TruthCase, { findings }: Said): boolean | null {
  if (truth.changes === undefined || findings.length === 0) return null
  return findings.some(({ changes }) => changes.some(({ event }) => truth.changes?.innocent.includes(event.id)))
}

function judgeDetails(given: TruthCase, said: Said, score: Score): void {
  const { truth } = given
  if (score.outcome !== 'right' || said.finding === null) return
  if (truth.phases.length > 0) score.phase = truth.phases.includes(said.finding.phases[0]?.phase ?? '')
  if (truth.mechanisms.length > 0) score.mechanism = truth.mechanisms.includes(said.finding.mechanism?.name ?? '')
  if (truth.onset !== null && said.finding.onset !== null)
    score.onsetError = Math.abs(Date.parse(said.finding.onset.at) / 1000 - truth.onset)
  if (truth.changes?.guilty != null) score.guilty = said.finding.changes[0]?.event.id === truth.changes.guilty
}

function namesMove(given: TruthCase, said: Said): boolean {
  if (said.verdict !== 'workload_shift' || said.finding === null) return false
  return said.finding.workload.slice(0, 3).some((move) => given.truth.moved.includes(move.dimension))
}

export function sameRows(given: TruthCase, left: Slice, right: Slice): boolean {
  return rowJaccard(given, left, right) >= JACCARD
}

export function rowJaccard(given: TruthCase, left: Slice, right: Slice): number {
  const inLeft = sliceTest(given.table, left)
  const inRight = sliceTest(given.table, right)
  const { from, to } = given.question.incident
  let both = 0
  let either = 0
  for (let row = 0; row < given.table.rows; row++) {
    const time = given.table.time[row] as number
    if (time < from || time >= to) continue
    const a = inLeft(row)
    const b = inRight(row)
    if (a && b) both++
    if (a || b) either++
  }
  return either === 0 ? 0 : both / either
}

export function sliceTest(table: Table, slice: Slice): (row: number) => boolean {
  const tests = Object.entries(slice).map(([dimension, values]) => {
    const column = table.dimensions.get(dimension)
    const wanted = new Set(values)
    const flags = column?.values.map((value) => wanted.has(value)) ?? []
    return (row: number) => column !== undefined && flags[column.ids[row] as number] === true
  })
  return (row) => tests.every((test) => test(row))
}

function setF1(given: TruthCase, slices: Slice[]): number {
  const wanted = given.truth.slices
  const found = wanted.filter((slice) => slices.some((said) => sameRows(given, said, slice))).length
  const precise = slices.filter((said) => wanted.some((slice) => sameRows(given, said, slice))).length
  const precision = slices.length === 0 ? 0 : precise / slices.length
  const recall = found / wanted.length
  return precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall)
}
