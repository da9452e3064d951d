// Replica hangs
import type { FaultDefinition } from '../fault.ts'
import { drawServing, isUnified, replicaSlice } from '../targets.ts'

export const replicaHang: FaultDefinition = {
  id: 'F31',
  name: 'replica-hang',
  title: 'Replica hangs',
  description: 'One replica stops stepping while its health check stays green: it takes requests and answers none. Severity has no effect.',
  confusers: ['F11'],
  inject(world, random) {
    const engine = drawServing(world, random, isUnified)
    const slice = replicaSlice(engine)
    return {
      truth: {
        slice,
        cause: slice,
        phases: ['engine.admit', 'engine.decode'],
        mechanism: 'hang',
        victims: [
          {
            slice: { model: [engine.spec.model], region: [engine.spec.placement.region] },
            phases: ['engine.queue', 'engine.decode'],
            why: 'callers try again and reach the sibling',
          },
        ],
        steadyPhases: ['gateway.route'],
        columns: ['outcome', 'e2e'],
        verdict: 'localized',
      },
      apply(intensity, now) {
        engine.hang(intensity > 0, now)
      },
    }
  },
}
