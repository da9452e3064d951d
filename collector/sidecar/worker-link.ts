// The byte thread's end of the seam: hands finished requests to the telemetry worker over a bounded queue, starts the worker again
// when it dies or hangs, and never lets either slow a stream down.
import { Worker } from 'node:worker_threads'
import type { FinishedRequest, ObservationSink, OpenExchange } from '../receivers/proxy/observation.ts'
import type { SharedCounters } from './shared-counters.ts'
import type { FromWorker, ToWorker, WorkerStart } from './worker-messages.ts'

/** Finished requests that the worker has not taken over; beyond it new ones are dropped and counted. */
export const MAX_WAITING = 10_000
/** Open requests cross in groups of this size, so that cloning them never holds a stream up for long. */
const OPEN_GROUP = 100
/** The worker's heap, MB: a leak there ends the worker, not the streams. */
const WORKER_HEAP_MB = 192
const WATCH_MS = 5_000
/** Watches without a heartbeat after which the worker counts as hung. */
const MISSED_WATCHES = 6
const METRICS_WAIT_MS = 2_000
const RESTART_FIRST_MS = 100
const RESTART_MOST_MS = 30_000
/** A worker that lived so long was healthy: the next restart is quick again. */
const HEALTHY_MS = 60_000

export interface WorkerListeners {
  otlpHttpPort: number | null
  otlpGrpcPort: number | null
}

export interface WorkerRefusal {
  flag: string
  address: string
  code: string
}

export interface WorkerLink extends ObservationSink {
  /** Resolves when the first worker is ready; rejects with a WorkerRefusal where one of its listeners is refused. */
  readonly ready: Promise<WorkerListeners>
  /** False while bytes pass without being observed. */
  isObserving(): boolean
  reportOpen(exchanges: readonly OpenExchange[]): void
  /** The worker's /metrics page; null where it does not answer in time. */
  metricsPage(): Promise<string | null>
  /** Lets the worker send what it has; true when all of it went out within `limitMs`. */
  stop(limitMs: number): Promise<boolean>
  /** Ends the worker at once, as a crash would; it is started again. */
  kill(): void
}

export interface WorkerLinkSettings {
  start: WorkerStart
  counters: SharedCounters
  log(message: string): void
}

export function createWorkerLink({ start, counters, log }: WorkerLinkSettings): WorkerLink {
  let worker: Worker | null = null
  let isReady = false
  let stopping = false
  let restarts = 0
  let bornMs = 0
  /** Oldest first; the first `posted` of them are with the worker, which counts what it took in shared memory. */
  let waiting: FinishedRequest[] = []
  let posted = 0
  let taken = 0
  let flushScheduled = false
  let onStopped: ((all: boolean) => void) | null = null
  let onReadyAgain: (() => void) | null = null
  const pages = new Map<number, (text: string) => void>()
  let nextPage = 0
  const { promise: ready, resolve: onReady, reject: onRefused } = Promise.withResolvers<WorkerListeners>()

  function post(message: ToWorker): void {
    worker?.postMessage(message)
  }

  function forgetTaken(): void {
    const now = counters.get('observationsTaken')
    if (now === taken) return
    waiting = waiting.slice(now - taken)
    posted -= now - taken
    taken = now
  }

  function flush(): void {
    flushScheduled = false
    if (!isReady || posted === waiting.length) return
    post({ kind: 'finished', requests: posted === 0 ? waiting : waiting.slice(posted) })
    posted = waiting.length
  }

  function launch(): void {
    bornMs = performance.now()
    const current = new Worker(new URL('./telemetry-worker.ts', import.meta.url), {
      workerData: start,
      name: 'telemetry',
      resourceLimits: { maxOldGenerationSizeMb: WORKER_HEAP_MB },
    })
    worker = current
    current.on('message', (message: FromWorker) => receive(message))
    current.on('error', (error) => log(`telemetry worker failed: ${error.message}`))
    current.on('exit', () => {
      if (worker === current) onExit()
    })
  }

  function receive(message: FromWorker): void {
    if (message.kind === 'ready') {
      isReady = true
      onReady(message)
      onReadyAgain?.()
      flush()
    } else if (message.kind === 'refused') {
      log(`telemetry worker: ${message.flag} ${message.address}: ${message.code}`)
      onRefused(message)
    } else if (message.kind === 'metrics') {
      pages.get(message.id)?.(message.text)
      pages.delete(message.id)
    } else onStopped?.(message.all)
  }

  function onExit(): void {
    worker = null
    isReady = false
    forgetTaken()
    // What it had not taken goes to its successor; what it had taken and not delivered died with it.
    posted = 0
    counters.add('spansDropped:worker_lost', counters.spansInFlight())
    if (stopping) {
      onReadyAgain?.()
      onStopped?.(false)
      return
    }
    if (performance.now() - bornMs > HEALTHY_MS) restarts = 0
    const pauseMs = Math.min(RESTART_MOST_MS, RESTART_FIRST_MS * 2 ** restarts++)
    log(`telemetry worker ended; streams go on unobserved, new worker in ${pauseMs} ms`)
    setTimeout(() => !stopping && launch(), pauseMs).unref()
  }

  /** Before the end: a worker that still starts, or waits to be started again, has to take over first what there is to send. */
  function becomeReady(limitMs: number): Promise<void> {
    if (worker === null) launch()
    return new Promise((resolve) => {
      onReadyAgain = resolve
      setTimeout(resolve, limitMs).unref()
    })
  }

  function sendRest(limitMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const limit = setTimeout(() => resolve(false), limitMs + 1_000)
      onStopped = (all) => {
        clearTimeout(limit)
        resolve(all)
      }
      post({ kind: 'stop', limitMs })
    })
  }

  let lastBeat = 0
  let missed = 0
  const watch = setInterval(() => {
    const beat = counters.get('heartbeat')
    missed = beat === lastBeat && isReady ? missed + 1 : 0
    lastBeat = beat
    if (missed < MISSED_WATCHES) return
    missed = 0
    log('telemetry worker hangs; it is ended')
    void worker?.terminate()
  }, WATCH_MS)
  watch.unref()
  launch()

  return {
    ready,
    isObserving: () => isReady,
    finished(request) {
      if (waiting.length >= MAX_WAITING) forgetTaken()
      if (waiting.length >= MAX_WAITING) {
        counters.add('observationsDropped:queue_full')
        return
      }
      waiting.push(request)
      if (flushScheduled) return
      flushScheduled = true
      setImmediate(() => {
        forgetTaken()
        flush()
      })
    },
    reportOpen(exchanges) {
      if (!isReady || exchanges.length === 0) return
      post({ kind: 'open', exchanges: exchanges.slice(0, OPEN_GROUP) })
      if (exchanges.length > OPEN_GROUP) setImmediate(() => this.reportOpen(exchanges.slice(OPEN_GROUP)))
    },
    metricsPage() {
      if (!isReady) return Promise.resolve(null)
      const id = nextPage++
      return new Promise((resolve) => {
        const timer = setTimeout(() => {
          pages.delete(id)
          resolve(null)
        }, METRICS_WAIT_MS)
        pages.set(id, (text) => {
          clearTimeout(timer)
          resolve(text)
        })
        post({ kind: 'metrics', id })
      })
    },
    async stop(limitMs) {
      stopping = true
      clearInterval(watch)
      if (limitMs > 0 && !isReady) await becomeReady(limitMs)
      flush()
      const all = worker !== null && (await sendRest(limitMs))
      await worker?.terminate()
      forgetTaken()
      counters.add('observationsDropped:shutdown', waiting.length)
      return all && waiting.length === 0
    },
    kill() {
      void worker?.terminate()
    },
  }
}
