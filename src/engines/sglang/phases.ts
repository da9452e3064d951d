// Sources of SGLang's phases, and the one phase that takes two servers to see: the KV transfer.
import type { PhaseDuration } from '@longpole/model/phase'
import { phase, spanSeconds } from '../durations.ts'
import type { ServedRequest } from './slices.ts'

export const SglangSource = {
  tokenize: 'sglang slice tokenize',
  admit: 'sglang tokenize end to prefill_bootstrap or prefill_waiting start',
  admitDecode: 'sglang tokenize end to decode_bootstrap start',
  queue: 'sglang slice prefill_waiting',
  queueWithBootstrap: 'sglang slices prefill_bootstrap + prefill_waiting',
  queueDecode: 'sglang slice decode_bootstrap',
  prefill: 'sglang slice prefill_forward',
  emit: 'sglang prefill_forward end to root gen_ai.latency.time_to_first_token',
  decode: 'sglang prefill_forward end to decode_forward end, decode_waiting included',
  decodeHop: 'sglang slices decode_waiting + decode_forward',
  /** Data movement and the wait for the prefill loop's start of it; two processes' stamps of one host clock. */
  transferTightest: 'sglang prefill_transfer_kv_cache start to decode_transferred end',
  /** Ends when the prefill loop next polls: up to a step too long. */
  transferPrefill: 'sglang slice prefill_transfer_kv_cache',
  /** The prefill server's queue and forward are inside. */
  transferDecode: 'sglang slice decode_transferred',
} as const

/**
 * Tightest upper bound that needs no comparison of two hosts' clocks: start on the prefill to end on the decode server where both run
 * on one host, else the prefill server's own slice, else (peer not seen) the decode server's.
 */
export function kvTransfer(decode: ServedRequest, prefill: ServedRequest | undefined): PhaseDuration[] {
  const arrived = decode.slice('decode_transferred')
  const sent = prefill?.slice('prefill_transfer_kv_cache') ?? null
  if (sent === null) return arrived === null ? [] : phase('kv.transfer', spanSeconds(arrived), SglangSource.transferDecode, 'upper_bound')
  const oneClock = prefill?.hostId != null && prefill.hostId === decode.hostId
  if (oneClock && arrived !== null && arrived.endUnixNano >= sent.startUnixNano) {
    const seconds = Number(arrived.endUnixNano - sent.startUnixNano) / 1e9
    return phase('kv.transfer', seconds, SglangSource.transferTightest, 'upper_bound')
  }
  return phase('kv.transfer', spanSeconds(sent), SglangSource.transferPrefill, 'upper_bound')
}
