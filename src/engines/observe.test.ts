import type { AttributeValue, Span } from '@longpole/model/span'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ADAPTERS, adapterOf } from './index.ts'
import { observeSpans, requestIdsOf } from './observe.ts'

const KEYS = [
  'longpole.role',
  'longpole.phase',
  'longpole.at.first_token',
  'longpole.gaps.histogram',
  'longpole.dimension.x',
  'gen_ai.request.id',
  'gen_ai.operation.name',
  'gen_ai.latency.time_to_first_token',
  'gen_ai.latency.time_in_queue',
  'gen_ai.latency.time_in_model_prefill',
  'gen_ai.latency.time_in_model_decode',
  'gen_ai.response.finish_reasons',
  'gen_ai.usage.completion_tokens',
  'module',
  'rid',
  'bootstrap_room',
  'host_id',
  'uri',
  'http.route',
  'url.path',
  'url.full',
  'http.request.method',
  'latency',
  'ttft_ms',
]
const NAMES = [
  'llm_request',
  'prefill Req 1',
  ' Req 1',
  'decode Req 1',
  'tokenize',
  'prefill_waiting',
  'prefill_forward',
  'decode_forward',
  'decode_transferred',
  'prefill_transfer_kv_cache',
  'http-request',
  'http_request',
  'gateway.request',
  'litellm_request',
  'Received Proxy Server Request',
]
const SCOPES = [
  '@longpole/sdk',
  '@longpole/sidecar',
  'vllm.tracing.otel',
  'sglang server',
  'smg',
  'dynamo-frontend',
  'litellm',
  'llm-d-router/x',
  '',
]

const hostileValue: fc.Arbitrary<AttributeValue> = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.double(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.boolean(),
  fc.constantFrom<AttributeValue>(
    null,
    [],
    ['stop'],
    [1, null],
    {},
    'sglang::request',
    'request',
    'attempt',
    'chat',
    '/v1/chat/completions',
    'POST',
    'cmpl-a-0',
  ),
)
const id = (digits: number) => fc.constantFrom(...['1', '2', '3', '4', '5'].map((digit) => digit.repeat(digits)))
const instant = fc.oneof(fc.constantFrom(0n, 1n, 10n ** 18n), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }))

const hostileSpan: fc.Arbitrary<Span> = fc.record({
  traceId: fc.constant('0af7651916cd43dd8448eb211c80319c'),
  spanId: id(16),
  parentSpanId: fc.oneof(id(16), fc.constant('')),
  traceState: fc.constant(''),
  flags: fc.constant(1),
  name: fc.oneof(fc.constantFrom(...NAMES), fc.string({ maxLength: 8 })),
  kind: fc.integer({ min: 0, max: 9 }),
  startUnixNano: instant,
  endUnixNano: instant,
  attributes: fc.dictionary(fc.constantFrom(...KEYS), hostileValue, { maxKeys: 10 }),
  events: fc.constant([]),
  links: fc.constant([]),
  statusCode: fc.integer({ min: 0, max: 3 }),
  statusMessage: fc.constant(''),
  resource: fc.dictionary(fc.constantFrom('service.name', 'host.name', 'longpole.pool', 'vllm.process_id'), hostileValue, { maxKeys: 3 }),
  scopeName: fc.constantFrom(...SCOPES),
  scopeVersion: fc.constant(''),
})

describe('observeSpans', () => {
  test('hostile spans give observations that are well formed, or none, and never throw', () => {
    fc.assert(
      fc.property(fc.array(hostileSpan, { maxLength: 12 }), (spans) => {
        const { observations, ignored } = observeSpans(spans)
        const used = observations.flatMap(({ spanIds }) => spanIds)
        expect(new Set(used).size).toBe(used.length)
        expect(used.length + ignored.length).toBe(new Set(spans.map(({ spanId }) => spanId)).size)
        for (const { seconds } of observations.flatMap(({ phases }) => phases)) {
          expect(Number.isFinite(seconds) && seconds >= 0).toBe(true)
        }
      }),
      { seed: 20_261_124, numRuns: 2_000 },
    )
  })

  test('the order of the spans changes nothing', () => {
    fc.assert(
      fc.property(fc.uniqueArray(hostileSpan, { maxLength: 8, selector: ({ spanId }) => spanId }), (spans) => {
        expect(observeSpans([...spans].reverse())).toEqual(observeSpans(spans))
      }),
      { seed: 20_261_124, numRuns: 500 },
    )
  })

  test('no observation carries a request id that none of its spans told alone', () => {
    fc.assert(
      fc.property(fc.uniqueArray(hostileSpan, { maxLength: 8, selector: ({ spanId }) => spanId }), (spans) => {
        const told = spans.flatMap(requestIdsOf)
        for (const { requestIds } of observeSpans(spans).observations) for (const id of requestIds) expect(told).toContain(id)
      }),
      { seed: 20_261_124, numRuns: 500 },
    )
  })

  test('no spans are no observations, and spans of nobody are ignored', () => {
    expect(observeSpans([])).toEqual({ observations: [], ignored: [] })
  })

  test('an unknown engine has the adapter of which nothing is known', () => {
    expect(adapterOf('vllm').name).toBe('vllm')
    for (const unknown of [null, undefined, '', 'my-own-server']) expect(adapterOf(unknown).name).toBe('openai-compatible')
    expect(new Set(ADAPTERS.map(({ name }) => name)).size).toBe(ADAPTERS.length)
  })
})
