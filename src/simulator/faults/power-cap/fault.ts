// Power cap on a rack
import type { FaultDefinition } from '../fault.ts'
import { between, drawPool, isDisaggregated } from '../targets.ts'

export const powerCap: FaultDefinition = {
  id: 'F3',
  name: 'power-cap',
  title: 'Power cap on a rack',
  description: 'The prefill nodes of one region share a capped rack: prefill takes 1 + 0.3·severity times as long, decode is untouched.',
  confusers: ['F1'],
  inject(world, random, severity, source) {
    const pool = drawPool(world, random, isDisaggregated)
    const names = pool.prefillEngines.map((engine) => engine.spec.name)
    return {
      truth: {
        slice: { prefill_replica: names },
        cause: { prefill_replica: names },
        phases: ['engine.prefill', 'engine.admit', 'engine.queue'],
        mechanism: 'slower_compute',
        victims: [],
        steadyPhases: ['client.upload', 'gateway.route', 'engine.tokenize'],
        columns: ['ttft'],
        verdict: 'localized',
      },
      apply(intensity) {
        for (const engine of pool.prefillEngines) {
          for (const rank of engine.ranks) {
            rank.prefillScale.set(source, between(1, 1 + 0.3 * severity, intensity))
            rank.throttleReason = intensity > 0 ? 'sw_power_cap' : null
          }
        }
      },
    }
  },
}
