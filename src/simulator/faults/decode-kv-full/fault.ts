// Decode KV full
import type { FaultDefinition } from '../fault.ts'
import { drawPool, isDisaggregated } from '../targets.ts'

export const decodeKvFull: FaultDefinition = {
  id: 'F18',
  name: 'decode-kv-full',
  title: 'Decode KV full',
  description:
    'The decode side of one region has room for 1.15 − 0.3·severity of what it usually holds: prompts wait for room after prefill, and prefill holds their KV.',
  confusers: ['F17', 'F11'],
  inject(world, random, severity, source) {
    const pool = drawPool(world, random, isDisaggregated)
    return {
      truth: {
        slice: { model: [pool.model.name], region: [pool.region] },
        cause: { model: [pool.model.name], region: [pool.region] },
        phases: ['engine.queue_or_kv', 'engine.queue', 'engine.decode'],
        mechanism: 'decode_kv_full',
        victims: [],
        steadyPhases: ['client.upload', 'gateway.route', 'engine.tokenize'],
        columns: ['ttft', 'kv_usage'],
        verdict: 'localized',
      },
      apply(intensity) {
        for (const engine of pool.engines) {
          for (const rank of engine.ranks) {
            const wanted = Math.max(3_000, rank.typicalTokens * (1.15 - 0.3 * severity))
            const full = Math.min(1, wanted / rank.kvCapacity)
            rank.kvScale.set(source, intensity > 0 ? 1 - (1 - full) * intensity : 1)
          }
        }
      },
    }
  },
}
