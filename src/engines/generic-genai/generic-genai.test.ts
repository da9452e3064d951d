import { type Span, SpanKind, StatusCode } from '@longpole/model/span'
import { describe, expect, test } from 'vitest'
import { describeAdapter, observeAll, readSpans } from '../contract-test.ts'
import { observeSpans } from '../observe.ts'
import { genericGenAi } from './adapter.ts'

// OpenTelemetry's Python instrumentation of the openai package, with and without that of httpx, and the vLLM they talked to.
const SPANS = new URL('fixtures/spans-openai-v2-2.3b0.bin', import.meta.url)

describeAdapter(genericGenAi, [SPANS])

const span = (own: Partial<Span>): Span => ({
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'aaaaaaaaaaaaaaaa',
  parentSpanId: '',
  traceState: '',
  flags: 1,
  name: 'chat m',
  kind: SpanKind.client,
  startUnixNano: 1_000_000_000n,
  endUnixNano: 2_000_000_000n,
  attributes: { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'm' },
  events: [],
  links: [],
  statusCode: StatusCode.unset,
  statusMessage: '',
  resource: {},
  scopeName: 'anything',
  scopeVersion: '',
  ...own,
})
const http = (own: Partial<Span>) =>
  span({
    name: 'POST',
    attributes: { 'http.request.method': 'POST', 'url.full': 'http://h/v1/chat/completions', 'http.response.status_code': 200 },
    ...own,
  })

describe('stock OpenTelemetry clients', () => {
  test('a GenAI span with its HTTP span is one request, and the engine below finds it by parent or by response id', () => {
    const observations = observeAll(readSpans(SPANS))
    const clients = observations.filter(({ vantage }) => vantage === 'client')
    const engines = observations.filter(({ vantage }) => vantage === 'engine')
    expect(clients.length).toBeGreaterThanOrEqual(8)
    expect(engines.length).toBeGreaterThanOrEqual(4)
    for (const engine of engines) {
      const above = clients.filter(
        ({ spanIds, requestIds }) => spanIds.includes(engine.parentSpanId) || requestIds.some((id) => engine.requestIds.includes(id)),
      )
      expect(above).toHaveLength(1)
      expect(above[0]!.columns).toMatchObject({ outcome: 'ok', prompt_tokens: engine.columns.prompt_tokens, output_tokens: 6 })
    }
  })

  test('an answer that the client library calls an error of the caller is a rejection', () => {
    const rejected = observeAll(readSpans(SPANS)).filter(({ columns }) => columns.outcome === 'rejected')
    expect(rejected).toHaveLength(2)
  })

  test('several HTTP spans below one GenAI span are its attempts', () => {
    const { observations } = observeSpans([
      span({}),
      http({
        spanId: 'bbbbbbbbbbbbbbbb',
        parentSpanId: 'aaaaaaaaaaaaaaaa',
        attributes: { ...http({}).attributes, 'http.response.status_code': 503 },
      }),
      http({ spanId: 'cccccccccccccccc', parentSpanId: 'aaaaaaaaaaaaaaaa' }),
    ])
    expect(observations.map(({ role, columns }) => [role, columns.http_status])).toEqual([
      ['request', undefined],
      ['attempt', 503],
      ['attempt', 200],
    ])
  })

  test('an HTTP client span alone is a request where its route calls a model, and nothing where it does not', () => {
    expect(observeSpans([http({})]).observations).toMatchObject([{ vantage: 'client', role: 'request', columns: { outcome: 'ok' } }])
    const attributes = { 'http.request.method': 'POST', 'url.full': 'http://h/v1/files' }
    expect(observeSpans([http({ attributes })]).observations).toEqual([])
    expect(observeSpans([http({ kind: SpanKind.server })]).observations).toEqual([])
  })

  test('tools and agents are the caller’s own work', () => {
    for (const operation of ['execute_tool', 'invoke_agent', 'create_agent']) {
      expect(observeSpans([span({ attributes: { 'gen_ai.operation.name': operation } })]).observations).toEqual([])
    }
  })
})
