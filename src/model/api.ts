// Shapes of the hub's HTTP API, shared by the hub, the console and the command line. Durations are seconds (numbers), instants are
// strings of Unix nanoseconds or RFC 3339. Lists are { items, next }.
import type { ChangeEvent } from './change-event.ts'
import type { EngineSample } from './engine-sample.ts'
import type { Finding, Slice } from './finding.ts'
import type { OverlayDuration, PhaseId } from './phase.ts'
import type { RequestColumns } from './request-columns.ts'
import type { Attempt, Hop } from './request-record.ts'

export const API_PREFIX = '/api/v1'

/** What a bigint becomes in JSON. */
export type Json<T> = T extends bigint ? string : T extends (infer U)[] ? Json<U>[] : T extends object ? { [K in keyof T]: Json<T[K]> } : T

export interface List<T> {
  items: T[]
  /** Cursor of the next page, to be passed as `cursor`; null at the end. */
  next: string | null
}
export const LIST_LIMIT = 10_000

export interface ApiPhase {
  phase: PhaseId
  seconds: number
  source: string
  exactness: string
  error_seconds: number | null
  parts?: Record<string, number>
}

/** A request: the record's columns, phases in path order, `unattributed` last. */
export interface ApiRequest extends Json<RequestColumns> {
  phases: ApiPhase[]
  overlays: OverlayDuration[]
  hops: Json<Hop>[]
  attempt_list: Json<Attempt>[]
}

/** A request in flight. */
export interface ApiOpenRequest {
  trace_id: string
  span_id: string
  request_id: string
  start_unix_ns: string
  observed_unix_ns: string
  age_seconds: number
  phase: string
  model: string | null
  replica: string | null
  cluster: string | null
  region: string | null
  tenant: string | null
  route: string | null
  prompt_class: string | null
  /** Objectives whose deadline has passed. */
  late: string[]
}

export interface ApiSpan {
  trace_id: string
  span_id: string
  parent_span_id: string
  name: string
  kind: number
  start_unix_ns: string
  end_unix_ns: string
  attributes: Record<string, unknown>
  resource: Record<string, unknown>
  scope: string
  status_code: number
}

export interface ApiRequestDetail extends ApiRequest {
  spans: ApiSpan[]
}

export type ApiSample = Json<EngineSample>
export type ApiEvent = Json<ChangeEvent>

export interface ApiFleet {
  replicas: {
    cluster: string | null
    region: string | null
    model: string | null
    pool: string | null
    replica: string
    engine: string | null
    engine_version: string | null
    up: boolean
    running: number | null
    waiting: number | null
    kv_usage: number | null
    requests_per_second: number
    error_ratio: number
    ttft_p50: number | null
    ttft_p99: number | null
    tpot_p50: number | null
    /** Observed seconds over expected seconds at the same workload, minus 1. */
    excess: number | null
    last_seen_unix_ns: string
    ranks: string[]
  }[]
  transfers: {
    source: string
    destination: string
    count: number
    seconds_p50: number
    seconds_p99: number
    bytes: number
  }[]
}

export interface ApiSloStatus {
  model: string
  cluster: string | null
  slo: string
  objective: number
  good: number
  bad: number
  /** Share of good requests in the window; null without requests. */
  attainment: number | null
}

/** First page: is the fleet fine? */
export interface ApiSummary {
  now_unix_ns: string
  window_seconds: number
  requests: number
  open: number
  oldest_open_seconds: number
  slos: ApiSloStatus[]
  findings: Finding[]
  models: {
    model: string
    requests_per_second: number
    requests_per_second_before: number
    error_ratio: number
    ttft_p50: number | null
    ttft_p99: number | null
    tpot_p50: number | null
    phases: { phase: PhaseId; mean_seconds: number }[]
  }[]
}

/** POST /api/v1/why. Instants are Unix seconds or RFC 3339. */
export interface ApiWhyRequest {
  model?: string
  slo?: string
  target?: string
  slo_seconds?: number
  quantile?: number
  slice?: Slice
  dimensions?: string[]
  incident: { from: string | number; to: string | number }
  baseline?: { from: string | number; to: string | number }[]
}
export interface ApiWhyResponse {
  findings: Finding[]
  /** Requests that were compared. */
  rows: { incident: number; baseline: number }
  /** Requests that the windows hold, where only a sample of them (by record id) was compared. */
  stored?: { incident: number; baseline: number }
  /** The localizer's own time. */
  seconds: number
}

export interface ApiVerdict {
  finding: string
  verdict: 'right' | 'wrong' | 'known'
  note?: string
}
export interface ApiAccuracy {
  right: number
  wrong: number
  known: number
  unanswered: number
}

export interface ApiError {
  error: { code: string; message: string; key?: string; expected?: string; got?: string }
}

/** GET /api/v1/heatmap: how many requests had which latency when. */
export interface ApiHeatmap {
  column: string
  /** Start of each time bin, Unix seconds; all bins are `step_seconds` wide. */
  times: number[]
  step_seconds: number
  /** Upper bounds of the latency bins, seconds, logarithmic. */
  bounds: number[]
  /** counts[time][bin]. */
  counts: number[][]
  quantiles: { p50: (number | null)[]; p99: (number | null)[] }
  /** One request in so many was read and counts are multiplied by it: 1 unless the window holds more than a picture needs. */
  one_in: number
}

/** GET /api/v1/breakdown: one row a value of a dimension. */
export interface ApiBreakdown {
  dimension: string
  /** One request in so many was read and counts are multiplied by it: 1 unless the window holds more than a picture needs. */
  one_in: number
  rows: {
    value: string
    requests: number
    error_ratio: number
    p50: number | null
    p99: number | null
    mean: number | null
    phases: { phase: PhaseId; mean_seconds: number }[]
  }[]
}

/** GET /api/v1/series: means over time, one line a value of `by`. */
export interface ApiSeries {
  column: string
  times: number[]
  lines: { name: string; values: (number | null)[] }[]
  /** As of a heat map. */
  one_in: number
}
