// Reasoning grows longer
import type { FaultDefinition } from '../../faults/fault.ts'
import { between } from '../../faults/targets.ts'

export const longerReasoning: FaultDefinition = {
  id: 'W1',
  name: 'longer-reasoning',
  title: 'Reasoning grows longer',
  description: 'Answers of the reasoning model grow 1 + 0.6·severity-fold: more tokens at the same pace.',
  confusers: ['F1'],
  inject(world, _random, severity, source) {
    const model = world.fleet.models.find((entry) => entry.reasoning) ?? world.fleet.models[0]
    const users = world.tenants.filter((tenant) => tenant.models.some((entry) => entry.model === model && entry.weight > 0.5))
    return {
      truth: {
        slice: { model: [model?.name as string] },
        cause: { model: [model?.name as string] },
        phases: ['engine.decode'],
        mechanism: 'longer_work',
        victims: [],
        steadyPhases: ['client.upload', 'gateway.route', 'engine.tokenize'],
        columns: ['output_tokens', 'reasoning_tokens', 'e2e'],
        verdict: 'workload_shift',
      },
      apply(intensity) {
        for (const tenant of users) tenant.outputScale.set(source, between(1, 1 + 0.6 * severity, intensity))
      },
    }
  },
}
