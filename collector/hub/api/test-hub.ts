// A hub's API on a real store and a real socket, for tests of this folder.
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createManualClock } from '@longpole/model/clock'
import { HUB_EXPORTED_METRICS } from '@longpole/model/conventions/metrics'
import { loadConfig } from '../../../src/config/load.ts'
import { resolveObjectives } from '../../../src/config/objectives.ts'
import { createRegistry, type MetricRegistry } from '../../exporters/prometheus/registry.ts'
import { createAuthorizer } from '../../extensions/auth/auth.ts'
import { START } from '../../store/conformance-data.ts'
import { createStore } from '../../store/create-store.ts'
import type { Store } from '../../store/store.ts'
import { createApi } from './api.ts'
import type { ApiContext } from './context.ts'
import { createLiveFeed, type LiveFeed } from './live.ts'

export interface TestHub {
  address: string
  store: Store
  live: LiveFeed
  registry: MetricRegistry
  context: ApiContext
  get(path: string, headers?: Record<string, string>): Promise<Response>
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>
  close(): Promise<void>
}

/** The clock stands ten seconds after START, where the made-up records begin. */
export async function startTestHub(overrides: Record<string, unknown> = {}, change: Partial<ApiContext> = {}): Promise<TestHub> {
  const data = mkdtempSync(join(tmpdir(), 'longpole-api-'))
  const config = loadConfig({ environment: {}, overrides: { ...overrides, store: { data, retentionDays: 36_500, memoryBytes: 1e9 } } })
  const store = await createStore(config.store)
  const registry = createRegistry(HUB_EXPORTED_METRICS, { version: '0.0.0', component: 'hub' }) as MetricRegistry
  const live = createLiveFeed()
  const context: ApiContext = {
    store,
    config,
    registry,
    live,
    objectives: resolveObjectives(config),
    authorizer: createAuthorizer(config.auth),
    clock: createManualClock(START + 10_000_000_000n),
    version: '0.0.0',
    ...change,
  }
  const server = createServer(createApi(context))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    address,
    store,
    live,
    registry,
    context,
    get: (path, headers = {}) => fetch(`${address}${path}`, { headers }),
    post: (path, body, headers = {}) =>
      fetch(`${address}${path}`, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', ...headers },
      }),
    async close() {
      await closeServer(server)
      await store.close()
      rmSync(data, { recursive: true, force: true })
    },
  }
}

function closeServer(server: Server): Promise<void> {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(() => resolve()))
}
