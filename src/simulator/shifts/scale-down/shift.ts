// Planned scale-down
import type { FaultDefinition } from '../../faults/fault.ts'
import { between, isUnified } from '../../faults/targets.ts'

export const scaleDown: FaultDefinition = {
  id: 'W7',
  name: 'scale-down',
  title: 'Planned scale-down',
  description: 'Traffic falls to 0.6 and one replica of every unified pool goes to sleep, as every night; objectives hold.',
  confusers: ['F11'],
  inject(world, random, _severity, source) {
    const asleep = world.fleet.pools.filter(isUnified).map((pool) => random.pick(pool.engines))
    const scope = { replica: asleep.map((engine) => engine.spec.name) }
    return {
      truth: {
        slice: {},
        cause: scope,
        phases: [],
        mechanism: 'demand_saturation',
        victims: [],
        steadyPhases: ['client.upload', 'gateway.route'],
        columns: ['running'],
        verdict: 'no_regression',
      },
      apply(intensity) {
        for (const tenant of world.tenants) tenant.rateScale.set(source, between(1, 0.6, intensity))
        for (const engine of asleep) engine.draining = intensity > 0
      },
      change: { kind: 'scale', title: 'night policy: one replica of every unified pool sleeps', scope },
    }
  },
}
