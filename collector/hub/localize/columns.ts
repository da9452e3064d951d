// Which columns of the store the localizer reads, and the query for them.
import { type ColumnKind, REQUEST_COLUMNS } from '@longpole/model/request-columns'
import { PHASE_COLUMNS } from '@longpole/model/request-record'
import { REQUESTS } from '../../store/schema/tables.ts'
import { type Receipts, readReceipts, receiptColumns } from '../api/received-sample.ts'
import { type TimeSample, WHOLE } from '../api/time-sample.ts'

/** Dictionary columns that tell how a request ended or who saw it: read, but no part of a slice. */
const CONSEQUENCES: ReadonlySet<string> = new Set(['outcome', 'error_class', 'finish_reason', 'vantage', 'model'])
const NUMBERS: ReadonlySet<ColumnKind> = new Set<ColumnKind>(['count', 'seconds', 'ratio', 'number', 'flag'])
const UNUSED: ReadonlySet<string> = new Set(['version', 'http_status', 'max_tokens', 'synthetic', 'ttfr', 'ttfa'])

export const DIMENSION_COLUMNS: readonly string[] = REQUEST_COLUMNS.filter(
  (column) => column.kind === 'dictionary' && !CONSEQUENCES.has(column.name),
).map((column) => column.name)

const READ_DIMENSIONS: readonly string[] = [...DIMENSION_COLUMNS, 'outcome', 'error_class', 'vantage']
const READ_NUMBERS: readonly string[] = [
  ...REQUEST_COLUMNS.filter((column) => NUMBERS.has(column.kind) && !UNUSED.has(column.name)).map((column) => column.name),
  ...PHASE_COLUMNS.map((phase) => phase.seconds),
]

export const PHASE_NUMBERS: readonly string[] = PHASE_COLUMNS.map((phase) => phase.seconds)

export interface RowsWanted {
  model: string | null
  /** Unix seconds. */
  windows: { from: number; to: number }[]
  /** One in so many rows of each window, 1 for all. */
  oneIn: number[]
  /** Slices of each window that are read, where not all of it is. */
  slices?: TimeSample[]
  slice: Record<string, string[]>
  /** Record ids of open requests that have their first token already. */
  streaming: readonly string[]
}

const FILTERS: ReadonlySet<string> = new Set(REQUEST_COLUMNS.filter((column) => column.kind === 'dictionary').map((column) => column.name))

/** Conditions on the rows of any window. Throws RangeError for a slice that is no dimension. */
function conditionsOf({ model, slice }: Pick<RowsWanted, 'model' | 'slice'>, parameters: Record<string, unknown>): string[] {
  const conditions = ['ifNull(synthetic, false) = false']
  if (model !== null) {
    conditions.push('model = {model:String}')
    parameters.model = model
  }
  for (const [column, values] of Object.entries(slice)) {
    if (!FILTERS.has(column)) throw new RangeError(`slice.${column}: no dimension of requests`)
    conditions.push(`${column} IN {slice_${column}:Array(String)}`)
    parameters[`slice_${column}`] = values
  }
  return conditions
}

function rangeOf({ from, to }: { from: number; to: number }, index: number, parameters: Record<string, unknown>): string {
  parameters[`from_${index}`] = nanos(from)
  parameters[`to_${index}`] = nanos(to)
  return `start_unix_ns >= {from_${index}:Int64} AND start_unix_ns < {to_${index}:Int64}`
}

/** What a window holds: how many rows, and when they were received. */
export interface WindowRows {
  rows: number
  receipts: Receipts
}

/** Rows of each window, and what slices of it are made of: `parts` of them each. */
export function countQuery({ model, slice, windows }: Pick<RowsWanted, 'model' | 'slice' | 'windows'>, parts: readonly number[]) {
  const parameters: Record<string, unknown> = {}
  const counted = windows.map((window, index) => {
    const range = rangeOf(window, index, parameters)
    return `countIf(${range}) AS rows_${index}, ${receiptColumns(`${index}`, range, parts[index] ?? 1)}`
  })
  const whole = { from: Math.min(...windows.map(({ from }) => from)), to: Math.max(...windows.map(({ to }) => to)) }
  const conditions = [rangeOf(whole, windows.length, parameters), ...conditionsOf({ model, slice }, parameters)]
  const read = (row: Readonly<Record<string, unknown>>): WindowRows[] =>
    windows.map((_, index) => ({ rows: Number(row[`rows_${index}`] ?? 0), receipts: readReceipts(row, `${index}`) }))
  return { sql: `SELECT ${counted.join(', ')} FROM ${REQUESTS.name} WHERE ${conditions.join(' AND ')}`, parameters, read }
}

/**
 * Sampled windows carry their weight, so that rates stay right. The sample is taken before `final` looks for newer versions: all versions
 * of a record share its id, so that changes nothing but the work.
 */
export function rowsQuery(wanted: RowsWanted): { sql: string; parameters: Record<string, unknown> } {
  const parameters: Record<string, unknown> = { streaming: wanted.streaming }
  const conditions = conditionsOf(wanted, parameters)
  const parts = wanted.windows.map((window, index) => {
    const oneIn = Math.max(1, Math.round(wanted.oneIn[index] ?? 1))
    const slices = wanted.slices?.[index] ?? WHOLE
    const sampled = oneIn > 1 ? `PREWHERE cityHash64(record_id) % ${oneIn} = 0` : ''
    const range = [rangeOf(window, index, parameters), ...(slices.condition === null ? [] : [slices.condition])]
    const where = [...range, ...conditions].join(' AND ')
    return `SELECT ${selectList(oneIn * slices.oneIn)} FROM ${REQUESTS.name} ${sampled} WHERE ${where}`
  })
  return { sql: parts.join(' UNION ALL '), parameters }
}

function selectList(oneIn: number): string {
  const numbers = READ_NUMBERS.map((name) => (name === 'weight' ? `weight * ${oneIn} AS weight` : `toFloat64(${name}) AS ${name}`))
  const streaming = "toFloat64(outcome = 'open' AND record_id IN {streaming:Array(String)}) AS streaming"
  return ['start_unix_ns / 1e9 AS time', streaming, ...READ_DIMENSIONS, ...numbers].join(', ')
}

function nanos(seconds: number): string {
  return (BigInt(Math.round(seconds * 1e6)) * 1000n).toString()
}
