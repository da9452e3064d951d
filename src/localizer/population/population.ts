// Step 1: which rows are compared, and what each of them says. Turns windows and outcomes into two sets of rows with one value each,
// censored where the request is not finished, infinite where it failed.
import type { Question, Window } from '../question.ts'
import { drawRows, sampleRows } from '../sampling.ts'
import { QuestionError, type Table, TooFewRowsError } from '../table.ts'
import { createValues, type Values } from './values.ts'

/** The baseline's side, which does not depend on the incident. */
export interface BaselinePopulation {
  windows: Window[]
  /** Ascending; a sample where there are many. */
  rows: Int32Array
  /** Rows with a usable target before sampling, and rows without one. */
  counted: number
  missing: number
  values: Values
  /** Per table row of the windows: a hash that samples are chosen by. */
  draw: Uint32Array
  /** The value of some row is its age at the end of the incident. */
  aged: boolean
}

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
  /** Rows of the baseline stand for so many each: a large one is sampled. */
  baselineFactor: number
  /** Rows in the windows with a usable target, before sampling, and without one. */
  rows: { incident: number; baseline: number }
  missing: { incident: number; baseline: number }
}

/** Fewer rows than this on either side, and nothing can be said. */
export const MIN_INCIDENT_ROWS = 8
export const MIN_BASELINE_ROWS = 16

/** More baseline rows add nothing: what the incident's own counts leave open is more. Additive measures need every row. */
const BASELINE_ROWS = 300_000

export function selectBaseline(table: Table, question: Question): BaselinePopulation {
  const incident = checkWindow(question.incident, 'incident')
  const windows = question.baseline.map((window, index) => checkWindow(window, `baseline ${index + 1}`))
  if (windows.length === 0) windows.push({ from: Number.NEGATIVE_INFINITY, to: incident.from })
  requireRows('incident', rowsIn(table, [incident], null).length, MIN_INCIDENT_ROWS, 0)
  const inWindows = rowsIn(table, windows, incident)
  const values = createValues(table, question, inWindows)
  const { rows, missing } = withValue(values, inWindows, incident.to)
  requireRows('baseline', rows.length, MIN_BASELINE_ROWS, missing)
  const draw = new Uint32Array(table.rows)
  drawRows(table, values.value, rows, draw)
  const limit = question.measure.kind === 'sum' ? Number.POSITIVE_INFINITY : BASELINE_ROWS
  const aged = rows.some((row) => values.censored[row] === 1)
  return { windows, rows: sampleRows(draw, rows, limit, question.seed), counted: rows.length, missing, values, draw, aged }
}

export function selectPopulation(table: Table, question: Question, baseline: BaselinePopulation): Population {
  const { values, draw } = baseline
  const { rows, missing } = withValue(values, rowsIn(table, [question.incident], null), question.incident.to)
  requireRows('incident', rows.length, MIN_INCIDENT_ROWS, missing)
  drawRows(table, values.value, rows, draw)
  return {
    incident: rows,
    baseline: baseline.rows,
    value: values.value,
    censored: values.censored,
    draw,
    windows: { incident: question.incident, baseline: baseline.windows },
    baselineFactor: baseline.counted / baseline.rows.length,
    rows: { incident: rows.length, baseline: baseline.counted },
    missing: { incident: missing, baseline: baseline.missing },
  }
}

function rowsIn({ rows, time }: Table, windows: readonly Window[], without: Window | null): Int32Array {
  const found = new Int32Array(rows)
  let count = 0
  for (let row = 0; row < rows; row++) {
    const at = time[row] as number
    if (without !== null && at >= without.from && at < without.to) continue
    for (let index = 0; index < windows.length; index++) {
      const window = windows[index] as Window
      if (at < window.from || at >= window.to) continue
      found[count++] = row
      break
    }
  }
  return found.slice(0, count)
}

function withValue(values: Values, rows: Int32Array, now: number): { rows: Int32Array; missing: number } {
  values.fill(rows, now)
  const { value } = values
  let count = 0
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index] as number
    if (!Number.isNaN(value[row] as number)) rows[count++] = row
  }
  return { rows: count === rows.length ? rows : rows.slice(0, count), missing: rows.length - count }
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
