// The hub: opens the store, the listeners and the pipeline between them, takes up what a former hub left unfinished, and ends in order.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Clock, createSystemClock } from '@longpole/model/clock'
import { HUB_EXPORTED_METRICS, type HubMetricKey } from '@longpole/model/conventions/metrics'
import { resolveObjectives } from '../../src/config/objectives.ts'
import type { Config } from '../../src/config/schema.ts'
import { publishConfig } from '../exporters/prometheus/config-metrics.ts'
import { createRegistry, type MetricRegistry } from '../exporters/prometheus/registry.ts'
import { createRequestMetrics } from '../exporters/prometheus/request-metrics.ts'
import { assertProtected, createAuthorizer } from '../extensions/auth/auth.ts'
import { createTenants } from '../extensions/tenant/tenant.ts'
import { startHubTracing } from '../extensions/tracing/tracing.ts'
import { createInFlight } from '../processors/limit/in-flight.ts'
import { listenError, type OtlpReceiver, splitAddress, startOtlpReceiver } from '../receivers/otlp/receiver.ts'
import { createStore } from '../store/create-store.ts'
import type { Store } from '../store/store.ts'
import { createApi } from './api/api.ts'
import type { ApiContext } from './api/context.ts'
import { createLiveFeed } from './api/live.ts'
import { readCheckpoint, writeCheckpoint } from './checkpoint.ts'
import { createForwarder } from './forward.ts'
import { createHubLocalizer } from './localize/localizer.ts'
import { createPipeline, type Pipeline } from './pipeline.ts'
import { takeUp } from './restart.ts'
import { watchStore } from './store-trouble.ts'

export interface HubOptions {
  config: Config
  version: string
  clock?: Clock
  log?: (level: 'info' | 'warn' | 'error', message: string) => void
  /** Only in the demo; see ApiContext. */
  demo?: ApiContext['demo']
  /** How often the continuous localizer looks, and whether there is something to look at yet: the demo's history comes in first. */
  localize?: { everyMs: number; isReady(): boolean }
}

export interface Hub {
  /** Those of OTLP are 0 where none is received (`role: localize`). */
  ports: { api: number; otlpHttp: number; otlpGrpc: number }
  store: Store
  pipeline: Pipeline
  registry: MetricRegistry<HubMetricKey>
  /** Stops taking, finishes what is under way, keeps what is unsettled for the next start. */
  close(): Promise<void>
}

const TICK_MS = 250
const SWEEP_MS = 5_000
const CHECKPOINT_MS = 1_000
const USAGE_MS = 15_000
const LOCALIZE_MS = 15_000
const FORWARD_CLOSE_MS = 3_000
const CONSOLE_DIRECTORY = fileURLToPath(new URL('../console/dist', import.meta.url))

/** Rejects with an error that names the key and says what to do: a port that is taken, a listener without a token, a store that does not open. */
export async function startHub(options: HubOptions): Promise<Hub> {
  const { config, version, clock = createSystemClock(), log = () => {}, demo } = options
  const authorizer = createAuthorizer(config.auth)
  const tenants = createTenants(config.tenants)
  for (const key of ['api', 'otlpHttp', 'otlpGrpc'] as const) {
    assertProtected(`listen.${key}`, splitAddress(config.listen[key]).host, authorizer)
  }
  const registry = createRegistry(HUB_EXPORTED_METRICS, { version, component: 'hub', labelValues: config.limits.labelValues })
  publishConfig(registry, config)
  const objectives = resolveObjectives(config)
  const metrics = createRequestMetrics(registry, objectives, clock)
  const live = createLiveFeed()
  const onTrouble = createTroubleLog((message) => log('warn', message), clock)
  const tracing = await startHubTracing(config.tracing, config.listen.otlpHttp, version)
  const opened = await createStore(config.store, { clock, onTrouble })
  const { store, troubles } = watchStore(tracing?.store(opened) ?? opened, config.store.url ?? config.store.data)
  const forwarder = createForwarder(config.exporters.otlp, registry, clock, version)
  const pipeline = createPipeline({ config, clock, store, registry, metrics, live, tenants, forward: forwarder.forward, onTrouble })

  const localizer = createHubLocalizer({ store, objectives, clock, streaming: pipeline.streaming, onFindings: metrics.findings, onTrouble })

  const inFlight = createInFlight(config.limits.inFlightBytes)
  const receiverSettings = {
    handlers: pipeline.handlers,
    bodyBytes: config.limits.bodyBytes,
    inFlight,
    authorize: (header: string | undefined) => authorizer.allows(header),
    onRefused(reason: string) {
      registry.increment('payloadsRejectedTotal', { reason })
      if (reason === 'unauthorized') registry.increment('authFailuresTotal', { component: 'otlp' })
    },
    onError: (error: unknown) => log('error', (error as Error).stack ?? String(error)),
  }
  const api = createApi({
    store,
    config,
    objectives,
    registry,
    beforeMetrics: metrics.expire,
    live,
    authorizer,
    clock,
    version,
    consoleDirectory: CONSOLE_DIRECTORY,
    onEvent: (event) => metrics.events([event]),
    onError: (error) => log('error', (error as Error).stack ?? String(error)),
    why: localizer.why,
    troubles,
    ...(tracing === null ? {} : { trace: tracing.requests }),
    ...(demo === undefined ? {} : { demo }),
  })
  const apiServer = createServer({ requestTimeout: 60_000, headersTimeout: 10_000 }, api)
  let receiver: OtlpReceiver | null = null
  try {
    const apiPort = await listen(apiServer, config.listen.api)
    if (config.role !== 'localize') receiver = await startOtlpReceiver(receiverSettings, config.listen)
    const evaluate = async () => {
      const startMs = clock.monotonicMs()
      await (tracing?.traced('localizer.evaluate', localizer.evaluate) ?? localizer.evaluate())
      registry.observe('localizerSeconds', {}, (clock.monotonicMs() - startMs) / 1e3)
    }
    const work = startWork({ config, clock, store, pipeline, registry, evaluate, onTrouble, localize: options.localize })
    return {
      ports: { api: apiPort, otlpHttp: receiver?.httpPort ?? 0, otlpGrpc: receiver?.grpcPort ?? 0 },
      store,
      pipeline,
      registry,
      async close() {
        await receiver?.close()
        await localizer.close()
        await work.stop()
        await closeServer(apiServer)
        await forwarder.close(FORWARD_CLOSE_MS)
        await store.close()
        await tracing?.close()
      },
    }
  } catch (error) {
    await closeServer(apiServer)
    await store.close()
    await tracing?.close()
    throw error
  }
}

interface WorkSettings {
  config: Config
  clock: Clock
  store: Store
  pipeline: Pipeline
  registry: MetricRegistry<HubMetricKey>
  /** One round of the continuous localizer. */
  evaluate(): Promise<void>
  onTrouble: (message: string) => void
  localize: HubOptions['localize']
}

/** Everything that happens by the clock. Settling begins when what a former hub wrote is known. */
function startWork({ config, clock, store, pipeline, registry, evaluate, onTrouble, localize }: WorkSettings): { stop(): Promise<void> } {
  const checkpointFile = join(config.store.data, 'hub-checkpoint.json')
  const replayFromUnixNano = readCheckpoint(checkpointFile)
  let isTakenUp = false

  async function resume(): Promise<void> {
    const since = await takeUp({
      store,
      correlator: pipeline.correlator,
      nowUnixNano: clock.unixNano(),
      replayFromUnixNano,
      amendSeconds: config.settle.amendSeconds,
      maxRecords: config.limits.unsettledRequests,
    })
    pipeline.begin(since)
    isTakenUp = true
  }

  async function saveCheckpoint(): Promise<void> {
    if (isTakenUp) await writeCheckpoint(checkpointFile, pipeline.oldestUnixNano() ?? clock.unixNano())
  }

  async function readUsage(): Promise<void> {
    const { bytes, freeRatio } = await store.usage()
    registry.set('storeBytes', {}, bytes)
    registry.set('storeFreeRatio', {}, freeRatio)
  }

  async function readStore(): Promise<void> {
    registry.set('storeUp', {}, (await store.ready()) ? 1 : 0)
    const ageOf = (oldest: bigint | null) => (oldest === null ? 0 : Math.max(0, Number(clock.unixNano() - oldest) / 1e9))
    registry.set('storeLagSeconds', {}, ageOf(pipeline.oldestUnstoredUnixNano()))
    registry.set('unsettledLagSeconds', {}, ageOf(pipeline.oldestUnixNano()))
  }

  async function look(): Promise<void> {
    if (localize?.isReady() ?? true) await evaluate()
  }

  const ingest = () => [
    every(TICK_MS, () => (isTakenUp ? pipeline.tick() : resume()), onTrouble),
    every(TICK_MS, () => pipeline.catchUp(), onTrouble),
    every(SWEEP_MS, () => pipeline.sweep(), onTrouble),
    every(CHECKPOINT_MS, saveCheckpoint, onTrouble),
  ]
  const jobs = [
    // Where others ingest into the same store, their requests are theirs to settle.
    ...(config.role === 'localize' ? [] : ingest()),
    every(SWEEP_MS, readStore, onTrouble),
    every(USAGE_MS, readUsage, onTrouble),
    ...(config.role === 'ingest' ? [] : [every(localize?.everyMs ?? LOCALIZE_MS, look, onTrouble)]),
  ]
  return {
    async stop() {
      for (const job of jobs) await job.stop()
      if (isTakenUp) await pipeline.tick().catch((error: Error) => onTrouble(error.message))
      await pipeline.flush()
      await saveCheckpoint()
    },
  }
}

/** Runs the work so often, never twice at once, and goes on whatever happens. */
function every(intervalMs: number, work: () => Promise<void>, onTrouble: (message: string) => void): { stop(): Promise<void> } {
  let running: Promise<void> | null = null
  const timer = setInterval(() => {
    running ??= work()
      .catch((error: Error) => onTrouble(error.message))
      .finally(() => {
        running = null
      })
  }, intervalMs)
  return {
    async stop() {
      clearInterval(timer)
      await running
    },
  }
}

/** The same trouble again within ten seconds is not said again. */
function createTroubleLog(say: (message: string) => void, clock: Clock): (message: string) => void {
  const lastMs = new Map<string, number>()
  return (message) => {
    const now = clock.monotonicMs()
    if (now - (lastMs.get(message) ?? Number.NEGATIVE_INFINITY) < 10_000) return
    if (lastMs.size > 100) lastMs.clear()
    lastMs.set(message, now)
    say(message)
  }
}

function listen(server: Server, address: string): Promise<number> {
  const { host, port } = splitAddress(address)
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError('listen.api', address, error.code ?? error.message)))
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port))
  })
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
