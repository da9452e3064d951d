// More work arrives than the slice serves: only waiting grows, the cost of a request that does not wait is unchanged.

import { evidence, type MechanismTest, percent } from '../mechanism.ts'
import { SLOWER_COMPUTE } from '../signals.ts'

export const demandSaturation: MechanismTest = {
  id: 'demand_saturation',
  signals: ['phase engine.queue', 'waiting', 'requests_per_second', 'prompt_tokens_per_second'],
  confusedWith: ['capacity_loss', 'load_imbalance', 'slower_compute'],
  test(signals) {
    const waiting = signals.share('queue', 'kv_wait', 'gateway')
    if (signals.hasPhases && waiting < 0.4) return null
    const grown = signals.mostGrowth
    const fleet = signals.growth('requests', signals.fleet)
    if (grown < 1.1) return null
    const single = signals.isSliceOf('replica', 'node', 'rank') && fleet < 1.1
    const slower = signals.computeRatio > SLOWER_COMPUTE
    return evidence(0.4 + Math.min(0.35, grown - 1) - (single ? 0.35 : 0) - (slower && grown < 1.3 ? 0.3 : 0), [
      `${grown.toFixed(2)} times the work arrives`,
      waiting > 0 && `waiting is ${percent(waiting)} of the change`,
    ])
  },
}
