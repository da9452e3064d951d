// Findings, the user's verdict about them, how often they were right here, and the question "why?".
import type { ApiAccuracy, ApiVerdict, ApiWhyRequest } from '@longpole/model/api'
import { Router } from 'express'
import { z } from 'zod'
import { FINDINGS, VERDICTS } from '../../store/schema/tables.ts'
import { readBody } from './body.ts'
import type { ApiContext } from './context.ts'
import { parseInstant, readChoice, readLimit, readQuery } from './input.ts'
import { badInput, Problem } from './problem.ts'

const verdictBody = z.strictObject({ verdict: z.enum(['right', 'wrong', 'known']), note: z.string().max(2_000).optional() })

const instant = z.union([z.string(), z.number()])
const window = z.strictObject({ from: instant, to: instant })
const whyBody = z.strictObject({
  model: z.string().optional(),
  slo: z.string().optional(),
  target: z.string().optional(),
  slo_seconds: z.number().positive().optional(),
  quantile: z.number().gt(0).lt(1).optional(),
  slice: z.record(z.string(), z.array(z.string())).optional(),
  dimensions: z.array(z.string()).max(64).optional(),
  incident: window,
  baseline: z.array(window).max(16).optional(),
})

export function createFindingRoutes(context: ApiContext): Router {
  const { store, clock } = context
  const router = Router()

  router.get('/findings', async (request, response) => {
    const query = readQuery(request, new Set(['open', 'limit']))
    const open = readChoice(query, 'open', ['true', 'false'])
    const limit = readLimit(query)
    const items = await store.findings({ limit, ...(open === undefined ? {} : { open: open === 'true' }) })
    response.json({ items, next: null })
  })

  router.get('/findings/:id', async (request, response) => {
    const [row] = await store.query<{ finding: string }>(`SELECT finding FROM ${FINDINGS.name} WHERE id = {id:String} LIMIT 1`, {
      id: request.params.id,
    })
    if (row === undefined) throw new Problem(404, 'not_found', `there is no finding ${request.params.id}`)
    const [verdict] = await store.query<{ verdict: string; note: string }>(
      `SELECT verdict, note FROM ${VERDICTS.name} WHERE finding = {id:String} LIMIT 1`,
      { id: request.params.id },
    )
    response.json({ ...JSON.parse(row.finding), user_verdict: verdict ?? null })
  })

  router.post('/findings/:id/verdict', async (request, response) => {
    const { verdict, note } = readBody(request, verdictBody)
    const finding = request.params.id
    const [known] = await store.query<{ rows: number }>(`SELECT count() AS rows FROM ${FINDINGS.name} WHERE id = {id:String}`, {
      id: finding,
    })
    if ((known?.rows ?? 0) === 0) throw new Problem(404, 'not_found', `there is no finding ${finding}`)
    const entry: ApiVerdict = { finding, verdict, ...(note === undefined ? {} : { note }) }
    await store.insertVerdict(entry, clock.unixNano())
    response.status(201).json(entry)
  })

  router.get('/accuracy', async (request, response) => {
    readQuery(request, new Set())
    const rows = await store.query<{ verdict: keyof ApiAccuracy; findings: number }>(
      `SELECT if(verdicts.finding = '', 'unanswered', toString(verdicts.verdict)) AS verdict, count() AS findings
       FROM ${FINDINGS.name} AS findings LEFT JOIN ${VERDICTS.name} AS verdicts ON verdicts.finding = findings.id GROUP BY verdict`,
    )
    const accuracy: ApiAccuracy = { right: 0, wrong: 0, known: 0, unanswered: 0 }
    for (const row of rows) accuracy[row.verdict] = row.findings
    response.json(accuracy)
  })

  router.post('/why', async (request, response) => {
    const body: ApiWhyRequest = readBody(request, whyBody)
    for (const [key, { from, to }] of [
      ['incident', body.incident] as const,
      ...(body.baseline ?? []).map((entry) => ['baseline', entry] as const),
    ]) {
      if (parseInstant(`${key}.from`, from) >= parseInstant(`${key}.to`, to))
        throw badInput(`${key}.to`, `an instant after ${key}.from`, to)
    }
    if (context.why === undefined) throw new Problem(501, 'no_localizer', 'no localizer runs in this hub')
    response.json(await context.why(body))
  })

  return router
}
