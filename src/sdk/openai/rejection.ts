// What a rejected call of the openai client means for the request: its error classes are told by name, since the SDK does not import
// the package.
import { isObject } from '../delta.ts'
import { ABORTED, type Ending, endingOfFailure, endingOfStatus, TIMEOUT } from '../outcome.ts'

/** `last` is how the newest attempt ended: it knows more than the error where they agree. */
export function endingOfRejection(error: unknown, last: Ending | undefined): Ending {
  const name = error instanceof Error ? error.constructor.name : undefined
  if (name === 'APIUserAbortError') return ABORTED
  if (name === 'APIConnectionTimeoutError') return last?.outcome === 'timeout' ? last : TIMEOUT
  if (isObject(error) && typeof error.status === 'number' && error.status >= 400) return endingOfStatus(error.status)
  if (last !== undefined && last.outcome !== 'ok') return last
  return endingOfFailure(error, { inBody: false })
}
