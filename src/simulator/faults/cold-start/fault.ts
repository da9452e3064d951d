// Cold start after scale-up
import type { FaultDefinition } from '../fault.ts'
import { drawPool, isUnified } from '../targets.ts'

export const coldStart: FaultDefinition = {
  id: 'F20',
  name: 'cold-start',
  title: 'Cold start after scale-up',
  description:
    'A pool gets a new replica: it takes traffic with an empty cache, lazy compilation and slow first transfers for 180·severity seconds, and recovers with age.',
  confusers: ['F9'],
  inject(world, random, severity) {
    const pool = drawPool(world, random, isUnified)
    const model = pool.engines[0]?.spec as (typeof pool.engines)[number]['spec']
    const name = `${pool.model.name}-${random.suffix(5)}`
    const node = `${model.placement.zone}-${random.suffix(4)}`
    return {
      truth: {
        slice: { replica: [name] },
        cause: { replica: [name] },
        phases: ['engine.prefill', 'engine.decode', 'engine.admit'],
        mechanism: 'cold_start',
        victims: [],
        steadyPhases: ['client.upload', 'gateway.route'],
        columns: ['cold', 'replica_age', 'cached_tokens'],
        verdict: 'localized',
      },
      apply(intensity, now) {
        const present = pool.engines.find((engine) => engine.spec.name === name)
        if (intensity > 0 && present === undefined) {
          const engine = world.addEngine(pool, { ...model, name, placement: { ...model.placement, node } })
          engine.start(now, 180 * severity)
        } else if (intensity === 0 && present !== undefined) present.draining = true
      },
      change: {
        kind: 'scale',
        title: `${pool.model.name} in ${pool.region}: 2 → 3 replicas`,
        scope: { replica: [name] },
        from: '2',
        to: '3',
      },
    }
  },
}
