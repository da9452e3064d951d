// The same prompts hit the prefix cache less: more tokens are computed, prefill and then queues grow.
import { evidence, type MechanismTest, percent } from '../mechanism.ts'

export const cacheHitDrop: MechanismTest = {
  id: 'cache_hit_drop',
  signals: ['cached_tokens', 'prompt_tokens', 'cached_tokens_per_second'],
  confusedWith: ['slower_compute', 'longer_work', 'cold_start'],
  test(signals) {
    const compute = signals.share('prefill', 'queue', 'kv_wait')
    const cached = signals.change('cached_tokens')
    const prompt = signals.change('prompt_tokens')
    if (cached === null || prompt === null || prompt.before <= 0) {
      return signals.share('prefill') > 0.5 ? evidence(0.2, ['prefill grew'], [], ['cached_tokens']) : null
    }
    const before = cached.before / prompt.before
    const now = cached.now / prompt.now
    // New text that was never cached is growth of the prompt, no loss of the cache.
    const lost = cached.now < 0.85 * cached.before
    if (before < 0.03 || now > 0.85 * before || !lost || (signals.hasPhases && compute < 0.3)) return null
    const uncached = (prompt.now - cached.now) / Math.max(prompt.before - cached.before, 1)
    return evidence(0.55 + 0.4 * (1 - now / before), [
      `the hit ratio fell from ${percent(before)} to ${percent(now)}`,
      `${uncached.toFixed(1)} times as many tokens are computed a request`,
    ])
  },
}
