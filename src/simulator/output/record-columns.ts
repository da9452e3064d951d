// A simulated request as the columns of a request record: what the hub would have made of its client, gateway, sidecar and engine spans.
// The columns are exactly those of the model, then four for each phase; nothing in a row says what was injected.
import { exponentialIndex } from '@longpole/model/conventions/buckets'
import { PHASE_IDS } from '@longpole/model/phase'
import { type ColumnName, REQUEST_COLUMNS } from '@longpole/model/request-columns'
import { PHASE_COLUMNS, promptClass } from '@longpole/model/request-record'
import { chunksOf } from '../client/network.ts'
import { hash } from '../core/random.ts'
import { PHASE, type SimRequest } from '../core/request.ts'
import type { Engine } from '../engine/engine.ts'
import { hexId, Purpose } from '../spans/request-ids.ts'
import { phaseSource } from './sources.ts'

/** How values of a column are held. */
export type CellKind = 'text' | 'dictionary' | 'number' | 'flag' | 'instant' | 'names'
export type Cell = string | number | boolean | bigint | readonly string[] | null

export interface RecordColumn {
  name: string
  kind: CellKind
  get(request: SimRequest, run: RunIdentity): Cell
}

export interface RunIdentity {
  seed: number
  /** Unix nanoseconds of virtual second 0. */
  startUnixNano: bigint
  /** What a hub keeps of a tenant or a session; as they are when absent. */
  hashed?(name: string): string | null
}

const JOINED = ['client', 'gateway', 'sidecar', 'engine'] as const
const JOINED_WITHOUT_ENGINE = ['client', 'gateway'] as const

function servedBy(request: SimRequest): Engine | null {
  return request.engine
}

function totalSeconds(request: SimRequest): number | null {
  return request.outcome === 'open' ? null : request.totalSeconds
}

function firstTokenSeconds(request: SimRequest): number | null {
  return Number.isNaN(request.firstTokenSeconds) ? null : request.firstTokenSeconds
}

function afterFirstToken(request: SimRequest): number | null {
  if (request.outcome === 'open' || Number.isNaN(request.firstTokenSeconds)) return null
  return request.totalSeconds - request.firstTokenSeconds - (request.phases[PHASE.unattributed] as number)
}

function perToken(request: SimRequest): number | null {
  const rest = afterFirstToken(request)
  return rest === null || request.outputTokens < 2 || request.outcome !== 'ok' ? null : rest / (request.outputTokens - 1)
}

function longestGap(request: SimRequest): number | null {
  const rest = afterFirstToken(request)
  if (rest === null || request.outputTokens < 2) return null
  return Math.min(rest, Math.max(request.longestGap, rest / Math.max(1, chunksOf(request) - 1)))
}

/** Gaps between chunks: all but the longest near their mean, for the core takes many steps at once. */
function gapHistogram(request: SimRequest): string | null {
  const longest = longestGap(request)
  const rest = afterFirstToken(request)
  if (longest === null || rest === null) return null
  const gaps = chunksOf(request) - 1
  const mean = gaps > 1 ? Math.max(1e-5, (rest - longest) / (gaps - 1)) : longest
  const top = exponentialIndex(Math.max(1e-5, longest))
  const usual = exponentialIndex(mean)
  if (gaps <= 1) return `{"${top}":1}`
  return usual === top ? `{"${top}":${gaps}}` : `{"${usual}":${gaps - 1},"${top}":1}`
}

function producedTokens(request: SimRequest): number | null {
  if (request.outcome === 'ok') return request.outputTokens
  return Number.isNaN(request.firstTokenAt) ? null : Math.floor(request.generatedTokens)
}

function instant(run: RunIdentity, seconds: number): bigint {
  return run.startUnixNano + BigInt(Math.round(seconds * 1e9))
}

function reasoningFirst(request: SimRequest): boolean {
  return request.reasoningTokens > 0
}

function answerSeconds(request: SimRequest): number | null {
  const first = firstTokenSeconds(request)
  if (first === null || !reasoningFirst(request)) return first
  const pace = perToken(request)
  return pace === null ? null : first + request.reasoningTokens * pace
}

type Getter = (request: SimRequest, run: RunIdentity) => Cell

const PLACE = (key: 'cluster' | 'region' | 'zone' | 'node' | 'gpuType'): Getter => {
  return (request) => servedBy(request)?.spec.placement[key] ?? null
}

const GETTERS: Record<ColumnName, Getter> = {
  trace_id: (request, run) => hexId(run.seed, request.key, 4, Purpose.trace),
  record_id: (request, run) => `${hexId(run.seed, request.key, 4, Purpose.trace)}-${hexId(run.seed, request.key, 2, Purpose.request)}`,
  request_id: (request, run) => `req-${hexId(run.seed, request.key, 3, Purpose.requestId)}`,
  start_unix_ns: (request, run) => instant(run, request.startedAt),
  received_unix_ns: (request, run) => instant(run, request.startedAt + (totalSeconds(request) ?? 0) + 0.2),
  vantage: () => 'client',
  version: (request) => (request.engine === null ? 2 : request.prefillEngine === null ? 4 : 5),
  joined: (request) => (request.engine === null ? JOINED_WITHOUT_ENGINE : JOINED),
  weight: () => 1,
  cluster: PLACE('cluster'),
  region: (request) => servedBy(request)?.spec.placement.region ?? request.gateway?.region ?? null,
  zone: PLACE('zone'),
  node: PLACE('node'),
  pool: (request) => (request.model.disaggregated ? (servedBy(request)?.spec.role ?? null) : 'both'),
  replica: (request) => servedBy(request)?.spec.name ?? null,
  prefill_replica: (request) => request.prefillEngine?.spec.name ?? null,
  decode_replica: (request) => (servedBy(request)?.spec.role === 'decode' ? (servedBy(request)?.spec.name ?? null) : null),
  ep_group: (request) => servedBy(request)?.spec.epGroup ?? null,
  rank: (request) => request.servedRank?.name ?? null,
  gpu_type: PLACE('gpuType'),
  gateway: (request) => (request.gateway === null ? null : gatewayName(request)),
  model: (request) => request.model.name,
  revision: (request) => servedBy(request)?.spec.revision.name ?? null,
  engine: (request) => servedBy(request)?.spec.kind ?? null,
  engine_version: (request) => servedBy(request)?.spec.revision.engineVersion ?? null,
  quantization: (request) => servedBy(request)?.spec.quantization ?? null,
  flags_hash: (request) => servedBy(request)?.spec.flagsHash ?? null,
  adapter: (request) => request.adapter,
  output_mode: (request) => request.outputMode,
  tenant: (request, run) => (run.hashed === undefined ? request.tenant.name : run.hashed(request.tenant.name)),
  tenant_class: (request) => request.tenant.tenantClass,
  route: (request) => request.route,
  session: (request, run) =>
    hash(run.seed ^ 0x54, request.session)
      .toString(16)
      .padStart(8, '0'),
  sdk: (request) => request.client.sdk,
  sdk_version: (request) => request.client.sdkVersion,
  client_region: (request) => request.client.region,
  prompt_tokens: (request) => request.promptTokens,
  cached_tokens: (request) => (request.reached[PHASE['engine.prefill']] ? request.cachedTokens : null),
  cached_tokens_by_tier: (request) => tiers(request),
  output_tokens: producedTokens,
  reasoning_tokens: (request) => (request.model.reasoning && request.outcome === 'ok' ? request.reasoningTokens : null),
  max_tokens: (request) => request.maxTokens,
  prompt_class: (request) => promptClass(request.promptTokens),
  running: (request) => (request.engine === null ? null : request.running),
  waiting: (request) => (request.engine === null ? null : request.waiting),
  kv_usage: (request) => (request.engine === null ? null : request.kvUsage),
  replica_age: (request) => (request.engine === null ? null : request.replicaAge),
  cold: (request) => (request.engine === null ? null : request.cold),
  preemptions: (request) => (request.reached[PHASE['engine.prefill']] ? request.preemptions : null),
  drafted: (request) => (request.model.speculative && request.outcome === 'ok' ? request.drafted : null),
  accepted: (request) => (request.model.speculative && request.outcome === 'ok' ? request.accepted : null),
  kv_bytes: (request) => (request.kvBytes > 0 ? request.kvBytes : null),
  attempts: (request) => request.attempts,
  adapter_loaded: (request) => (request.adapter === null ? null : request.adapterLoaded),
  response_cache: () => null,
  e2e: totalSeconds,
  ttft: firstTokenSeconds,
  ttfr: (request) => (reasoningFirst(request) ? firstTokenSeconds(request) : null),
  ttfa: answerSeconds,
  tpot: perToken,
  itl_max: longestGap,
  itl: gapHistogram,
  chunks: (request) => (request.outcome === 'ok' ? chunksOf(request) : null),
  outcome: (request) => request.outcome,
  error_class: (request) => request.errorClass,
  http_status: (request) => request.httpStatus,
  finish_reason: (request) => (request.outcome === 'ok' ? finishReason(request) : null),
  synthetic: () => null,
  dimensions: () => null,
}

/** As the hub reads it from the gateway's resource. */
function gatewayName(request: SimRequest): string {
  const name = request.gateway?.name as string
  return request.model.kind === 'sglang' ? name : `llm-d-${name}`
}

function tiers(request: SimRequest): string | null {
  if (!request.reached[PHASE['engine.prefill']]) return null
  const host = Math.min(request.loadedTokens, request.cachedTokens)
  return `{"device":${request.cachedTokens - host},"host":${host}}`
}

export function finishReason(request: SimRequest): string {
  if (request.outputTokens >= request.maxTokens) return 'length'
  return request.outputMode === 'tool' ? 'tool_calls' : 'stop'
}

const KINDS: Record<(typeof REQUEST_COLUMNS)[number]['kind'], CellKind> = {
  text: 'text',
  dictionary: 'dictionary',
  count: 'number',
  seconds: 'number',
  ratio: 'number',
  number: 'number',
  flag: 'flag',
  instant: 'instant',
  names: 'names',
  counts: 'text',
  labels: 'text',
}

function phaseColumns(index: number): RecordColumn[] {
  const id = PHASE_IDS[index] as (typeof PHASE_IDS)[number]
  const names = PHASE_COLUMNS[index] as (typeof PHASE_COLUMNS)[number]
  const isKnown = (request: SimRequest) => request.reached[index] === 1
  const source = (request: SimRequest) => phaseSource(request.model.kind, id)
  return [
    { name: names.seconds, kind: 'number', get: (request) => (isKnown(request) ? (request.phases[index] as number) : null) },
    { name: names.source, kind: 'dictionary', get: (request) => (isKnown(request) ? source(request).source : null) },
    { name: names.exactness, kind: 'dictionary', get: (request) => (isKnown(request) ? source(request).exactness : null) },
    { name: names.error, kind: 'number', get: () => null },
  ]
}

/** Columns that hold JSON objects as text. */
export const OBJECT_COLUMNS: ReadonlySet<string> = new Set(
  REQUEST_COLUMNS.filter((column) => column.kind === 'counts' || column.kind === 'labels').map((column) => column.name),
)

export const RECORD_COLUMNS: readonly RecordColumn[] = [
  ...REQUEST_COLUMNS.map((column): RecordColumn => ({ name: column.name, kind: KINDS[column.kind], get: GETTERS[column.name] })),
  ...PHASE_IDS.flatMap((_, index) => phaseColumns(index)),
]
