// Sampling changes
import type { FaultDefinition } from '../../faults/fault.ts'
import { between, drawTenant } from '../../faults/targets.ts'

export const outputFormat: FaultDefinition = {
  id: 'W6',
  name: 'output-format',
  title: 'Sampling changes',
  description: 'One tenant changes its sampling: drafts are accepted 1 − 0.15·severity as often for its requests.',
  confusers: ['F24'],
  inject(world, random, severity, source) {
    const tenant = drawTenant(world, random, (entry) => entry.models[0]?.model.speculative === true)
    return {
      truth: {
        slice: { tenant: [tenant.name] },
        cause: { tenant: [tenant.name] },
        phases: ['engine.decode'],
        mechanism: 'longer_work',
        victims: [],
        steadyPhases: ['client.upload', 'gateway.route', 'engine.tokenize'],
        columns: ['accepted', 'tpot'],
        verdict: 'workload_shift',
      },
      apply(intensity) {
        tenant.acceptScale.set(source, between(1, Math.max(0.05, 1 - 0.15 * severity), intensity))
      },
    }
  },
}
