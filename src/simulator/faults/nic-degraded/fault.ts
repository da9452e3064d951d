// NIC degraded on one rank
import type { FaultDefinition } from '../fault.ts'
import { between, drawRank, drawServing, isDisaggregated } from '../targets.ts'

export const nicDegraded: FaultDefinition = {
  id: 'F4',
  name: 'nic-degraded',
  title: 'NIC degraded on one rank',
  description:
    'The link of one rank of an expert-parallel group loses rate: dispatch and combine take 1 + severity times as long, and so does KV that arrives there.',
  confusers: ['F1', 'F5', 'F17'],
  inject(world, random, severity, source) {
    const engine = drawServing(world, random, isDisaggregated)
    const rank = drawRank(random, engine)
    return {
      truth: {
        slice: { replica: [engine.spec.name] },
        cause: { rank: [rank.name] },
        phases: ['engine.decode', 'kv.transfer'],
        mechanism: 'slow_rank',
        victims: [],
        steadyPhases: ['client.upload', 'gateway.route', 'engine.tokenize', 'engine.prefill'],
        columns: ['tpot', 'running', 'kv_usage'],
        verdict: 'localized',
      },
      apply(intensity) {
        const rate = between(1, 1 + severity, intensity)
        rank.decodeScale.set(source, 1 + 0.41 * (rate - 1))
        engine.receiveScale.set(source, rate)
      },
    }
  },
}
