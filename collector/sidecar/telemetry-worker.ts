// The worker thread's entry: the telemetry pipeline and the receivers for the engine's spans, driven by messages of the byte thread.
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'
import { createSystemClock } from '@longpole/model/clock'
import type { FinishedRequest } from '../receivers/proxy/observation.ts'
import { createEngineSpansServer, type EngineSpansSettings } from './engine-spans.ts'
import { createTelemetryPipeline } from './pipeline.ts'
import { type Address, formatAddress } from './settings.ts'
import { SharedCounters } from './shared-counters.ts'
import type { FromWorker, ToWorker, WorkerStart } from './worker-messages.ts'

const HEARTBEAT_MS = 1_000

const { settings, counters: memory, instance } = workerData as WorkerStart
const port = parentPort
if (port === null) throw new Error('telemetry-worker.ts runs as a worker thread only')
const counters = new SharedCounters(memory)
const clock = createSystemClock()
const pipeline = createTelemetryPipeline(settings, counters, clock, instance)
const engineSpans: EngineSpansSettings = { take: pipeline.engineSpans, isFull: pipeline.isNearlyFull }

function tell(message: FromWorker): void {
  port?.postMessage(message)
}

function take(requests: readonly FinishedRequest[]): void {
  for (const request of requests) {
    try {
      pipeline.finished(request)
    } catch {
      counters.add('observationsDropped:malformed')
    }
    counters.add('observationsTaken')
  }
}

async function stop(limitMs: number): Promise<void> {
  const all = await pipeline.flush(limitMs)
  pipeline.close()
  tell({ kind: 'stopped', all })
}

port.on('message', (message: ToWorker) => {
  if (message.kind === 'finished') take(message.requests)
  else if (message.kind === 'open') pipeline.open(message.exchanges)
  else if (message.kind === 'metrics') void pipeline.metricsPage().then((text) => tell({ kind: 'metrics', id: message.id, text }))
  else void stop(message.limitMs)
})

function listenHttp(server: Server, { host, port: wanted }: Address): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(wanted, host, () => resolve((server.address() as AddressInfo).port))
  })
}

/** Null where none is asked for; a listener that is refused is reported and ends the start. */
async function openListener(flag: string, address: Address | null, open: (address: Address) => Promise<number>): Promise<number | null> {
  if (address === null) return null
  try {
    return await open(address)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    tell({ kind: 'refused', flag, address: formatAddress(address), code: typeof code === 'string' ? code : message })
    throw error
  }
}

setInterval(() => counters.add('heartbeat'), HEARTBEAT_MS)
try {
  const otlpHttpPort = await openListener('--otlp-http', settings.otlpHttp, (address) =>
    listenHttp(createEngineSpansServer(engineSpans), address),
  )
  const otlpGrpcPort = await openListener('--otlp-grpc', settings.otlpGrpc, async (address) => {
    const { startEngineSpansGrpc } = await import('./engine-spans-grpc.ts')
    return (await startEngineSpansGrpc(address, engineSpans)).port
  })
  tell({ kind: 'ready', otlpHttpPort, otlpGrpcPort })
} catch {
  process.exitCode = 1
}
