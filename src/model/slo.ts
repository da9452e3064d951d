// Service level objectives: what "slow" means for a user. A request counts as bad when its deadline passes, not when it ends.
import type { Outcome, PromptClass } from './request-record.ts'

export const SLO_NAMES = ['ttft', 'tpot', 'stall', 'e2e', 'goodput', 'availability'] as const
export type SloName = (typeof SLO_NAMES)[number]

export interface Objective {
  slo: SloName
  /** Models it holds for; `*` for all. */
  model: string
  tenantClass?: string
  /** Share of good requests promised, for example 0.99. */
  objective: number
  /** Seconds, by input-length class; `availability` and `goodput` have none of their own. */
  thresholdSeconds?: Partial<Record<PromptClass, number>>
}

/** The part of a record that an objective looks at; `age` stands for `e2e` while the request is open. */
export interface SloView {
  outcome: Outcome
  prompt_class: string | null
  ttft: number | null
  tpot: number | null
  itl_max: number | null
  e2e: number | null
  age?: number
}

/**
 * Good, bad, or neither (null): a non-streaming request has no TTFT, so it is neither good nor bad for `ttft`; a request the client
 * aborted before its deadline is neither (GuideLLM's rule). Errors and timeouts are bad for every objective.
 */
export function judge(objective: Objective, view: SloView): 'good' | 'bad' | null {
  const { outcome } = view
  if (outcome === 'error' || outcome === 'timeout') return 'bad'
  if (outcome === 'rejected') return objective.slo === 'availability' || objective.slo === 'goodput' ? 'bad' : null
  if (objective.slo === 'availability') return outcome === 'ok' ? 'good' : null
  if (objective.slo === 'goodput') return null
  const limit = thresholdOf(objective, view.prompt_class)
  if (limit === null) return null
  const value = measured(objective.slo, view)
  if (value !== null) return value > limit ? 'bad' : outcome === 'ok' ? 'good' : null
  // No value yet: the request is open or was aborted. Past its deadline it is bad all the same.
  const passed = view.age ?? view.e2e
  const hasDeadline = objective.slo === 'ttft' || objective.slo === 'e2e'
  if (hasDeadline && passed !== null && passed !== undefined && passed > limit && outcome !== 'ok') return 'bad'
  return null
}

/** Goodput: good where no other objective of the model is bad and at least one is good. */
export function judgeGoodput(results: readonly ('good' | 'bad' | null)[]): 'good' | 'bad' | null {
  if (results.includes('bad')) return 'bad'
  return results.includes('good') ? 'good' : null
}

/** Limit for an input-length class; a missing class takes the next longer one, an unknown length the longest. */
export function thresholdOf(objective: Objective, promptClass: string | null): number | null {
  const thresholds = objective.thresholdSeconds
  if (thresholds === undefined) return null
  const classes: PromptClass[] = ['1k', '8k', '32k', 'inf']
  const from = promptClass === null ? 3 : Math.max(0, classes.indexOf(promptClass as PromptClass))
  for (let index = from; index < classes.length; index++) {
    const limit = thresholds[classes[index] as PromptClass]
    if (limit !== undefined) return limit
  }
  for (let index = from - 1; index >= 0; index--) {
    const limit = thresholds[classes[index] as PromptClass]
    if (limit !== undefined) return limit
  }
  return null
}

function measured(slo: SloName, view: SloView): number | null {
  if (slo === 'ttft') return view.ttft
  if (slo === 'tpot') return view.tpot
  if (slo === 'stall') return view.itl_max
  return view.outcome === 'open' ? null : view.e2e
}
