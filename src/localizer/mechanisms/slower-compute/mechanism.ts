// The same work at the same batch takes longer: clocks, memory bandwidth, a slower kernel or revision. Prefill a token and time a token rise.
import { evidence, type MechanismTest } from '../mechanism.ts'

export const slowerCompute: MechanismTest = {
  id: 'slower_compute',
  signals: ['phase engine.prefill', 'phase engine.decode', 'tpot', 'step_seconds', 'gpu_clock_hz', 'running'],
  confusedWith: ['cache_hit_drop', 'prefill_decode_interference', 'demand_saturation'],
  test(signals) {
    const prefill = signals.excess('prefill')
    const decode = signals.excess('decode')
    const tpot = signals.change('tpot')
    const slowPrefill = prefill.expected > 0 && prefill.excess > 0.12 * prefill.expected
    const slowDecode = (decode.expected > 0 && decode.excess > 0.1 * decode.expected) || (tpot !== null && tpot.now > 1.1 * tpot.before)
    if (signals.hasPhases && !slowPrefill && !slowDecode) return null
    // Waiting behind slower compute is its consequence.
    const compute = signals.share('prefill', 'decode', 'queue', 'kv_wait')
    const throttled = signals
      .samplesNow()
      .find((sample) => sample.gpu_throttle_reason !== null && sample.gpu_throttle_reason !== '' && sample.gpu_throttle_reason !== 'none')
    const clock = signals.sampled('gpu_clock_hz')
    const slowClock = clock !== null && clock.now < 0.95 * clock.before
    const grown = signals.mostGrowth
    const both = slowPrefill && slowDecode ? 0.1 : 0
    return evidence(
      (signals.hasPhases ? 0.4 + 0.25 * Math.min(1, compute) : 0.3) +
        both +
        (throttled !== undefined || slowClock ? 0.25 : 0) -
        (grown > 1.3 ? 0.2 : 0) -
        (signals.isIntermittent ? 0.15 : 0),
      [
        slowPrefill && `prefill takes ${(1 + prefill.excess / prefill.expected).toFixed(2)} times as long at equal tokens`,
        slowDecode && tpot !== null && `time per token is ${(tpot.now / tpot.before).toFixed(2)} times`,
        throttled !== undefined && `${throttled.replica} is throttled: ${throttled.gpu_throttle_reason}`,
        slowClock && 'GPU clocks fell',
      ],
      [
        grown > 1.3 && `${grown.toFixed(1)} times as much work arrives`,
        signals.isIntermittent && 'it comes and goes: fast requests are nearly as fast as ever',
      ],
    )
  },
}
