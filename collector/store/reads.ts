// The questions the hub asks of the store.
import type { Finding } from '@longpole/model/finding'
import { type ColumnKind, REQUEST_COLUMNS } from '@longpole/model/request-columns'
import type { RequestRecord } from '@longpole/model/request-record'
import type { Span } from '@longpole/model/span'
import type { StoreClient } from './client.ts'
import { decodeEvent, EVENT_SELECT } from './rows/other-rows.ts'
import { decodeRecord, RECORD_SELECT } from './rows/request-rows.ts'
import { createSpanDecoder, SPAN_SELECT } from './rows/span-rows.ts'
import { EVENTS, FINDINGS, REQUESTS, SPANS } from './schema/tables.ts'
import type { RequestFilter, Store, StoredSpan } from './store.ts'

type Reads = Pick<
  Store,
  'requests' | 'request' | 'spansOfTraces' | 'spansSince' | 'findings' | 'events' | 'query' | 'queryArrow' | 'export'
>

const DEFAULT_LIMIT = 100
const REPLAY_ROWS = 5_000
const MAX_TRACE_ROWS = 10_000

export function createReads(client: StoreClient): Reads {
  return {
    async requests(filter) {
      const { limit = DEFAULT_LIMIT } = filter
      const keys = await readKeys(client, filter)
      const page = keys.slice(0, limit)
      const last = page.at(-1)
      const items = await readRecords(client, page)
      return { items, next: keys.length > limit && last !== undefined ? encodeCursor(last.sort_value, last.record_id) : null }
    },
    async request(recordId) {
      const sql = `SELECT ${RECORD_SELECT} FROM ${REQUESTS.name} PREWHERE record_id = {id:String} LIMIT 1`
      const [row] = await compactRows(client, sql, { id: recordId })
      return row === undefined ? null : decodeRecord(row)
    },
    async spansOfTraces(traceIds, sinceUnixNano = 0n) {
      const sql = `SELECT ${SPAN_SELECT} FROM ${SPANS.name} PREWHERE received_unix_ns >= {since:Int64} AND trace_id IN {traces:Array(String)}
        ORDER BY start_unix_ns, received_unix_ns LIMIT ${MAX_TRACE_ROWS} BY trace_id`
      const decode = createSpanDecoder()
      const rows = await client.rows<object>(sql, { traces: traceIds, since: sinceUnixNano.toString() })
      // A span that was sent twice is stored twice: the first one counts.
      const distinct = new Map<string, Span>()
      for (const row of rows) {
        const { span } = decode(row)
        const key = span.traceId + span.spanId
        if (!distinct.has(key)) distinct.set(key, span)
      }
      return [...distinct.values()]
    },
    async *spansSince(receivedUnixNano, limit) {
      const bound = limit === undefined ? '' : ` LIMIT ${Math.trunc(limit)}`
      const sql = `SELECT ${SPAN_SELECT} FROM ${SPANS.name} WHERE received_unix_ns >= {since:Int64} ORDER BY received_unix_ns${bound}`
      const stream = await client.stream(sql, 'JSONEachRow', { since: receivedUnixNano.toString() })
      const decode = createSpanDecoder()
      let batch: StoredSpan[] = []
      for await (const line of readLines(stream)) {
        batch.push(decode(JSON.parse(line)))
        if (batch.length < REPLAY_ROWS) continue
        yield batch
        batch = []
      }
      if (batch.length > 0) yield batch
    },
    async findings({ open, limit = DEFAULT_LIMIT }) {
      const condition = open === undefined ? '' : 'WHERE open = {open:Bool}'
      const sql = `SELECT finding FROM ${FINDINGS.name} ${condition} ORDER BY open DESC, updated_unix_ns DESC LIMIT {limit:UInt32}`
      const rows = await client.rows<{ finding: string }>(sql, { limit, ...(open === undefined ? {} : { open }) })
      return rows.map((row) => JSON.parse(row.finding) as Finding)
    },
    async events(from, to) {
      const sql = `SELECT ${EVENT_SELECT} FROM ${EVENTS.name} WHERE unix_ns >= {from:Int64} AND unix_ns < {to:Int64} ORDER BY unix_ns, id LIMIT 10000`
      const rows = await client.rows<Record<string, string | null>>(sql, { from: from.toString(), to: to.toString() })
      return rows.map(decodeEvent)
    },
    query: (sql, parameters) => client.rows(sql, parameters),
    queryArrow: (sql, parameters) => client.bytes(sql, 'ArrowStream', parameters),
    export: (sql, format, parameters) => client.stream(sql, format, parameters),
  }
}

async function compactRows(client: StoreClient, sql: string, parameters: Record<string, unknown>): Promise<unknown[][]> {
  const text = Buffer.from(await client.bytes(sql, 'JSONCompactEachRow', parameters)).toString('utf8')
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown[])
}

async function* readLines(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of stream) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let start = 0
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
      if (end > start) yield bytes.toString('utf8', start, end)
      start = end + 1
    }
    rest = bytes.subarray(start)
  }
  if (rest.length > 0) yield rest.toString('utf8')
}

const KINDS = new Map<string, ColumnKind>(REQUEST_COLUMNS.map((column) => [column.name, column.kind]))

/** The condition of a filter with its parameters. Throws RangeError for a column that cannot be filtered by. */
export function requestConditions({ from, to, where = {}, outcome, condition }: RequestFilter): {
  conditions: string[]
  parameters: Record<string, unknown>
} {
  const conditions: string[] = []
  const parameters: Record<string, unknown> = {}
  if (from !== undefined) {
    conditions.push('start_unix_ns >= {from:Int64}')
    parameters.from = from.toString()
  }
  if (to !== undefined) {
    conditions.push('start_unix_ns < {to:Int64}')
    parameters.to = to.toString()
  }
  if (condition !== undefined) conditions.push(condition)
  const equal = { ...where, ...(outcome === undefined ? {} : { outcome }) }
  for (const [column, values] of Object.entries(equal)) {
    const kind = KINDS.get(column)
    if (kind !== 'dictionary' && kind !== 'text') throw new RangeError(`requests cannot be filtered by ${column}`)
    conditions.push(`${column} IN {where_${column}:Array(String)}`)
    parameters[`where_${column}`] = values
  }
  return { conditions, parameters }
}

type Order = NonNullable<RequestFilter['order']>
const ORDER_COLUMN: Record<Order, string> = { start: 'start_unix_ns', e2e: 'ifNull(e2e, -1)', ttft: 'ifNull(ttft, -1)' }
const CURSOR_TYPE: Record<Order, string> = { start: 'Int64', e2e: 'Float64', ttft: 'Float64' }

interface RequestKey {
  record_id: string
  received: string
  sort_value: string
}

/** How far back from the newest a page without `from` is looked for before all that is older: nearly always there is enough. */
const LOOK_BACK_NANOS = [600_000_000_000n, 21_600_000_000_000n] as const

/** Keys of a page in its order, one more than asked for. Only few columns are read, however many rows the window holds. */
async function readKeys(client: StoreClient, filter: RequestFilter): Promise<RequestKey[]> {
  const { order = 'start', limit = DEFAULT_LIMIT, from, cursor } = filter
  const read = (bounded: RequestFilter) => {
    const { sql, parameters } = keysQuery(bounded)
    return client.rows<RequestKey>(sql, parameters)
  }
  if (order !== 'start' || from !== undefined) return read(filter)
  const newest = cursor === undefined ? await newestStart(client) : BigInt(decodeCursor(cursor, /^\d{1,19}$/)[0])
  for (const lookBack of newest === null ? [] : LOOK_BACK_NANOS) {
    const keys = await read({ ...filter, from: newest! - lookBack })
    if (keys.length > limit) return keys
  }
  return read(filter)
}

async function newestStart(client: StoreClient): Promise<bigint | null> {
  const [row] = await client.rows<{ rows: number; newest: string }>(
    `SELECT count() AS rows, toString(max(start_unix_ns)) AS newest FROM ${REQUESTS.name} SETTINGS final = 0`,
  )
  return row === undefined || row.rows === 0 ? null : BigInt(row.newest)
}

function keysQuery(filter: RequestFilter) {
  const { order = 'start', limit = DEFAULT_LIMIT, cursor } = filter
  const { conditions, parameters } = requestConditions(filter)
  const column = ORDER_COLUMN[order]
  if (cursor !== undefined) {
    const [value, recordId] = decodeCursor(cursor)
    conditions.push(`(${column}, record_id) < ({cursor:${CURSOR_TYPE[order]}}, {cursorId:String})`)
    Object.assign(parameters, { cursor: value, cursorId: recordId })
  }
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
  const sql = `SELECT record_id, toString(received_unix_ns) AS received, toString(${column}) AS sort_value
    FROM ${REQUESTS.name} ${where} ORDER BY ${column} DESC, record_id DESC LIMIT ${limit + 1}`
  return { sql, parameters }
}

/**
 * The records behind keys, in the same order: by the sorting key of the table, so that only their granules are read, and all columns
 * of their rows alone. (PREWHERE comes before `final`; on columns of the sorting key, which all versions share, that changes nothing.)
 */
async function readRecords(client: StoreClient, keys: readonly RequestKey[]): Promise<RequestRecord[]> {
  if (keys.length === 0) return []
  const sql = `SELECT ${RECORD_SELECT} FROM ${REQUESTS.name}
    PREWHERE received_unix_ns IN {received:Array(Int64)} AND record_id IN {ids:Array(String)}`
  const parameters = { received: [...new Set(keys.map((key) => key.received))].map(BigInt), ids: keys.map((key) => key.record_id) }
  const records = new Map((await compactRows(client, sql, parameters)).map(decodeRecord).map((record) => [record.record_id, record]))
  return keys.flatMap((key) => records.get(key.record_id) ?? [])
}

function encodeCursor(value: string, recordId: string): string {
  return Buffer.from(JSON.stringify([value, recordId])).toString('base64url')
}

/** Throws RangeError for a text that is no cursor of ours. */
function decodeCursor(cursor: string, value = /^-?[\d.e+-]+$/): [string, string] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    if (Array.isArray(parsed) && parsed.length === 2 && value.test(String(parsed[0])) && typeof parsed[1] === 'string') {
      return [String(parsed[0]), parsed[1]]
    }
  } catch {
    // Not JSON: no cursor of ours either.
  }
  throw new RangeError('not a cursor')
}
