// HBM thermal throttle
import type { FaultDefinition } from '../fault.ts'
import { between, drawRank, drawServing } from '../targets.ts'

export const hbmThrottle: FaultDefinition = {
  id: 'F2',
  name: 'hbm-throttle',
  title: 'HBM thermal throttle',
  description:
    'Memory bandwidth of one GPU drops: memory-bound work takes 1 + 0.35·severity times as long. Decode slows, prefill hardly, and clocks look normal.',
  confusers: ['F1'],
  inject(world, random, severity, source) {
    const engine = drawServing(world, random, (pool) => pool.model.name.startsWith('deepseek'))
    const rank = drawRank(random, engine)
    const share = engine.spec.epGroup === null ? 0.85 : 0.54
    const slow = 1 + share * 0.35 * severity
    return {
      truth: {
        slice: { replica: [engine.spec.name] },
        cause: { rank: [rank.name] },
        phases: ['engine.decode'],
        mechanism: engine.spec.epGroup === null ? 'slower_compute' : 'slow_rank',
        victims: [],
        steadyPhases: ['client.upload', 'gateway.route', 'kv.transfer', 'engine.tokenize'],
        columns: ['tpot', 'running', 'kv_usage'],
        verdict: 'localized',
      },
      apply(intensity) {
        rank.decodeScale.set(source, between(1, slow, intensity))
      },
    }
  },
}
