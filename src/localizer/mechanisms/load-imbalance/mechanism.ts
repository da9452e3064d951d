// Some replicas queue while their siblings idle: the slice's share of the work rose, or it waits while the rest does not.

import { evidence, type MechanismTest, percent } from '../mechanism.ts'
import { SLOWER_COMPUTE } from '../signals.ts'

export const loadImbalance: MechanismTest = {
  id: 'load_imbalance',
  signals: ['replica', 'waiting', 'running', 'phase engine.queue'],
  confusedWith: ['slower_compute', 'demand_saturation', 'capacity_loss'],
  test(signals) {
    const waiting = signals.share('queue', 'kv_wait')
    if (signals.hasPhases && waiting < 0.35) return null
    if (!signals.isSliceOf('replica', 'node', 'rank', 'prefill_replica', 'decode_replica')) return null
    const grown = signals.growth('requests')
    const fleet = signals.growth('requests', signals.fleet)
    const queued = signals.change('waiting')
    const slower = signals.computeRatio > SLOWER_COMPUTE
    return evidence(0.42 + (grown > 1.2 && fleet < 1.1 ? 0.3 : 0) + 0.2 * Math.min(1, waiting) - (slower && grown < 1.2 ? 0.35 : 0), [
      `waiting is ${percent(waiting)} of the change, on this replica only`,
      grown > 1.2 && `it gets ${grown.toFixed(2)} times the work, the fleet ${fleet.toFixed(2)} times`,
      queued !== null && queued.now > 1.5 * queued.before && 'its queue is longer at arrival',
    ])
  },
}
