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
import { createSharedAnswers } from './shared-answers.ts'
import { chooseSample } from './time-sample.ts'

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

/** Above this a window is read in slices, as many in every time bin: what is drawn then is a sample and says so. */
const WHOLE_ROWS = 1_500_000
const MAX_ROWS = 400_000
const SLICES_PER_BIN = 1

interface Window {
  column: (typeof MEASURES)[number]
  /** Unix seconds. */
  from: number
  to: number
  where: string
  parameters: Record<string, unknown>
  /** One request in so many was read. */
  oneIn: number
}

async function readWindow(query: Query, context: ApiContext): Promise<Window> {
  const filter = readFilter(query, context)
  const seconds = readWhole(query, 'seconds', 1, MOST_SECONDS) ?? DEFAULT_SECONDS
  const to = filter.to ?? context.clock.unixNano()
  const from = filter.from ?? to - BigInt(seconds) * 1_000_000_000n
  const { conditions, parameters } = requestConditions({ ...filter, from, to })
  const { step, first, times } = timeBins({ from: secondsOf(from), to: secondsOf(to) })
  const bins = { from: BigInt(first) * 1_000_000_000n, to: BigInt(first + step * times.length) * 1_000_000_000n }
  const { condition, oneIn } = await chooseSample(context.store, bins, {
    wholeRows: WHOLE_ROWS,
    maxRows: MAX_ROWS,
    slices: SLICES_PER_BIN * times.length,
  })
  if (condition !== null) conditions.push(condition)
  return {
    column: readChoice(query, 'column', MEASURES) ?? 'e2e',
    from: secondsOf(from),
    to: secondsOf(to),
    where: conditions.join(' AND '),
    parameters,
    oneIn,
  }
}

const secondsOf = (nanos: bigint): number => Number(nanos / 1_000_000n) / 1e3

/** Width of a time bin in whole seconds, and the bins' starts, aligned to it so that a live picture does not flicker. */
function timeBins({ from, to }: { from: number; to: number }): { step: number; first: number; times: number[] } {
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
  const window = await readWindow(query, context)
  const { column } = window
  const { step, first, times } = timeBins(window)
  const [cells, lines] = await Promise.all([
    context.store.query<{ t: number; b: number; n: number }>(
      `SELECT ${BIN(first, step)} AS t, toInt32(ceil(log2(greatest(${column}, 1e-6)) * ${PER_OCTAVE})) AS b, sum(weight) AS n
     FROM ${REQUESTS.name} WHERE ${window.where} AND ${column} IS NOT NULL GROUP BY t, b`,
      window.parameters,
    ),
    context.store.query<{ t: number; p50: number; p99: number }>(
      `SELECT ${BIN(first, step)} AS t, quantile(0.5)(${column}) AS p50, quantile(0.99)(${column}) AS p99
     FROM ${REQUESTS.name} WHERE ${window.where} AND ${column} IS NOT NULL GROUP BY t`,
      window.parameters,
    ),
  ])
  if (cells.length === 0)
    return { column, times: [], step_seconds: step, bounds: [], counts: [], quantiles: { p50: [], p99: [] }, one_in: window.oneIn }
  const bins = cells.map((cell) => Number(cell.b))
  const low = Math.min(...bins)
  const bounds = Array.from({ length: Math.max(...bins) - low + 1 }, (_, index) => 2 ** ((low + index) / PER_OCTAVE))
  const counts = times.map(() => bounds.map(() => 0))
  for (const cell of cells) {
    const row = counts[Number(cell.t)]
    if (row !== undefined) row[Number(cell.b) - low] = Number(cell.n) * window.oneIn
  }
  const byTime = new Map(lines.map((line) => [Number(line.t), line]))
  const quantile = (name: 'p50' | 'p99') => times.map((_, index) => byTime.get(index)?.[name] ?? null)
  return {
    column,
    times,
    step_seconds: step,
    bounds,
    counts,
    quantiles: { p50: quantile('p50'), p99: quantile('p99') },
    one_in: window.oneIn,
  }
}

async function breakdown(context: ApiContext, query: Query): Promise<ApiBreakdown> {
  const window = await readWindow(query, context)
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
    one_in: window.oneIn,
    rows: rows.map((row) => ({
      value: String(row.value),
      requests: Number(row.requests) * window.oneIn,
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
  const window = await readWindow(query, context)
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
  return { column: window.column, times, lines, one_in: window.oneIn }
}

const ANSWERS = { heatmap, breakdown, series }
const SHARED = { freshMs: 1_000, maxQuestions: 200 }

export function createExploreRoutes(context: ApiContext): Router {
  const router = Router()
  for (const [name, answer] of Object.entries(ANSWERS)) {
    const ask = createSharedAnswers<unknown>({ clock: context.clock, ...SHARED })
    router.get(`/${name}`, async (request, response) => {
      const query = readQuery(request, PARAMETERS)
      response.json(await ask(request.url, () => answer(context, query)))
    })
  }
  return router
}
