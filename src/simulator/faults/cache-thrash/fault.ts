// Prefix cache thrash
import type { FaultDefinition } from '../fault.ts'
import { drawPool, replicaSlice } from '../targets.ts'

export const cacheThrash: FaultDefinition = {
  id: 'F8',
  name: 'cache-thrash',
  title: 'Prefix cache thrash',
  description: 'The prefix cache of one pool keeps only 0.2^severity of its blocks: a working set that used to fit does not any more.',
  confusers: ['F7'],
  inject(world, random, severity, source) {
    const pool = drawPool(world, random, (entry) => entry.policy === 'prefix_affinity')
    const engine = random.pick(pool.prefillEngines.length > 0 ? pool.prefillEngines : pool.engines)
    const slice = replicaSlice(engine)
    return {
      truth: {
        slice,
        cause: slice,
        phases: ['engine.prefill', 'engine.admit', 'engine.queue'],
        mechanism: 'cache_hit_drop',
        victims: [],
        steadyPhases: ['client.upload', 'gateway.route', 'engine.tokenize'],
        columns: ['cached_tokens', 'ttft'],
        verdict: 'localized',
      },
      apply(intensity) {
        const kept = 0.06 / severity
        for (const rank of engine.ranks) {
          rank.cacheScale.set(source, 1 - (1 - Math.min(0.5, kept)) * intensity)
          rank.trimCache()
        }
      },
    }
  },
}
