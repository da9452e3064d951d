// What a rejected call of the openai client means for the request: its error classes are told by name, since the SDK does not import
// the package.
import { isObject } from '../delta.ts'
import { ABORTED, type Ending, endingOfFailure, endingOfStatus, TIMEOUT } from '../outcome.ts'

/** `last` is how the newest attempt ended: it knows more than the error where they agree. */
export function endingOfRejection(error: unknown, last: Ending | undefined): Ending {
  const name = error instanceof Error ? error.constructor.name : undefined
  // A caller's own AbortSignal.timeout() comes as an abort; the attempt has seen its reason.
  if (name === 'APIUserAbortError') return last?.outcome === 'timeout' && isTimeout(error) ? last : ABORTED
  if (name === 'APIConnectionTimeoutError') return last?.outcome === 'timeout' ? last : TIMEOUT
  if (isObject(error) && typeof error.status === 'number' && error.status >= 400) return endingOfStatus(error.status)
  if (last !== undefined && last.outcome !== 'ok') return last
  return endingOfFailure(error, { inBody: false })
}

function isTimeout(error: unknown): boolean {
  const cause = isObject(error) ? error.cause : undefined
  return isObject(cause) && cause.name === 'TimeoutError'
}
