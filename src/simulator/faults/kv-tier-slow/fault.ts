// KV tier slow
import type { FaultDefinition } from '../fault.ts'
import { between, drawPrefill } from '../targets.ts'

export const kvTierSlow: FaultDefinition = {
  id: 'F28',
  name: 'kv-tier-slow',
  title: 'KV tier slow',
  description:
    'The host tier of one prefill replica answers 1 + 60·severity times slower: a prefix that is found there costs more than computing it would.',
  confusers: ['F17'],
  inject(world, random, severity, source) {
    const { engine } = drawPrefill(world, random)
    return {
      truth: {
        slice: { prefill_replica: [engine.spec.name] },
        cause: { prefill_replica: [engine.spec.name] },
        phases: ['kv.load'],
        mechanism: 'kv_tier_slow',
        victims: [],
        steadyPhases: ['client.upload', 'gateway.route', 'engine.tokenize', 'engine.decode'],
        columns: ['ttft'],
        verdict: 'localized',
      },
      apply(intensity) {
        engine.loadScale.set(source, between(1, 1 + 60 * severity, intensity))
      },
    }
  },
}
