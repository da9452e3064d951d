// One rank of an expert-parallel group is slow and all others wait for it: the whole group's step grows at equal batch.
import { evidence, type MechanismTest } from '../mechanism.ts'

import { slowestRank } from './barrier.ts'

export const slowRank: MechanismTest = {
  id: 'slow_rank',
  signals: ['ep_group', 'rank', 'gpu_clock_hz', 'gpu_throttle_reason', 'nic_transmit_bytes_per_second', 'step_seconds'],
  confusedWith: ['slower_compute', 'expert_imbalance'],
  test(signals) {
    const groups = signals.distinct('ep_group')
    const one = signals.isSliceOf('ep_group', 'replica', 'rank', 'node', 'decode_replica', 'prefill_replica')
    if (groups === null || groups.now < 1 || !(one || groups.now === 1)) return null
    const rank = slowestRank(signals)
    const compute = signals.share('decode', 'prefill', 'queue', 'kv_wait')
    if (signals.hasPhases && compute < 0.4) return null
    const experts = signals.sampled('expert_load_ratio')
    const skewed = experts !== null && experts.now > 1.1 * experts.before
    return evidence(
      (rank !== null ? 0.97 : 0.82) - (skewed ? 0.3 : 0),
      [rank !== null ? rank : 'the slice runs in a group whose step is that of its slowest rank: one of this group'],
      [skewed && 'the expert load is skewed'],
      rank === null ? ['per-rank clocks, link rates or step times'] : [],
    )
  },
}
