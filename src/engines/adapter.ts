// The contract of an engine, gateway or client library: how its spans become observations and its /metrics page a sample, and what
// it cannot observe. Each folder beside this file is one adapter; index.ts lists them, contract-test.ts holds them to this.
import type { EngineSample, SAMPLE_NUMBERS } from '@longpole/model/engine-sample'
import type { Observation, Vantage } from '@longpole/model/observation'
import type { Boundary, Exactness, MeasuredPhaseId } from '@longpole/model/phase'
import type { Span } from '@longpole/model/span'

/** A phase that an adapter's observations can hold. */
export interface ProducedPhase {
  readonly phase: MeasuredPhaseId
  readonly from: Boundary
  readonly to: Boundary
  /** Every value of `PhaseDuration.source` that the adapter writes for it. */
  readonly source: string
  readonly exactness: Exactness
}

/** What nobody gets from this engine per request, and what Longpole does about it. */
export interface Unobservable {
  readonly what: string
  readonly instead: string
}

/** What happens on the HTTP side of the engine, where the sidecar stands. */
export interface ResponseTraits {
  /**
   * Which boundary the response headers of a stream mark: vLLM sends them when the prompt is tokenized (D), SGLang with the first
   * token (H). `unknown` where nothing was seen.
   */
  readonly streamHeaders: Boundary | 'unknown'
}

export interface EngineAdapter {
  /** The value of the `engine` column, and the folder's name. */
  readonly name: string
  readonly title: string
  readonly vantage: Vantage
  /** Versions whose real output the fixtures hold. */
  readonly seenVersions: readonly string[]
  readonly produces: readonly ProducedPhase[]
  readonly unobservable: readonly Unobservable[]
  readonly response: ResponseTraits
  /** Whether the span was written by this engine. Decided on scope, resource and attribute names, never on values. */
  claims(span: Span): boolean
  /**
   * The claimed spans of one trace, distinct and by start → what they say; `trace` are all its spans, for a sender whose own are not
   * enough. Spans in no observation's `spanIds` count as ignored.
   */
  observe(spans: readonly Span[], trace: readonly Span[]): Observation[]
  /**
   * Ids by which the other half of a broken trace may be found, from one claimed span alone: at least those that observations made with
   * it carry in `requestIds`. Asked for when the span arrives; null entries are left out.
   */
  requestIds(span: Span): readonly (string | null)[]
  readonly exposition?: ExpositionTable
}

/** Where one number of a sample comes from on the engine's page. */
export interface MetricSource {
  /** Sample names, newest first: the first that is on the page is read. */
  readonly names: readonly string[]
  /** Only series with these label values. */
  readonly where?: Readonly<Record<string, string>>
  /** How several series of one rank become one number. */
  readonly combine: 'sum' | 'max' | 'mean'
  /** Multiplied with the number as exposed, for example 0.001 for milliseconds. */
  readonly scale?: number
}

export type SampleNumber = (typeof SAMPLE_NUMBERS)[number]
/** Numbers read as they are. */
export type GaugeField = Extract<SampleNumber, 'running' | 'waiting' | 'kv_usage' | 'expert_load_ratio'>
/** Numbers that are rates of counters. */
export type RateField = Extract<SampleNumber, `${string}_per_second`>

/** The engine's /metrics page as a table. */
export interface ExpositionTable {
  /** The page is this engine's when it has a sample whose name begins with one of these. */
  readonly prefixes: readonly string[]
  /** Also decides between engines behind one prefix. All must be on the page; names newest first. */
  readonly markers?: readonly (readonly string[])[]
  /** Label that names the model. */
  readonly modelLabel: string
  /** Labels that name the rank, first present wins. */
  readonly rankLabels: readonly string[]
  /** Label with the pool and what its values mean. */
  readonly pool?: { readonly label: string; readonly values: Readonly<Record<string, string>> }
  readonly gauges: Readonly<Partial<Record<GaugeField, MetricSource>>>
  readonly rates: Readonly<Partial<Record<RateField, MetricSource>>>
  /** Sum and count of the distribution whose mean is the step time. */
  readonly step?: { readonly sum: MetricSource; readonly count: MetricSource }
  /** Unix seconds at which the process started. */
  readonly startTime?: MetricSource
  /** Version as a label of an info series. */
  readonly version?: { readonly names: readonly string[]; readonly label: string }
  /** Version ranges by names that came or went, newest first: the first whose name is on the page. */
  readonly versionMarkers?: readonly { readonly name: string; readonly version: string }[]
  /** Sample names that this engine exposes from the first request on (from the start where `atStart`), each with its older names. */
  readonly expected: readonly { readonly names: readonly string[]; readonly atStart: boolean; readonly why: string }[]
}

/** Keys of a sample that an exposition table can fill. */
export type SampledField = keyof EngineSample & (GaugeField | RateField | 'step_seconds' | 'age_seconds')
