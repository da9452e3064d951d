// Prefix cache keyed anew
import type { FaultDefinition } from '../fault.ts'
import { drawPool, withRevision } from '../targets.ts'

export const cacheKeyChange: FaultDefinition = {
  id: 'F9',
  name: 'cache-key-change',
  title: 'Prefix cache keyed anew',
  description:
    'A revision puts something unstable into its cache keys: nothing that was computed is found again. Severity is how often the cache is useless (1: always).',
  confusers: ['F7', 'F20'],
  inject(world, random, severity, source) {
    const pool = drawPool(world, random, (entry) => entry.policy === 'prefix_affinity')
    const sample = random.pick(pool.prefillEngines.length > 0 ? pool.prefillEngines : pool.engines)
    const revision = sample.spec.revision.name
    const engines = withRevision(world, pool.model.name, revision)
    const prefill = engines.filter((engine) => engine.spec.role !== 'decode')
    const slice: Record<string, string[]> = pool.model.disaggregated
      ? { prefill_replica: prefill.map((engine) => engine.spec.name) }
      : { revision: [revision] }
    return {
      truth: {
        slice,
        cause: { revision: [revision] },
        phases: ['engine.prefill', 'engine.admit', 'engine.queue'],
        mechanism: 'cache_hit_drop',
        victims: [],
        steadyPhases: ['client.upload', 'gateway.route', 'engine.tokenize'],
        columns: ['cached_tokens', 'ttft'],
        verdict: 'localized',
      },
      apply(intensity) {
        for (const engine of prefill) {
          for (const rank of engine.ranks) {
            rank.cacheScale.set(source, intensity > 0 ? Math.max(0, 1 - severity) : 1)
            rank.trimCache()
          }
        }
      },
      change: { kind: 'config', title: `${revision}: cache salt set`, scope: { revision: [revision] } },
    }
  },
}
