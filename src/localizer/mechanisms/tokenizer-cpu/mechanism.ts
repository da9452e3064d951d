// The API server tokenizes slowly: the phase before the core grows, with the prompt's length, while the engine's own queue does not.
import { evidence, type MechanismTest, percent } from '../mechanism.ts'

export const tokenizerCpu: MechanismTest = {
  id: 'tokenizer_cpu',
  signals: ['phase engine.tokenize'],
  confusedWith: ['gateway_overhead', 'demand_saturation'],
  test(signals) {
    const share = signals.share('tokenize')
    if (share < 0.35) return null
    const queue = signals.share('queue')
    return evidence(
      0.4 + 0.55 * Math.min(1, share),
      [`tokenizing is ${percent(share)} of the change`],
      [queue > 0.4 && `queueing is ${percent(queue)}`],
    )
  },
}
