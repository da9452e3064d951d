// The hub's localizer: looks at every model and objective again and again, answers POST /api/v1/why, keeps the life of findings in the
// store and in longpole_finding_*. The work itself happens in a worker thread over the store's columns.
import type { ApiWhyRequest, ApiWhyResponse } from '@longpole/model/api'
import type { ChangeEvent } from '@longpole/model/change-event'
import type { Clock } from '@longpole/model/clock'
import { type EngineSample, emptySample, SAMPLE_NAMES, SAMPLE_NUMBERS } from '@longpole/model/engine-sample'
import type { Finding } from '@longpole/model/finding'
import type { Objective } from '@longpole/model/slo'
import { advance, type OpenFinding } from '../../../src/localizer/lifecycle.ts'
import { REQUESTS, SAMPLES } from '../../store/schema/tables.ts'
import type { Store } from '../../store/store.ts'
import { Problem } from '../api/problem.ts'
import { sliceReceipts } from '../api/received-sample.ts'
import { countQuery, rowsQuery, type WindowRows } from './columns.ts'
import { askedQuestion, continuousQuestions } from './questions.ts'
import { BASELINE_SECONDS, chooseWindows, SETTLE_SECONDS, type Windows } from './windows.ts'
import { type LocalizerWorker, startLocalizerWorker } from './worker-client.ts'

export interface HubLocalizerSettings {
  store: Store
  objectives: readonly Objective[]
  clock: Clock
  /** Record ids of open requests that have their first token already. */
  streaming(): readonly string[]
  /** The open findings, best first. */
  onFindings(findings: readonly Finding[], evaluatedUnixNano: bigint): void
  onTrouble(message: string): void
}

export interface HubLocalizer {
  /** One look at every model. */
  evaluate(): Promise<void>
  why(request: ApiWhyRequest): Promise<ApiWhyResponse>
  close(): Promise<void>
}

/** Models looked at in one round, the busiest first. */
const MAX_MODELS = 8
const MIN_ROWS = 60
const RECENT_SECONDS = 300
/** Rows of the windows that are compared at most; more are sampled, first by slices of time, then by record id. */
interface RowLimits {
  incident: number
  baseline: number
  /** Rows of the slices for each row that is compared: more read, less chance in whose batches of spans they hold. */
  readPerRow: number
}
const WATCH_LIMITS: RowLimits = { incident: 60_000, baseline: 30_000, readPerRow: 3 }
/** Somebody waits for this answer. */
const ASKED_LIMITS: RowLimits = { incident: 3_000, baseline: 3_000, readPerRow: 8 }
const MAX_SAMPLES = 20_000
/** Slices of each side: every one costs a seek in each of some hundred columns. */
const SLICES = 30
const EVENT_SECONDS = 1_800

export function createHubLocalizer(settings: HubLocalizerSettings): HubLocalizer {
  const { store, objectives, clock } = settings
  const worker = startLocalizerWorker({ inBackground: true })
  // A person's question does not wait behind a round over all models; the thread starts with the first one.
  const askedWorker = startLocalizerWorker()
  const open = new Map<string, OpenFinding[]>()
  /** Newest request of each silent model that was looked at, Unix seconds. */
  const lookedAt = new Map<string, number>()
  let loaded = false
  let closed = false

  /** A restarted hub goes on with the findings that were open. */
  async function loadOpen(): Promise<void> {
    if (loaded) return
    for (const finding of await store.findings({ open: true, limit: 200 })) {
      const model = finding.model ?? ''
      open.set(model, [...(open.get(model) ?? []), { finding, quiet: 0 }])
    }
    loaded = true
  }

  async function evaluate(): Promise<void> {
    await loadOpen()
    const now = Number(clock.unixNano() / 1_000_000n) / 1000
    const models = await busiestModels(store, now)
    for (const model of lookedAt.keys()) if (!models.has(model)) lookedAt.delete(model)
    for (const model of new Set([...models.keys(), ...open.keys()])) {
      if (closed) return
      try {
        const at = instantToLookAt(lookedAt, model, models.get(model) ?? null, now)
        if (at !== null) await evaluateModel(model, at)
      } catch (error) {
        if (!closed) settings.onTrouble(`localizer, model ${model}: ${(error as Error).message}`)
      }
    }
    settings.onFindings(
      [...open.values()].flat().map(({ finding }) => finding),
      clock.unixNano(),
    )
  }

  async function evaluateModel(model: string, now: number): Promise<void> {
    const known = open.get(model) ?? []
    const windows = chooseWindows(
      now,
      known.map(({ finding }) => finding),
    )
    const task = (await readTask(settings, model, windows, {}, WATCH_LIMITS))?.task ?? null
    if (task === null && known.length === 0) return
    const questions = continuousQuestions(objectives, model, windows)
    const at = new Date(now * 1000).toISOString()
    // Without rows in the windows nothing is found any more, and what was open closes like everything that is quiet.
    const step =
      task === null ? advance(known, [], at, () => 0) : await worker.run({ ...task, questions, dimensions: null, open: known, at })
    open.set(model, step.open)
    if (step.open.length === 0) open.delete(model)
    if (step.changed.length > 0) await store.insertFindings(step.changed)
  }

  return {
    evaluate,
    why: (request) => answerWhy(settings, askedWorker, request),
    async close() {
      closed = true
      await Promise.all([worker.close(), askedWorker.close()])
    },
  }
}

async function answerWhy(settings: HubLocalizerSettings, worker: LocalizerWorker, request: ApiWhyRequest): Promise<ApiWhyResponse> {
  const { question, slice } = orProblem(() => askedQuestion(request, settings.objectives))
  const windows = { incident: question.incident, baseline: question.baseline }
  const read = await readTask(settings, request.model ?? null, windows, slice, ASKED_LIMITS)
  if (read === null) throw new Problem(422, 'too_few_rows', 'too few rows: a window holds no requests')
  const shared = { questions: [question], dimensions: request.dimensions ?? null, open: null, at: new Date().toISOString() }
  const { findings, rows, seconds } = await worker.run({ ...read.task, ...shared }).catch(asProblem)
  const answered = findings[0] ?? null
  if (answered === null) throw new Problem(422, 'too_few_rows', `too few rows with ${question.target} in a window`)
  return { findings: answered, rows, ...(read.isSampled ? { stored: read.stored } : {}), seconds }
}

/** What the asker can change is a bad request. */
function asProblem(error: Error): never {
  if (error.name === 'QuestionError' || error.name === 'RangeError') throw new Problem(400, 'bad_input', error.message)
  throw error
}

function orProblem<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    return asProblem(error as Error)
  }
}

interface Traffic {
  /** Requests of the last minutes. */
  recent: number
  /** Start of the newest request, Unix seconds. */
  newest: number
}

/** Now, where requests come. Of a model that fell silent, or that nothing came of since a restart, the end of its traffic: once. */
function instantToLookAt(lookedAt: Map<string, number>, model: string, traffic: Traffic | null, now: number): number | null {
  if (traffic === null || traffic.recent >= MIN_ROWS) return now
  if (lookedAt.get(model) === traffic.newest) return null
  lookedAt.set(model, traffic.newest)
  return Math.min(now, traffic.newest + SETTLE_SECONDS + 1)
}

async function busiestModels(store: Store, now: number): Promise<Map<string, Traffic>> {
  const rows = await store.query<{ model: string; recent: number | string; newest: number }>(
    `SELECT toString(model) AS model, countIf(start_unix_ns >= {recent:Int64}) AS recent, max(start_unix_ns) / 1e9 AS newest
     FROM ${REQUESTS.name} WHERE start_unix_ns >= {from:Int64} AND model IS NOT NULL
     GROUP BY model HAVING count() >= ${MIN_ROWS} ORDER BY recent DESC, count() DESC LIMIT ${MAX_MODELS}`,
    { recent: nanos(now - RECENT_SECONDS), from: nanos(now - BASELINE_SECONDS) },
  )
  return new Map(rows.map(({ model, recent, newest }) => [model, { recent: Number(recent), newest }]))
}

/** Rows, samples and events of the windows; null where there are too few rows on either side. */
async function readTask(
  settings: HubLocalizerSettings,
  model: string | null,
  windows: Windows,
  slice: Record<string, string[]>,
  limits: RowLimits,
) {
  const { store } = settings
  const all = [windows.incident, ...windows.baseline]
  const parts = all.map((_, index) => (index === 0 ? SLICES : Math.ceil(SLICES / windows.baseline.length)))
  const counts = await countRows(store, { model, windows: all, slice }, parts)
  const stored = { incident: counts[0]?.rows ?? 0, baseline: counts.slice(1).reduce((sum, { rows }) => sum + rows, 0) }
  if (stored.incident < 1 || stored.baseline < 1) return null
  const excess = all.map((_, index) => (index === 0 ? stored.incident / limits.incident : stored.baseline / limits.baseline))
  // Of a window with far too many rows only slices are read, and of their rows a sample: the store reads a part of it.
  const slices = counts.map(({ receipts }, index) => sliceReceipts(receipts, (excess[index] ?? 1) / limits.readPerRow))
  const oneIn = excess.map((ratio, index) => Math.ceil(ratio / (slices[index]?.oneIn ?? 1)))
  const { sql, parameters } = rowsQuery({ model, windows: all, oneIn, slices, slice, streaming: settings.streaming() })
  const from = Math.max(windows.incident.from - EVENT_SECONDS, windows.baseline[0]?.from ?? windows.incident.from)
  const [arrow, samples, events] = await Promise.all([
    store.queryArrow(sql, parameters),
    readSamples(store, model, from, windows.incident.to),
    readEvents(store, from, windows.incident.to),
  ])
  return { task: { arrow, samples, events }, stored, isSampled: excess.some((ratio) => ratio > 1) }
}

async function countRows(store: Store, wanted: Parameters<typeof countQuery>[0], parts: readonly number[]): Promise<WindowRows[]> {
  const { sql, parameters, read } = countQuery(wanted, parts)
  const [row] = await store.query<Record<string, unknown>>(sql, parameters)
  return read(row ?? {})
}

async function readSamples(store: Store, model: string | null, from: number, to: number): Promise<EngineSample[]> {
  const columns = ['toString(unix_ns) AS at_ns', ...SAMPLE_NAMES, 'up', ...SAMPLE_NUMBERS]
  const condition = model === null ? '' : 'AND (model = {model:String} OR model IS NULL)'
  const rows = await store.query<Record<string, unknown> & { at_ns: string; replica: string }>(
    `SELECT ${columns.join(', ')} FROM ${SAMPLES.name} WHERE unix_ns >= {from:Int64} AND unix_ns < {to:Int64} ${condition}
     ORDER BY cityHash64(unix_ns, replica) LIMIT ${MAX_SAMPLES}`,
    { from: nanos(from), to: nanos(to), model: model ?? '' },
  )
  return rows.map((row) => {
    const { at_ns, ...columns } = row
    return Object.assign(emptySample(row.replica, BigInt(at_ns)), columns, { up: Boolean(row.up) })
  })
}

function readEvents(store: Store, from: number, to: number): Promise<ChangeEvent[]> {
  return store.events(BigInt(nanos(from)), BigInt(nanos(to)))
}

function nanos(seconds: number): string {
  return (BigInt(Math.round(seconds * 1e6)) * 1000n).toString()
}
