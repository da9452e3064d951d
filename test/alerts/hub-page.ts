// The hub's real registry and its real /metrics page, fed with records and requests in flight by a test instead of by sidecars.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createSystemClock } from '@longpole/model/clock'
import { HUB_EXPORTED_METRICS } from '@longpole/model/conventions/metrics'
import { emptySample } from '@longpole/model/engine-sample'
import type { OpenRequest } from '@longpole/model/observation'
import { emptyColumns } from '@longpole/model/request-columns'
import type { RequestRecord } from '@longpole/model/request-record'
import { createRegistry } from '../../collector/exporters/prometheus/registry.ts'
import { createRequestMetrics, type RequestMetrics } from '../../collector/exporters/prometheus/request-metrics.ts'
import { resolveObjectives } from '../../src/config/objectives.ts'
import { configSchema } from '../../src/config/schema.ts'

export interface HubPage extends AsyncDisposable {
  target: string
  metrics: RequestMetrics
  stop(): Promise<void>
}

export async function startHubPage(): Promise<HubPage> {
  const registry = createRegistry(HUB_EXPORTED_METRICS, { version: '0.0.0', component: 'hub' })
  const metrics = createRequestMetrics(registry, resolveObjectives(configSchema.parse({})), createSystemClock())
  const server = createServer(async (_request, response) => {
    response.writeHead(200, { 'content-type': registry.contentType(false) }).end(await registry.render(false))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const stop = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return { target: `127.0.0.1:${(server.address() as AddressInfo).port}`, metrics, stop, [Symbol.asyncDispose]: stop }
}

let made = 0

/** A request that ended; 200 ms to its first token and 2 s in all unless the change says otherwise. */
export function endedRequest(model: string, change: Partial<RequestRecord> = {}): RequestRecord {
  made++
  return {
    ...emptyColumns(),
    trace_id: made.toString(16).padStart(32, '0'),
    record_id: `record-${made}`,
    request_id: `request-${made}`,
    start_unix_ns: BigInt(Date.now()) * 1_000_000n,
    vantage: 'client',
    joined: ['client', 'sidecar', 'engine'],
    cluster: 'c1',
    region: 'eu',
    model,
    pool: 'both',
    replica: `r${made % 2}`,
    prompt_class: '1k',
    tenant_class: 'default',
    e2e: 2,
    ttft: 0.2,
    tpot: 0.02,
    itl_max: 0.05,
    outcome: 'ok',
    phases: [
      { phase: 'engine.queue', seconds: 0.1, source: 'test', exactness: 'measured' },
      { phase: 'engine.prefill', seconds: 0.1, source: 'test', exactness: 'measured' },
      { phase: 'engine.decode', seconds: 1.8, source: 'test', exactness: 'measured' },
    ],
    overlays: [],
    hops: [],
    attempt_list: [],
    ...change,
  }
}

/** A request in flight that has waited for its first token for so long. */
export function openRequest(model: string, id: number, ageSeconds: number): OpenRequest {
  const now = BigInt(Date.now()) * 1_000_000n
  return {
    traceId: `f${id.toString(16).padStart(31, '0')}`,
    spanId: id.toString(16).padStart(16, '0'),
    requestId: `open-${model}-${id}`,
    startUnixNano: now - BigInt(Math.round(ageSeconds * 1e9)),
    observedUnixNano: now,
    ageSeconds,
    phase: 'engine.queue',
    columns: { cluster: 'c1', model, replica: `r${id % 2}`, prompt_class: '1k', tenant_class: 'default', vantage: 'sidecar' },
  }
}

export function aliveSample(model: string, replica: string, up = true) {
  return {
    ...emptySample(replica, BigInt(Date.now()) * 1_000_000n),
    cluster: 'c1',
    model,
    pool: 'both',
    up,
    running: up ? 4 : null,
    waiting: up ? 0 : null,
    kv_usage: up ? 0.4 : null,
  }
}
