// The sidecar's own listener: health for orchestrators, /metrics for Prometheus. It answers from the byte thread, so that it tells the
// truth also while the worker is away.
import type { Server } from 'node:http'
import { SIDECAR_METRICS } from '@longpole/model/conventions/metrics'
import { http } from '../../src/wire/http/node-http.ts'
import { METRICS_CONTENT_TYPE } from './metrics-content-type.ts'

export interface AdminState {
  isReady(): boolean
  openCount(): number
  /** The worker's page, or null. */
  metricsPage(): Promise<string | null>
}

/** An HTTP server that is not listening yet. */
export function createAdminServer(state: AdminState): Server {
  return http.createServer({ requestTimeout: 10_000 }, (request, response) => {
    const path = request.url?.split('?')[0]
    const reply = (status: number, text: string, type = 'text/plain; charset=utf-8') => {
      response.writeHead(status, { 'content-type': type })
      response.end(text)
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') reply(405, 'expected GET\n')
    else if (path === '/healthz') reply(200, 'ok\n')
    else if (path === '/readyz') reply(state.isReady() ? 200 : 503, state.isReady() ? 'ready\n' : 'draining\n')
    else if (path === '/metrics') {
      void state.metricsPage().then((page) => reply(200, page ?? bypassPage(state), METRICS_CONTENT_TYPE))
    } else reply(404, 'here are /healthz, /readyz and /metrics\n')
  })
}

/** What can be said without the worker: that it is away. */
function bypassPage(state: AdminState): string {
  const gauge = ({ name, help }: { name: string; help: string }, value: number) =>
    `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${name} ${value}\n`
  return gauge(SIDECAR_METRICS.sidecarBypass, 1) + gauge(SIDECAR_METRICS.sidecarRequestsOpen, state.openCount())
}
