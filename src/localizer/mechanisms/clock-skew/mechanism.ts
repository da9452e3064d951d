// Two hosts disagree about the time: upload grows by what the return path loses, or network phases jump by a constant.
import { evidence, type MechanismTest } from '../mechanism.ts'

export const clockSkew: MechanismTest = {
  id: 'clock_skew',
  signals: ['phase client.upload', 'phase stream.network', 'phase error'],
  confusedWith: ['client_network', 'instrumentation_change'],
  test(signals) {
    const phases = signals.phases.excess.filter(({ phase }) => /upload|stream.network|drain/.test(phase))
    const up = phases.reduce((sum, { excess }) => sum + Math.max(excess, 0), 0)
    const down = phases.reduce((sum, { excess }) => sum - Math.min(excess, 0), 0)
    const all = signals.phases.excess.reduce((sum, { excess }) => sum + Math.max(excess, 0), 0)
    if (up <= 0 || down < 0.5 * up || up < 0.5 * all) return null
    return evidence(0.75, ['one way of the network grew by what the other lost'])
  },
}
