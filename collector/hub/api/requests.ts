// Settled requests: lists with filters, and one with its spans.
import { REQUEST_COLUMNS } from '@longpole/model/request-columns'
import { OUTCOMES } from '@longpole/model/request-record'
import { SLO_NAMES } from '@longpole/model/slo'
import { Router } from 'express'
import { objectivesFor } from '../../../src/config/objectives.ts'
import type { RequestFilter } from '../../store/store.ts'
import type { ApiContext } from './context.ts'
import { one, type Query, readChoice, readInstant, readLimit, readQuery } from './input.ts'
import { joinedSpans } from './joined-spans.ts'
import { presentRequest, presentSpan } from './present.ts'
import { badInput, Problem } from './problem.ts'
import { judgementCondition } from './slo-sql.ts'

const ORDERS = ['start', 'e2e', 'ttft'] as const
/** Columns that requests can be filtered by, each a parameter of its own name. */
export const FILTER_COLUMNS: readonly string[] = REQUEST_COLUMNS.filter(
  (column) => column.kind === 'dictionary' || ['trace_id', 'record_id', 'request_id', 'session'].includes(column.name),
).map((column) => column.name)

export const FILTER_PARAMETERS: readonly string[] = ['from', 'to', ...FILTER_COLUMNS, 'slo', 'result']
const LIST_PARAMETERS = new Set([...FILTER_PARAMETERS, 'order', 'sort', 'limit', 'cursor'])

export function createRequestRoutes(context: ApiContext): Router {
  const router = Router()

  router.get('/requests', async (request, response) => {
    const query = readQuery(request, LIST_PARAMETERS)
    const filter = readFilter(query, context)
    const sort = readChoice(query, 'sort', ['worst', 'median'])
    const order = sort === undefined ? readChoice(query, 'order', ORDERS) : orderOfSlo(one(query, 'slo'))
    const page = { ...filter, order: order ?? 'start', limit: readLimit(query), cursor: one(query, 'cursor') }
    const { items, next } = await refuseRange(context.store.requests(page), 'cursor')
    // The middle of the bad ones is what a bad request usually looks like; the worst is often an odd one.
    const shown = sort === 'median' ? items.slice(Math.floor((items.length - 1) / 2)) : items
    response.json({ items: shown.map(presentRequest), next })
  })

  router.get('/requests/:id', async (request, response) => {
    readQuery(request, new Set())
    const record = await context.store.request(request.params.id)
    if (record === null) throw new Problem(404, 'not_found', `there is no request ${request.params.id}`)
    const spans = await joinedSpans(context.store, record)
    response.json({ ...presentRequest(record), spans: spans.map(presentSpan) })
  })

  return router
}

/** Window, columns and judgement from the parameters. */
export function readFilter(query: Query, { objectives }: Pick<ApiContext, 'objectives'>): RequestFilter {
  const from = readInstant(query, 'from')
  const to = readInstant(query, 'to')
  if (from !== undefined && to !== undefined && from >= to) throw badInput('to', 'an instant after `from`', one(query, 'to'))
  const outcome = query.get('outcome')
  for (const value of outcome ?? []) {
    if (!OUTCOMES.some((known) => known === value)) throw badInput('outcome', `one of ${OUTCOMES.join(', ')}`, value)
  }
  const where = Object.fromEntries(
    FILTER_COLUMNS.filter((name) => name !== 'outcome' && query.has(name)).map((name) => [
      name,
      [...(query.get(name) as readonly string[])],
    ]),
  )
  const condition = readJudgement(query, objectives)
  return {
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    where,
    ...(outcome === undefined ? {} : { outcome: [...outcome] }),
    ...(condition === undefined ? {} : { condition }),
  }
}

/** `slo=ttft&result=bad`: the requests that missed an objective, by the limits in force for the model asked for. */
function readJudgement(query: Query, objectives: ApiContext['objectives']): string | undefined {
  const slo = readChoice(query, 'slo', SLO_NAMES)
  const result = readChoice(query, 'result', ['good', 'bad'])
  if (result === undefined) return undefined
  const ofModel = objectivesFor(objectives, one(query, 'model') ?? null)
  const wanted = slo === undefined || slo === 'goodput' ? ofModel : ofModel.filter((objective) => objective.slo === slo)
  if (wanted.length === 0) throw badInput('slo', `an objective in force: ${ofModel.map((objective) => objective.slo).join(', ')}`, slo)
  return judgementCondition(wanted, result)
}

function orderOfSlo(slo: string | undefined): RequestFilter['order'] {
  return slo === 'ttft' ? 'ttft' : 'e2e'
}

/** The store refuses what it cannot read with a RangeError. */
async function refuseRange<T>(work: Promise<T>, key: string): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof RangeError) throw badInput(key, 'the `next` of an earlier page', error.message)
    throw error
  }
}
