// GET /fleet: every replica with its load, its latency and its excess over what its peers need for the same work, and the KV transfers
// between replicas.
import type { ApiFleet } from '@longpole/model/api'
import { Router } from 'express'
import { REQUESTS, SAMPLES } from '../../store/schema/tables.ts'
import type { ApiContext } from './context.ts'
import { type ClassRow, createExcess } from './excess.ts'
import { readQuery, readWhole } from './input.ts'
import { createSharedAnswers } from './shared-answers.ts'
import { REAL_REQUESTS } from './summary.ts'

const DEFAULT_WINDOW_SECONDS = 300
const MAX_WINDOW_SECONDS = 86_400
const MAX_TRANSFERS = 1_000
/** A replica without a sample for so long is not up, whatever the last one said. */
const SILENT_AFTER_SECONDS = 30

type Replica = ApiFleet['replicas'][number]

interface SampleRow {
  cluster: string | null
  replica: string
  region_now: string | null
  model_now: string | null
  pool_now: string | null
  engine_now: string | null
  version_now: string | null
  is_up: boolean
  running_now: number | null
  waiting_now: number | null
  kv_usage_now: number | null
  last_seen: string
  ranks: string[]
}

interface RequestRow {
  cluster: string | null
  replica: string
  region_now: string | null
  model_now: string | null
  pool_now: string | null
  engine_now: string | null
  version_now: string | null
  requests: number
  errors: number
  ttft_p50: number | null
  ttft_p99: number | null
  tpot_p50: number | null
  last_seen: string
}

export function createFleetRoutes(context: ApiContext): Router {
  const router = Router()
  const ask = createSharedAnswers<ApiFleet>({ clock: context.clock, freshMs: 1_000, staleMs: 4_000, maxQuestions: 20 })
  router.get('/fleet', async (request, response) => {
    const query = readQuery(request, new Set(['window']))
    const windowSeconds = readWhole(query, 'window', 10, MAX_WINDOW_SECONDS) ?? DEFAULT_WINDOW_SECONDS
    response.json(await ask(String(windowSeconds), () => readFleet(context, windowSeconds)))
  })
  return router
}

async function readFleet(context: ApiContext, windowSeconds: number): Promise<ApiFleet> {
  const now = context.clock.unixNano()
  const parameters = { from: (now - BigInt(windowSeconds) * 1_000_000_000n).toString(), to: now.toString() }
  const [samples, requests, classes, transfers] = await Promise.all([
    context.store.query<SampleRow>(SAMPLE_SQL, parameters),
    context.store.query<RequestRow>(REQUEST_SQL, parameters),
    context.store.query<ClassRow>(CLASS_SQL, parameters),
    context.store.query<ApiFleet['transfers'][number]>(TRANSFER_SQL, parameters),
  ])
  const excessOf = createExcess(classes)
  const keyOf = ({ cluster, replica }: { cluster: string | null; replica: string }) => JSON.stringify([cluster, replica])
  const bySample = new Map(samples.map((row) => [keyOf(row), row]))
  const byRequest = new Map(requests.map((row) => [keyOf(row), row]))
  const keys = [...new Set([...bySample.keys(), ...byRequest.keys()])].sort()
  return {
    replicas: keys.map((key) => {
      const sample = bySample.get(key)
      const request = byRequest.get(key)
      return describeReplica(sample, request, {
        now,
        windowSeconds,
        excess: excessOf((sample ?? request) as { cluster: string | null; replica: string }),
      })
    }),
    transfers,
  }
}

function describeReplica(
  sample: SampleRow | undefined,
  request: RequestRow | undefined,
  { now, windowSeconds, excess }: { now: bigint; windowSeconds: number; excess: number | null },
): Replica {
  const known = (sample ?? request) as SampleRow | RequestRow
  const lastSeen = BigInt(sample?.last_seen ?? request?.last_seen ?? '0')
  const silentSeconds = Number(now - lastSeen) / 1e9
  return {
    cluster: known.cluster,
    region: known.region_now ?? request?.region_now ?? null,
    model: known.model_now ?? request?.model_now ?? null,
    pool: known.pool_now ?? request?.pool_now ?? null,
    replica: known.replica,
    engine: known.engine_now ?? request?.engine_now ?? null,
    engine_version: known.version_now ?? request?.version_now ?? null,
    up: sample === undefined ? (request?.requests ?? 0) > 0 : sample.is_up && silentSeconds <= SILENT_AFTER_SECONDS,
    running: sample?.running_now ?? null,
    waiting: sample?.waiting_now ?? null,
    kv_usage: sample?.kv_usage_now ?? null,
    requests_per_second: (request?.requests ?? 0) / windowSeconds,
    error_ratio: request === undefined || request.requests === 0 ? 0 : request.errors / request.requests,
    ttft_p50: request?.ttft_p50 ?? null,
    ttft_p99: request?.ttft_p99 ?? null,
    tpot_p50: request?.tpot_p50 ?? null,
    excess,
    last_seen_unix_ns: lastSeen.toString(),
    ranks: sample?.ranks ?? [],
  }
}

/** The newest sample of each rank, ranks of a replica together. */
const SAMPLE_SQL = `SELECT cluster, replica, any(region_rank) AS region_now, any(model_rank) AS model_now, any(pool_rank) AS pool_now,
    any(engine_rank) AS engine_now, any(version_rank) AS version_now, min(up_rank) = 1 AS is_up,
    sum(running_rank) AS running_now, sum(waiting_rank) AS waiting_now, max(kv_rank) AS kv_usage_now,
    toString(max(last_rank)) AS last_seen, arraySort(groupArray(rank)) AS ranks
  FROM (
    SELECT cluster, replica, rank, argMax(region, unix_ns) AS region_rank, argMax(model, unix_ns) AS model_rank, argMax(pool, unix_ns) AS pool_rank,
      argMax(engine, unix_ns) AS engine_rank, argMax(engine_version, unix_ns) AS version_rank, toUInt8(argMax(up, unix_ns)) AS up_rank,
      argMax(running, unix_ns) AS running_rank, argMax(waiting, unix_ns) AS waiting_rank, argMax(kv_usage, unix_ns) AS kv_rank, max(unix_ns) AS last_rank
    FROM ${SAMPLES.name} WHERE unix_ns >= {from:Int64} AND unix_ns <= {to:Int64} GROUP BY cluster, replica, rank
  ) GROUP BY cluster, replica`

const WINDOW = `start_unix_ns >= {from:Int64} AND start_unix_ns <= {to:Int64} AND ${REAL_REQUESTS}`

const REQUEST_SQL = `SELECT cluster, replica, any(region) AS region_now, any(model) AS model_now, any(pool) AS pool_now,
    any(engine) AS engine_now, any(engine_version) AS version_now, count() AS requests, countIf(outcome IN ('error', 'timeout')) AS errors,
    quantile(0.5)(ttft) AS ttft_p50, quantile(0.99)(ttft) AS ttft_p99, quantile(0.5)(tpot) AS tpot_p50, toString(max(received_unix_ns)) AS last_seen
  FROM ${REQUESTS.name} WHERE ${WINDOW} AND replica IS NOT NULL GROUP BY cluster, replica`

const CLASS_SQL = `SELECT cluster, model, replica, prompt_class, countIf(ttft IS NOT NULL) AS first_tokens, sum(ttft) AS first_token_seconds,
    sumIf(output_tokens, tpot IS NOT NULL) AS tokens, sumIf(tpot * output_tokens, output_tokens IS NOT NULL) AS token_seconds
  FROM ${REQUESTS.name} WHERE ${WINDOW} AND replica IS NOT NULL GROUP BY cluster, model, replica, prompt_class`

const TRANSFER_SQL = `SELECT prefill_replica AS source, decode_replica AS destination, count() AS count,
    quantile(0.5)(phase_kv_transfer) AS seconds_p50, quantile(0.99)(phase_kv_transfer) AS seconds_p99, toFloat64(sum(ifNull(kv_bytes, 0))) AS bytes
  FROM ${REQUESTS.name} WHERE ${WINDOW} AND prefill_replica IS NOT NULL AND decode_replica IS NOT NULL AND phase_kv_transfer IS NOT NULL
  GROUP BY source, destination ORDER BY count DESC LIMIT ${MAX_TRANSFERS}`
