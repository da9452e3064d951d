// The caller reads its stream slowly.
import { evidence, type MechanismTest, percent } from '../mechanism.ts'

export const slowConsumer: MechanismTest = {
  id: 'slow_consumer',
  signals: ['phase client.consume'],
  confusedWith: ['client_network', 'detokenizer_cpu'],
  test(signals) {
    const share = signals.share('consume')
    if (share < 0.4) return null
    return evidence(0.4 + 0.55 * Math.min(1, share), [`the caller's own time between reads is ${percent(share)} of the change`])
  },
}
