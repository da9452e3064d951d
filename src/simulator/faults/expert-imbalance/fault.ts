// Expert imbalance
import type { FaultDefinition } from '../fault.ts'
import { between, drawPool, isDisaggregated } from '../targets.ts'

export const expertImbalance: FaultDefinition = {
  id: 'F5',
  name: 'expert-imbalance',
  title: 'Expert imbalance',
  description:
    'Routing of tokens to experts becomes skewed in all groups of one region: decode steps take 1 + 0.31·severity, prefill 1 + 0.5·severity times as long.',
  confusers: ['F1', 'F4'],
  inject(world, random, severity, source) {
    const pool = drawPool(world, random, isDisaggregated)
    return {
      truth: {
        slice: { model: [pool.model.name], region: [pool.region] },
        cause: { model: [pool.model.name], region: [pool.region] },
        phases: ['engine.prefill', 'engine.decode', 'engine.queue'],
        mechanism: 'expert_imbalance',
        victims: [],
        steadyPhases: ['client.upload', 'gateway.route', 'engine.tokenize'],
        columns: ['tpot', 'ttft', 'running'],
        verdict: 'localized',
      },
      apply(intensity) {
        for (const engine of [...pool.engines, ...pool.prefillEngines]) {
          engine.expertSkew.set(source, between(1, 1 + 4 * severity, intensity))
          for (const rank of engine.ranks) {
            rank.decodeScale.set(source, between(1, 1 + 0.31 * severity, intensity))
            rank.prefillScale.set(source, between(1, 1 + 0.5 * severity, intensity))
          }
        }
      },
    }
  },
}
