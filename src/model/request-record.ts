// A request record: the columns of request-columns.ts plus the phases, overlays, hops and attempts behind them.
import type { Vantage } from './observation.ts'
import { type OverlayDuration, PHASES, type PhaseDuration, phaseColumn } from './phase.ts'
import type { RequestColumns } from './request-columns.ts'

export const OUTCOMES = ['ok', 'error', 'aborted', 'timeout', 'rejected', 'open'] as const
export type Outcome = (typeof OUTCOMES)[number]

/** One engine's part of a request that several engines served. */
export interface Hop {
  replica: string
  pool: string
  engine: string
  span_id: string
  start_unix_ns: bigint
  seconds: number
  phases: PhaseDuration[]
}

/** One try of a logical request. */
export interface Attempt {
  span_id: string
  start_unix_ns: bigint
  seconds: number
  outcome: Outcome
  error_class: string | null
  http_status: number | null
}

export interface RequestRecord extends RequestColumns {
  outcome: Outcome
  vantage: Vantage
  /** In path order, `unattributed` last; sum = `e2e`. */
  phases: PhaseDuration[]
  overlays: OverlayDuration[]
  hops: Hop[]
  attempt_list: Attempt[]
}

/** Columns that stand for phases in tables: seconds, source and exactness of each. */
export const PHASE_COLUMNS: readonly {
  phase: string
  seconds: string
  source: string
  exactness: string
  error: string
}[] = PHASES.map(({ id }) => {
  const column = phaseColumn(id)
  return {
    phase: id,
    seconds: column,
    source: `${column}_source`,
    exactness: `${column}_exactness`,
    error: `${column}_error`,
  }
})

/** Input-length classes by prompt tokens, so that a long prompt is not "slow". */
export const PROMPT_CLASSES = [
  { id: '1k', maxTokens: 1_024 },
  { id: '8k', maxTokens: 8_192 },
  { id: '32k', maxTokens: 32_768 },
  { id: 'inf', maxTokens: Number.POSITIVE_INFINITY },
] as const
export type PromptClass = (typeof PROMPT_CLASSES)[number]['id']

export function promptClass(promptTokens: number | null | undefined): PromptClass | null {
  if (promptTokens === null || promptTokens === undefined) return null
  return PROMPT_CLASSES.find((entry) => promptTokens <= entry.maxTokens)?.id ?? 'inf'
}
