// Long prefills share steps with decodes and stretch them: time per token and gaps grow where long prompts arrive.
import { evidence, type MechanismTest } from '../mechanism.ts'

export const prefillDecodeInterference: MechanismTest = {
  id: 'prefill_decode_interference',
  signals: ['itl_max', 'tpot', 'phase engine.decode', 'phase engine.prefill', 'prompt_tokens_per_second', 'step_seconds'],
  confusedWith: ['preemption', 'host_stall', 'slower_compute'],
  test(signals) {
    const gap = signals.quantileChange('itl_max', 0.5)
    const tpot = signals.change('tpot')
    if (gap === null || tpot === null || gap.now < 1.5 * gap.before) return null
    const preempted = signals.change('preemptions')
    if (preempted !== null && preempted.now > 2 * preempted.before + 0.02) return null
    const gapRatio = gap.now / Math.max(gap.before, 1e-9)
    const paceRatio = tpot.now / Math.max(tpot.before, 1e-9)
    const prefill = signals.excess('prefill')
    const faster = prefill.expected > 0 && prefill.excess < 0.1 * prefill.expected
    if (gapRatio < 1.3 * paceRatio || signals.share('decode') < 0.25) return null
    return evidence(0.5 + (faster ? 0.2 : 0) + Math.min(0.15, (gapRatio / paceRatio - 1) / 10), [
      `the longest gap of a usual stream is ${gapRatio.toFixed(1)} times, the mean pace ${paceRatio.toFixed(1)} times`,
      faster && 'prefill itself is not slower',
    ])
  },
}
