// Retry storm
import type { FaultDefinition } from '../fault.ts'
import { drawTenant } from '../targets.ts'

export const retryStorm: FaultDefinition = {
  id: 'F22',
  name: 'retry-storm',
  title: 'Retry storm',
  description:
    'Clients of one tenant give up after 4/severity seconds and try three more times without a budget: attempts multiply while unique requests stay flat.',
  confusers: ['F11'],
  inject(world, random, severity, source) {
    const tenant = drawTenant(world, random)
    return {
      truth: {
        slice: { tenant: [tenant.name] },
        cause: { tenant: [tenant.name] },
        phases: ['client.backoff', 'engine.decode'],
        mechanism: 'retry_storm',
        victims: [
          {
            slice: { model: tenant.models.map(({ model }) => model.name) },
            phases: ['engine.queue', 'engine.decode'],
            why: 'shares its replicas',
          },
        ],
        // Every attempt walks the whole way again: all its phases add up.
        steadyPhases: [],
        columns: ['attempts', 'outcome', 'e2e'],
        verdict: 'localized',
      },
      apply(intensity) {
        const seconds = tenant.clients[0]?.client.timeoutSeconds as number
        tenant.timeoutScale.set(source, intensity > 0 ? 4 / severity / seconds : 1)
        tenant.retriesOverride = intensity > 0 ? 3 : null
      },
    }
  },
}
