// Preemption storm
import type { FaultDefinition } from '../fault.ts'
import { drawServing, isUnified, replicaSlice } from '../targets.ts'

export const preemptionStorm: FaultDefinition = {
  id: 'F10',
  name: 'preemption-storm',
  title: 'Preemption storm',
  description:
    'One replica has too little KV memory for its batch: it keeps 1 − 0.3·severity of what it usually needs, so sequences are preempted and recomputed.',
  confusers: ['F11', 'F19'],
  inject(world, random, severity, source) {
    const engine = drawServing(world, random, isUnified)
    const slice = replicaSlice(engine)
    return {
      truth: {
        slice,
        cause: slice,
        phases: ['engine.decode', 'engine.queue'],
        mechanism: 'preemption',
        victims: [],
        steadyPhases: ['client.upload', 'gateway.route', 'engine.tokenize'],
        columns: ['preemptions', 'kv_usage', 'itl_max'],
        verdict: 'localized',
      },
      apply(intensity) {
        for (const rank of engine.ranks) {
          const wanted = Math.max(6_000, rank.typicalTokens * (1.15 - 0.3 * severity))
          const full = Math.min(1, wanted / rank.kvCapacity)
          rank.kvScale.set(source, intensity > 0 ? 1 - (1 - full) * intensity : 1)
        }
      },
    }
  },
}
