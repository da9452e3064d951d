// From settled records, open requests, samples and findings to the metrics of the contract. A record is counted once, when it settles;
// synthetic requests count for themselves only.
import type { ChangeEvent } from '@longpole/model/change-event'
import type { Clock } from '@longpole/model/clock'
import { Longpole, Otel } from '@longpole/model/conventions/attributes'
import { exponentialUpperBound } from '@longpole/model/conventions/buckets'
import type { HubMetricKey } from '@longpole/model/conventions/metrics'
import type { EngineSample } from '@longpole/model/engine-sample'
import type { Finding } from '@longpole/model/finding'
import type { OpenRequest } from '@longpole/model/observation'
import type { RequestRecord } from '@longpole/model/request-record'
import { type Objective, type SloName, thresholdOf } from '@longpole/model/slo'
import type { Attributes, AttributeValue } from '@longpole/model/span'
import { objectivesFor } from '../../../src/config/objectives.ts'
import { createClassPhases } from './class-phases.ts'
import { createFindingMetrics } from './finding-metrics.ts'
import { LabelledSeries, rememberByColumns } from './record-series.ts'
import type { MetricRegistry } from './registry.ts'
import { createSampleMetrics } from './sample-metrics.ts'
import { createSloMetrics, type Judgement, type ObjectiveLookup } from './slo-metrics.ts'

export interface RequestMetrics {
  /** Once for each record, when it settles; returns its goodput. */
  settled(record: RequestRecord): Judgement
  /** All requests in flight with their age now; returns for each the objectives whose deadline has passed. */
  open(requests: readonly OpenRequest[]): SloName[][]
  sample(sample: EngineSample): void
  /** The resource of a batch that arrived: a sidecar among them was heard of now. */
  heard(resource: Attributes): void
  findings(findings: readonly Finding[], evaluatedUnixNano: bigint): void
  events(events: readonly ChangeEvent[]): void
  /** Before every page: what is no longer heard of is taken back. */
  expire(): void
}

type Registry = MetricRegistry<HubMetricKey>

/** A gap so many times the objective for the time per token is a stall. */
const STALL_FACTOR = 10

export function createRequestMetrics(registry: Registry, objectives: readonly Objective[], clock: Clock): RequestMetrics {
  const lookup = createObjectiveLookup(objectives)
  const slo = createSloMetrics(registry, lookup)
  const samples = createSampleMetrics(registry, clock)
  const requestSeries = createRequestSeries(registry)
  const phaseSeries = createRequestPhaseSeries(registry)
  const tokenSeries = createTokenSeries(registry)
  const clientSeries = createClientSeries(registry)
  const findings = createFindingMetrics(registry)

  return {
    settled(record) {
      if (record.synthetic === true) {
        countProbe(registry, lookup, record)
        return null
      }
      const goodput = slo.settled(record)
      countRequest(registry, requestSeries, record)
      countPhases(registry, phaseSeries, record, goodput)
      countTokens(registry, tokenSeries, record)
      countTransfer(registry, record)
      countClient(clientSeries, record)
      countStall(registry, lookup, record)
      countGaps(registry, record)
      return goodput
    },
    open(requests) {
      setOpen(registry, requests)
      return slo.open(requests)
    },
    sample: samples.sample,
    heard(resource) {
      if (resource[Otel.serviceName] !== SIDECAR_SERVICE) return
      const labels = {
        cluster: textOf(resource[Longpole.cluster]),
        replica: textOf(resource[Longpole.replica]),
        version: textOf(resource[Otel.serviceVersion]),
      }
      registry.set('sidecarSeen', labels, Number(clock.unixNano()) / 1e9)
    },
    findings: findings.findings,
    events: findings.events,
    expire: samples.expire,
  }
}

const SIDECAR_SERVICE = 'longpole-sidecar'

function textOf(value: AttributeValue | undefined): string | null {
  return typeof value === 'string' ? value : null
}

const MAX_CACHED_LOOKUPS = 10_000

function createObjectiveLookup(objectives: readonly Objective[]): ObjectiveLookup {
  const cache = new Map<string | null, Map<string | null, readonly Objective[]>>()
  let size = 0
  return (model, tenantClass) => {
    const known = cache.get(model)?.get(tenantClass)
    if (known !== undefined) return known
    const found = objectivesFor(objectives, model, tenantClass)
    if (size++ < MAX_CACHED_LOOKUPS) cache.set(model, (cache.get(model) ?? new Map()).set(tenantClass, found))
    return found
  }
}

/** What nearly every record counts on. */
function createRequestSeries(registry: Registry) {
  const fleet = ['cluster', 'region', 'model', 'pool', 'prompt_class', 'tenant_class'] as const
  return {
    requests: rememberByColumns(['cluster', 'region', 'model', 'outcome', 'error_class'], (labels) =>
      registry.handle('requestsTotal', labels),
    ),
    replicaRequests: rememberByColumns(['cluster', 'model', 'replica', 'outcome'], (labels) =>
      registry.handle('replicaRequestsTotal', labels),
    ),
    e2e: rememberByColumns(fleet, (labels) => registry.handle('requestSeconds', labels)),
    ttft: rememberByColumns(fleet, (labels) => registry.handle('ttftSeconds', labels)),
    tpot: rememberByColumns(fleet, (labels) => registry.handle('tpotSeconds', labels)),
    itlMax: rememberByColumns(fleet, (labels) => registry.handle('itlMaxSeconds', labels)),
  }
}

type RequestSeries = ReturnType<typeof createRequestSeries>

function countRequest(registry: Registry, series: RequestSeries, record: RequestRecord): void {
  const { cluster, model, trace_id } = record
  series.requests(record).increment()
  if (record.replica !== null) series.replicaRequests(record).increment()
  if (record.e2e !== null) series.e2e(record).observe(record.e2e, trace_id)
  if (record.ttft !== null) series.ttft(record).observe(record.ttft, trace_id)
  if (record.tpot !== null) series.tpot(record).observe(record.tpot, trace_id)
  if (record.itl_max !== null) series.itlMax(record).observe(record.itl_max, trace_id)
  if (record.cold === true) registry.increment('coldRequestsTotal', { cluster, model, kind: 'replica' })
  if (record.adapter_loaded === true) registry.increment('coldRequestsTotal', { cluster, model, kind: 'adapter' })
}

function createRequestPhaseSeries(registry: Registry) {
  return {
    all: rememberByColumns(
      ['cluster', 'region', 'model', 'pool'],
      (labels) => new LabelledSeries(registry, 'phaseSeconds', labels, 'phase'),
    ),
    replica: rememberByColumns(
      ['cluster', 'model', 'pool', 'replica'],
      (labels) => new LabelledSeries(registry, 'replicaPhaseSeconds', labels, 'phase'),
    ),
    countClasses: createClassPhases(registry),
  }
}

type RequestPhaseSeries = ReturnType<typeof createRequestPhaseSeries>

function countPhases(registry: Registry, series: RequestPhaseSeries, record: RequestRecord, goodput: Judgement): void {
  const { cluster, model, replica, trace_id } = record
  const ofHops = record.hops.length === 0 ? NO_PHASES : new Set<string>()
  for (const hop of record.hops) {
    for (const { phase, seconds } of hop.phases) {
      ofHops.add(phase)
      registry.observe('replicaPhaseSeconds', { cluster, model, pool: hop.pool, replica: hop.replica, phase }, seconds)
    }
  }
  const all = series.all(record)
  const ofReplica = replica === null ? null : series.replica(record)
  for (const { phase, seconds } of record.phases) {
    all.of(phase).observe(seconds, trace_id)
    // A phase that one of several engines had belongs to that engine, not to the one that produced the tokens.
    if (ofReplica !== null && !ofHops.has(phase)) ofReplica.of(phase).observe(seconds)
  }
  series.countClasses(record, goodput)
}

const NO_PHASES = new Set<string>()

const TOKEN_COLUMNS = {
  prompt: 'prompt_tokens',
  cached: 'cached_tokens',
  output: 'output_tokens',
  reasoning: 'reasoning_tokens',
  drafted: 'drafted',
  accepted: 'accepted',
} as const satisfies Record<string, keyof RequestRecord>

const TOKENS = Object.entries(TOKEN_COLUMNS)

function createTokenSeries(registry: Registry) {
  return rememberByColumns(['cluster', 'model'], (labels) => new LabelledSeries(registry, 'tokensTotal', labels, 'kind'))
}

function countTokens(registry: Registry, series: ReturnType<typeof createTokenSeries>, record: RequestRecord): void {
  const { cluster, model } = record
  const ofModel = series(record)
  for (const [kind, column] of TOKENS) {
    const tokens = record[column]
    if (tokens !== null && tokens >= 0) ofModel.of(kind).increment(tokens)
  }
  for (const [tier, tokens] of Object.entries(record.cached_tokens_by_tier ?? {})) {
    if (tokens >= 0) registry.increment('cachedTokensTotal', { cluster, model, tier }, tokens)
  }
}

function countTransfer(registry: Registry, record: RequestRecord): void {
  const transfer = record.phases.find(({ phase }) => phase === 'kv.transfer')
  const isDisaggregated = record.prefill_replica !== null && record.decode_replica !== null
  if (transfer === undefined && !isDisaggregated) return
  const { cluster, model, prefill_replica: source, decode_replica: destination, trace_id } = record
  if (transfer !== undefined) registry.observe('kvTransferSeconds', { source, destination }, transfer.seconds, trace_id)
  if (record.kv_bytes !== null) registry.observe('kvTransferBytes', { source, destination }, record.kv_bytes, trace_id)
  const hasFailed = record.outcome === 'error' && /kv|transfer/i.test(record.error_class ?? '')
  registry.increment('kvTransfersTotal', { cluster, model, result: hasFailed ? 'failed' : 'ok' })
}

/** On the way to the first token, but not at the server. */
const OUTSIDE_SERVER = new Set<string>(['client.backoff', 'client.connect', 'client.upload', 'stream.network'])

function createClientSeries(registry: Registry) {
  const client = ['client_region', 'sdk', 'model'] as const
  return {
    connect: rememberByColumns(['client_region', 'sdk'], (labels) => new LabelledSeries(registry, 'connectSeconds', labels, 'part')),
    clientTtft: rememberByColumns(client, (labels) => registry.handle('clientTtftSeconds', labels)),
    serverTtft: rememberByColumns(client, (labels) => registry.handle('serverTtftSeconds', labels)),
  }
}

function countClient(series: ReturnType<typeof createClientSeries>, record: RequestRecord): void {
  if (record.vantage !== 'client') return
  const { trace_id, ttft } = record
  const connect = record.phases.find(({ phase }) => phase === 'client.connect')
  for (const part in connect?.parts)
    series
      .connect(record)
      .of(part)
      .observe(connect.parts[part] as number, trace_id)
  if (ttft === null) return
  series.clientTtft(record).observe(ttft, trace_id)
  if (!record.joined.includes('sidecar') && !record.joined.includes('engine')) return
  const outside = record.phases.reduce((sum, { phase, seconds }) => sum + (OUTSIDE_SERVER.has(phase) ? seconds : 0), 0)
  series.serverTtft(record).observe(Math.max(0, ttft - outside), trace_id)
}

function countStall(registry: Registry, lookup: ObjectiveLookup, record: RequestRecord): void {
  if (record.itl_max === null) return
  const tpot = lookup(record.model, record.tenant_class).find((objective) => objective.slo === 'tpot')
  const limit = tpot === undefined ? null : thresholdOf(tpot, record.prompt_class)
  if (limit === null || record.itl_max <= STALL_FACTOR * limit) return
  registry.increment('streamStallsTotal', { cluster: record.cluster, model: record.model, replica: record.replica })
}

/** A stream of so many chunks is enough of them: one endless stream shall not hold up the page. */
const MAX_GAPS = 20_000

/** Every gap of the record's sketch, each as the middle of its exponential bucket. */
function countGaps(registry: Registry, { cluster, model, pool, itl }: RequestRecord): void {
  let left = MAX_GAPS
  for (const [index, count] of Object.entries(itl ?? {})) {
    const times = Math.min(count, left)
    left -= times
    registry.observe('itlSeconds', { cluster, model, pool }, exponentialUpperBound(Number(index) - 0.5), undefined, times)
  }
}

/** Good: an answer, its first token within the objective. */
function countProbe(registry: Registry, lookup: ObjectiveLookup, record: RequestRecord): void {
  const { cluster, model, ttft } = record
  const objective = lookup(model, null).find((entry) => entry.slo === 'ttft')
  const limit = objective === undefined ? null : thresholdOf(objective, record.prompt_class)
  const isLate = ttft !== null && limit !== null && ttft > limit
  const isGood = record.outcome === 'ok' && !isLate
  registry.increment('probeRequestsTotal', { cluster, model, result: isGood ? 'good' : 'bad' })
  registry.increment('probeRequestsTotal', { cluster, model, result: isGood ? 'bad' : 'good' }, 0)
  registry.set('probeUp', { cluster, model }, isGood ? 1 : 0)
  if (ttft !== null) registry.set('probeSeconds', { cluster, model }, ttft)
}

function setOpen(registry: Registry, requests: readonly OpenRequest[]): void {
  registry.clear('requestsOpen')
  registry.clear('requestOpenAgeSecondsMax')
  const groups = new Map<string, { labels: Record<string, string | null>; count: number; ageSeconds: number }>()
  for (const { columns, phase, ageSeconds } of requests) {
    if (columns.synthetic === true) continue
    const labels = { cluster: columns.cluster ?? null, model: columns.model ?? null, replica: columns.replica ?? null, phase }
    const key = JSON.stringify(labels)
    const group = groups.get(key) ?? { labels, count: 0, ageSeconds: 0 }
    groups.set(key, group)
    group.count++
    group.ageSeconds = Math.max(group.ageSeconds, ageSeconds)
  }
  for (const { labels, count, ageSeconds } of groups.values()) {
    registry.set('requestsOpen', labels, count)
    registry.set('requestOpenAgeSecondsMax', labels, ageSeconds)
  }
}
