// Clients try again and again: attempts per request rise while unique requests are flat, and back-off grows.
import { evidence, type MechanismTest, percent } from '../mechanism.ts'

export const retryStorm: MechanismTest = {
  id: 'retry_storm',
  signals: ['attempts'],
  confusedWith: ['demand_saturation'],
  test(signals) {
    const attempts = signals.change('attempts')
    const backoff = signals.share('backoff')
    if (attempts === null)
      return backoff > 0.4 ? evidence(0.6, [`client back-off is ${percent(backoff)} of the change`], [], ['attempts']) : null
    if (attempts.now < 1.15 * attempts.before) return null
    return evidence(0.5 + Math.min(0.45, attempts.now / attempts.before - 1) + backoff / 4, [
      `${attempts.now.toFixed(2)} attempts a request (${attempts.before.toFixed(2)} before)`,
      backoff > 0.1 && `back-off is ${percent(backoff)} of the change`,
    ])
  },
}
