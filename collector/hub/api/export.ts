// GET /export: requests as a table, streamed: NDJSON, Arrow, Parquet or CSV, as many rows as the window holds.
import { pipeline } from 'node:stream/promises'
import { PHASE_IDS, phaseColumn } from '@longpole/model/phase'
import { REQUEST_COLUMNS } from '@longpole/model/request-columns'
import { Router } from 'express'
import { requestConditions } from '../../store/reads.ts'
import { LIST_COLUMNS, REQUESTS } from '../../store/schema/requests.ts'
import type { ApiContext } from './context.ts'
import { one, type Query, readChoice, readQuery, readWhole } from './input.ts'
import { badInput, Problem } from './problem.ts'
import { FILTER_PARAMETERS, readFilter } from './requests.ts'

export const EXPORT_FORMATS = {
  ndjson: { format: 'JSONEachRow', type: 'application/x-ndjson', extension: 'ndjson' },
  arrow: { format: 'ArrowStream', type: 'application/vnd.apache.arrow.stream', extension: 'arrow' },
  parquet: { format: 'Parquet', type: 'application/vnd.apache.parquet', extension: 'parquet' },
  csv: { format: 'CSVWithNames', type: 'text/csv; charset=utf-8', extension: 'csv' },
} as const
type ExportFormat = keyof typeof EXPORT_FORMATS

const MAX_ROWS = 100_000_000
/** An export holds a reader of the store for as long as its client takes; the store has three, and the pages need one. */
const MAX_EXPORTS = 2
const PARAMETERS = new Set([...FILTER_PARAMETERS, 'format', 'columns', 'limit'])

const COLUMNS = new Map(REQUESTS.columns.map((column) => [column.name, column]))
/** Without `columns`: the record and its phases in seconds. `columns=all` adds source, exactness and error of each phase. */
const DEFAULT_COLUMNS: string[] = [...REQUEST_COLUMNS.map((column) => column.name), ...PHASE_IDS.map(phaseColumn), ...LIST_COLUMNS]

export function createExportRoutes(context: ApiContext): Router {
  const router = Router()
  let running = 0

  router.get('/export', async (request, response) => {
    const query = readQuery(request, PARAMETERS)
    const format = readChoice(query, 'format', Object.keys(EXPORT_FORMATS) as ExportFormat[]) ?? 'ndjson'
    const { sql, parameters } = exportQuery(query, context, format)
    if (running >= MAX_EXPORTS) throw new Problem(503, 'too_many_exports', `at most ${MAX_EXPORTS} exports at once; try again`)
    running++
    try {
      const rows = await context.store.export(sql, EXPORT_FORMATS[format].format, parameters)
      response.setHeader('Content-Type', EXPORT_FORMATS[format].type)
      response.setHeader('Content-Disposition', `attachment; filename="requests.${EXPORT_FORMATS[format].extension}"`)
      await pipeline(rows, response)
    } catch (error) {
      // The client left in the middle: there is nobody to tell, and nothing is wrong here.
      if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error
    } finally {
      running--
    }
  })
  return router
}

function exportQuery(query: Query, context: ApiContext, format: ExportFormat) {
  const { conditions, parameters } = requestConditions(readFilter(query, context))
  const columns = readColumns(query)
  const limit = readWhole(query, 'limit', 1, MAX_ROWS)
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
  const inner = `SELECT ${columns.join(', ')} FROM ${REQUESTS.name} ${where} ${limit === undefined ? '' : `LIMIT ${limit}`}`
  const changed = columns.map((name) => [name, shownAs(name, format)] as const).filter(([name, shown]) => shown !== name)
  if (changed.length === 0) return { sql: inner, parameters }
  const replaced = changed.map(([name, shown]) => `${shown} AS ${name}`).join(', ')
  return { sql: `SELECT * REPLACE(${replaced}) FROM (${inner})`, parameters }
}

function readColumns(query: Query): string[] {
  const wanted = one(query, 'columns')
  if (wanted === undefined) return DEFAULT_COLUMNS
  if (wanted === 'all') return [...COLUMNS.keys()]
  const names = wanted.split(',').map((name) => name.trim())
  for (const name of names) if (!COLUMNS.has(name)) throw badInput('columns', 'names of columns with commas between them, or all', name)
  return [...new Set(names)]
}

/** What a value must become in this format. */
function shownAs(name: string, format: ExportFormat): string {
  const column = COLUMNS.get(name)
  // A number of JSON is not exact to the nanosecond.
  if (format === 'ndjson' && column?.wire === 'instant') return `toString(${name})`
  // A spreadsheet takes a text that begins so for a formula.
  if (format === 'csv' && (column?.wire === 'text' || column?.wire === 'dictionary')) {
    return `if(match(ifNull(${name}, ''), '^[=+\\\\-@\\\\t\\\\r]'), concat('\\'', ${name}), ${name})`
  }
  return name
}
