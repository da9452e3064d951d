// GPU clock throttle
import type { FaultDefinition } from '../fault.ts'
import { between, drawRank, drawServing } from '../targets.ts'

export const gpuClockThrottle: FaultDefinition = {
  id: 'F1',
  name: 'gpu-clock-throttle',
  title: 'GPU clock throttle',
  description:
    'One GPU runs at a lower clock: compute takes 1 + 0.4·severity times as long. In an expert-parallel group the whole group steps at its pace; on a single node prefill slows as much as compute.',
  confusers: ['F4', 'F5'],
  inject(world, random, severity, source) {
    const engine = drawServing(world, random, (pool) => pool.model.name.startsWith('deepseek'))
    const rank = drawRank(random, engine)
    const slow = 1 + 0.4 * severity
    // 57 % of a grouped decode step is compute at the reference point (attention, experts, shared); a lone node's prefill is all compute.
    const share = engine.spec.epGroup === null ? 0.4 : 0.57
    return {
      truth: {
        slice: { replica: [engine.spec.name] },
        cause: { rank: [rank.name] },
        phases: engine.spec.role === 'both' ? ['engine.prefill', 'engine.decode', 'engine.queue'] : ['engine.decode'],
        mechanism: engine.spec.epGroup === null ? 'slower_compute' : 'slow_rank',
        victims: [],
        steadyPhases: ['client.upload', 'gateway.route', 'kv.transfer'],
        columns: ['tpot', 'running', 'kv_usage'],
        verdict: 'localized',
      },
      apply(intensity) {
        const now = between(1, slow, intensity)
        rank.decodeScale.set(source, 1 + share * (now - 1))
        rank.prefillScale.set(source, now)
        rank.clockScale.set(source, 1 / now)
        rank.throttleReason = intensity > 0 ? 'sw_thermal_slowdown' : null
      },
    }
  },
}
