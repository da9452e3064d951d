// The hub's localizer: looks at every model and objective again and again, answers POST /api/v1/why, keeps the life of findings in the
// store and in longpole_finding_*. The work itself happens in a worker thread over the store's columns.
import type { ApiWhyRequest, ApiWhyResponse } from '@longpole/model/api'
import type { ChangeEvent } from '@longpole/model/change-event'
import type { Clock } from '@longpole/model/clock'
import { type EngineSample, emptySample, SAMPLE_NAMES, SAMPLE_NUMBERS } from '@longpole/model/engine-sample'
import type { Finding } from '@longpole/model/finding'
import type { Objective } from '@longpole/model/slo'
import type { OpenFinding } from '../../../src/localizer/lifecycle.ts'
import { REQUESTS, SAMPLES } from '../../store/schema/tables.ts'
import type { Store } from '../../store/store.ts'
import { Problem } from '../api/problem.ts'
import { rowsQuery } from './columns.ts'
import { askedQuestion, continuousQuestions } from './questions.ts'
import { chooseWindows, type Windows } from './windows.ts'
import { startLocalizerWorker } from './worker-client.ts'

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
/** Rows read of a window at most; more are sampled by record id. */
const MAX_INCIDENT_ROWS = 60_000
const MAX_BASELINE_ROWS = 30_000
const MAX_SAMPLES = 20_000
const EVENT_SECONDS = 1_800

export function createHubLocalizer(settings: HubLocalizerSettings): HubLocalizer {
  const { store, objectives, clock } = settings
  const worker = startLocalizerWorker()
  const open = new Map<string, OpenFinding[]>()
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
    for (const model of new Set([...models, ...open.keys()])) {
      if (closed) return
      try {
        await evaluateModel(model, now)
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
    const task = await readTask(settings, model, windows, {})
    if (task === null && known.length === 0) return
    const questions = continuousQuestions(objectives, model, windows)
    const at = new Date(now * 1000).toISOString()
    const step = task === null ? null : await worker.run({ ...task, questions, dimensions: null, open: known, at })
    if (step === null) return
    open.set(model, step.open)
    if (step.open.length === 0) open.delete(model)
    if (step.changed.length > 0) await store.insertFindings(step.changed)
  }

  return {
    evaluate,
    async why(request) {
      const { question, slice } = orProblem(() => askedQuestion(request, objectives))
      const windows = { incident: question.incident, baseline: question.baseline }
      const task = await readTask(settings, request.model ?? null, windows, slice)
      if (task === null) throw new Problem(422, 'too_few_rows', 'too few rows: a window holds no requests')
      const shared = { questions: [question], dimensions: request.dimensions ?? null, open: null, at: new Date().toISOString() }
      const { findings, rows, seconds } = await worker.run({ ...task, ...shared }).catch(asProblem)
      const answered = findings[0] ?? null
      if (answered === null) throw new Problem(422, 'too_few_rows', `too few rows with ${question.target} in a window`)
      return { findings: answered, rows, seconds }
    },
    close() {
      closed = true
      return worker.close()
    },
  }
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

async function busiestModels(store: Store, now: number): Promise<string[]> {
  const rows = await store.query<{ model: string }>(
    `SELECT toString(model) AS model FROM ${REQUESTS.name} WHERE start_unix_ns >= {from:Int64} AND model IS NOT NULL
     GROUP BY model HAVING count() >= ${MIN_ROWS} ORDER BY count() DESC LIMIT ${MAX_MODELS}`,
    { from: nanos(now - 300) },
  )
  return rows.map((row) => row.model)
}

/** Rows, samples and events of the windows; null where there are too few rows on either side. */
async function readTask(settings: HubLocalizerSettings, model: string | null, windows: Windows, slice: Record<string, string[]>) {
  const { store } = settings
  const all = [windows.incident, ...windows.baseline]
  const counts = await countRows(store, model, all)
  const baselineRows = counts.slice(1).reduce((sum, count) => sum + count, 0)
  if ((counts[0] ?? 0) < 1 || baselineRows < 1) return null
  const oneIn = all.map((_, index) => (index === 0 ? (counts[0] ?? 0) / MAX_INCIDENT_ROWS : baselineRows / MAX_BASELINE_ROWS))
  const { sql, parameters } = rowsQuery({ model, windows: all, oneIn: oneIn.map(Math.ceil), slice, streaming: settings.streaming() })
  const from = Math.max(windows.incident.from - EVENT_SECONDS, windows.baseline[0]?.from ?? windows.incident.from)
  const [arrow, samples, events] = await Promise.all([
    store.queryArrow(sql, parameters),
    readSamples(store, model, from, windows.incident.to),
    readEvents(store, from, windows.incident.to),
  ])
  return { arrow, samples, events }
}

async function countRows(store: Store, model: string | null, windows: { from: number; to: number }[]): Promise<number[]> {
  const parameters: Record<string, unknown> = { model: model ?? '' }
  const counted = windows.map((window, index) => {
    parameters[`from_${index}`] = nanos(window.from)
    parameters[`to_${index}`] = nanos(window.to)
    return `countIf(start_unix_ns >= {from_${index}:Int64} AND start_unix_ns < {to_${index}:Int64}) AS c${index}`
  })
  const first = Math.min(...windows.map((window) => window.from))
  parameters.first = nanos(first)
  const condition = model === null ? '' : 'AND model = {model:String}'
  const sql = `SELECT ${counted.join(', ')} FROM ${REQUESTS.name} WHERE start_unix_ns >= {first:Int64} ${condition}`
  const [row] = await store.query<Record<string, number | string>>(sql, parameters)
  return windows.map((_, index) => Number(row?.[`c${index}`] ?? 0))
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
