// A fetch that traces calls to LLM endpoints and passes everything else through untouched.
import { randomUUID } from 'node:crypto'
import { context } from '@opentelemetry/api'
import { now } from '../anchored-clock.ts'
import { observeTransport } from '../connection-timer.ts'
import { Exchange, type ExchangeResult } from '../exchange.ts'
import { guarded, isDisabled } from '../guard.ts'
import { LogicalRequest } from '../logical-request.ts'
import { type Instrumentation, type InstrumentationOptions, resolveOptions } from '../options.ts'
import { chargeBegin, chargeEnd } from '../overhead.ts'
import { injectRequestId, injectTrace, parentContext, quiet } from '../propagation.ts'
import type { Endpoint } from '../request-attributes.ts'
import { operationOf, requestFacts } from '../request-facts.ts'
import { currentScope, type RequestScope, runInScope } from '../request-scope.ts'
import { tapResponse } from './tap-response.ts'
import { watchConsumer } from './watch-consumer.ts'

type Fetch = typeof globalThis.fetch

const ours = new WeakSet<object>()

/**
 * Wraps a fetch: requests to chat completions, completions, responses, messages, embeddings and generate endpoints become spans with
 * their phases; others pass. The result behaves as the original does, errors included.
 *
 * @throws TypeError for a wrong option, at once; never later.
 * @example
 * const tracedFetch = instrumentFetch(fetch)
 * const response = await tracedFetch('http://127.0.0.1:8000/v1/chat/completions', { method: 'POST', body })
 */
export function instrumentFetch(original: Fetch, options: InstrumentationOptions = {}): Fetch {
  if (ours.has(original)) return original
  const traced = tracedFetch(original, resolveOptions(options, 'fetch'))
  ours.add(traced)
  return traced
}

/** Without the check of options, for the other wrappers. */
export function tracedFetch(original: Fetch, instrumentation: Instrumentation): Fetch {
  return function fetch(this: unknown, input: Parameters<Fetch>[0], init?: Parameters<Fetch>[1]): Promise<Response> {
    const call = isDisabled() ? null : guarded('fetch', null, () => begin(instrumentation, input, init))
    if (call === null) return Reflect.apply(original, this, init === undefined ? [input] : [input, init])
    const { exchange, scope } = call
    const send = (): Promise<Response> => Reflect.apply(original, this, [input, call.init])
    if (exchange === null) return send()
    let answer: Promise<Response>
    try {
      answer = observeTransport(exchange, () => runInScope(scope, () => context.with(call.quiet, send)))
    } catch (error) {
      guarded('fetch', undefined, () => call.failed(error))
      throw error
    }
    return Promise.resolve(answer).then(
      (response) => guarded('response', response, () => call.answered(response)),
      (error: unknown) => {
        guarded('failure', undefined, () => call.failed(error))
        throw error
      },
    )
  }
}

/** Starts the spans and makes the headers; null where the call is none of ours. */
function begin(instrumentation: Instrumentation, input: Parameters<Fetch>[0], init: Parameters<Fetch>[1]) {
  const startMs = now()
  const outer = currentScope()
  if (outer?.inExchange === true) return null
  const request = typeof input === 'object' && input instanceof Request ? input : undefined
  const url = new URL(request?.url ?? String(input))
  const operation = operationOf(url.pathname)
  const method = (init?.method ?? request?.method ?? 'GET').toUpperCase()
  if (operation === undefined || method !== 'POST' || !isPlain(init)) return null

  const headers = new Headers(init?.headers ?? request?.headers)
  const own = outer === undefined || outer.request.ended
  const logical = own ? new LogicalRequest(instrumentation, startMs) : outer.request
  const facts = requestFacts(operation, init?.body)
  const { recording } = logical.begin(facts, parentContext(headers))
  const baseId = own ? randomUUID() : outer.requestId
  const attempt = logical.startAttempt(startMs, endpointOf(url, method), (number) =>
    injectRequestId(headers, () => (number === 1 ? baseId : `${baseId}-${number}`)),
  )
  injectTrace(attempt.context, headers)
  const scope: RequestScope = {
    request: logical,
    requestId: baseId,
    callerSignal: outer?.callerSignal,
    libraryTimeout: false,
    inExchange: true,
  }
  const signals = {
    signal: init?.signal ?? request?.signal,
    callerSignal: outer?.callerSignal,
    libraryTimeout: outer?.libraryTimeout === true,
  }
  let stopWatching: (() => void) | undefined
  const onEnd = (result: ExchangeResult): void => {
    const sinceMs = now()
    attempt.end(result)
    if (result.ending.outcome !== 'ok') stopWatching?.()
    chargeEnd(sinceMs)
  }
  const exchange = recording ? new Exchange(attempt.startMs, { requestId: attempt.requestId, stream: facts.stream, signals, onEnd }) : null
  const call = {
    exchange,
    scope,
    init: { ...init, headers },
    quiet: quiet(context.active()),
    answered: (response: Response): Response => {
      exchange?.answered()
      const tapped = exchange?.needsTap === true ? tapResponse(response, exchange) : response
      if (instrumentation.untilConsumed && tapped.ok && tapped.body !== null) {
        stopWatching = watchConsumer(tapped.body, logical.holdForConsumer())
      }
      if (own) logical.settle()
      return tapped
    },
    failed: (error: unknown): void => {
      exchange?.rejected(error)
      if (own) logical.settle()
    },
  }
  chargeBegin(startMs)
  return call
}

/** Only a plain init is copied: a class of the host's own might not survive it. */
function isPlain(init: unknown): boolean {
  if (init === undefined) return true
  if (typeof init !== 'object' || init === null) return false
  const prototype: unknown = Object.getPrototypeOf(init)
  return prototype === Object.prototype || prototype === null
}

function endpointOf(url: URL, method: string): Endpoint {
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port)
  return { address: url.hostname.replace(/^\[|\]$/g, ''), port, path: url.pathname, method }
}
