// The decode side has no room: its KV cache is full, and prefill or the first decode step has to wait for it.
import { evidence, type MechanismTest, percent } from '../mechanism.ts'

export const decodeKvFull: MechanismTest = {
  id: 'decode_kv_full',
  signals: ['kv_usage', 'phase engine.queue_or_kv', 'pool', 'decode_replica'],
  confusedWith: ['kv_transfer', 'preemption', 'demand_saturation'],
  test(signals) {
    const waiting = signals.share('kv_wait', 'kv_transfer')
    const usage = signals.sampled('kv_usage') ?? signals.change('kv_usage')
    const disaggregated = signals.given.table.dimensions.has('decode_replica') || signals.isSliceOf('pool', 'decode_replica')
    const full = usage !== null && usage.now > 0.85 && usage.now > usage.before + 0.05
    if (waiting < 0.3 || !(full || disaggregated)) return null
    const preempted = signals.change('preemptions')
    return evidence(
      (full ? 0.6 : 0.35) + 0.35 * Math.min(1, signals.share('kv_wait')),
      [
        `waiting for decode is ${percent(waiting)} of the change`,
        full && `KV usage is ${percent(usage?.now ?? 0)} (${percent(usage?.before ?? 0)} before)`,
      ],
      [preempted !== null && preempted.now > preempted.before + 0.05 && 'requests are preempted'],
      usage === null ? ['kv_usage of the decode pool'] : [],
    )
  },
}
