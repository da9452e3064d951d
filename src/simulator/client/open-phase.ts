// What a request is doing right now, for those that end early or have not ended, and what it met when it arrived.
import { PHASE, type SimRequest } from '../core/request.ts'
import type { Engine } from '../engine/engine.ts'

/** Books the seconds since the last boundary to the phase the request is in. */
export function bookOpenPhase(request: SimRequest, now: number): void {
  let booked = 0
  for (const seconds of request.phases) booked += seconds
  const left = now - request.startedAt - booked
  if (left > 0) request.spend(openPhase(request), left)
}

function openPhase(request: SimRequest): number {
  if (!Number.isNaN(request.firstTokenAt)) return PHASE['engine.decode']
  if (!Number.isNaN(request.prefilledAt)) return request.state === 'transferring' ? PHASE['kv.transfer'] : PHASE['engine.queue_or_kv']
  if (request.state === 'prefilling') return PHASE['engine.prefill']
  if (request.state === 'waiting') return PHASE['engine.queue']
  return request.engine === null ? PHASE['client.upload'] : PHASE['engine.tokenize']
}

/** State of the replica when the request came. */
export function observeState(request: SimRequest, engine: Engine, now: number): void {
  request.running = engine.running
  request.waiting = engine.waiting
  request.kvUsage = engine.usage
  request.replicaAge = now - engine.startedAt
  request.cold = now < engine.coldUntil
}
