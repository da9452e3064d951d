// Boundaries of a request's last attempt in true time, from the phases booked on it.
import { PHASE, type SimRequest } from '../core/request.ts'

export interface Timeline {
  attemptStart: number
  connected: number
  gatewayReceived: number
  gatewaySent: number
  sidecarReceived: number
  sidecarSent: number
  tokenized: number
  /** The engine core has it. */
  queued: number
  scheduled: number
  prefilled: number
  /** First token in the core (decode side of a disaggregated request). NaN: none. */
  firstToken: number
  firstTokenOut: number
  firstTokenSeen: number
  lastToken: number
  lastTokenOut: number
  lastByteSeen: number
}

export function timelineOf(request: SimRequest): Timeline {
  const { phases, last } = request
  const attemptStart = request.attemptAt
  const connected = attemptStart + last.connect
  const gatewayReceived = connected + last.upload
  const gatewaySent = gatewayReceived + last.gatewayQueue + last.gatewayRoute
  const sidecarSent = gatewaySent + last.sidecar
  const tokenized = sidecarSent + last.tokenize
  const ended = Number.isNaN(request.endedAt) ? tokenized : request.endedAt
  const has = !Number.isNaN(request.firstTokenAt)
  const emit = has ? (phases[PHASE['engine.emit']] as number) : 0
  const back = has ? (phases[PHASE['stream.network']] as number) : 0
  const drain = phases[PHASE['stream.drain']] as number
  const firstToken = request.firstTokenAt
  return {
    attemptStart,
    connected,
    gatewayReceived,
    gatewaySent,
    sidecarReceived: gatewaySent,
    sidecarSent,
    tokenized,
    queued: request.queuedAt,
    scheduled: last.scheduled,
    prefilled: Number.isNaN(request.prefilledAt) ? firstToken : request.prefilledAt,
    firstToken,
    firstTokenOut: firstToken + emit,
    firstTokenSeen: firstToken + emit + back,
    lastToken: ended,
    lastTokenOut: ended + emit + drain * 0.5,
    lastByteSeen: ended + emit + back + drain,
  }
}
