// Bursts
import type { FaultDefinition } from '../../faults/fault.ts'
import { drawTenant } from '../../faults/targets.ts'

export const burst: FaultDefinition = {
  id: 'W5',
  name: 'burst',
  title: 'Bursts',
  description: 'One tenant sends in bursts: twenty seconds of 1 + 4·severity times its rate every two minutes.',
  confusers: ['F11'],
  inject(world, random, severity, source) {
    const tenant = drawTenant(world, random)
    let until = 0
    return {
      truth: {
        slice: { tenant: [tenant.name] },
        cause: { tenant: [tenant.name] },
        phases: [],
        mechanism: 'demand_saturation',
        victims: [],
        steadyPhases: ['gateway.route'],
        columns: ['tenant'],
        verdict: 'workload_shift',
      },
      apply(intensity) {
        if (intensity === 0) tenant.rateScale.set(source, 1)
      },
      repeat: {
        everySeconds: 20,
        act(now) {
          const inBurst = Math.floor(now / 20) % 6 === 0
          if (inBurst) until = now + 20
          tenant.rateScale.set(source, now < until ? 1 + 4 * severity : 1)
        },
      },
    }
  },
}
