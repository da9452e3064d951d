// Noisy tenant
import type { FaultDefinition } from '../fault.ts'
import { between, drawTenant, victimsOfPrompts } from '../targets.ts'

export const noisyTenant: FaultDefinition = {
  id: 'F27',
  name: 'noisy-tenant',
  title: 'Noisy tenant',
  description:
    'One tenant sends prompts 1 + 5·severity times as long: it takes the prefill capacity that others share and throws out their cache.',
  confusers: ['F12', 'F11'],
  inject(world, random, severity, source) {
    const tenant = drawTenant(world, random)
    const model = tenant.models[0]?.model.name as string
    const region = world.nearestRegion(tenant.clients[0]?.client.region as string)
    return {
      truth: {
        slice: { model: [model], region: [region] },
        cause: { tenant: [tenant.name] },
        phases: ['engine.admit', 'engine.queue', 'engine.prefill'],
        mechanism: 'noisy_neighbour',
        victims: victimsOfPrompts(tenant),
        steadyPhases: ['gateway.route'],
        columns: ['prompt_tokens', 'cached_tokens', 'ttft'],
        verdict: 'localized',
      },
      apply(intensity) {
        tenant.promptScale.set(source, between(1, 1 + 5 * severity, intensity))
      },
    }
  },
}
