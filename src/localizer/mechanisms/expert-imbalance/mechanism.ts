// Hot experts: the busiest rank decides the step of its whole group.
import { evidence, type MechanismTest } from '../mechanism.ts'

export const expertImbalance: MechanismTest = {
  id: 'expert_imbalance',
  signals: ['expert_load_ratio', 'ep_group'],
  confusedWith: ['slow_rank', 'slower_compute'],
  test(signals) {
    const load = signals.sampled('expert_load_ratio')
    if (load === null || load.now < 1.1 * load.before) return null
    return evidence(0.7 + Math.min(0.28, load.now / load.before - 1), [
      `the busiest expert carries ${load.now.toFixed(2)} times the mean (${load.before.toFixed(2)} before)`,
    ])
  },
}
