// Change events (read and posted), samples of engines, and the requests in flight.
import { randomUUID } from 'node:crypto'
import type { ApiSample } from '@longpole/model/api'
import { CHANGE_KINDS, type ChangeEvent } from '@longpole/model/change-event'
import { SAMPLE_NAMES, SAMPLE_NUMBERS } from '@longpole/model/engine-sample'
import { Router } from 'express'
import { z } from 'zod'
import { SAMPLES } from '../../store/schema/tables.ts'
import { readBody } from './body.ts'
import type { ApiContext } from './context.ts'
import { one, parseInstant, readInstant, readLimit, readQuery } from './input.ts'
import { presentJson } from './present.ts'

const DAY = 86_400_000_000_000n
const HOUR = 3_600_000_000_000n

const short = z.string().min(1).max(200)
const eventBody = z.strictObject({
  id: short.optional(),
  kind: z.enum(CHANGE_KINDS),
  title: short,
  at: z.union([z.string(), z.number()]).optional(),
  unix_ns: z.string().optional(),
  scope: z.record(short, z.array(short).max(1_000)).default({}),
  source: short.default('api'),
  from_value: short.nullable().default(null),
  to_value: short.nullable().default(null),
})

export function createEventRoutes(context: ApiContext): Router {
  const { store, clock } = context
  const router = Router()

  router.get('/events', async (request, response) => {
    const query = readQuery(request, new Set(['from', 'to']))
    const to = readInstant(query, 'to') ?? clock.unixNano() + 1n
    const from = readInstant(query, 'from') ?? to - DAY
    response.json({ items: presentJson(await store.events(from, to)), next: null })
  })

  router.post('/events', async (request, response) => {
    const body = readBody(request, eventBody)
    const stamp = body.unix_ns ?? body.at
    const event: ChangeEvent = {
      id: body.id ?? randomUUID(),
      kind: body.kind,
      unix_ns: stamp === undefined ? clock.unixNano() : parseInstant(body.unix_ns === undefined ? 'at' : 'unix_ns', stamp),
      scope: body.scope,
      title: body.title,
      source: body.source,
      from_value: body.from_value,
      to_value: body.to_value,
    }
    await store.insertEvents([event])
    context.onEvent?.(event)
    response.status(201).json(presentJson(event))
  })

  router.get('/samples', async (request, response) => {
    const query = readQuery(request, new Set(['from', 'to', 'replica', 'cluster', 'limit']))
    const to = readInstant(query, 'to') ?? clock.unixNano() + 1n
    const from = readInstant(query, 'from') ?? to - HOUR
    const limit = readLimit(query, 1_000)
    const conditions = ['unix_ns >= {from:Int64}', 'unix_ns < {to:Int64}']
    for (const name of ['replica', 'cluster']) if (query.has(name)) conditions.push(`${name} IN {${name}:Array(String)}`)
    const rows = await store.query<ApiSample & { stamp: string }>(
      `SELECT toString(unix_ns) AS stamp, ${[...SAMPLE_NAMES, 'up', ...SAMPLE_NUMBERS].join(', ')} FROM ${SAMPLES.name}
       WHERE ${conditions.join(' AND ')} ORDER BY unix_ns DESC, replica LIMIT {limit:UInt32}`,
      { from: from.toString(), to: to.toString(), limit, replica: query.get('replica') ?? [], cluster: query.get('cluster') ?? [] },
    )
    const items = rows.map(({ stamp, ...sample }): ApiSample => ({ ...sample, unix_ns: stamp }))
    response.json({ items, next: null })
  })

  router.get('/open', (request, response) => {
    const query = readQuery(request, new Set(['limit', 'model', 'replica', 'cluster']))
    const limit = readLimit(query, 1_000)
    const model = one(query, 'model')
    const replica = one(query, 'replica')
    const cluster = one(query, 'cluster')
    const items = context.live
      .openRequests()
      .filter(
        (open) =>
          (model ?? open.model) === open.model && (replica ?? open.replica) === open.replica && (cluster ?? open.cluster) === open.cluster,
      )
      .slice(0, limit)
    response.json({ items, next: null })
  })

  return router
}
