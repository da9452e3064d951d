// Prompts grow longer
import type { FaultDefinition } from '../../faults/fault.ts'
import { between, drawTenant } from '../../faults/targets.ts'

export const longerPrompts: FaultDefinition = {
  id: 'W2',
  name: 'longer-prompts',
  title: 'Prompts grow longer',
  description: 'Prompts of one tenant grow 1 + severity-fold; the cost of a token is unchanged.',
  confusers: ['F27', 'F7'],
  inject(world, random, severity, source) {
    const tenant = drawTenant(world, random)
    return {
      truth: {
        slice: { tenant: [tenant.name] },
        cause: { tenant: [tenant.name] },
        phases: ['engine.prefill'],
        mechanism: 'longer_work',
        victims: [],
        steadyPhases: ['gateway.route'],
        columns: ['prompt_tokens', 'prompt_class'],
        verdict: 'workload_shift',
      },
      apply(intensity) {
        tenant.promptScale.set(source, between(1, 1 + severity, intensity))
      },
    }
  },
}
