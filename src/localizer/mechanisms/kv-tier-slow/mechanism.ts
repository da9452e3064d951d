// Loading cached blocks from host memory, disk or a remote store takes longer; hits are as many as before.
import { evidence, type MechanismTest, percent } from '../mechanism.ts'

export const kvTierSlow: MechanismTest = {
  id: 'kv_tier_slow',
  signals: ['phase kv.load', 'cached_tokens'],
  confusedWith: ['kv_transfer', 'cache_hit_drop'],
  test(signals) {
    const share = signals.share('kv_load')
    if (share < 0.25) return null
    const cached = signals.change('cached_tokens')
    return evidence(0.5 + 0.5 * Math.min(1, share), [
      `loading KV blocks is ${percent(share)} of the change`,
      cached !== null && cached.now > 0.9 * cached.before && 'cache hits did not fall',
    ])
  },
}
