// What is asked of the localizer: which number moved, between which windows, and which columns may be part of the answer.
import type { ChangeEvent } from '@longpole/model/change-event'
import type { EngineSample } from '@longpole/model/engine-sample'

/**
 * `quantile`: "it got slower", summarised at that quantile. `deadline`: the share of rows above `seconds` (an SLO). `ratio`: the share
 * of rows where a flag is true. `sum`: an additive measure per unit of time, which may rise or fall.
 */
export type Measure = { kind: 'quantile'; quantile: number } | { kind: 'deadline'; seconds: number } | { kind: 'ratio' } | { kind: 'sum' }

/** Whether the target is a time that a request took: it may be censored, and it depends on the workload. */
export function isTimed({ kind }: Measure): boolean {
  return kind === 'quantile' || kind === 'deadline'
}

/** Half-open: from ≤ time < to, Unix seconds. */
export interface Window {
  from: number
  to: number
}

export interface Question {
  /** A number column, a flag column, or `outcome`. */
  target: string
  measure: Measure
  incident: Window
  /** Empty: everything before the incident. */
  baseline: Window[]
  /** Dimensions that a slice may be made of. */
  dimensions: string[]
  /** Duration columns that the target is the sum of, in path order. */
  phases: string[]
  /** Exogenous workload columns. Null: those the product knows for this target, where present. */
  covariates: string[] | null
  /** Name of the objective, for the finding. */
  slo: string | null
  model: string | null
  samples: readonly EngineSample[]
  events: readonly ChangeEvent[]
  /** Seed of every random draw. */
  seed: number
  /** Steps left out: only the benchmark asks for that, to show what each is worth. */
  without?: ReadonlySet<Step>
}

export type Step = 'main_effects' | 'confounders' | 'contrast' | 'null_maximum' | 'phase_scan' | 'narrowing'

/** Columns that are consequences of the fleet's state: never conditioned on, or cache and queue faults would be explained away. */
export const ENDOGENOUS_COLUMNS: ReadonlySet<string> = new Set([
  'cached_tokens',
  'running',
  'waiting',
  'kv_usage',
  'replica_age',
  'cold',
  'preemptions',
  'drafted',
  'accepted',
  'kv_bytes',
  'attempts',
  'adapter_loaded',
])

/** Targets that are decided when the first token comes. */
export const FIRST_TOKEN_TARGETS: ReadonlySet<string> = new Set(['ttft', 'ttfr', 'ttfa'])

/** Workload columns for a target: the first token depends on the prompt; the end and the pace also on the output. */
export function defaultCovariates(target: string): string[] {
  if (FIRST_TOKEN_TARGETS.has(target) || target.startsWith('phase_')) return ['prompt_tokens']
  return ['prompt_tokens', 'output_tokens']
}
