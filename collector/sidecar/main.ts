// The sidecar as a whole: proxy on this thread, telemetry in a worker, a listener for health and metrics, and the way down.
import { randomBytes, randomUUID } from 'node:crypto'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createSystemClock } from '@longpole/model/clock'
import { createProxy, type ReverseProxy } from '../receivers/proxy/proxy.ts'
import { createAdminServer } from './admin.ts'
import { type Address, formatAddress, SettingsError, type SidecarSettings } from './settings.ts'
import { SharedCounters } from './shared-counters.ts'
import { createWorkerLink, type WorkerLink, type WorkerListeners, type WorkerRefusal } from './worker-link.ts'

export interface Sidecar {
  /** Ports that were taken. */
  ports: { proxy: number; admin: number } & WorkerListeners
  counters: SharedCounters
  proxy: ReverseProxy
  link: WorkerLink
  /** Lets streams finish (at most `drainMs`), sends the telemetry, stops. Resolves with whether nothing was cut or lost. */
  drain(): Promise<boolean>
  /** Stops now. */
  close(): Promise<void>
}

const TICK_MS = 1_000
/** Open requests are reported on every so many-th tick, */
const OPEN_EVERY_TICKS = 5
/** and at once when they become older than this. */
const OPEN_THRESHOLD_MS = 2_000
const MAX_OPEN_REPORTED = 1_000
const FLUSH_MS = 5_000
/** Telemetry gets so long when the sidecar is told twice to stop. */
const HASTY_FLUSH_MS = 1_000

/** Throws SettingsError where a port is taken. */
export async function startSidecar(settings: SidecarSettings, log: (message: string) => void): Promise<Sidecar> {
  const counters = new SharedCounters()
  const start = { settings, counters: counters.memory, instance: randomUUID() }
  let link: WorkerLink | null = null
  const proxy = createProxy({
    upstream: new URL(settings.upstream),
    clock: createSystemClock(),
    randomBytes,
    upstreamIdleMs: settings.upstreamIdleMs,
    sink: { finished: (request) => link?.finished(request) },
  })
  const proxyPort = await listening('--listen', settings.listen, (host, port) => proxy.listen(host, port))
  let draining = false
  const admin = createAdminServer({
    isReady: () => !draining,
    openCount: () => proxy.openCount,
    metricsPage: () => link?.metricsPage() ?? Promise.resolve(null),
  })
  const closeListeners = () => {
    proxy.close()
    admin.close()
    admin.closeAllConnections()
  }
  let workerPorts: WorkerListeners
  let adminPort: number
  try {
    adminPort = await listening('--admin', settings.admin, (host, port) => listen(admin, host, port))
    link = createWorkerLink({ start, counters, log })
    workerPorts = await link.ready.catch(({ flag, address, code }: WorkerRefusal) => Promise.reject(portError(flag, address, code)))
  } catch (error) {
    closeListeners()
    await link?.stop(0)
    throw error
  }
  const ticker = startTicker(proxy, counters, link)
  const finish = async (flushMs: number) => {
    clearInterval(ticker)
    const all = await (link as WorkerLink).stop(flushMs)
    closeListeners()
    return all
  }

  return {
    ports: { proxy: proxyPort, admin: adminPort, ...workerPorts },
    counters,
    proxy,
    link,
    async drain() {
      if (draining) {
        await finish(HASTY_FLUSH_MS)
        return false
      }
      draining = true
      const finished = await withLimit(proxy.drain(), settings.drainMs)
      return (await finish(FLUSH_MS)) && finished
    },
    async close() {
      await finish(0)
    },
  }
}

/** Counts what is open every second and reports it: all of it every fifth time, and what has just become old. */
function startTicker(proxy: ReverseProxy, counters: SharedCounters, link: WorkerLink): NodeJS.Timeout {
  let tick = 0
  const ticker = setInterval(() => {
    tick++
    counters.set('requestsOpen', proxy.openCount)
    const all = tick % OPEN_EVERY_TICKS === 0
    const report = []
    for (const exchange of proxy.openRequests()) {
      if (report.length >= MAX_OPEN_REPORTED) break
      const hasJustPassed = exchange.ageMs >= OPEN_THRESHOLD_MS && exchange.ageMs < OPEN_THRESHOLD_MS + TICK_MS
      if (all || hasJustPassed) report.push(exchange)
    }
    link.reportOpen(report)
  }, TICK_MS)
  return ticker
}

async function withLimit(work: Promise<void>, limitMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs)
  })
  const finished = await Promise.race([work.then(() => true), limit])
  clearTimeout(timer)
  return finished
}

async function listening(flag: string, address: Address, open: (host: string, port: number) => Promise<number>): Promise<number> {
  try {
    return await open(address.host, address.port)
  } catch (error) {
    throw portError(flag, formatAddress(address), (error as NodeJS.ErrnoException).code ?? (error as Error).message)
  }
}

function portError(flag: string, address: string, code: string): SettingsError {
  const taken = code === 'EADDRINUSE' || /EADDRINUSE|address already in use/i.test(code)
  if (taken)
    return new SettingsError(`${flag} ${address}: the port is taken. Stop what listens there, or choose another port (0 takes a free one).`)
  if (code === 'EACCES') return new SettingsError(`${flag} ${address}: not allowed to listen there. Ports below 1024 need privileges.`)
  if (code === 'EADDRNOTAVAIL') return new SettingsError(`${flag} ${address}: this machine does not have that address.`)
  return new SettingsError(`${flag} ${address}: cannot listen there (${code})`)
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve((server.address() as AddressInfo).port)
    })
  })
}
