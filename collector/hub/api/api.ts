// The hub's HTTP side: API, metrics, health, console. Express stays on this side; requests of users never pass here.
import { API_PREFIX } from '@longpole/model/api'
import express, { type Express } from 'express'
import { createConsoleRoutes } from './console.ts'
import type { ApiContext } from './context.ts'
import { createDemoRoutes } from './demo.ts'
import { createEventRoutes } from './events.ts'
import { createExploreRoutes } from './explore.ts'
import { createExportRoutes } from './export.ts'
import { createFindingRoutes } from './findings.ts'
import { createFleetRoutes } from './fleet.ts'
import { checkHost, checkSameOrigin, checkToken, setSecurityHeaders } from './guards.ts'
import { createOpenApiRoutes } from './openapi.ts'
import { createOperationRoutes } from './operations.ts'
import { toJsonValue } from './present.ts'
import { handleProblems, notFound } from './problem.ts'
import { createRequestRoutes } from './requests.ts'
import { createStreamRoutes } from './stream.ts'
import { createSummaryRoutes } from './summary.ts'

const MAX_BODY = '256kb'

/** `http.createServer(createApi(context))`; the caller listens, having checked the address with `assertProtected`. */
export function createApi(context: ApiContext): Express {
  const { config, authorizer, registry } = context
  const app = express()
  app.disable('x-powered-by')
  app.set('json replacer', toJsonValue)
  app.set('etag', false)

  if (context.trace !== undefined) app.use(context.trace)
  app.use(setSecurityHeaders)
  app.use(checkHost(hostOf(config.listen.api), config.auth.allowedHosts))
  app.use(checkToken(authorizer, registry))
  app.use(checkSameOrigin)
  app.use(express.json({ limit: MAX_BODY }))

  app.use(createOperationRoutes(context))
  for (const createRoutes of [
    createRequestRoutes,
    createEventRoutes,
    createFindingRoutes,
    createExploreRoutes,
    createFleetRoutes,
    createSummaryRoutes,
    createExportRoutes,
    createStreamRoutes,
    createOpenApiRoutes,
    createDemoRoutes,
  ]) {
    app.use(API_PREFIX, createRoutes(context))
  }
  app.use(API_PREFIX, notFound)
  app.use(createConsoleRoutes(context))
  app.use(notFound)
  app.use(handleProblems(context.onError ?? (() => {})))
  return app
}

function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':'))
}
