// What kind of number the target is, where the command line does not say.
import type { Measure } from '../../localizer/question.ts'
import type { Table } from '../../localizer/table.ts'
import { InputError } from '../input-error.ts'

const DEFAULT_QUANTILE = 0.99
const KNOWN_DURATIONS = /^(ttft|ttfr|ttfa|tpot|itl_max|e2e|phase_.+|.*(latency|duration|seconds|_ms|_time|elapsed|delay).*)$/i

export interface MeasureOptions {
  slo?: string | undefined
  quantile?: string | undefined
}

/** A boolean is a ratio; a duration is a quantile; a cube of additive values (each combination once per instant) is a sum. */
export function chooseMeasure(table: Table, target: string, options: MeasureOptions): Measure {
  if (options.slo !== undefined && options.quantile !== undefined)
    throw new InputError('--slo and --quantile: expected one of them, got both')
  if (target === 'outcome' || table.flags.has(target)) return { kind: 'ratio' }
  const column = table.numbers.get(target)
  if (column === undefined) throw new InputError(`--target: no number column ${target}`)
  if (options.slo !== undefined) return { kind: 'deadline', seconds: positive(options.slo, '--slo') }
  if (options.quantile !== undefined) {
    const quantile = positive(options.quantile, '--quantile')
    if (quantile >= 1) throw new InputError(`--quantile: expected a number between 0 and 1, got ${options.quantile}`)
    return { kind: 'quantile', quantile }
  }
  if (isBinary(column)) return { kind: 'ratio' }
  if (!KNOWN_DURATIONS.test(target) && isCube(table)) return { kind: 'sum' }
  return { kind: 'quantile', quantile: DEFAULT_QUANTILE }
}

function positive(text: string, key: string): number {
  const value = Number(text)
  if (!(value > 0) || !Number.isFinite(value)) throw new InputError(`${key}: expected a positive number, got ${text}`)
  return value
}

function isBinary(column: Float64Array): boolean {
  let seen = 0
  for (let row = 0; row < column.length; row++) {
    const value = column[row] as number
    if (Number.isNaN(value)) continue
    if (value !== 0 && value !== 1) return false
    seen++
  }
  return seen > 0
}

/** Few distinct instants with many rows each: values per interval and not single events. */
function isCube(table: Table): boolean {
  const instants = new Set<number>()
  for (let row = 0; row < table.rows; row++) {
    instants.add(table.time[row] as number)
    if (instants.size > table.rows / 8) return false
  }
  return instants.size >= 2
}
