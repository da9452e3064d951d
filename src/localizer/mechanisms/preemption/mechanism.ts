// The KV cache is full: requests are preempted and recomputed, streams stall for seconds.
import { evidence, type MechanismTest, percent } from '../mechanism.ts'

export const preemption: MechanismTest = {
  id: 'preemption',
  signals: ['preemptions', 'preemptions_per_second', 'kv_usage', 'itl_max'],
  confusedWith: ['host_stall', 'prefill_decode_interference', 'decode_kv_full'],
  test(signals) {
    const row = signals.change('preemptions')
    const rate = signals.sampled('preemptions_per_second')
    const rose = (change: { before: number; now: number } | null, least: number) =>
      change !== null && change.now > 2 * change.before + least
    const usage = signals.sampled('kv_usage') ?? signals.change('kv_usage')
    const stalls = signals.change('itl_max')
    const stalled = stalls !== null && stalls.now > 2 * stalls.before
    if (rose(row, 0.02) || rose(rate, 0.02)) {
      return evidence(0.96, [
        row !== null && `${row.now.toFixed(2)} preemptions a request (${row.before.toFixed(2)} before)`,
        rate !== null && `${rate.now.toFixed(2)} preemptions a second (${rate.before.toFixed(2)} before)`,
        usage !== null && usage.now > 0.8 && `KV usage is ${percent(usage.now)}`,
      ])
    }
    if (row !== null || rate !== null || signals.share('decode') < 0.4) return null
    const full = usage !== null && usage.now > 0.9
    return evidence(
      full ? 0.6 : stalled ? 0.4 : 0.15,
      [full && 'the KV cache is full', stalled && 'the longest gaps doubled'],
      [],
      ['preemptions'],
    )
  },
}
