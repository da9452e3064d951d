// One rank overloaded
import type { FaultDefinition } from '../fault.ts'
import { between, drawRank, drawServing, isDisaggregated } from '../targets.ts'

export const rankOverload: FaultDefinition = {
  id: 'F6',
  name: 'rank-overload',
  title: 'One rank overloaded',
  description:
    'The balancer inside an expert-parallel engine prefers one data-parallel rank: it fills, the others wait for it in every step.',
  confusers: ['F1', 'F13'],
  inject(world, random, severity, source) {
    const engine = drawServing(world, random, isDisaggregated)
    const rank = drawRank(random, engine)
    return {
      truth: {
        slice: { replica: [engine.spec.name] },
        cause: { rank: [rank.name] },
        phases: ['engine.decode', 'engine.queue_or_kv'],
        mechanism: 'load_imbalance',
        victims: [],
        steadyPhases: ['client.upload', 'gateway.route', 'engine.tokenize', 'engine.prefill'],
        columns: ['tpot', 'kv_usage'],
        verdict: 'localized',
      },
      apply(intensity) {
        rank.bias.set(source, between(1, 0.06 / severity, intensity))
      },
    }
  },
}
