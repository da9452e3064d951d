// Which header fields go on, in which form: names keep case and order, duplicates stay apart, hop-by-hop fields stay behind
// (RFC 9110 7.6.1). The whole list of changes is in collector/sidecar/README.md.
import { Headers } from '@longpole/model/conventions/attributes'

/** Name, value, name, value, … as node:http has and takes them. */
export type RawHeaders = readonly string[]

const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'proxy-connection', 'te', 'upgrade'])

/** Fields with an end-to-end meaning: a `Connection: authorization` must not take them away. */
const PROTECTED = new Set([
  'authorization',
  'content-encoding',
  'content-length',
  'content-type',
  'cookie',
  'expect',
  'host',
  'transfer-encoding',
  'trailer',
  'x-api-key',
  Headers.traceparent,
  Headers.tracestate,
  Headers.requestId,
])

/** Values of a field, in order. */
export function valuesOf(headers: RawHeaders, name: string): string[] {
  const values: string[] = []
  for (let index = 0; index < headers.length; index += 2) {
    if ((headers[index] as string).toLowerCase() === name) values.push(headers[index + 1] as string)
  }
  return values
}

/** A sentence why the request must not go on, or null. Each of these is read differently by different servers. */
export function refusal(headers: RawHeaders, httpVersion: string): string | null {
  if (valuesOf(headers, 'host').length > 1) return 'more than one Host field'
  const codings = valuesOf(headers, 'transfer-encoding')
  if (codings.length === 0) return null
  if (httpVersion === '1.0') return 'Transfer-Encoding in an HTTP/1.0 request'
  if (codings.length > 1 || codings[0]?.toLowerCase() !== 'chunked') return 'a Transfer-Encoding other than chunked'
  return null
}

export interface RequestContext {
  traceparent: string
  /** Null where the caller's own is kept. */
  requestId: string | null
  method: string
}

/** Fields of the request to the engine. */
export function requestHeaders(headers: RawHeaders, context: RequestContext): string[] {
  const kept: string[] = []
  const dropped = namedByConnection(headers)
  let traced = false
  let framed = false
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] as string
    const value = headers[index + 1] as string
    const key = name.toLowerCase()
    if (key === Headers.traceparent) {
      if (!traced) kept.push(name, context.traceparent)
      traced = true
    } else if (goesOn(key, value, dropped)) kept.push(name, value)
    framed ||= key === 'content-length' || key === 'transfer-encoding'
  }
  if (!traced) kept.push(Headers.traceparent, context.traceparent)
  if (context.requestId !== null) kept.push(Headers.requestId, context.requestId)
  if (!framed && /^(?:POST|PUT|PATCH)$/.test(context.method)) kept.push('Content-Length', '0')
  return kept
}

/** Fields of the response to the client. `canChunk`: the client speaks HTTP/1.1. */
export function responseHeaders(headers: RawHeaders, canChunk: boolean): string[] {
  const kept: string[] = []
  const dropped = namedByConnection(headers)
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] as string
    const value = headers[index + 1] as string
    const key = name.toLowerCase()
    // Whether the client's connection stays open is between the client and us.
    if (key === 'connection' || (key === 'transfer-encoding' && !canChunk)) continue
    if (goesOn(key, value, dropped)) kept.push(name, value)
  }
  return kept
}

function goesOn(key: string, value: string, dropped: ReadonlySet<string>): boolean {
  if (key === 'connection') return value.toLowerCase() === 'keep-alive'
  return !HOP_BY_HOP.has(key) && !dropped.has(key)
}

const NONE: ReadonlySet<string> = new Set()

function namedByConnection(headers: RawHeaders): ReadonlySet<string> {
  let named: Set<string> | undefined
  for (const value of valuesOf(headers, 'connection')) {
    const lower = value.toLowerCase()
    if (lower === 'keep-alive' || lower === 'close') continue
    for (const option of lower.split(',')) {
      const key = option.trim()
      if (key === '' || PROTECTED.has(key)) continue
      named ??= new Set()
      named.add(key)
    }
  }
  return named ?? NONE
}
