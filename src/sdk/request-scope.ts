// Which logical request, and which exchange, the running code belongs to: how a wrapped fetch knows that it is called by a wrapped
// client, or by another wrapped fetch.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { LogicalRequest } from './logical-request.ts'

export interface RequestScope {
  readonly request: LogicalRequest
  /** First attempt's `x-request-id`; later ones add their number. */
  readonly requestId: string
  /** The caller's own signal, where a client library makes another for the exchange. */
  callerSignal: AbortSignal | undefined
  /** The client library aborts its own signal on a timeout. */
  readonly libraryTimeout: boolean
  /** Inside an exchange already: nothing further is traced. */
  readonly inExchange: boolean
}

const storage = new AsyncLocalStorage<RequestScope>()

export function currentScope(): RequestScope | undefined {
  return storage.getStore()
}

export function runInScope<T>(scope: RequestScope, call: () => T): T {
  return storage.run(scope, call)
}
