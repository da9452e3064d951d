// Settled requests on to any OTLP endpoint (`exporters.otlp`): each waits for the spans that come late, then goes in a batch. The endpoint
// slow or away costs at most the queue: the oldest are dropped and counted.
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Clock } from '@longpole/model/clock'
import type { HubMetricKey } from '@longpole/model/conventions/metrics'
import type { Span } from '@longpole/model/span'
import type { Config } from '../../src/config/schema.ts'
import { encodeTraces } from '../../src/wire/otlp/encode.ts'
import { createExporter, type Exporter } from '../exporters/otlp/exporter.ts'
import type { MetricRegistry } from '../exporters/prometheus/registry.ts'
import type { SettledRequest } from '../processors/correlate/correlate.ts'
import { createForwardQueue } from './forward-queue.ts'
import { spansOfRecord } from './record-spans.ts'

export interface Forwarder {
  forward(request: SettledRequest): void
  /** Sends what waits; gives up after `limitMs`. */
  close(limitMs: number): Promise<void>
}

const BATCH_SPANS = 512
const LOOK_MS = 1_000
const MAX_QUEUE_BYTES = 32_000_000
const gzipAsync = promisify(gzip)

/** Does nothing where no endpoint is configured. */
export function createForwarder(
  settings: Config['exporters']['otlp'],
  registry: Pick<MetricRegistry<HubMetricKey>, 'increment'>,
  clock: Clock,
  version: string,
): Forwarder {
  if (settings.endpoint === null) return { forward() {}, close: async () => {} }
  const exporter = openExporter(settings, settings.endpoint, registry, clock)
  let batch: Span[] = []
  let encoding: Promise<void> = Promise.resolve()
  const queue = createForwardQueue({
    clock,
    delaySeconds: settings.delaySeconds,
    maxSpans: settings.queueSpans,
    send({ record, spans }) {
      batch.push(...spansOfRecord(record, spans, version))
      if (batch.length >= BATCH_SPANS) send()
    },
    onLate: ({ spans }) => registry.increment('forwardedSpansTotal', { result: 'too_late' }, spans.length),
  })
  const timer = setInterval(() => {
    queue.drain()
    send()
  }, LOOK_MS)

  function send(): void {
    if (batch.length === 0) return
    const spans = batch
    batch = []
    encoding = encoding.then(() => encode(spans, settings.compression, exporter))
  }

  return {
    forward: (request) => queue.add({ ...request, spans: request.spans() }),
    async close(limitMs) {
      clearInterval(timer)
      queue.drain(true)
      send()
      await encoding
      await exporter.flush(limitMs)
      exporter.close()
    },
  }
}

async function encode(spans: readonly Span[], compression: 'gzip' | 'none', exporter: Exporter): Promise<void> {
  const plain = encodeTraces(spans)
  const contentType = 'application/x-protobuf'
  if (compression === 'none') exporter.enqueue({ bytes: plain, contentType }, spans.length)
  else exporter.enqueue({ bytes: await gzipAsync(plain, { level: 1 }), contentType, contentEncoding: 'gzip' }, spans.length)
}

function openExporter(
  { headers, timeoutSeconds, queueSpans }: Config['exporters']['otlp'],
  endpoint: string,
  registry: Pick<MetricRegistry<HubMetricKey>, 'increment'>,
  clock: Clock,
): Exporter {
  const count = (result: string, items: number) => registry.increment('forwardedSpansTotal', { result }, items)
  return createExporter({
    url: new URL(`${endpoint.replace(/\/+$/, '')}/v1/traces`),
    headers,
    maxQueueBytes: MAX_QUEUE_BYTES,
    maxQueueItems: queueSpans,
    timeoutMs: timeoutSeconds * 1e3,
    clock,
    random: Math.random,
    account: {
      exported: (items) => count('exported', items),
      dropped: (items, reason) => count(reason, items),
      rejected: () => {},
    },
  })
}
