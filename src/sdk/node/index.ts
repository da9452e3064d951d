// Optional bootstrap: OpenTelemetry's Node SDK with the OTLP/HTTP exporter, in one call. Needs the optional peers
// @opentelemetry/sdk-node and @opentelemetry/exporter-trace-otlp-http; the rest of the SDK does not.
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { Otel } from '@longpole/model/conventions/attributes'
import type { Attributes } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { NodeSDK } from '@opentelemetry/sdk-node'

/** Where a Longpole hub or an OpenTelemetry Collector listens by default. */
const DEFAULT_ENDPOINT = 'http://127.0.0.1:4318'

export interface TracingOptions {
  /** Base address for OTLP/HTTP; over it stand `OTEL_EXPORTER_OTLP_ENDPOINT` and `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`. */
  endpoint?: string
  /** Over it stands `OTEL_SERVICE_NAME`. */
  serviceName?: string
  /** Flush on SIGTERM, SIGINT and when the event loop is empty; default true. */
  flushOnExit?: boolean
}

export interface Tracing {
  /** Sends what is left and stops, within `OTEL_EXPORTER_OTLP_TIMEOUT` (10 s). Never rejects; calls after the first do nothing. */
  shutdown(): Promise<void>
}

/** How long spans wait to be sent, unless `OTEL_BSP_SCHEDULE_DELAY` says otherwise: a person watches. */
const SEND_EVERY_MS = 1000
/** Spans encoded at once, unless `OTEL_BSP_MAX_EXPORT_BATCH_SIZE` says otherwise: encoding 512 stops the event loop, and every stamp, for 4 to 8 ms. */
const BATCH = 128

let running: Tracing | undefined

/**
 * Starts tracing for this process; a second call gives what the first one started. All `OTEL_*` variables are honoured; only what they leave open is set here.
 *
 * @throws TypeError for an endpoint that is no http or https address.
 * @example
 * const tracing = startTracing({ serviceName: 'chat' })
 */
export function startTracing(options: TracingOptions = {}): Tracing {
  if (running !== undefined) return running
  process.env.OTEL_BSP_SCHEDULE_DELAY ??= String(SEND_EVERY_MS)
  process.env.OTEL_BSP_MAX_EXPORT_BATCH_SIZE ??= String(BATCH)
  const sdk = new NodeSDK({
    serviceName: process.env.OTEL_SERVICE_NAME ?? options.serviceName,
    // With OTEL_TRACES_EXPORTER the choice is the environment's.
    ...(process.env.OTEL_TRACES_EXPORTER === undefined ? { traceExporter: createExporter(options.endpoint) } : {}),
    metricReaders: [],
    logRecordProcessors: [],
    ...(process.env.OTEL_NODE_RESOURCE_DETECTORS === undefined
      ? { resourceDetectors: [{ detect: () => ({ attributes: identity() }) }] }
      : {}),
  })
  sdk.start()
  let stopping: Promise<void> | undefined
  const shutdown = (): Promise<void> => {
    stopping ??= sdk.shutdown().catch(() => undefined)
    return stopping
  }
  if (options.flushOnExit !== false) flushOnExit(shutdown)
  running = { shutdown }
  return running
}

function createExporter(endpoint: string | undefined): OTLPTraceExporter {
  const fromEnvironment = process.env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? process.env.OTEL_EXPORTER_OTLP_ENDPOINT
  if (fromEnvironment !== undefined && fromEnvironment !== '') return new OTLPTraceExporter()
  const base = endpoint ?? DEFAULT_ENDPOINT
  if (!/^https?:\/\/[^/]/.test(base))
    throw new TypeError(`@longpole/sdk: option endpoint: expected an http or https address, got ${JSON.stringify(base)}`)
  return new OTLPTraceExporter({ url: `${base.replace(/\/+$/, '')}/v1/traces` })
}

/** Which process on which host: stamps of one host share a clock. `OTEL_RESOURCE_ATTRIBUTES` as the specification says. */
function identity(): Attributes {
  const attributes: Attributes = {
    [Otel.hostName]: hostname(),
    [Otel.processPid]: process.pid,
    [Otel.serviceInstanceId]: randomUUID(),
  }
  for (const pair of (process.env.OTEL_RESOURCE_ATTRIBUTES ?? '').split(',')) {
    const [key, value] = pair.split('=', 2)
    if (key?.trim() && value !== undefined) attributes[key.trim()] = decode(value.trim())
  }
  return attributes
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}

/** A program that ends waits this long for a hub that does not answer; the exporter itself would go on for ten seconds. */
const EXIT_LIMIT_MS = 3000

function flushOnExit(shutdown: () => Promise<void>): void {
  const flush = async (): Promise<boolean> => {
    let timer: NodeJS.Timeout | undefined
    const limit = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), EXIT_LIMIT_MS)
    })
    const flushed = await Promise.race([shutdown().then(() => true), limit])
    clearTimeout(timer)
    return flushed
  }
  // The event loop is empty, so the program is over: only retries to send are left.
  process.once('beforeExit', async () => {
    if (!(await flush())) process.exit()
  })
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, async () => {
      await flush()
      // A host with a handler of its own decides itself; without one the signal does what it always does.
      if (process.listenerCount(signal) === 0) process.kill(process.pid, signal)
    })
  }
}
