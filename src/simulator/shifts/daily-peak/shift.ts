// Daily peak
import type { FaultDefinition } from '../../faults/fault.ts'
import { between } from '../../faults/targets.ts'

export const dailyPeak: FaultDefinition = {
  id: 'W4',
  name: 'daily-peak',
  title: 'Daily peak',
  description: 'All tenants send 1 + 0.35·severity times as much, as on a busy afternoon.',
  confusers: ['F11'],
  inject(world, _random, severity, source) {
    return {
      truth: {
        slice: {},
        cause: {},
        phases: [],
        mechanism: 'demand_saturation',
        victims: [],
        steadyPhases: ['client.upload', 'gateway.route'],
        columns: ['running'],
        verdict: 'workload_shift',
      },
      apply(intensity) {
        for (const tenant of world.tenants) tenant.rateScale.set(source, between(1, 1 + 0.35 * severity, intensity))
      },
    }
  },
}
