// Replica lost from a pool
import type { FaultDefinition } from '../fault.ts'
import { drawPool, isUnified } from '../targets.ts'

export const capacityLoss: FaultDefinition = {
  id: 'F11',
  name: 'capacity-loss',
  title: 'Replica lost from a pool',
  description:
    'One of two replicas of a pool in one region leaves (drained, never replaced): the other takes all. Severity also lowers the sequences the rest may run.',
  confusers: ['F22', 'F7'],
  inject(world, random, severity, source) {
    const pool = drawPool(world, random, (entry) => isUnified(entry))
    const lost = random.pick(pool.engines)
    return {
      truth: {
        slice: { model: [pool.model.name], region: [pool.region] },
        cause: { model: [pool.model.name], region: [pool.region] },
        phases: ['engine.queue', 'engine.decode'],
        mechanism: 'capacity_loss',
        victims: [],
        steadyPhases: ['client.upload', 'gateway.route', 'kv.transfer'],
        columns: ['waiting', 'running', 'ttft'],
        verdict: 'localized',
      },
      apply(intensity) {
        lost.draining = intensity > 0
        for (const engine of pool.engines) {
          const slots = Math.max(4, engine.typicalRunning * (2 - 0.35 * severity))
          engine.sequencesScale.set(source, intensity > 0 ? Math.min(1, slots / engine.spec.maxSequences) : 1)
        }
      },
      change: {
        kind: 'scale',
        title: `${pool.model.name} in ${pool.region}: 2 → 1 replicas`,
        scope: { model: [pool.model.name], region: [pool.region] },
        from: '2',
        to: '1',
      },
    }
  },
}
