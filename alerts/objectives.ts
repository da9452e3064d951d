// Objectives as the rules need them: one set for each distinct promise, with the PromQL matchers that pick its models.
import type { PromptClass } from '@longpole/model/request-record'
import { type Objective, SLO_NAMES, type SloName } from '@longpole/model/slo'
import { escapeRegex, quote } from './promql.ts'

export interface ObjectiveSet {
  slo: SloName
  /** Share of good requests promised. */
  objective: number
  /** Limits in seconds by input-length class; absent for goodput and availability. */
  thresholdSeconds?: Partial<Record<PromptClass, number>>
  /** The model, or `*` for all without an objective of their own. */
  model: string
  /** Matchers on `model`, ready for a selector; empty where the set holds for every model. */
  matchers: string
}

export class ObjectiveError extends Error {
  override readonly name = 'ObjectiveError'
  readonly exitStatus = 2
}

/**
 * Sets in the order of SLO_NAMES, own models before `*`. The objectives of one model's tenant classes are counted in one series
 * (`longpole_slo_requests_total` has no tenant label), so their promised shares must agree; their limits may differ.
 */
export function objectiveSets(objectives: readonly Objective[]): ObjectiveSet[] {
  return SLO_NAMES.flatMap((slo) => {
    const ofSlo = objectives.filter((objective) => objective.slo === slo)
    const models = [...new Set(ofSlo.map((objective) => objective.model))].sort((a, b) => Number(a === '*') - Number(b === '*'))
    const own = models.filter((model) => model !== '*')
    return models.map((model) => {
      const candidates = ofSlo.filter((objective) => objective.model === model)
      const shares = [...new Set(candidates.map((candidate) => candidate.objective))]
      if (shares.length > 1) {
        throw new ObjectiveError(
          `slo.objectives: the objective of ${slo} for model ${model} must be the same for every tenant class (they share one error budget), got ${shares.join(' and ')}`,
        )
      }
      const chosen = (candidates.find((candidate) => candidate.tenantClass === undefined) ?? candidates[0]) as Objective
      return {
        slo,
        objective: chosen.objective,
        ...(chosen.thresholdSeconds === undefined ? {} : { thresholdSeconds: chosen.thresholdSeconds }),
        model,
        matchers: modelMatchers(model, own),
      }
    })
  })
}

/**
 * Sets of one SLO with the same promise as one: the models of their own in one matcher, `*` beside them. What is left are at most two
 * alternatives a promise, however many models there are.
 */
export function mergeByPromise(sets: readonly ObjectiveSet[], slo: SloName): { objective: number; sets: ObjectiveSet[] }[] {
  const ofSlo = sets.filter((set) => set.slo === slo)
  const promises = [...new Set(ofSlo.map(({ objective }) => objective))]
  return promises.map((objective) => {
    const same = ofSlo.filter((set) => set.objective === objective)
    const own = same.filter(({ model }) => model !== '*')
    const all = same.filter(({ model }) => model === '*')
    const first = own[0]
    if (first === undefined || own.length === 1) return { objective, sets: [...own, ...all] }
    const models = own.map(({ model }) => model)
    const merged = { ...first, model: models.join(', '), matchers: `model=~${quote(models.map(escapeRegex).join('|'))}` }
    return { objective, sets: [merged, ...all] }
  })
}

function modelMatchers(model: string, own: readonly string[]): string {
  if (model !== '*') return `model=${quote(model)}`
  return own.length === 0 ? '' : `model!~${quote(own.map(escapeRegex).join('|'))}`
}

/** `1 - objective` without the noise of binary fractions. */
export function errorBudget(objective: number): number {
  return round(1 - objective)
}

/** Twelve significant digits: what a person reads in a rule. */
export function round(value: number): number {
  return Number(value.toPrecision(12))
}
