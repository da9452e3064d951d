// Pauses of the host process stop all its streams at the same instants: gaps grow, and requests that met no pause are as fast as ever.
// Where fast requests slow down as much as slow ones, everything is slower, and nothing pauses.
import { evidence, type MechanismTest } from '../mechanism.ts'

/** The gaps grew so many times as much as the pace fell. */
const BEYOND_PACE = 1.6

export const hostStall: MechanismTest = {
  id: 'host_stall',
  signals: ['itl_max', 'tpot', 'phase engine.prefill', 'phase engine.decode', 'step_seconds'],
  confusedWith: ['preemption', 'prefill_decode_interference', 'slower_compute'],
  test(signals) {
    const gap = signals.quantileChange('itl_max', 0.75)
    const pace = signals.quantileChange('tpot', 0.25)
    if (gap === null || pace === null || gap.now < 2 * gap.before) return null
    const preempted = signals.change('preemptions')
    if (preempted !== null && preempted.now > 2 * preempted.before + 0.02) return null
    const usual = pace.now / Math.max(pace.before, 1e-9)
    const longer = gap.now / Math.max(gap.before, 1e-9)
    const comesAndGoes = signals.isIntermittent
    if (longer < BEYOND_PACE * usual && !comesAndGoes) return null
    const everywhere = signals.share('queue', 'prefill', 'tokenize') > 0.1 && signals.share('decode') > 0.1
    const process = signals.isSliceOf('replica', 'node', 'rank', 'decode_replica', 'ep_group')
    return evidence(0.55 + (usual < 1.25 || comesAndGoes ? 0.2 : 0) + (everywhere ? 0.05 : 0) + (process ? 0.1 : 0), [
      `the long gaps of its streams are ${longer.toFixed(1)} times as long`,
      usual < 1.25 && 'undisturbed streams keep their pace',
      comesAndGoes && 'it comes and goes: the slow requests rose far more than the fast ones',
    ])
  },
}
