// How an exchange ended, as one word and a class: never an error's message, which may quote the prompt.
import type { Outcome } from '@longpole/model/request-record'
import { isObject } from './delta.ts'

export interface Ending {
  outcome: Exclude<Outcome, 'open'>
  /** Absent when ok. */
  errorClass?: string
}

export const OK: Ending = { outcome: 'ok' }
export const TRUNCATED: Ending = { outcome: 'error', errorClass: 'truncated' }
export const STREAM_ERROR: Ending = { outcome: 'error', errorClass: 'stream_error' }
export const ABORTED: Ending = { outcome: 'aborted', errorClass: 'caller_abort' }
export const TIMEOUT: Ending = { outcome: 'timeout', errorClass: 'timeout' }

/** An HTTP status of 400 and above; 4xx: the server refused to serve it, 5xx: it failed to. */
export function endingOfStatus(status: number): Ending {
  return { outcome: status < 500 ? 'rejected' : 'error', errorClass: `http_${status}` }
}

export interface FailureContext {
  /** The signal of the exchange. */
  signal?: AbortSignal | undefined
  /** The caller's own signal, where the client library stands in between. */
  callerSignal?: AbortSignal | undefined
  /** A client library made the exchange's signal: its abort without the caller's is a timeout until the response is streaming. */
  libraryTimeout?: boolean
  /** Body bytes were on their way. */
  inBody: boolean
}

/** The ending that an exception of the transport means. */
export function endingOfFailure(error: unknown, context: FailureContext): Ending {
  const codes = codesOf(error)
  if (codes.includes('UND_ERR_CONNECT_TIMEOUT') || codes.includes('ETIMEDOUT')) return { outcome: 'timeout', errorClass: 'connect_timeout' }
  if (codes.some((code) => code === 'TimeoutError' || code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT')) return TIMEOUT
  const signal = context.callerSignal?.aborted ? context.callerSignal : context.signal
  if (signal?.aborted || codes.includes('AbortError')) {
    if (nameOf(signal?.reason) === 'TimeoutError') return TIMEOUT
    return context.libraryTimeout === true && context.callerSignal?.aborted !== true ? TIMEOUT : ABORTED
  }
  if (context.inBody) return TRUNCATED
  return { outcome: 'error', errorClass: CLASSES.find(([, pattern]) => codes.some((code) => pattern.test(code)))?.[0] ?? fallbackOf(codes) }
}

const CLASSES: readonly (readonly [string, RegExp])[] = [
  ['connection_refused', /^ECONNREFUSED$/],
  ['connection_reset', /^(?:ECONNRESET|EPIPE|UND_ERR_SOCKET)$/],
  ['dns', /^(?:ENOTFOUND|EAI_)/],
  ['tls', /^(?:ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|EPROTO)/],
]

function fallbackOf(codes: readonly string[]): string {
  return codes.some((code) => /^(?:E[A-Z]+|UND_ERR_)/.test(code)) ? 'connection' : 'other'
}

/** Codes and names along the chain of causes; a hostile chain is cut. */
function codesOf(error: unknown): string[] {
  const codes: string[] = []
  let current = error
  for (let depth = 0; depth < 6 && isObject(current); depth++) {
    for (const value of [current.code, current.name]) if (typeof value === 'string') codes.push(value)
    if (Array.isArray(current.errors)) {
      for (const inner of current.errors.slice(0, 4)) if (isObject(inner) && typeof inner.code === 'string') codes.push(inner.code)
    }
    current = current.cause
  }
  return codes
}

function nameOf(value: unknown): string | undefined {
  return isObject(value) && typeof value.name === 'string' ? value.name : undefined
}
