// One phase up, another down by as much, the total flat: time was moved by a change of what is measured.
import { evidence, type MechanismTest, percent } from '../mechanism.ts'

export const instrumentationChange: MechanismTest = {
  id: 'instrumentation_change',
  signals: ['phases', 'sdk_version', 'engine_version'],
  confusedWith: ['clock_skew'],
  test(signals) {
    const up = signals.phases.excess.reduce((sum, { excess }) => sum + Math.max(excess, 0), 0)
    const down = signals.phases.excess.reduce((sum, { excess }) => sum - Math.min(excess, 0), 0)
    if (up <= 0 || down < 0.7 * up) return null
    return evidence(0.6, [`phases fell by ${percent(down / up)} of what others rose`])
  },
}
