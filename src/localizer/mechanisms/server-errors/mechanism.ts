// Requests are answered with errors by something that keeps running: a bad revision, a full gateway.
import { evidence, type MechanismTest, percent } from '../mechanism.ts'

export const serverErrors: MechanismTest = {
  id: 'server_errors',
  signals: ['outcome', 'error_class', 'http_status'],
  confusedWith: ['crash_loop', 'retry_storm'],
  test(signals) {
    const failed = signals.outcomes('error', 'rejected')
    const ratio = signals.given.question.measure.kind === 'ratio' && failed === null
    if (ratio) return evidence(0.3, ['the share of bad rows rose'])
    if (failed === null || failed.now < failed.before + 0.02) return null
    return evidence(0.55 + Math.min(0.25, failed.now), [`${percent(failed.now)} of the requests fail (${percent(failed.before)} before)`])
  },
}
