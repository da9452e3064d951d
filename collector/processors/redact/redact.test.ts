import { createHmac } from 'node:crypto'
import { Longpole } from '@longpole/model/conventions/attributes'
import type { Attributes, Span } from '@longpole/model/span'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRedactor, type RedactSettings } from './redact.ts'

const KEY = 'k'.repeat(32)
const dropped = new Map<string, number>()
const settings: RedactSettings = {
  identify: (value) => ({
    tenant: createHmac('sha256', KEY).update(value).digest('hex').slice(0, 12),
    tenantClass: value === 'acme' ? 'gold' : 'default',
  }),
  dimensions: ['team.name'],
  onDropped: (reason, count) => dropped.set(reason, (dropped.get(reason) ?? 0) + count),
}
const redactor = createRedactor(settings)

const span = (overrides: Partial<Span> = {}): Span => ({
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  parentSpanId: '',
  traceState: '',
  flags: 1,
  name: 'chat m',
  kind: 3,
  startUnixNano: 1n,
  endUnixNano: 2n,
  attributes: {},
  events: [],
  links: [],
  statusCode: 0,
  statusMessage: '',
  resource: {},
  scopeName: 's',
  scopeVersion: '',
  ...overrides,
})

const PLANTED = 'PLANTED tell me how to rob a bank'
const SECRETS = [
  'sk-PLANTED1234567890',
  'Bearer PLANTEDPLANTED',
  'Basic PLANTEDPLANTED==',
  'session=PLANTED; cookie: PLANTED',
  'eyJhbGciOiJIUzI1NiJ9.PLANTED',
  'hf_PLANTEDPLANTED',
  'PLANTED@example.com',
  'api_key=PLANTED',
]
/** Where instrumentations of today and yesterday put content. */
const CONTENT = [
  'gen_ai.input.messages',
  'gen_ai.output.messages',
  'gen_ai.system_instructions',
  'gen_ai.prompt',
  'gen_ai.prompt.0.content',
  'gen_ai.completion',
  'gen_ai.completion.0.content',
  'gen_ai.tool.call.arguments',
  'gen_ai.tool.call.result',
  'gen_ai.tool.definitions',
  'gen_ai.request.stop_sequences',
  'llm.prompts',
  'llm.completions',
  'llm.input_messages.0.message.content',
  'input.value',
  'output.value',
  'traceloop.entity.input',
  'traceloop.entity.output',
  'http.request.header.authorization',
  'http.request.header.cookie',
  'http.response.header.set-cookie',
  'http.request.body',
  'url.query',
  'db.statement',
  'db.query.text',
  'exception.message',
  'exception.stacktrace',
  'error.message',
  'user.email',
  'process.command_args',
  'process.command_line',
  'metadata.user_api_key',
  'completely.unknown',
  'longpole.content',
  PLANTED,
]

describe('planted content', () => {
  test('is nowhere in what is kept, wherever it was put', () => {
    const everywhere: Attributes = Object.fromEntries(CONTENT.map((name) => [name, PLANTED]))
    const hostile = span({
      name: PLANTED,
      traceState: 'vendor=PLANTED,ot=th:8;PLANTED=1',
      attributes: { ...everywhere, nested: { deep: [PLANTED] }, 'gen_ai.request.model': { text: PLANTED }, bytes: Buffer.from(PLANTED) },
      events: [
        { name: 'gen_ai.content.prompt', timeUnixNano: 1n, attributes: everywhere },
        { name: 'exception', timeUnixNano: 1n, attributes: { ...everywhere, 'exception.type': 'ValueError' } },
      ],
      links: [{ traceId: 'c'.repeat(32), spanId: 'd'.repeat(16), attributes: everywhere }],
      statusMessage: PLANTED,
      resource: everywhere,
      scopeName: PLANTED,
      scopeVersion: `${PLANTED}\n`,
    })
    const kept = redactor.span(hostile)
    expect(JSON.stringify(kept, (_, value) => (typeof value === 'bigint' ? String(value) : value))).not.toMatch(/PLANTED/)
    expect(kept.events).toEqual([{ name: 'exception', timeUnixNano: 1n, attributes: { 'exception.type': 'ValueError' } }])
    expect(dropped.get('not_allowed')).toBeGreaterThan(100)
  })

  test('secrets are found in texts that may be kept', () => {
    for (const secret of SECRETS) {
      for (const name of [
        'gen_ai.request.model',
        'longpole.request_id',
        'service.name',
        'error.type',
        'longpole.dimension.team',
        'url.path',
      ]) {
        const kept = redactor.span(span({ attributes: { [name]: secret, 'longpole.gaps.worst': [secret] }, name: `POST ${secret}` }))
        expect(JSON.stringify([kept.attributes, kept.name])).not.toContain('PLANTED')
      }
    }
  })

  test('no text under a name that is not on the list survives', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ maxLength: 40 }), fc.constantFrom(PLANTED, [PLANTED], { a: PLANTED })), (attributes) => {
        expect(JSON.stringify(redactor.attributes(attributes as Attributes))).not.toContain('PLANTED')
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('what is needed', () => {
  test('stays: names, numbers, ids, the shape of the path', () => {
    const attributes: Attributes = {
      'gen_ai.request.model': 'meta-llama/Llama-3.1-405B-Instruct',
      'gen_ai.request.id': 'chatcmpl-9d6c7e1c-6d3c-4a52-9a36-33f4b9f1ad0f',
      'gen_ai.latency.time_in_queue': 0.25,
      'gen_ai.usage.prompt_tokens': 12,
      'gen_ai.response.finish_reasons': ['stop'],
      'longpole.gaps.histogram': ['-20:3', '4:1'],
      'longpole.phase': 'client.upload',
      'longpole.source': 'undici bodySent',
      'http.response.status_code': 200,
      thread_label: 'Scheduler',
      'error.type': 'http_503',
    }
    expect(redactor.span(span({ attributes, traceState: 'a=b,ot=th:c' }))).toMatchObject({
      attributes,
      traceState: 'ot=th:c',
      name: 'chat m',
    })
  })

  test('an address loses its query, its user and its fragment', () => {
    const kept = redactor.attributes({ 'url.full': 'https://u:p@host/v1/chat/completions?key=1#x', uri: '/v1?a=b' })
    expect(kept).toEqual({ 'url.full': 'https://host/v1/chat/completions', uri: '/v1' })
  })

  test('a message in the place of an error class becomes "other"', () => {
    expect(redactor.attributes({ 'error.type': 'Invalid prompt: rob a bank' })).toEqual({ 'error.type': 'other' })
  })

  test('a configured attribute becomes a dimension', () => {
    expect(redactor.attributes({ 'team.name': 'search' })).toEqual({ 'longpole.dimension.team.name': 'search' })
  })
})

describe('tenants', () => {
  test('are kept as a keyed hash and a class', () => {
    const kept = redactor.attributes({ [Longpole.tenant]: 'acme', 'user.id': 'acme' })
    expect(kept[Longpole.tenantClass]).toBe('gold')
    expect(kept[Longpole.tenant]).toMatch(/^[0-9a-f]{12}$/)
  })

  test('are not kept at all without a key', () => {
    const kept = createRedactor({ ...settings, identify: () => ({ tenant: null, tenantClass: 'default' }) }).attributes({
      [Longpole.tenant]: 'someone',
      'session.id': 's',
    })
    expect(kept).toEqual({ [Longpole.tenantClass]: 'default' })
  })
})

test('a resource that spans share is looked at once and stays shared', () => {
  const resource = { 'service.name': 'svc', secret: 'x' }
  const [left, right] = [redactor.span(span({ resource })), redactor.span(span({ resource }))]
  expect(left.resource).toBe(right.resource)
  expect(left.resource).toEqual({ 'service.name': 'svc' })
})
