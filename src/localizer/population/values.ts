// Step 1a: what each row says of the target. A failed request counts as slower than every threshold, as in the product's objectives; an
// open or aborted one is known to have waited at least its age (right-censored, Kaplan-Meier's setting), so a hang is seen while it lasts.
import { FIRST_TOKEN_TARGETS, isTimed, type Question } from '../question.ts'
import { QuestionError, type Table } from '../table.ts'

export interface Values {
  /** Per table row; known for rows that were filled. */
  value: Float64Array
  /** Per table row: 1 where the value is only a lower bound. */
  censored: Uint8Array
  /** Works out the values of these rows at an instant: unfinished requests have an age then. */
  fill(rows: Int32Array, now: number): void
}

/** Targets that an age says nothing about. */
const PACE: ReadonlySet<string> = new Set(['tpot', 'itl_max'])
/** Any of these above 0 shows that an open request has its first token. */
const AFTER_FIRST_TOKEN = ['streaming', 'phase_engine_decode', 'output_tokens']

/** Error class of requests of which nobody spoke any more: how long they took is unknown, it may be the telemetry that was lost. */
const LOST = 'lost'

const FAILED: ReadonlySet<string> = new Set(['error', 'timeout', 'rejected'])
const FINISHED = 0
const BROKEN = 1
const OPEN = 2
const ABORTED = 3

/** `baseline`: the rows that say which vantages can be compared. */
export function createValues(table: Table, question: Question, baseline: Int32Array): Values {
  const censored = new Uint8Array(table.rows)
  const outcome = table.dimensions.get('outcome')
  const nothing = () => {}
  if (question.target === 'outcome' && outcome !== undefined) return { value: outcomeValues(table), censored, fill: nothing }
  const column = table.numbers.get(question.target)
  if (column === undefined) throw new QuestionError('target', `one of the columns ${[...table.numbers.keys()].join(', ')}`, question.target)
  if (outcome === undefined || !isTimed(question.measure)) return { value: column, censored, fill: nothing }
  const value = Float64Array.from(column)
  const states = outcome.values.map((name) =>
    FAILED.has(name) ? BROKEN : name === 'open' ? OPEN : name === 'aborted' ? ABORTED : FINISHED,
  )
  const unfinished = unfinishedValues(table, question.target, column)
  const isComparable = comparableVantages(table, baseline)
  const fill = (rows: Int32Array, now: number): void => {
    for (let index = 0; index < rows.length; index++) {
      const row = rows[index] as number
      const state = states[outcome.ids[row] as number] ?? FINISHED
      if (state === FINISHED) {
        value[row] = isComparable(row) ? (column[row] as number) : Number.NaN
        continue
      }
      const { seconds, isBound } = unfinished(row, state, now)
      value[row] = seconds
      censored[row] = isBound ? 1 : 0
    }
  }
  return { value, censored, fill }
}

/** The value of a request that did not end well. */
function unfinishedValues(table: Table, target: string, column: Float64Array) {
  const e2e = table.numbers.get('e2e')
  const later = AFTER_FIRST_TOKEN.map((name) => table.numbers.get(name)).filter((found) => found !== undefined)
  const errors = table.dimensions.get('error_class')
  const lost = errors?.values.indexOf(LOST) ?? -1
  const hasFirstToken = (row: number) => later.some((found) => (found[row] as number) > 0)
  return (row: number, state: number, now: number): { seconds: number; isBound: boolean } => {
    if (lost >= 0 && errors?.ids[row] === lost) return { seconds: Number.NaN, isBound: false }
    const seconds = column[row] as number
    const known = !Number.isNaN(seconds)
    if (state === BROKEN) {
      const endless = target === 'e2e' || target === 'ttft' || !known
      return { seconds: endless ? Number.POSITIVE_INFINITY : seconds, isBound: false }
    }
    if (known && !(target === 'e2e' && state === ABORTED)) return { seconds, isBound: false }
    const age = state === OPEN ? now - (table.time[row] as number) : (e2e?.[row] ?? Number.NaN)
    const unknown = PACE.has(target) || (FIRST_TOKEN_TARGETS.has(target) && hasFirstToken(row))
    return { seconds: unknown ? Number.NaN : Math.max(age, 0), isBound: true }
  }
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

/** A vantage that saw less than this part of the baseline is none to compare with. */
const MIN_VANTAGE_SHARE = 0.02

/** The engine's own first token is not the client's: rows of a vantage that the baseline hardly has say nothing of the target. */
function comparableVantages(table: Table, baseline: Int32Array): (row: number) => boolean {
  const vantage = table.dimensions.get('vantage')
  if (vantage === undefined || vantage.values.length < 2) return () => true
  const counts = new Float64Array(vantage.values.length + 1)
  for (let at = 0; at < baseline.length; at++) {
    const id = vantage.ids[baseline[at] as number] as number
    counts[id] = (counts[id] as number) + 1
  }
  const isKnown = counts.map((count) => (count >= MIN_VANTAGE_SHARE * baseline.length ? 1 : 0))
  return (row) => isKnown[vantage.ids[row] as number] === 1
}
