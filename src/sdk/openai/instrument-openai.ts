// Wraps a client of the `openai` package in place: its fetch sees every exchange, its request loop tells which exchanges are attempts of
// one request. Written against openai 4 to 7; where a member is missing, that part is left out and the rest still works.
import { randomUUID } from 'node:crypto'
import { Longpole } from '@longpole/model/conventions/attributes'
import { now } from '../anchored-clock.ts'
import { isObject } from '../delta.ts'
import { tracedFetch } from '../fetch/instrument-fetch.ts'
import { guarded, isDisabled, noteFailure } from '../guard.ts'
import { LogicalRequest } from '../logical-request.ts'
import { type Instrumentation, type InstrumentationOptions, resolveOptions } from '../options.ts'
import { currentScope, type RequestScope, runInScope } from '../request-scope.ts'
import { endingOfRejection } from './rejection.ts'

type Method = (this: unknown, ...args: unknown[]) => unknown

/** The members of the client that are wrapped. All but `fetch` are internals of the package: none is required. */
interface Client {
  fetch?: Method
  makeRequest?: Method
  retryRequest?: Method
  withOptions?: Method
  getUserAgent?: Method
}

const done = new WeakSet<object>()
/** The options object goes with a request through all its retries. */
const requests = new WeakMap<object, RequestScope>()

/**
 * Instruments an OpenAI client (or one of a compatible class, such as AzureOpenAI) and returns the same client.
 *
 * @throws TypeError for a wrong option, at once; never later.
 * @example
 * const client = instrumentOpenAI(new OpenAI({ baseURL: 'http://127.0.0.1:8000/v1' }))
 */
export function instrumentOpenAI<T extends object>(client: T, options: InstrumentationOptions = {}): T {
  wrapClient(client as Client, resolveOptions(options, 'openai'))
  return client
}

function wrapClient(client: Client, instrumentation: Instrumentation): void {
  try {
    if (done.has(client)) return
    done.add(client)
    const version = versionOf(client)
    if (typeof client.fetch === 'function') client.fetch = tracedFetch(client.fetch as typeof fetch, instrumentation) as Method
    if (typeof client.makeRequest === 'function') client.makeRequest = wrapMakeRequest(client.makeRequest, instrumentation, version)
    if (typeof client.retryRequest === 'function') client.retryRequest = wrapRetryRequest(client.retryRequest)
    if (typeof client.withOptions === 'function') client.withOptions = wrapWithOptions(client.withOptions, instrumentation)
  } catch (error) {
    noteFailure('instrumentOpenAI', error)
  }
}

/** `makeRequest(options, retriesRemaining, retryOf)` calls itself for a retry, through `retryRequest`. */
function wrapMakeRequest(original: Method, instrumentation: Instrumentation, version: string | undefined): Method {
  return function makeRequest(this: unknown, ...args: unknown[]): unknown {
    const [options, , retryOf] = args
    const running = retryOf === undefined ? undefined : scopeOf(options)
    if (running !== undefined) return runInScope(running, () => Reflect.apply(original, this, args))
    const scope = isDisabled() ? undefined : guarded('makeRequest', undefined, () => newScope(instrumentation, version))
    if (scope === undefined || retryOf !== undefined) return Reflect.apply(original, this, args)
    const followed = [guarded('options', options, () => follow(options, scope)), ...args.slice(1)]
    const result = runInScope(scope, () => Reflect.apply(original, this, followed))
    settleWith(scope, result)
    return result
  }
}

/** A body that timed out is retried after the call had been answered: the request must then stay open. */
function wrapRetryRequest(original: Method): Method {
  return function retryRequest(this: unknown, ...args: unknown[]): unknown {
    const scope = guarded('retryRequest', undefined, () => scopeOf(args[0]))
    if (scope === undefined) return Reflect.apply(original, this, args)
    const answered = scope.request.settledOnce
    guarded('hold', undefined, () => scope.request.hold())
    const result = Reflect.apply(original, this, args)
    if (answered) settleWith(scope, result)
    return result
  }
}

function wrapWithOptions(original: Method, instrumentation: Instrumentation): Method {
  return function withOptions(this: unknown, ...args: unknown[]): unknown {
    const clone = Reflect.apply(original, this, args)
    if (isObject(clone)) wrapClient(clone as Client, instrumentation)
    return clone
  }
}

function newScope(instrumentation: Instrumentation, version: string | undefined): RequestScope {
  const request = new LogicalRequest(instrumentation, now())
  if (version !== undefined) request.describe({ [Longpole.sdkVersion]: version })
  return { request, requestId: randomUUID(), callerSignal: undefined, libraryTimeout: true, inExchange: false }
}

/** Ties the options, once they are there, to the request. */
function follow(options: unknown, scope: RequestScope): unknown {
  const tie = (resolved: unknown): unknown => {
    guarded('options', undefined, () => {
      if (!isObject(resolved)) return
      requests.set(resolved, scope)
      if (resolved.signal instanceof AbortSignal) scope.callerSignal = resolved.signal
    })
    return resolved
  }
  return isObject(options) && typeof options.then === 'function' ? (options as unknown as Promise<unknown>).then(tie) : tie(options)
}

function scopeOf(options: unknown): RequestScope | undefined {
  const tied = isObject(options) ? requests.get(options) : undefined
  if (tied !== undefined) return tied
  const scope = currentScope()
  return scope?.inExchange === false ? scope : undefined
}

function settleWith(scope: RequestScope, result: unknown): void {
  guarded('settle', undefined, () => {
    Promise.resolve(result).then(
      () => guarded('settle', undefined, () => scope.request.settle()),
      (error: unknown) => guarded('settle', undefined, () => scope.request.settle(endingOfRejection(error, scope.request.lastEnding))),
    )
  })
}

/** The package tells its version in its user agent (`OpenAI/JS 7.57.0`). */
function versionOf(client: Client): string | undefined {
  const agent = typeof client.getUserAgent === 'function' ? client.getUserAgent() : undefined
  return typeof agent === 'string' ? /\/JS (\d[\w.-]{0,40})$/.exec(agent)?.[1] : undefined
}
