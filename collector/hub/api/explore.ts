// What Explore and Why draw: latency × time as a heat map, a breakdown by the values of a dimension, and means over time. All three are
// one or two group-bys in the store, bounded in rows whatever the window holds.
import type { ApiBreakdown, ApiHeatmap, ApiSeries } from '@longpole/model/api'
import { REQUEST_COLUMNS } from '@longpole/model/request-columns'
import { PHASE_COLUMNS } from '@longpole/model/request-record'
import { Router } from 'express'
import { requestConditions } from '../../store/reads.ts'
import { REQUESTS } from '../../store/schema/tables.ts'
import type { ApiContext } from './context.ts'
import { one, type Query, readChoice, readQuery, readWhole } from './input.ts'
import { badInput } from './problem.ts'
import { FILTER_PARAMETERS, readFilter } from './requests.ts'

export const MEASURES = ['ttft', 'e2e', 'tpot', 'itl_max'] as const
const DIMENSIONS = REQUEST_COLUMNS.filter((column) => column.kind === 'dictionary').map((column) => column.name)
const TIME_BINS = 120
/** Latency bins per octave. */
const PER_OCTAVE = 4
const MOST_VALUES = 100
const MOST_LINES = 12
const DEFAULT_SECONDS = 3_600
const MOST_SECONDS = 31 * 86_400
const PARAMETERS = new Set([...FILTER_PARAMETERS, 'column', 'seconds', 'dimension', 'by', 'highlight'])

interface Window {
  column: (typeof MEASURES)[number]
  /** Unix seconds. */
  from: number
  to: number
  where: string
  parameters: Record<string, unknown>
}

function readWindow(query: Query, context: ApiContext): Window {
  const filter = readFilter(query, context)
  const seconds = readWhole(query, 'seconds', 1, MOST_SECONDS) ?? DEFAULT_SECONDS
  const to = filter.to ?? context.clock.unixNano()
  const from = filter.from ?? to - BigInt(seconds) * 1_000_000_000n
  const { conditions, parameters } = requestConditions({ ...filter, from, to })
  return {
    column: readChoice(query, 'column', MEASURES) ?? 'e2e',
    from: Number(from / 1_000_000n) / 1e3,
    to: Number(to / 1_000_000n) / 1e3,
    where: conditions.join(' AND '),
    parameters,
  }
}

/** Width of a time bin in whole seconds, and the bins' starts, aligned to it so that a live picture does not flicker. */
function timeBins({ from, to }: Window): { step: number; first: number; times: number[] } {
  const step = Math.max(1, Math.ceil((to - from) / TIME_BINS))
  const first = Math.floor(from / step) * step
  const times: number[] = []
  for (let at = first; at < to; at += step) times.push(at)
  return { step, first, times }
}

const BIN = (first: number, step: number): string => `intDiv(intDiv(start_unix_ns, 1000000000) - ${Math.floor(first)}, ${step})`

function readDimension(query: Query, name: string): string | undefined {
  const value = one(query, name)
  if (value === undefined) return undefined
  const known = DIMENSIONS.find((column) => column === value)
  if (known === undefined) throw badInput(name, `one of ${DIMENSIONS.join(', ')}`, value)
  return known
}

async function heatmap(context: ApiContext, query: Query): Promise<ApiHeatmap> {
  const window = readWindow(query, context)
  const { column } = window
  const { step, first, times } = timeBins(window)
  const cells = await context.store.query<{ t: number; b: number; n: number }>(
    `SELECT ${BIN(first, step)} AS t, toInt32(ceil(log2(greatest(${column}, 1e-6)) * ${PER_OCTAVE})) AS b, sum(weight) AS n
     FROM ${REQUESTS.name} WHERE ${window.where} AND ${column} IS NOT NULL GROUP BY t, b`,
    window.parameters,
  )
  const lines = await context.store.query<{ t: number; p50: number; p99: number }>(
    `SELECT ${BIN(first, step)} AS t, quantile(0.5)(${column}) AS p50, quantile(0.99)(${column}) AS p99
     FROM ${REQUESTS.name} WHERE ${window.where} AND ${column} IS NOT NULL GROUP BY t`,
    window.parameters,
  )
  if (cells.length === 0) return { column, times: [], step_seconds: step, bounds: [], counts: [], quantiles: { p50: [], p99: [] } }
  const bins = cells.map((cell) => Number(cell.b))
  const low = Math.min(...bins)
  const bounds = Array.from({ length: Math.max(...bins) - low + 1 }, (_, index) => 2 ** ((low + index) / PER_OCTAVE))
  const counts = times.map(() => bounds.map(() => 0))
  for (const cell of cells) {
    const row = counts[Number(cell.t)]
    if (row !== undefined) row[Number(cell.b) - low] = Number(cell.n)
  }
  const byTime = new Map(lines.map((line) => [Number(line.t), line]))
  const quantile = (name: 'p50' | 'p99') => times.map((_, index) => byTime.get(index)?.[name] ?? null)
  return { column, times, step_seconds: step, bounds, counts, quantiles: { p50: quantile('p50'), p99: quantile('p99') } }
}

async function breakdown(context: ApiContext, query: Query): Promise<ApiBreakdown> {
  const window = readWindow(query, context)
  const dimension = readDimension(query, 'dimension') ?? 'replica'
  const phases = PHASE_COLUMNS.map((phase) => `sum(ifNull(${phase.seconds}, 0) * weight) / sum(weight) AS ${phase.seconds}`)
  const rows = await context.store.query<Record<string, number | string | null>>(
    `SELECT ifNull(${dimension}, '') AS value, sum(weight) AS requests, avg(outcome IN ('error', 'timeout', 'rejected')) AS error_ratio,
       quantile(0.5)(${window.column}) AS p50, quantile(0.99)(${window.column}) AS p99, avg(${window.column}) AS mean, ${phases.join(', ')}
     FROM ${REQUESTS.name} WHERE ${window.where} GROUP BY value ORDER BY requests DESC LIMIT ${MOST_VALUES}`,
    window.parameters,
  )
  const number = (value: number | string | null | undefined): number | null => {
    const parsed = value === null || value === undefined ? Number.NaN : Number(value)
    return Number.isFinite(parsed) ? parsed : null
  }
  return {
    dimension,
    rows: rows.map((row) => ({
      value: String(row.value),
      requests: Number(row.requests),
      error_ratio: number(row.error_ratio) ?? 0,
      p50: number(row.p50),
      p99: number(row.p99),
      mean: number(row.mean),
      phases: PHASE_COLUMNS.map(({ phase, seconds }) => ({
        phase: phase as ApiBreakdown['rows'][number]['phases'][number]['phase'],
        mean_seconds: number(row[seconds]) ?? 0,
      })),
    })),
  }
}

async function series(context: ApiContext, query: Query): Promise<ApiSeries> {
  const window = readWindow(query, context)
  const by = readDimension(query, 'by')
  const { step, first, times } = timeBins(window)
  const rows = await context.store.query<{ t: number; name: string; mean: number; n: number }>(
    `SELECT ${BIN(first, step)} AS t, ${by === undefined ? "'all'" : `ifNull(${by}, '')`} AS name, avg(${window.column}) AS mean, count() AS n
     FROM ${REQUESTS.name} WHERE ${window.where} AND ${window.column} IS NOT NULL GROUP BY t, name LIMIT ${TIME_BINS * 1_000}`,
    window.parameters,
  )
  const wanted = new Set(one(query, 'highlight')?.split('|') ?? [])
  const totals = new Map<string, number>()
  for (const row of rows) totals.set(row.name, (totals.get(row.name) ?? 0) + Number(row.n))
  const names = [...totals.keys()]
    .sort((a, b) => Number(wanted.has(b)) - Number(wanted.has(a)) || (totals.get(b) as number) - (totals.get(a) as number))
    .slice(0, MOST_LINES)
  const lines = names.map((name) => ({ name, values: times.map((): number | null => null) }))
  const byName = new Map(lines.map((line) => [line.name, line.values]))
  for (const row of rows) {
    const values = byName.get(row.name)
    if (values !== undefined && Number(row.t) < values.length) values[Number(row.t)] = Number(row.mean)
  }
  return { column: window.column, times, lines }
}

export function createExploreRoutes(context: ApiContext): Router {
  const router = Router()
  router.get('/heatmap', async (request, response) => void response.json(await heatmap(context, readQuery(request, PARAMETERS))))
  router.get('/breakdown', async (request, response) => void response.json(await breakdown(context, readQuery(request, PARAMETERS))))
  router.get('/series', async (request, response) => void response.json(await series(context, readQuery(request, PARAMETERS))))
  return router
}
