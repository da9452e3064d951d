// Spans of made-up requests for the ingest tests: three a request (client, sidecar, engine), as small as the hub still joins them.
import { randomBytes } from 'node:crypto'
import { Longpole, ScopeName } from '@longpole/model/conventions/attributes'
import type { Attributes, Span } from '@longpole/model/span'

const RESOURCES: readonly Attributes[] = [
  { 'service.name': 'app' },
  { 'service.name': 'longpole-sidecar', [Longpole.replica]: 'vllm-0' },
  { 'service.name': 'vllm' },
]

/** Random ids are cut from a pool: a million spans need four million bytes. */
const POOL_BYTES = 1 << 20
let pool = ''
let at = 0

export function randomId(bytes: 8 | 16): string {
  if (at + 2 * bytes > pool.length) {
    pool = randomBytes(POOL_BYTES).toString('hex')
    at = 0
  }
  at += 2 * bytes
  return pool.slice(at - 2 * bytes, at)
}

export const keyOf = ({ traceId, spanId }: Span): string => traceId + spanId

/** Client, sidecar and engine span of one request of a second that ended now. */
export function makeRequest(): [Span, Span, Span] {
  const [traceId, requestId, client, sidecar, engine] = [randomId(16), randomId(8), randomId(8), randomId(8), randomId(8)]
  const endUnixNano = BigInt(Date.now()) * 1_000_000n
  const own = { [Longpole.requestId]: requestId, [Longpole.outcome]: 'ok' }
  const make = (spanId: string, parentSpanId: string, place: number, scopeName: string, attributes: Attributes): Span => ({
    traceId,
    spanId,
    parentSpanId,
    traceState: '',
    flags: 1,
    name: scopeName.startsWith('vllm') ? 'llm_request' : 'chat',
    kind: place === 0 ? 3 : 2,
    startUnixNano: endUnixNano - 1_000_000_000n,
    endUnixNano,
    attributes,
    events: [],
    links: [],
    statusCode: 0,
    statusMessage: '',
    resource: RESOURCES[place] as Attributes,
    scopeName,
    scopeVersion: '',
  })
  return [
    make(client, '', 0, ScopeName.sdk, { ...own, [Longpole.role]: 'request', 'gen_ai.request.model': 'm', [Longpole.firstTokenAt]: 0.4 }),
    make(sidecar, client, 1, ScopeName.sidecar, {
      ...own,
      [Longpole.role]: 'attempt',
      [Longpole.receivedAt]: 0,
      [Longpole.firstTokenAt]: 0.39,
    }),
    make(engine, sidecar, 2, 'vllm.tracing.otel', {
      'gen_ai.request.id': `chatcmpl-${requestId}`,
      'gen_ai.latency.time_to_first_token': 0.38,
      'gen_ai.latency.time_in_queue': 0.1,
      'gen_ai.latency.time_in_model_prefill': 0.2,
      'gen_ai.latency.time_in_model_decode': 0.5,
    }),
  ]
}
