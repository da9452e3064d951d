// What a hub makes of a request when it has only its spans: phases that no span can tell apart are merged, as the real ones are. History
// that stands before live traffic must be seen through the same eyes, or the change of the view looks like a change of the fleet.
import { PHASE, type SimRequest } from '../core/request.ts'
import type { RecordColumn } from './record-columns.ts'

/** Columns that spans of these engines and gateways do not carry. */
const NOT_IN_SPANS: ReadonlySet<string> = new Set([
  'rank',
  'quantization',
  'flags_hash',
  'cached_tokens_by_tier',
  'preemptions',
  'drafted',
  'accepted',
  'kv_bytes',
  'adapter_loaded',
  'cold',
])

/** Books an ended request's phases anew, as its spans would tell them. Call it once. */
export function toJoinedView(request: SimRequest): void {
  const { phases, reached } = request
  const take = (phase: number): number => {
    const seconds = phases[phase] as number
    phases[phase] = 0
    reached[phase] = 0
    return seconds
  }
  const disaggregated = request.model.disaggregated
  // Between two hosts only the round trip is known: what neither side sees inside is split in two.
  let unseen = Number.isNaN(request.firstTokenAt) ? 0 : take(PHASE['engine.emit'])
  const gateway = take(PHASE['gateway.queue'])
  if (disaggregated) {
    unseen += gateway + take(PHASE['gateway.route'])
    toServersView(request, take)
  } else phases[PHASE['gateway.route']] = (phases[PHASE['gateway.route']] as number) + gateway
  phases[PHASE['client.upload']] = (phases[PHASE['client.upload']] as number) + unseen / 2
  request.spend(PHASE['stream.network'], unseen / 2)
  phases[PHASE.unattributed] = disaggregated && request.outcome === 'ok' ? take(PHASE['stream.drain']) : 0
  request.settle()
}

/** SGLang with prefill and decode servers: dispatch counts as admission, waiting for room as transfer, joining the batch as decode. */
function toServersView(request: SimRequest, take: (phase: number) => number): void {
  const { phases, last } = request
  const tokenize = phases[PHASE['engine.tokenize']] as number
  phases[PHASE['engine.tokenize']] = 0.6 * tokenize
  const loading = take(PHASE['kv.load'])
  if (request.reached[PHASE['engine.admit']] === 1) request.spend(PHASE['engine.admit'], 0.4 * tokenize + loading)
  const transfer = take(PHASE['kv.transfer'])
  const waiting = take(PHASE['engine.queue_or_kv'])
  if (Number.isNaN(last.transferEnd)) {
    if (transfer + waiting > 0) request.spend(PHASE['kv.transfer'], transfer + waiting)
    return
  }
  const wholeTransfer = Math.min(transfer + waiting, last.transferEnd - request.prefilledAt)
  request.spend(PHASE['kv.transfer'], wholeTransfer)
  request.spend(PHASE['engine.decode'], transfer + waiting - wholeTransfer)
}

/** The columns as a hub would fill them. */
export function joinedColumns(columns: readonly RecordColumn[]): RecordColumn[] {
  return columns.map((column) => {
    if (NOT_IN_SPANS.has(column.name)) return { ...column, get: () => null }
    if (column.name === 'pool') return { ...column, get: () => 'both' }
    return column
  })
}
