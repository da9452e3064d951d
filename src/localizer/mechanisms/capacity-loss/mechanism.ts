// The same work on fewer replicas: only waiting grows, and fewer replicas serve the slice than before.

import { evidence, type MechanismTest, percent } from '../mechanism.ts'
import { SLOWER_COMPUTE } from '../signals.ts'

export const capacityLoss: MechanismTest = {
  id: 'capacity_loss',
  signals: ['replica', 'up', 'phase engine.queue', 'running'],
  confusedWith: ['demand_saturation', 'load_imbalance'],
  test(signals) {
    const waiting = signals.share('queue', 'kv_wait', 'gateway')
    if (signals.hasPhases && waiting < 0.35) return null
    const grown = signals.growth('requests')
    const replicas = signals.distinct('replica') ?? signals.distinct('node')
    const fewer = replicas !== null && replicas.now < replicas.before
    if (grown > 1.25 && !fewer) return null
    const single = signals.isSliceOf('replica', 'node')
    const slower = signals.computeRatio > SLOWER_COMPUTE
    return evidence(
      (fewer ? 0.72 : single ? 0.3 : 0.42) +
        0.15 * Math.min(1, waiting) -
        (grown > 1.15 && !fewer ? 0.2 : 0) -
        (slower && !fewer ? 0.35 : 0),
      [
        fewer && `${replicas?.now} replicas serve it instead of ${replicas?.before}`,
        grown < 1.1 && 'arriving work is unchanged',
        waiting > 0 && `waiting is ${percent(waiting)} of the change`,
      ],
      [],
      replicas === null ? ['replica: how many serve'] : [],
    )
  },
}
