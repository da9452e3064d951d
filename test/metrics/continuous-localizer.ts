// The hub's continuous localizer in virtual time: the same windows, questions, threshold and life of findings, over records in memory
// instead of a store.
import type { ChangeEvent } from '@longpole/model/change-event'
import type { EngineSample } from '@longpole/model/engine-sample'
import type { Finding, Slice } from '@longpole/model/finding'
import { type ColumnKind, REQUEST_COLUMNS } from '@longpole/model/request-columns'
import { PHASE_COLUMNS, type RequestRecord } from '@longpole/model/request-record'
import type { Objective } from '@longpole/model/slo'
import { DIMENSION_COLUMNS, PHASE_NUMBERS } from '../../collector/hub/localize/columns.ts'
import { withPhaseIds } from '../../collector/hub/localize/phase-names.ts'
import { continuousQuestions } from '../../collector/hub/localize/questions.ts'
import { chooseWindows } from '../../collector/hub/localize/windows.ts'
import { isWorthOpening } from '../../collector/hub/localize/worth.ts'
import { advance, type OpenFinding } from '../../src/localizer/lifecycle.ts'
import { localize } from '../../src/localizer/localize.ts'
import { DimensionBuilder, type DimensionColumn, type Table, TooFewRowsError } from '../../src/localizer/table.ts'
import { endOf } from './data-set.ts'

export interface LocalizerInput {
  records: readonly RequestRecord[]
  samples: readonly EngineSample[]
  events: readonly ChangeEvent[]
  objectives: readonly Objective[]
}

const NUMBERS: ReadonlySet<ColumnKind> = new Set<ColumnKind>(['count', 'seconds', 'ratio', 'number', 'flag'])
const UNUSED: ReadonlySet<string> = new Set(['version', 'weight', 'http_status', 'max_tokens', 'synthetic', 'ttfr', 'ttfa'])
const NUMBER_COLUMNS = REQUEST_COLUMNS.filter(({ name, kind }) => NUMBERS.has(kind) && !UNUSED.has(name)).map(({ name }) => name)
const MIN_KNOWN = 0.02
const EVENT_SECONDS = 1_800

/** Returns the findings that are open after each evaluation, by its time in Unix seconds. */
export function localizeContinuously(input: LocalizerInput, evaluations: readonly number[]): Map<number, Finding[]> {
  const open = new Map<string, OpenFinding[]>()
  const models = new Set(input.records.map(({ model }) => model ?? ''))
  const rounds = new Map<number, Finding[]>()
  for (const now of evaluations) {
    for (const model of models) open.set(model, look(input, model, now, open.get(model) ?? []))
    rounds.set(
      now,
      [...open.values()].flat().map(({ finding }) => finding),
    )
  }
  return rounds
}

function look({ records, samples, events, objectives }: LocalizerInput, model: string, now: number, known: OpenFinding[]): OpenFinding[] {
  const windows = chooseWindows(
    now,
    known.map(({ finding }) => finding),
  )
  const all = [windows.incident, ...windows.baseline]
  const rows = records.filter((record) => {
    const start = Number(record.start_unix_ns) / 1e9
    return record.model === model && all.some((window) => start >= window.from && start < window.to)
  })
  const table = tableOf(rows, now)
  const from = (windows.baseline[0]?.from ?? windows.incident.from) - EVENT_SECONDS
  const seen = (unixNano: bigint) => Number(unixNano) / 1e9 >= from && Number(unixNano) / 1e9 < windows.incident.to
  const shared = {
    dimensions: DIMENSION_COLUMNS.filter((name) => (table.dimensions.get(name)?.values.length ?? 0) >= 2),
    phases: PHASE_NUMBERS.filter((name) => isKnown(table, name)),
    samples: samples.filter((sample) => (sample.model === model || sample.model === null) && seen(sample.unix_ns)),
    events: events.filter((event) => seen(event.unix_ns)),
    seed: 1,
  }
  const found = continuousQuestions(objectives, model, windows).flatMap((question) => {
    if (question.target !== 'outcome' && !isKnown(table, question.target)) return []
    try {
      return localize(table, { ...question, ...shared }).findings.map(withPhaseIds)
    } catch (error) {
      if (error instanceof TooFewRowsError) return []
      throw error
    }
  })
  const at = new Date(now * 1e3).toISOString()
  const { incident } = windows
  const lately = rows.filter(({ start_unix_ns: start }) => Number(start) / 1e9 >= incident.from && Number(start) / 1e9 < incident.to)
  return advance(known, found.filter(isWorthOpening), at, (a, b) => overlap(lately, a.slice, b.slice)).open
}

/** What the store holds at `now`: a request that has not ended by then has no durations yet. */
function tableOf(records: readonly RequestRecord[], now: number): Table {
  const isOpen = records.map((record) => Number(endOf(record)) / 1e9 > now)
  const dimensions = new Map<string, DimensionColumn>()
  for (const name of [...DIMENSION_COLUMNS, 'outcome', 'error_class'] as (keyof RequestRecord)[]) {
    const column = new DimensionBuilder(name)
    for (const [row, record] of records.entries()) {
      const value = isOpen[row] && name === 'outcome' ? 'open' : (record[name] as string | null)
      column.add(value === '' ? null : value)
    }
    dimensions.set(name, column.finish())
  }
  const numbers = new Map<string, Float64Array>()
  const put = (name: string, read: (record: RequestRecord) => unknown) =>
    numbers.set(
      name,
      Float64Array.from(records, (record, row) => (isOpen[row] && AFTERWARDS.has(name) ? Number.NaN : numberOf(read(record)))),
    )
  for (const name of NUMBER_COLUMNS) put(name, (record) => record[name as keyof RequestRecord])
  for (const { seconds, phase } of PHASE_COLUMNS) put(seconds, (record) => record.phases.find((part) => part.phase === phase)?.seconds)
  const firstToken = (record: RequestRecord, row: number) =>
    isOpen[row] && record.ttft !== null && Number(record.start_unix_ns) / 1e9 + record.ttft <= now ? 1 : 0
  numbers.set('streaming', Float64Array.from(records, firstToken))
  const time = Float64Array.from(records, (record) => Number(record.start_unix_ns) / 1e9)
  return { rows: records.length, time, weight: null, dimensions, numbers, flags: new Set() }
}

/** Known of an open request: what came with its arrival. */
const ON_ARRIVAL = new Set(['prompt_tokens', 'running', 'waiting', 'kv_usage', 'replica_age', 'cold'])
const AFTERWARDS = new Set([...NUMBER_COLUMNS, ...PHASE_COLUMNS.map(({ seconds }) => seconds)].filter((name) => !ON_ARRIVAL.has(name)))

function numberOf(value: unknown): number {
  if (typeof value === 'boolean') return value ? 1 : 0
  return typeof value === 'number' ? value : Number.NaN
}

function isKnown(table: Table, name: string): boolean {
  const column = table.numbers.get(name)
  return column !== undefined && column.filter((value) => !Number.isNaN(value)).length > MIN_KNOWN * table.rows
}

/** Whether a record lies in a slice: one of the values in every dimension. */
export function isInSlice(record: RequestRecord, slice: Slice): boolean {
  return Object.entries(slice).every(([name, values]) => values.includes(String(record[name as keyof RequestRecord])))
}

/** Rows that lie in both slices as a share of those in either (Jaccard). */
export function overlap(rows: readonly RequestRecord[], left: Slice, right: Slice): number {
  let both = 0
  let either = 0
  for (const record of rows) {
    const [a, b] = [isInSlice(record, left), isInSlice(record, right)]
    if (a && b) both++
    if (a || b) either++
  }
  return either === 0 ? 0 : both / either
}
