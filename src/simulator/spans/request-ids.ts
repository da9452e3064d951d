// Ids of everything a request leaves behind, as a function of the run's seed and the request's key: a record written directly and one
// joined from spans have the same trace id.
import { hash } from '../core/random.ts'
import type { SimRequest } from '../core/request.ts'

export const Purpose = { trace: 0x51, request: 0x52, requestId: 0x53, attempt: 0x60, sidecar: 0x80, engine: 0xa0, gateway: 0xc0 } as const

/** Four digits of every 16-bit number: ids are made by the million. */
const DIGITS = Array.from({ length: 65_536 }, (_, value) => value.toString(16).padStart(4, '0'))

export function hexId(seed: number, key: number, words: number, purpose: number): string {
  let text = ''
  for (let word = 0; word < words; word++) {
    const drawn = hash(seed ^ purpose, key, word)
    text += (DIGITS[drawn >>> 16] as string) + (DIGITS[drawn & 0xffff] as string)
  }
  return text
}

export interface RequestIds {
  traceId: string
  requestSpan: string
  requestId: string
  attemptSpan(attempt: number): string
  sidecarSpan(attempt: number): string
  /** The n-th span of the engines or of the gateway. */
  engineSpan(index: number): string
  gatewaySpan(index: number): string
}

export function idsOf(request: SimRequest, seed: number): RequestIds {
  const { key, external } = request
  if (external !== null) {
    return {
      ...drawnIds(seed, key),
      traceId: external.traceId,
      requestId: external.requestId,
      sidecarSpan: () => external.parentSpanId,
    }
  }
  return drawnIds(seed, key)
}

function drawnIds(seed: number, key: number): RequestIds {
  return {
    traceId: hexId(seed, key, 4, Purpose.trace),
    requestSpan: hexId(seed, key, 2, Purpose.request),
    requestId: `req-${hexId(seed, key, 3, Purpose.requestId)}`,
    attemptSpan: (attempt) => hexId(seed, key, 2, Purpose.attempt + attempt),
    sidecarSpan: (attempt) => hexId(seed, key, 2, Purpose.sidecar + attempt),
    engineSpan: (index) => hexId(seed ^ (index * 7919), key, 2, Purpose.engine),
    gatewaySpan: (index) => hexId(seed ^ (index * 7919), key, 2, Purpose.gateway),
  }
}
