// From the `slo` section of the configuration to the list of objectives that the hub judges by and the alert rules are made from.
import type { PromptClass } from '@longpole/model/request-record'
import type { Objective } from '@longpole/model/slo'
import { PRESETS } from './presets.ts'
import type { Config } from './schema.ts'

/**
 * Every objective in force, one per model, tenant class and name: an entry of its own wins over the preset of the same model, and
 * the last of several entries wins. Models in the order of the file, `*` last.
 */
export function resolveObjectives(config: Pick<Config, 'slo'>): Objective[] {
  const objectives = new Map<string, Objective>()
  const put = (objective: Objective) =>
    objectives.set(JSON.stringify([objective.model, objective.tenantClass ?? null, objective.slo]), objective)
  for (const { model, preset } of config.slo.presets) for (const entry of PRESETS[preset]) put({ ...entry, model })
  for (const { model, tenantClass, slo, objective, thresholdSeconds } of config.slo.objectives) {
    put({
      slo,
      model,
      objective,
      ...(tenantClass === undefined ? {} : { tenantClass }),
      ...(thresholdSeconds === undefined ? {} : { thresholdSeconds: byClass(thresholdSeconds) }),
    })
  }
  return [...objectives.values()].sort((a, b) => Number(a.model === '*') - Number(b.model === '*'))
}

/**
 * The objectives of one model: its own, and of `*` those it has no own for. An objective of a tenant class holds for that class
 * instead of the one for everybody.
 */
export function objectivesFor(objectives: readonly Objective[], model: string | null, tenantClass: string | null = null): Objective[] {
  const chosen = new Map<string, { objective: Objective; rank: number }>()
  for (const objective of objectives) {
    const isOwn = objective.model === model
    if (!isOwn && objective.model !== '*') continue
    if (objective.tenantClass !== undefined && objective.tenantClass !== tenantClass) continue
    const rank = (isOwn ? 2 : 0) + (objective.tenantClass === undefined ? 0 : 1)
    const current = chosen.get(objective.slo)
    if (current === undefined || current.rank < rank) chosen.set(objective.slo, { objective, rank })
  }
  return [...chosen.values()].map(({ objective }) => objective)
}

function byClass(threshold: number | Partial<Record<PromptClass, number>>): Partial<Record<PromptClass, number>> {
  return typeof threshold === 'number' ? { '1k': threshold, '8k': threshold, '32k': threshold, inf: threshold } : threshold
}
