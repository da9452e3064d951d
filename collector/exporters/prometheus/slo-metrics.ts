// Good and bad requests by objective. A request counts as bad when its deadline passes, while it is still open, and not again when it
// settles: a fleet that hangs must look ill, not quiet.
import type { HubMetricKey } from '@longpole/model/conventions/metrics'
import type { OpenRequest, Vantage } from '@longpole/model/observation'
import { isPhaseId, PHASES } from '@longpole/model/phase'
import type { RequestColumns } from '@longpole/model/request-columns'
import { type Outcome, PROMPT_CLASSES, type RequestRecord } from '@longpole/model/request-record'
import { judge, judgeGoodput, type Objective, type SloName, type SloView } from '@longpole/model/slo'
import { rememberByColumns } from './record-series.ts'
import type { Handle, Labels, MetricRegistry } from './registry.ts'

export type Judgement = 'good' | 'bad' | null
/** The objectives of a model and tenant class. */
export type ObjectiveLookup = (model: string | null, tenantClass: string | null) => readonly Objective[]

export interface SloMetrics {
  /** Counts a settled record; returns its goodput, which is what `slo_result` means elsewhere. */
  settled(record: RequestRecord): Judgement
  /** Judges requests in flight by their age now; returns for each the objectives whose deadline has passed. */
  open(requests: readonly OpenRequest[]): SloName[][]
}

/** Requests counted bad while open, remembered until they settle. One that never settles is forgotten when so many newer ones came. */
const MAX_REMEMBERED = 100_000

const AFTER_FIRST_TOKEN = new Set<string>(PHASES.filter((phase) => !phase.beforeFirstToken).map((phase) => phase.id))

export function createSloMetrics(registry: MetricRegistry<HubMetricKey>, lookup: ObjectiveLookup): SloMetrics {
  const late = createLateRequests()
  const announce = createAnnouncer(registry, lookup)
  const seriesOf = createSloSeries(registry, lookup)

  return {
    settled(record) {
      const objectives = lookup(record.model, record.tenant_class)
      announce(record.model)
      const already = late.take(record)
      const series = seriesOf(record)
      const results: Judgement[] = []
      let hasGoodput = false
      for (const objective of objectives) {
        if (objective.slo === 'goodput') {
          hasGoodput = true
          continue
        }
        const result = already.has(objective.slo) ? 'bad' : judge(objective, record)
        if (result !== null && !already.has(objective.slo)) series.count(objective.slo, result)
        results.push(result)
      }
      const goodput = judgeGoodput(results)
      if (hasGoodput && goodput !== null && !already.has('goodput')) series.count('goodput', goodput)
      return goodput
    },

    open(requests) {
      return requests.map((request) => {
        const { columns } = request
        if (columns.synthetic === true) return []
        const model = columns.model ?? null
        const objectives = lookup(model, columns.tenant_class ?? null)
        announce(model)
        const bad = objectives.filter((objective) => isLate(objective, request)).map((objective) => objective.slo)
        if (bad.length > 0 && objectives.some((objective) => objective.slo === 'goodput')) bad.push('goodput')
        const fresh = late.add(request, bad)
        if (fresh.length === 0) return bad
        const { cluster = null, prompt_class = null, vantage = OPEN_VANTAGE } = columns
        const series = seriesOf({ cluster, model, prompt_class, vantage })
        for (const slo of fresh) series.count(slo, 'bad')
        return bad
      })
    },
  }
}

/** Where a request in flight is seen from, if it does not say. */
const OPEN_VANTAGE: Vantage = 'sidecar'

/**
 * The series of a record. Those of every prompt class start at 0 when the first of a model and vantage is met, and those of requests in
 * flight with them: a rate does not see the first increase of a series that was not there before, and bad requests are few.
 */
function createSloSeries(registry: MetricRegistry<HubMetricKey>, lookup: ObjectiveLookup) {
  const found = rememberByColumns(['cluster', 'model', 'prompt_class', 'vantage'], (labels) => new SloSeries(registry, labels))
  const announced = rememberByColumns(['cluster', 'model', 'vantage'], () => ({ isStarted: false }))
  return (columns: Pick<RequestColumns, 'cluster' | 'model' | 'prompt_class' | 'vantage'>): SloSeries => {
    const { cluster, model } = columns
    const known = announced(columns)
    if (!known.isStarted) {
      known.isStarted = true
      for (const vantage of new Set([columns.vantage, OPEN_VANTAGE])) {
        for (const { id } of PROMPT_CLASSES) {
          for (const { slo } of lookup(model, null)) found({ cluster, model, prompt_class: id, vantage }).start(slo)
        }
      }
    }
    return found(columns)
  }
}

/** Good and bad of each objective. */
class SloSeries {
  private readonly registry: MetricRegistry<HubMetricKey>
  private readonly labels: Labels
  private readonly bySlo = new Map<SloName, { good: Handle; bad: Handle }>()

  constructor(registry: MetricRegistry<HubMetricKey>, labels: Labels) {
    this.registry = registry
    this.labels = labels
  }

  count(slo: SloName, result: 'good' | 'bad'): void {
    this.start(slo)[result].increment()
  }

  /** Both results at 0: a rate needs a first value to rise from. */
  start(slo: SloName): { good: Handle; bad: Handle } {
    let both = this.bySlo.get(slo)
    if (both === undefined) {
      const handle = (of: 'good' | 'bad') => this.registry.handle('sloRequestsTotal', { ...this.labels, slo, result: of })
      both = { good: handle('good'), bad: handle('bad') }
      this.bySlo.set(slo, both)
      both.good.increment(0)
      both.bad.increment(0)
    }
    return both
  }
}

function isLate(objective: Objective, { columns, phase, ageSeconds }: OpenRequest): boolean {
  if (objective.slo === 'goodput') return false
  // After the first token, and where none will come (not a stream: `unattributed`), the age says nothing about the time to it.
  const waitsForToken = isPhaseId(phase) && !AFTER_FIRST_TOKEN.has(phase)
  if (objective.slo === 'ttft' && (columns.ttft ?? null) === null && !waitsForToken) return false
  const view: SloView = {
    outcome: 'open' satisfies Outcome,
    prompt_class: columns.prompt_class ?? null,
    ttft: columns.ttft ?? null,
    tpot: columns.tpot ?? null,
    itl_max: columns.itl_max ?? null,
    e2e: null,
    age: ageSeconds,
  }
  return judge(objective, view) === 'bad'
}

/** Promise and limits of each model as gauges, when the model is first seen. */
function createAnnouncer(registry: MetricRegistry<HubMetricKey>, lookup: ObjectiveLookup) {
  const announced = new Set<string>()
  return (model: string | null) => {
    const name = model ?? ''
    if (announced.has(name) || announced.size >= MAX_REMEMBERED) return
    announced.add(name)
    for (const { slo, objective, thresholdSeconds } of lookup(model, null)) {
      registry.set('sloObjective', { model: name, slo }, objective)
      for (const [promptClass, seconds] of Object.entries(thresholdSeconds ?? {})) {
        registry.set('sloThresholdSeconds', { model: name, slo, prompt_class: promptClass }, seconds)
      }
    }
  }
}

interface LateRequest {
  keys: string[]
  slos: Set<SloName>
}

/**
 * Which open requests were counted bad already. The open request is the sidecar's, the record the logical request's: they share the
 * trace and the request id, or the span of an attempt.
 */
function createLateRequests() {
  const byKey = new Map<string, LateRequest>()

  function find(keys: readonly string[]): LateRequest | undefined {
    for (const key of keys) {
      const found = byKey.get(key)
      if (found !== undefined) return found
    }
    return undefined
  }

  return {
    /** Remembers the objectives; returns those that are new. */
    add(request: OpenRequest, bad: readonly SloName[]): SloName[] {
      if (bad.length === 0) return []
      const keys = [request.spanId, request.requestId].filter((name) => name !== '').map((name) => `${request.traceId}:${name}`)
      let known = find(keys)
      if (known === undefined) {
        known = { keys, slos: new Set() }
        for (const key of keys) byKey.set(key, known)
        for (const key of byKey.keys()) {
          if (byKey.size <= 2 * MAX_REMEMBERED) break
          byKey.delete(key)
        }
      }
      const { slos } = known
      const fresh = bad.filter((slo) => !slos.has(slo))
      for (const slo of fresh) slos.add(slo)
      return fresh
    },
    take(record: RequestRecord): ReadonlySet<SloName> {
      if (byKey.size === 0) return NONE
      const names = [record.request_id, ...record.attempt_list.map((attempt) => attempt.span_id), ...record.hops.map((hop) => hop.span_id)]
      const found = find(names.filter((name) => name !== null).map((name) => `${record.trace_id}:${name}`))
      if (found === undefined) return NONE
      for (const key of found.keys) byKey.delete(key)
      return found.slos
    },
  }
}

const NONE: ReadonlySet<SloName> = new Set()
