// Prefix affinity lost
import type { FaultDefinition } from '../fault.ts'
import { drawPool } from '../targets.ts'

export const affinityLost: FaultDefinition = {
  id: 'F7',
  name: 'affinity-lost',
  title: 'Prefix affinity lost',
  description:
    'The router of one pool changes from prefix affinity to round robin: conversations meet replicas that do not know them. Severity scales the load at which it happens.',
  confusers: ['F8', 'F9'],
  inject(world, random, severity, source) {
    const pool = drawPool(world, random, (entry) => entry.policy === 'prefix_affinity')
    const policy = pool.policy
    return {
      truth: {
        slice: { model: [pool.model.name], region: [pool.region] },
        cause: { model: [pool.model.name], region: [pool.region] },
        phases: ['engine.prefill', 'engine.admit', 'engine.queue'],
        mechanism: 'cache_hit_drop',
        victims: [],
        steadyPhases: ['client.upload', 'gateway.route', 'engine.tokenize'],
        columns: ['cached_tokens', 'ttft'],
        verdict: 'localized',
      },
      apply(intensity) {
        pool.policy = intensity > 0 ? 'round_robin' : policy
        // A salted hash makes part of what the replica does know useless as well.
        for (const engine of [...pool.engines, ...pool.prefillEngines]) {
          for (const rank of engine.ranks) rank.cacheScale.set(source, intensity > 0 ? 1 / (1 + severity) : 1)
        }
      },
      change: {
        kind: 'route',
        title: `router of ${pool.model.name} in ${pool.region}: policy changed`,
        scope: { model: [pool.model.name], region: [pool.region] },
        from: policy,
        to: 'round_robin',
      },
    }
  },
}
