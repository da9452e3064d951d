// Tokens exist in the core but leave the server late: emit grows, or streams stutter while the core's decode is flat.
import { evidence, type MechanismTest, percent } from '../mechanism.ts'

export const detokenizerCpu: MechanismTest = {
  id: 'detokenizer_cpu',
  signals: ['phase engine.emit', 'phase stream.drain', 'itl_max', 'step_seconds'],
  confusedWith: ['slower_compute', 'client_network', 'slow_consumer'],
  test(signals) {
    const share = signals.share('emit')
    const step = signals.sampled('step_seconds')
    const flat = step !== null && step.now < 1.1 * step.before
    if (share >= 0.3)
      return evidence(0.45 + 0.5 * Math.min(1, share), [`emitting is ${percent(share)} of the change`, flat && 'the engine step is flat'])
    const tpot = signals.change('tpot')
    if (!flat || tpot === null || tpot.now < 1.3 * tpot.before || signals.share('decode') < 0.4) return null
    const accepted = signals.change('accepted')
    if (accepted !== null && accepted.now < 0.85 * accepted.before) return null
    return evidence(0.72, ['time per token grew while the engine step is flat'])
  },
}
