// Tenant mix changes
import type { FaultDefinition } from '../../faults/fault.ts'
import { between, drawTenant } from '../../faults/targets.ts'

export const tenantMix: FaultDefinition = {
  id: 'W3',
  name: 'tenant-mix',
  title: 'Tenant mix changes',
  description: 'One tenant sends 1 + 2·severity times as much: fleet percentiles move though every tenant is served as before.',
  confusers: ['F27'],
  inject(world, random, severity, source) {
    const tenant = drawTenant(world, random, (entry) => entry.share < 0.1)
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
        tenant.rateScale.set(source, between(1, 1 + 2 * severity, intensity))
      },
    }
  },
}
