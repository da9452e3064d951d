// Step 10b: which phase columns can explain the target, their values now and healed for the rows of a slice, and where unfinished
// requests are stuck.
import type { PhaseShare } from '@longpole/model/finding'
import { PHASES, phaseColumn } from '@longpole/model/phase'
import { sampleRows } from '../sampling.ts'
import type { Case } from '../selection/case.ts'
import { rankMap } from '../share/rank-map.ts'
import { bounded } from '../share/share.ts'
import { type PhaseMatrix, phaseShares } from './shapley.ts'

export interface PhaseExcess {
  phase: string
  /** Mean seconds above the baseline at equal workload, per row of the slice. */
  excess: number
  /** Mean seconds in the baseline at equal workload. */
  expected: number
}

export interface PhaseAnswer {
  shares: PhaseShare[]
  excess: PhaseExcess[]
  /** Share of the slice's rows whose phases are unknown because they never ended. */
  unfinished: number
}

const ROWS = 5_000
const MAX_PLAYERS = 7
/** Rows of the baseline that phases are held against the target on. */
const COMPARED_ROWS = 20_000
const AFTER_FIRST_TOKEN: ReadonlySet<string> = new Set(
  PHASES.filter((phase) => !phase.beforeFirstToken).flatMap(({ id }) => [id, phaseColumn(id)]),
)

/** Targets that are a pace and no sum of phases, and the phases that a pace belongs to. */
const PACE_TARGETS: ReadonlySet<string> = new Set(['tpot', 'itl_max'])
const PACE_PHASES: ReadonlySet<string> = new Set(
  ['engine.decode', 'stream.drain', 'client.consume'].flatMap((id) => [id, id, `phase_${id.replaceAll('.', '_')}`]),
)

/** Phase columns that are part of the target: present, and after the first token only where the target is. */
export function relevantPhases(given: Case): string[] {
  const { target, phases } = given.question
  if (PACE_TARGETS.has(target)) return phases.filter((name) => given.table.numbers.has(name) && PACE_PHASES.has(name))
  const firstToken = target === 'ttft' || target === 'ttfr' || target === 'ttfa'
  return phases.filter((name) => given.table.numbers.has(name) && !(firstToken && AFTER_FIRST_TOKEN.has(name)) && isComponent(given, name))
}

/** A column that is often longer than the target is no part of it. */
function isComponent(given: Case, name: string): boolean {
  if (given.question.measure.kind === 'ratio' || given.question.measure.kind === 'sum') return true
  const column = given.table.numbers.get(name) as Float64Array
  let longer = 0
  let known = 0
  for (const row of sampleRows(given.population.draw, given.population.baseline, COMPARED_ROWS, given.question.seed)) {
    const phase = column[row] as number
    const value = given.population.value[row] as number
    if (Number.isNaN(phase) || !Number.isFinite(value)) continue
    known++
    if (phase > value * 1.05) longer++
  }
  return known === 0 || longer < known * 0.3
}

export function explainPhases(given: Case, incident: Int32Array, baseline: Int32Array): PhaseAnswer {
  const names = relevantPhases(given)
  const { table, question, population } = given
  const finished = incident.filter((row) => Number.isFinite(population.value[row] as number) && population.censored[row] === 0)
  const unfinished = incident.length === 0 ? 0 : 1 - finished.length / incident.length
  if (names.length === 0) return { shares: [], excess: [], unfinished }
  if (unfinished > 0.5) return { shares: stuckPhases(given, incident, names), excess: [], unfinished }
  const rows = bounded(population, table.time, finished, ROWS, question.seed)
  const usable = baseline.filter((row) => Number.isFinite(population.value[row] as number) && population.censored[row] === 0)
  const base = bounded(population, table.time, usable, ROWS * 2, question.seed)
  const { now, healed } = swapColumns(given, names, rows, base)
  const excess = names.map((phase, index) => {
    const expected = mean(healed[index] as Float64Array)
    return { phase, excess: mean(now[index] as Float64Array) - expected, expected }
  })
  if (PACE_TARGETS.has(question.target)) return { shares: meanShares(excess), excess, unfinished }
  const matrix = buildMatrix(given, names, rows, now, healed, excess)
  const summary = phaseSummary(given)
  const shares = phaseShares(matrix, summary, question.seed)
  const anyShare = shares.some((entry) => entry.share !== 0)
  return { shares: anyShare ? shares : meanShares(excess), excess, unfinished }
}

function swapColumns(given: Case, names: string[], rows: Int32Array, base: Int32Array) {
  const strata = (of: Int32Array) => Uint16Array.from(of, (row) => given.conditioning.bin[row] as number)
  const nowStrata = strata(rows)
  const baseStrata = strata(base)
  const now: Float64Array[] = []
  const healed: Float64Array[] = []
  for (const name of names) {
    const column = given.table.numbers.get(name) as Float64Array
    const known = (of: Int32Array) => Float64Array.from(of, (row) => (Number.isNaN(column[row] as number) ? 0 : (column[row] as number)))
    const values = known(rows)
    now.push(values)
    healed.push(rankMap(values, nowStrata, known(base), baseStrata))
  }
  return { now, healed }
}

/** The phases that moved most are players; the others stay as they are. */
function buildMatrix(
  given: Case,
  names: string[],
  rows: Int32Array,
  now: Float64Array[],
  healed: Float64Array[],
  excess: PhaseExcess[],
): PhaseMatrix {
  const players = names
    .map((_, index) => index)
    .sort((left, right) => Math.abs((excess[right] as PhaseExcess).excess) - Math.abs((excess[left] as PhaseExcess).excess) || left - right)
    .slice(0, MAX_PLAYERS)
  const unit = unitFactor(given)
  const rest = Float64Array.from(rows, (row) => given.population.value[row] as number)
  const scaled = (column: Float64Array) => (unit === 1 ? column : column.map((value) => value * unit))
  for (const index of players) {
    const column = scaled(now[index] as Float64Array)
    for (let row = 0; row < rest.length; row++) rest[row] = (rest[row] as number) - (column[row] as number)
  }
  return {
    names: players.map((index) => names[index] as string),
    now: players.map((index) => scaled(now[index] as Float64Array)),
    healed: players.map((index) => scaled(healed[index] as Float64Array)),
    rest,
  }
}

/** Phases in milliseconds beside a target in seconds, or the reverse. */
function unitFactor(given: Case): number {
  const isMilli = (name: string) => /_ms$|_millis(econds)?$/.test(name)
  const phasesMilli = given.question.phases.length > 0 && given.question.phases.every(isMilli)
  const targetMilli = isMilli(given.question.target)
  return phasesMilli === targetMilli ? 1 : phasesMilli ? 1e-3 : 1e3
}

/** Deadlines: the share above. Quantiles: the mean over the middle and the tail up to the one asked for, in seconds. */
function phaseSummary(given: Case): (values: Float64Array) => number {
  const { measure } = given.question
  if (measure.kind === 'deadline') {
    return (values) => {
      let bad = 0
      for (let index = 0; index < values.length; index++) if ((values[index] as number) > measure.seconds) bad++
      return bad / values.length
    }
  }
  const last = measure.kind === 'quantile' ? measure.quantile : 0.95
  const levels = [0.5, 0.75, 0.9, last].filter((level) => level <= Math.max(last, 0.5))
  return (values) => {
    const sorted = Float64Array.from(values).sort()
    let sum = 0
    for (const level of levels) sum += sorted[Math.min(sorted.length - 1, Math.floor(level * sorted.length))] as number
    return sum / levels.length
  }
}

function meanShares(excess: PhaseExcess[]): PhaseShare[] {
  const total = excess.reduce((sum, entry) => sum + Math.max(entry.excess, 0), 0)
  if (total <= 0) return []
  return excess
    .map(({ phase, excess: seconds }) => ({ phase, share: Math.max(seconds, 0) / total, low: 0, high: 1 }))
    .sort((left, right) => right.share - left.share || (left.phase < right.phase ? -1 : 1))
}

/** Unfinished requests are in the phase after the last one that is known. */
function stuckPhases(given: Case, incident: Int32Array, names: string[]): PhaseShare[] {
  const counts = new Float64Array(names.length)
  let total = 0
  const columns = names.map((name) => given.table.numbers.get(name) as Float64Array)
  for (const row of incident) {
    if (given.population.censored[row] === 0 && Number.isFinite(given.population.value[row] as number)) continue
    let last = -1
    for (let index = 0; index < columns.length; index++) if (((columns[index] as Float64Array)[row] as number) > 0) last = index
    if (last < 0) continue
    counts[Math.min(last + 1, names.length - 1)] = (counts[Math.min(last + 1, names.length - 1)] as number) + 1
    total++
  }
  if (total === 0) return []
  return names
    .map((phase, index) => ({ phase, share: (counts[index] as number) / total, low: 0, high: 1 }))
    .filter((entry) => entry.share > 0)
    .sort((left, right) => right.share - left.share)
}

function mean(values: Float64Array): number {
  let sum = 0
  for (let index = 0; index < values.length; index++) sum += values[index] as number
  return values.length === 0 ? 0 : sum / values.length
}
