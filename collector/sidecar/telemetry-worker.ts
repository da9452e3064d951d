// The worker thread's entry: the telemetry pipeline and the receivers for the engine's spans, driven by messages of the byte thread.
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getPriority, setPriority } from 'node:os'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { createSystemClock } from '@longpole/model/clock'
import type { FinishedRequest } from '../receivers/proxy/observation.ts'
import { createEngineSpansServer, type EngineSpansSettings } from './engine-spans.ts'
import { createTelemetryPipeline, type TelemetryPipeline } from './pipeline.ts'
import { type Address, formatAddress } from './settings.ts'
import { SharedCounters } from './shared-counters.ts'
import type { FromWorker, ToWorker, WorkerStart } from './worker-messages.ts'

const HEARTBEAT_MS = 1_000
/** A third of the byte thread's weight: behind it, but not starved on a busy machine. */
const NICENESS = 5

/** The seam's far end; on any other thread importing this file does nothing. */
async function runWorker(port: MessagePort, { settings, counters: memory, instance }: WorkerStart): Promise<void> {
  yieldToTheByteThread()
  const counters = new SharedCounters(memory)
  const pipeline = createTelemetryPipeline(settings, counters, createSystemClock(), instance)
  const tell = (message: FromWorker) => port.postMessage(message)

  port.on('message', (message: ToWorker) => {
    if (message.kind === 'finished') take(message.requests, pipeline, counters)
    else if (message.kind === 'open') pipeline.open(message.exchanges)
    else if (message.kind === 'metrics') void pipeline.metricsPage().then((text) => tell({ kind: 'metrics', id: message.id, text }))
    else {
      void pipeline.flush(message.limitMs).then((all) => {
        pipeline.close()
        tell({ kind: 'stopped', all })
      })
    }
  })
  setInterval(() => counters.add('heartbeat'), HEARTBEAT_MS)

  const engineSpans: EngineSpansSettings = { take: pipeline.engineSpans, isFull: pipeline.isNearlyFull }
  try {
    const otlpHttpPort = await openListener('--otlp-http', settings.otlpHttp, tell, (address) =>
      listenHttp(createEngineSpansServer(engineSpans), address),
    )
    const otlpGrpcPort = await openListener('--otlp-grpc', settings.otlpGrpc, tell, async (address) => {
      const { startEngineSpansGrpc } = await import('./engine-spans-grpc.ts')
      return (await startEngineSpansGrpc(address, engineSpans)).port
    })
    tell({ kind: 'ready', otlpHttpPort, otlpGrpcPort })
  } catch {
    // Told already; the other thread ends this one or starts it again.
    process.exit(1)
  }
}

/** On Linux a priority set without a process id is the calling thread's alone: a batch in work here must not hold a stream up. */
function yieldToTheByteThread(): void {
  if (process.platform !== 'linux') return
  try {
    setPriority(Math.max(getPriority(), NICENESS))
  } catch {
    // Not allowed in this container: the thread stays as it is.
  }
}

/** One record that cannot be read must not take the others with it. */
function take(requests: readonly FinishedRequest[], pipeline: TelemetryPipeline, counters: SharedCounters): void {
  for (const request of requests) {
    try {
      pipeline.finished(request)
    } catch {
      counters.add('observationsDropped:malformed')
    }
    counters.add('observationsTaken')
  }
}

function listenHttp(server: Server, { host, port: wanted }: Address): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(wanted, host, () => resolve((server.address() as AddressInfo).port))
  })
}

/** Null where none is asked for; a listener that is refused is reported and ends the start. */
async function openListener(
  flag: string,
  address: Address | null,
  tell: (message: FromWorker) => void,
  open: (address: Address) => Promise<number>,
): Promise<number | null> {
  if (address === null) return null
  try {
    return await open(address)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    tell({ kind: 'refused', flag, address: formatAddress(address), code: typeof code === 'string' ? code : message })
    throw error
  }
}

if (parentPort !== null) void runWorker(parentPort, workerData as WorkerStart)
