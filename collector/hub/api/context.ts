// What the API needs of the hub. The hub's main.ts makes one; each file of routes takes what it uses.
import type { ApiWhyRequest, ApiWhyResponse } from '@longpole/model/api'
import type { ChangeEvent } from '@longpole/model/change-event'
import type { Clock } from '@longpole/model/clock'
import type { Objective } from '@longpole/model/slo'
import type { RequestHandler } from 'express'
import type { Config } from '../../../src/config/schema.ts'
import type { MetricRegistry } from '../../exporters/prometheus/registry.ts'
import type { Authorizer } from '../../extensions/auth/auth.ts'
import type { Store } from '../../store/store.ts'
import type { DemoControl } from './demo.ts'
import type { LiveFeed } from './live.ts'

export interface ApiContext {
  store: Store
  /** Effective configuration; served with its secrets masked. */
  config: Config
  objectives: readonly Objective[]
  registry: MetricRegistry
  /** Called before the metrics page is written. */
  beforeMetrics?: () => void
  live: LiveFeed
  authorizer: Authorizer
  clock: Clock
  version: string
  /** Answers POST /api/v1/why; without it the route says that no localizer runs here. */
  why?: (request: ApiWhyRequest) => Promise<ApiWhyResponse>
  /** Only in the demo: injects faults into the simulated fleet. */
  demo?: DemoControl
  /** Told after a change event was stored. */
  onEvent?: (event: ChangeEvent) => void
  /** What hinders this hub from serving, beside the store; empty when nothing does. */
  troubles?: () => string[]
  /** Directory of the built console; without it, or where nothing is built, a plain first page is served. */
  consoleDirectory?: string
  /** The hub's own tracing, where it is on. */
  trace?: RequestHandler
  /** Told about errors that became a 500. */
  onError?: (error: unknown) => void
}
