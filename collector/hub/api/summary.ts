// GET /summary: is the fleet fine? Objectives, open findings and the models of the last minutes beside those of the minutes before.
import type { ApiSloStatus, ApiSummary } from '@longpole/model/api'
import { PHASES, phaseColumn } from '@longpole/model/phase'
import type { Objective } from '@longpole/model/slo'
import { Router } from 'express'
import { objectivesFor } from '../../../src/config/objectives.ts'
import { REQUESTS } from '../../store/schema/tables.ts'
import type { ApiContext } from './context.ts'
import { readQuery, readWhole } from './input.ts'
import { createSharedAnswers } from './shared-answers.ts'
import { goodputExpression, judgementExpression } from './slo-sql.ts'

const DEFAULT_WINDOW_SECONDS = 300
const MAX_WINDOW_SECONDS = 86_400
const MAX_MODELS = 50
const MAX_FINDINGS = 20

/** Synthetic requests say nothing about what users saw. */
export const REAL_REQUESTS = 'ifNull(synthetic, false) = false'

export function createSummaryRoutes(context: ApiContext): Router {
  const router = Router()
  const ask = createSharedAnswers<ApiSummary>({ clock: context.clock, freshMs: 1_000, staleMs: 4_000, maxQuestions: 20 })
  router.get('/summary', async (request, response) => {
    const query = readQuery(request, new Set(['window']))
    const windowSeconds = readWhole(query, 'window', 10, MAX_WINDOW_SECONDS) ?? DEFAULT_WINDOW_SECONDS
    response.json(await ask(String(windowSeconds), () => summarize(context, windowSeconds)))
  })
  return router
}

async function summarize(context: ApiContext, windowSeconds: number): Promise<ApiSummary> {
  const now = context.clock.unixNano()
  const window = { from: now - BigInt(windowSeconds) * 1_000_000_000n, to: now, before: now - 2n * BigInt(windowSeconds) * 1_000_000_000n }
  const rows = await readModels(context, window)
  const [slos, findings] = await Promise.all([
    readSlos(
      context,
      window,
      rows.map((row) => row.model),
    ),
    context.store.findings({ open: true, limit: MAX_FINDINGS }),
  ])
  const open = context.live.openRequests()
  return {
    now_unix_ns: now.toString(),
    window_seconds: windowSeconds,
    requests: rows.reduce((sum, row) => sum + row.requests, 0),
    open: open.length,
    oldest_open_seconds: open.reduce((oldest, request) => Math.max(oldest, request.age_seconds), 0),
    slos,
    findings,
    models: rows.map((row) => ({
      model: row.model ?? '',
      requests_per_second: row.requests / windowSeconds,
      requests_per_second_before: row.requests_before / windowSeconds,
      error_ratio: row.requests === 0 ? 0 : row.errors / row.requests,
      ttft_p50: row.ttft_p50,
      ttft_p99: row.ttft_p99,
      tpot_p50: row.tpot_p50,
      phases: PHASES.map(({ id }) => ({
        phase: id,
        mean_seconds: row.requests === 0 ? 0 : Number(row[phaseColumn(id)] ?? 0) / row.requests,
      })),
    })),
  }
}

interface Window {
  before: bigint
  from: bigint
  to: bigint
}

interface ModelRow {
  model: string | null
  requests: number
  requests_before: number
  errors: number
  ttft_p50: number | null
  ttft_p99: number | null
  tpot_p50: number | null
  /** Summed seconds by phase column. */
  [phaseColumn: string]: number | string | null
}

function readModels({ store }: ApiContext, window: Window): Promise<ModelRow[]> {
  const isNow = 'start_unix_ns >= {from:Int64}'
  const phases = PHASES.map(({ id }) => `sumIf(${phaseColumn(id)}, ${isNow}) AS ${phaseColumn(id)}`)
  const sql = `SELECT model, countIf(${isNow}) AS requests, countIf(NOT (${isNow})) AS requests_before,
      countIf(${isNow} AND outcome IN ('error', 'timeout')) AS errors,
      quantileIf(0.5)(ttft, ${isNow}) AS ttft_p50, quantileIf(0.99)(ttft, ${isNow}) AS ttft_p99, quantileIf(0.5)(tpot, ${isNow}) AS tpot_p50,
      ${phases.join(', ')}
    FROM ${REQUESTS.name}
    WHERE start_unix_ns >= {before:Int64} AND start_unix_ns < {to:Int64} AND ${REAL_REQUESTS}
    GROUP BY model ORDER BY requests DESC LIMIT ${MAX_MODELS}`
  return store.query<ModelRow>(sql, parametersOf(window))
}

/** One query for all models that are held against the same objectives. */
async function readSlos(context: ApiContext, window: Window, models: readonly (string | null)[]): Promise<ApiSloStatus[]> {
  const groups = new Map<string, { objectives: Objective[]; models: string[] }>()
  for (const model of models) {
    const objectives = objectivesFor(context.objectives, model)
    const key = JSON.stringify(objectives.map(({ slo, objective, thresholdSeconds }) => [slo, objective, thresholdSeconds]))
    const group = groups.get(key) ?? { objectives, models: [] }
    groups.set(key, group)
    group.models.push(model ?? '')
  }
  const statuses = await Promise.all([...groups.values()].map((group) => readSloGroup(context, window, group)))
  return statuses.flat()
}

async function readSloGroup(
  { store }: ApiContext,
  window: Window,
  { objectives, models }: { objectives: Objective[]; models: string[] },
): Promise<ApiSloStatus[]> {
  if (objectives.length === 0) return []
  const judged = objectives.flatMap((objective, index) =>
    objective.slo === 'goodput' ? [] : [`${judgementExpression(objective)} AS judged_${index}`],
  )
  const counts = objectives.map((objective, index) => {
    const columns = objectives.flatMap(({ slo }, other) => (slo === 'goodput' ? [] : [`judged_${other}`]))
    const result = objective.slo === 'goodput' ? goodputExpression(columns) : `judged_${index}`
    return `countIf(${result} = 0) AS good_${index}, countIf(${result} = 1) AS bad_${index}`
  })
  const sql = `SELECT name, cluster, ${counts.join(', ')} FROM (
      SELECT ${["ifNull(model, '') AS name", 'cluster', ...judged].join(', ')} FROM ${REQUESTS.name}
      WHERE start_unix_ns >= {from:Int64} AND start_unix_ns < {to:Int64} AND ${REAL_REQUESTS} AND ifNull(model, '') IN {models:Array(String)}
    ) GROUP BY name, cluster ORDER BY name, cluster`
  const rows = await store.query<Record<string, number> & { name: string; cluster: string | null }>(sql, {
    ...parametersOf(window),
    models,
  })
  return rows.flatMap((row) =>
    objectives.map(({ slo, objective }, index): ApiSloStatus => {
      const good = row[`good_${index}`] ?? 0
      const bad = row[`bad_${index}`] ?? 0
      return { model: row.name, cluster: row.cluster, slo, objective, good, bad, attainment: good + bad === 0 ? null : good / (good + bad) }
    }),
  )
}

function parametersOf({ before, from, to }: Window): Record<string, string> {
  return { before: before.toString(), from: from.toString(), to: to.toString() }
}
