// KV blocks move slowly between prefill and decode: more seconds for the same bytes.
import { evidence, type MechanismTest, percent } from '../mechanism.ts'

export const kvTransfer: MechanismTest = {
  id: 'kv_transfer',
  signals: ['phase kv.transfer', 'kv_bytes', 'nic_transmit_bytes_per_second'],
  confusedWith: ['decode_kv_full', 'longer_work'],
  test(signals) {
    const share = signals.share('kv_transfer')
    if (share < 0.3) return null
    const bytes = signals.change('kv_bytes')
    const grown = bytes !== null && bytes.now > 1.3 * bytes.before
    return evidence(
      (grown ? 0.3 : 0.45) + 0.5 * Math.min(1, share),
      [`the transfer is ${percent(share)} of the change`, bytes !== null && !grown && 'the bytes a request are unchanged: bandwidth fell'],
      [grown && 'the bytes a request grew too'],
      bytes === null ? ['kv_bytes: slower link or more bytes'] : [],
    )
  },
}
