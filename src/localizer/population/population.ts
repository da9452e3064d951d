// Step 1: which rows are compared, and what each of them says. Turns windows and outcomes into two sets of rows with one value each,
// censored where the request is not finished, infinite where it failed.
import type { Question, Window } from '../question.ts'
import { drawRows, sampleRows } from '../sampling.ts'
import { QuestionError, type Table, TooFewRowsError } from '../table.ts'

export interface Population {
  /** Rows of the incident and of the baseline, ascending. */
  incident: Int32Array
  baseline: Int32Array
  /** Per table row: the target; for an unfinished request its age; +Infinity where it failed; NaN where unknown. */
  value: Float64Array
  /** Per table row: 1 where the value is only a lower bound. */
  censored: Uint8Array
  /** Per table row of the windows: a hash that samples are chosen by. */
  draw: Uint32Array
  windows: { incident: Window; baseline: Window[] }
  /** Rows of the baseline stand for so many each: where it is much larger than the incident needs, it is sampled. */
  baselineFactor: number
  /** Rows in the windows with a usable target, before sampling. */
  rows: { incident: number; baseline: number }
  /** Rows in the windows without a usable target. */
  missing: { incident: number; baseline: number }
}

/** Fewer rows than this on either side, and nothing can be said. */
export const MIN_INCIDENT_ROWS = 8
export const MIN_BASELINE_ROWS = 16

/** More baseline rows than this, and than twice the incident's, add nothing: the incident's own counts are what is uncertain. */
const BASELINE_ROWS = { least: 200_000, most: 1_000_000, perIncidentRow: 2 }

/** Targets that are decided when the first token comes, and targets that an age says nothing about. */
const FIRST_TOKEN: ReadonlySet<string> = new Set(['ttft', 'ttfr', 'ttfa'])
const PACE: ReadonlySet<string> = new Set(['tpot', 'itl_max'])
/** Any of these above 0 shows that an open request has its first token. */
const AFTER_FIRST_TOKEN = ['streaming', 'phase_engine_decode', 'output_tokens']

/** Error class of requests of which nobody spoke any more: how long they took is unknown, it may be the telemetry that was lost. */
const LOST = 'lost'

const FAILED: ReadonlySet<string> = new Set(['error', 'timeout', 'rejected'])

export function selectPopulation(table: Table, question: Question): Population {
  const incident = checkWindow(question.incident, 'incident')
  const baselines = question.baseline.map((window, index) => checkWindow(window, `baseline ${index + 1}`))
  if (baselines.length === 0) baselines.push({ from: Number.NEGATIVE_INFINITY, to: incident.from })
  const { value, censored } = rowValues(table, question, incident)
  const missing = { incident: 0, baseline: 0 }
  const incidentRows: number[] = []
  const baselineRows: number[] = []
  for (let row = 0; row < table.rows; row++) {
    const time = table.time[row] as number
    const inIncident = time >= incident.from && time < incident.to
    if (!inIncident && !baselines.some((window) => time >= window.from && time < window.to)) continue
    if (Number.isNaN(value[row] as number)) {
      missing[inIncident ? 'incident' : 'baseline']++
      continue
    }
    if (inIncident) incidentRows.push(row)
    else baselineRows.push(row)
  }
  requireRows('incident', incidentRows.length, MIN_INCIDENT_ROWS, missing.incident)
  requireRows('baseline', baselineRows.length, MIN_BASELINE_ROWS, missing.baseline)
  const chosen = { incident: Int32Array.from(incidentRows), baseline: Int32Array.from(baselineRows) }
  const draw = new Uint32Array(table.rows)
  drawRows(table, value, chosen.incident, draw)
  drawRows(table, value, chosen.baseline, draw)
  const sampled =
    question.measure.kind === 'sum'
      ? chosen.baseline
      : sampleRows(draw, chosen.baseline, baselineLimit(chosen.incident.length), question.seed)
  return {
    incident: chosen.incident,
    baseline: sampled,
    value,
    censored,
    draw,
    baselineFactor: chosen.baseline.length / sampled.length,
    rows: { incident: chosen.incident.length, baseline: chosen.baseline.length },
    windows: { incident, baseline: baselines },
    missing,
  }
}

function baselineLimit(incidentRows: number): number {
  return Math.min(BASELINE_ROWS.most, Math.max(BASELINE_ROWS.least, BASELINE_ROWS.perIncidentRow * incidentRows))
}

function checkWindow(window: Window, key: string): Window {
  if (!(window.to > window.from)) throw new QuestionError(key, 'a window that ends after it begins', `${window.from}..${window.to}`)
  return window
}

function requireRows(side: string, rows: number, least: number, missing: number): void {
  if (rows >= least) return
  const lost = missing > 0 ? ` (${missing} more have no value)` : ''
  throw new TooFewRowsError(`too few rows: the ${side} window holds ${rows}${lost}, at least ${least} are needed`)
}

/**
 * The value of each row. A failed request counts as slower than every threshold, as in the product's objectives; an open or aborted
 * one is known to have waited at least its age (right-censored, Kaplan-Meier's setting), so a hang is seen while it lasts.
 */
function rowValues(table: Table, question: Question, incident: Window): { value: Float64Array; censored: Uint8Array } {
  const censored = new Uint8Array(table.rows)
  const outcome = table.dimensions.get('outcome')
  if (question.target === 'outcome' && outcome !== undefined) return { value: outcomeValues(table), censored }
  const column = table.numbers.get(question.target)
  if (column === undefined) throw new QuestionError('target', `one of the columns ${[...table.numbers.keys()].join(', ')}`, question.target)
  const timed = question.measure.kind === 'quantile' || question.measure.kind === 'deadline'
  if (outcome === undefined || !timed) return { value: column, censored }
  const value = Float64Array.from(column)
  const e2e = table.numbers.get('e2e')
  const later = AFTER_FIRST_TOKEN.map((name) => table.numbers.get(name)).filter((found) => found !== undefined)
  const errors = table.dimensions.get('error_class')
  const lost = errors?.values.indexOf(LOST) ?? -1
  const isLost = (row: number) => lost >= 0 && errors?.ids[row] === lost
  const hasFirstToken = (row: number) => later.some((found) => (found[row] as number) > 0)
  const states = outcome.values.map((name) => (FAILED.has(name) ? 1 : name === 'open' ? 2 : name === 'aborted' ? 3 : 0))
  for (let row = 0; row < table.rows; row++) {
    const state = states[outcome.ids[row] as number] ?? 0
    if (state === 0) continue
    if (isLost(row)) {
      value[row] = Number.NaN
      continue
    }
    const known = !Number.isNaN(column[row] as number)
    if (state === 1) {
      if (question.target === 'e2e' || question.target === 'ttft' || !known) value[row] = Number.POSITIVE_INFINITY
    } else if (!known || (question.target === 'e2e' && state === 3)) {
      const age = state === 2 ? incident.to - (table.time[row] as number) : (e2e?.[row] ?? Number.NaN)
      const unknown = PACE.has(question.target) || (FIRST_TOKEN.has(question.target) && hasFirstToken(row))
      value[row] = unknown ? Number.NaN : Math.max(age, 0)
      censored[row] = 1
    }
  }
  return { value, censored }
}

/** `outcome` as a target: bad is error, timeout or rejected; aborted ones are neither. Open ones have not failed: without them a window
 * in which long requests are still running would hold only the early failures. */
function outcomeValues(table: Table): Float64Array {
  const outcome = table.dimensions.get('outcome')
  const value = new Float64Array(table.rows).fill(Number.NaN)
  if (outcome === undefined) return value
  const bad = outcome.values.map((name) => (FAILED.has(name) ? 1 : name === 'aborted' ? Number.NaN : 0))
  for (let row = 0; row < table.rows; row++) value[row] = bad[outcome.ids[row] as number] ?? Number.NaN
  return value
}
