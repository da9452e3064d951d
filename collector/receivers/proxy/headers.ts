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

/** The fields of a request that decide something here, found in one pass. */
export interface DecidingFields {
  hosts: number
  codings: string[]
  traceparents: string[]
  tracestate: string
  /** Null where the request has none. */
  requestId: string | null
  tenant: string | null
  session: string | null
  synthetic: boolean
}

const MAX_NAME = 128
const name = (value: string) => (value === '' ? null : value.slice(0, MAX_NAME))

export function decidingFields(headers: RawHeaders): DecidingFields {
  const found: DecidingFields = {
    hosts: 0,
    codings: [],
    traceparents: [],
    tracestate: '',
    requestId: null,
    tenant: null,
    session: null,
    synthetic: false,
  }
  for (let index = 0; index < headers.length; index += 2) {
    const value = headers[index + 1] as string
    switch ((headers[index] as string).toLowerCase()) {
      case 'host':
        found.hosts++
        break
      case 'transfer-encoding':
        found.codings.push(value)
        break
      case Headers.traceparent:
        found.traceparents.push(value)
        break
      case Headers.tracestate:
        found.tracestate += found.tracestate === '' ? value : `,${value}`
        break
      case Headers.requestId:
        found.requestId ??= value
        break
      case Headers.tenant:
        found.tenant ??= name(value)
        break
      case Headers.session:
        found.session ??= name(value)
        break
      case Headers.synthetic:
        found.synthetic = true
        break
    }
  }
  return found
}

/** A sentence why the request must not go on, or null. Each of these is read differently by different servers. */
export function refusal({ hosts, codings }: DecidingFields, httpVersion: string): string | null {
  if (hosts > 1) return 'more than one Host field'
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
  for (let index = 0; index < headers.length; index += 2) {
    if ((headers[index] as string).length !== 10 || (headers[index] as string).toLowerCase() !== 'connection') continue
    const lower = (headers[index + 1] as string).toLowerCase()
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
