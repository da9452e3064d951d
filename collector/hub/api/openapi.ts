// GET /openapi.json: the API described for programs (OpenAPI 3.1), from the same lists that the routes use.
import { API_PREFIX, LIST_LIMIT } from '@longpole/model/api'
import { CHANGE_KINDS } from '@longpole/model/change-event'
import { PHASE_IDS } from '@longpole/model/phase'
import { type ColumnDefinition, type ColumnKind, REQUEST_COLUMNS } from '@longpole/model/request-columns'
import { SLO_NAMES } from '@longpole/model/slo'
import { Router } from 'express'
import type { ApiContext } from './context.ts'
import { MEASURES } from './explore.ts'
import { EXPORT_FORMATS } from './export.ts'
import { FILTER_COLUMNS } from './requests.ts'

interface Operation {
  method: 'get' | 'post'
  path: string
  summary: string
  parameters?: Parameter[]
  body?: object
  answer?: object
  type?: string
}

interface Parameter {
  name: string
  in: 'query' | 'path'
  required?: boolean
  description?: string
  schema: object
}

const INSTANT = { type: 'string', description: 'Unix seconds, Unix nanoseconds or RFC 3339.' }
const text = (name: string, description?: string): Parameter => ({
  name,
  in: 'query',
  schema: { type: 'string' },
  ...(description === undefined ? {} : { description }),
})
const choice = (name: string, values: readonly string[]): Parameter => ({ name, in: 'query', schema: { enum: [...values] } })
const FROM_TO: Parameter[] = ['from', 'to'].map((name) => ({ name, in: 'query', schema: INSTANT }))
const LIMIT: Parameter = { name: 'limit', in: 'query', schema: { type: 'integer', minimum: 1, maximum: LIST_LIMIT } }
const WINDOW: Parameter = {
  name: 'window',
  in: 'query',
  description: 'Seconds back from now.',
  schema: { type: 'integer', minimum: 10, maximum: 86_400, default: 300 },
}
const ID: Parameter = { name: 'id', in: 'path', required: true, schema: { type: 'string' } }
const FILTERS: Parameter[] = [
  ...FROM_TO,
  ...FILTER_COLUMNS.map(
    (name): Parameter => ({
      name,
      in: 'query',
      description: 'May be given several times.',
      schema: { type: 'array', items: { type: 'string' } },
    }),
  ),
  choice('slo', SLO_NAMES),
  choice('result', ['good', 'bad']),
]
const EXPLORE: Parameter[] = [choice('column', MEASURES), { name: 'seconds', in: 'query', schema: { type: 'integer', minimum: 1 } }]
const list = (items: object) => ({
  type: 'object',
  required: ['items', 'next'],
  properties: { items: { type: 'array', items }, next: { type: ['string', 'null'] } },
})
const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })
const ANY = { type: 'object' }

const OPERATIONS: Operation[] = [
  {
    method: 'get',
    path: '/requests',
    summary: 'Settled requests.',
    parameters: [
      ...FILTERS,
      choice('order', ['start', 'e2e', 'ttft']),
      choice('sort', ['worst', 'median']),
      LIMIT,
      text('cursor', '`next` of the page before.'),
    ],
    answer: list(ref('Request')),
  },
  { method: 'get', path: '/requests/{id}', summary: 'One request with its spans.', parameters: [ID], answer: ref('Request') },
  {
    method: 'get',
    path: '/open',
    summary: 'Requests in flight.',
    parameters: [text('model'), text('replica'), text('cluster'), LIMIT],
    answer: list(ANY),
  },
  {
    method: 'get',
    path: '/samples',
    summary: 'Samples of engines, newest first.',
    parameters: [...FROM_TO, text('replica'), text('cluster'), LIMIT],
    answer: list(ANY),
  },
  { method: 'get', path: '/events', summary: 'Change events.', parameters: FROM_TO, answer: list(ref('Event')) },
  {
    method: 'post',
    path: '/events',
    summary: 'Tell about a change: a deploy, a configuration, a scaling.',
    body: ref('Event'),
    answer: ref('Event'),
  },
  {
    method: 'get',
    path: '/findings',
    summary: 'What the localizer found.',
    parameters: [choice('open', ['true', 'false']), LIMIT],
    answer: list(ANY),
  },
  { method: 'get', path: '/findings/{id}', summary: 'One finding.', parameters: [ID] },
  {
    method: 'post',
    path: '/findings/{id}/verdict',
    summary: 'Was it right?',
    parameters: [ID],
    body: {
      type: 'object',
      required: ['verdict'],
      properties: { verdict: { enum: ['right', 'wrong', 'known'] }, note: { type: 'string' } },
    },
  },
  { method: 'get', path: '/accuracy', summary: 'How often findings were right in this installation.' },
  {
    method: 'post',
    path: '/why',
    summary: 'Localize: compare an incident with a baseline.',
    body: {
      type: 'object',
      required: ['incident'],
      properties: { incident: { type: 'object', properties: { from: INSTANT, to: INSTANT } } },
    },
  },
  { method: 'get', path: '/fleet', summary: 'Replicas and the transfers between them.', parameters: [WINDOW] },
  { method: 'get', path: '/summary', summary: 'Is the fleet fine?', parameters: [WINDOW] },
  {
    method: 'get',
    path: '/export',
    summary: 'Requests as a table, streamed.',
    parameters: [
      ...FILTERS,
      choice('format', Object.keys(EXPORT_FORMATS)),
      text('columns', 'Names with commas between them, or `all`.'),
      { name: 'limit', in: 'query', schema: { type: 'integer', minimum: 1 } },
    ],
    type: 'application/octet-stream',
  },
  { method: 'get', path: '/stream', summary: 'Server-sent events: `open` and `settled`.', type: 'text/event-stream' },
  {
    method: 'get',
    path: '/heatmap',
    summary: 'Latency × time, with the median and the 99th percentile.',
    parameters: [...FILTERS, ...EXPLORE],
  },
  {
    method: 'get',
    path: '/breakdown',
    summary: 'Latency and phases by the values of a dimension.',
    parameters: [...FILTERS, ...EXPLORE, text('dimension')],
  },
  {
    method: 'get',
    path: '/series',
    summary: 'Means over time, one line for each value of a dimension.',
    parameters: [...FILTERS, ...EXPLORE, text('by'), text('highlight', 'Values with | between them that are drawn first.')],
  },
  { method: 'get', path: '/demo', summary: 'What the demo can break; null where this is no demo.' },
  { method: 'get', path: '/config', summary: 'Effective configuration, secrets masked.' },
]

const JSON_TYPES: Record<ColumnKind, object> = {
  text: { type: 'string' },
  dictionary: { type: 'string' },
  count: { type: 'integer' },
  seconds: { type: 'number' },
  ratio: { type: 'number' },
  number: { type: 'number' },
  flag: { type: 'boolean' },
  instant: { type: 'string' },
  names: { type: 'array', items: { type: 'string' } },
  counts: { type: 'object', additionalProperties: { type: 'integer' } },
  labels: { type: 'object', additionalProperties: { type: 'string' } },
}

export function createOpenApiRoutes({ version }: ApiContext): Router {
  const router = Router()
  const document = describeApi(version)
  router.get('/openapi.json', (_request, response) => {
    response.json(document)
  })
  return router
}

function describeApi(version: string) {
  const paths: Record<string, Record<string, object>> = {}
  for (const operation of OPERATIONS) {
    const path = `${API_PREFIX}${operation.path}`
    paths[path] = { ...paths[path], [operation.method]: describeOperation(operation) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Longpole',
      version,
      description: 'Durations are seconds, instants strings of Unix nanoseconds. Lists are { items, next }.',
    },
    paths,
    components: {
      schemas: { Request: describeRequest(), Event: describeEvent(), Error: describeError() },
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
    security: [{}, { token: [] }],
  }
}

function describeOperation({ method, summary, parameters, body, answer, type = 'application/json' }: Operation) {
  return {
    summary,
    ...(parameters === undefined ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    responses: {
      [method === 'post' && answer !== undefined ? '201' : '200']: { description: 'Done.', content: { [type]: { schema: answer ?? ANY } } },
      default: { description: 'What was wrong.', content: { 'application/json': { schema: ref('Error') } } },
    },
  }
}

function describeRequest() {
  const columns = REQUEST_COLUMNS.map(({ name, kind, nullable, description }: ColumnDefinition) => {
    const type = JSON_TYPES[kind]
    return [name, { description, ...(nullable ? { anyOf: [type, { type: 'null' }] } : type) }]
  })
  const phase = {
    type: 'object',
    properties: {
      phase: { enum: [...PHASE_IDS] },
      seconds: { type: 'number' },
      source: { type: 'string' },
      exactness: { enum: ['measured', 'upper_bound', 'residual'] },
      error_seconds: { type: ['number', 'null'] },
    },
  }
  const lists = {
    phases: { type: 'array', items: phase },
    overlays: { type: 'array' },
    hops: { type: 'array' },
    attempt_list: { type: 'array' },
  }
  return { type: 'object', properties: { ...Object.fromEntries(columns), ...lists } }
}

function describeEvent() {
  return {
    type: 'object',
    required: ['kind', 'title'],
    properties: {
      id: { type: 'string' },
      kind: { enum: [...CHANGE_KINDS] },
      title: { type: 'string' },
      at: INSTANT,
      scope: { type: 'object', additionalProperties: { type: 'array', items: { type: 'string' } } },
      source: { type: 'string' },
      from_value: { type: ['string', 'null'] },
      to_value: { type: ['string', 'null'] },
    },
  }
}

function describeError() {
  const properties = {
    code: { type: 'string' },
    message: { type: 'string' },
    key: { type: 'string' },
    expected: { type: 'string' },
    got: { type: 'string' },
  }
  return { type: 'object', properties: { error: { type: 'object', required: ['code', 'message'], properties } } }
}
