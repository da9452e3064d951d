// Load-balancer imbalance
import type { FaultDefinition } from '../fault.ts'
import { drawPool, isUnified, replicaSlice } from '../targets.ts'

export const balancerImbalance: FaultDefinition = {
  id: 'F13',
  name: 'balancer-imbalance',
  title: 'Load-balancer imbalance',
  description: 'The router of a pool sends most requests to one of its replicas (stale counts, tie-break bias); the sibling idles.',
  confusers: ['F1'],
  inject(world, random, severity, source) {
    const pool = drawPool(world, random, isUnified)
    const hot = random.pick(pool.engines)
    const policy = pool.policy
    const slice = replicaSlice(hot)
    return {
      truth: {
        slice,
        cause: slice,
        phases: ['engine.decode', 'engine.queue', 'engine.admit'],
        mechanism: 'load_imbalance',
        victims: [],
        steadyPhases: ['client.upload', 'gateway.route'],
        columns: ['running', 'waiting', 'kv_usage'],
        verdict: 'localized',
      },
      apply(intensity) {
        pool.policy = intensity > 0 ? 'least_loaded' : policy
        hot.routeBias.set(source, intensity > 0 ? 1 / (1 + 6 * severity) : 1)
        const slots = Math.max(4, hot.typicalRunning * (2.4 - 0.5 * severity))
        hot.sequencesScale.set(source, intensity > 0 ? Math.min(1, slots / hot.spec.maxSequences) : 1)
      },
    }
  },
}
