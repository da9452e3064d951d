// What operators and Prometheus ask: metrics, health, readiness, the effective configuration.
import { Router } from 'express'
import { describeConfig } from '../../../src/config/load.ts'
import type { ApiContext } from './context.ts'

/** At the root, not under the API's prefix. */
export function createOperationRoutes(context: ApiContext): Router {
  const router = Router()

  router.get('/metrics', async (request, response) => {
    context.beforeMetrics?.()
    const openMetrics = (request.headers.accept ?? '').includes('application/openmetrics-text')
    const page = await context.registry.render(openMetrics)
    response.setHeader('Content-Type', context.registry.contentType(openMetrics))
    response.end(page)
  })

  router.get('/healthz', (_request, response) => {
    response.json({ status: 'ok', version: context.version })
  })

  router.get('/readyz', async (_request, response) => {
    const troubles = [...(context.troubles?.() ?? []), ...((await context.store.ready()) ? [] : ['the store does not answer'])]
    response.status(troubles.length === 0 ? 200 : 503).json({ status: troubles.length === 0 ? 'ready' : 'not_ready', troubles })
  })

  router.get('/api/v1/config', (_request, response) => {
    response.json(describeConfig(context.config))
  })

  return router
}
