// Fewer drafted tokens are accepted: each step makes fewer tokens, the steps themselves are as fast as before.
import { evidence, type MechanismTest, percent } from '../mechanism.ts'

export const speculationDrop: MechanismTest = {
  id: 'speculation_drop',
  signals: ['drafted', 'accepted', 'drafted_per_second', 'accepted_per_second', 'step_seconds'],
  confusedWith: ['slower_compute', 'slow_rank'],
  test(signals) {
    const ratio = (drafted: { before: number; now: number } | null, accepted: { before: number; now: number } | null) =>
      drafted === null || accepted === null || drafted.before <= 0 || drafted.now <= 0
        ? null
        : { before: accepted.before / drafted.before, now: accepted.now / drafted.now }
    const rate =
      ratio(signals.change('drafted'), signals.change('accepted')) ??
      ratio(signals.sampled('drafted_per_second'), signals.sampled('accepted_per_second'))
    if (rate === null || rate.now > 0.88 * rate.before) return null
    const step = signals.sampled('step_seconds')
    const flat = step !== null && step.now < 1.1 * step.before
    return evidence(0.6 + 0.35 * (1 - rate.now / rate.before) + (flat ? 0.1 : 0), [
      `${percent(rate.now)} of the drafts are accepted (${percent(rate.before)} before)`,
      flat && 'the engine step is flat',
    ])
  },
}
