// Which columns of the store the localizer reads, and the query for them.
import { type ColumnKind, REQUEST_COLUMNS } from '@longpole/model/request-columns'
import { PHASE_COLUMNS } from '@longpole/model/request-record'
import { REQUESTS } from '../../store/schema/tables.ts'

/** Dictionary columns that tell how a request ended or who saw it: read, but no part of a slice. */
const CONSEQUENCES: ReadonlySet<string> = new Set(['outcome', 'error_class', 'finish_reason', 'vantage', 'model'])
const NUMBERS: ReadonlySet<ColumnKind> = new Set<ColumnKind>(['count', 'seconds', 'ratio', 'number', 'flag'])
const UNUSED: ReadonlySet<string> = new Set(['version', 'http_status', 'max_tokens', 'synthetic', 'ttfr', 'ttfa'])

export const DIMENSION_COLUMNS: readonly string[] = REQUEST_COLUMNS.filter(
  (column) => column.kind === 'dictionary' && !CONSEQUENCES.has(column.name),
).map((column) => column.name)

const READ_DIMENSIONS: readonly string[] = [...DIMENSION_COLUMNS, 'outcome', 'error_class']
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
  slice: Record<string, string[]>
  /** Record ids of open requests that have their first token already. */
  streaming: readonly string[]
}

const FILTERS: ReadonlySet<string> = new Set(REQUEST_COLUMNS.filter((column) => column.kind === 'dictionary').map((column) => column.name))

/** Sampled windows carry their weight, so that rates stay right. Throws RangeError for a slice that is no dimension. */
export function rowsQuery(wanted: RowsWanted): { sql: string; parameters: Record<string, unknown> } {
  const parameters: Record<string, unknown> = { streaming: wanted.streaming }
  const conditions = ['ifNull(synthetic, false) = false']
  if (wanted.model !== null) {
    conditions.push('model = {model:String}')
    parameters.model = wanted.model
  }
  for (const [column, values] of Object.entries(wanted.slice)) {
    if (!FILTERS.has(column)) throw new RangeError(`slice.${column}: no dimension of requests`)
    conditions.push(`${column} IN {slice_${column}:Array(String)}`)
    parameters[`slice_${column}`] = values
  }
  const parts = wanted.windows.map((window, index) => {
    parameters[`from_${index}`] = nanos(window.from)
    parameters[`to_${index}`] = nanos(window.to)
    const oneIn = Math.max(1, Math.round(wanted.oneIn[index] ?? 1))
    const sampled = oneIn > 1 ? ` AND cityHash64(record_id) % ${oneIn} = 0` : ''
    const range = `start_unix_ns >= {from_${index}:Int64} AND start_unix_ns < {to_${index}:Int64}`
    return `SELECT ${selectList(oneIn)} FROM ${REQUESTS.name} WHERE ${range}${sampled} AND ${conditions.join(' AND ')}`
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
