// The dead-man's switch: Alertmanager sends the Watchdog alert here every minute, and its absence is the alarm. It runs outside of what
// it guards, so that a dead Prometheus, Alertmanager or network is noticed by something else.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Annotation of the watchdog: when Prometheus last evaluated it, Unix seconds. */
export const WATCHDOG_STAMP = 'evaluated'

export interface DeadmanOptions {
  host: string
  port: number
  /** Silence after which the alarm is raised. Counted from the start too: a watchdog that never came is missed as well. */
  withinSeconds: number
  /** Gets a POST when the alarm is raised and when it is over; null: only logged. */
  notifyUrl: string | null
  log(line: string): void
}

export interface Deadman {
  url: string
  close(): Promise<void>
}

/** A notification that cannot be delivered is tried again so often, as long as the alarm lasts. */
const RETRY_MS = 15_000
const NOTIFY_TIMEOUT_MS = 10_000
const MAX_BODY_BYTES = 1_048_576

export async function startDeadman({ host, port, withinSeconds, notifyUrl, log }: DeadmanOptions): Promise<Deadman> {
  let isMissed = false
  let lastStamp = ''
  let lastHeardMs = performance.now()
  let told: 'firing' | 'resolved' = 'resolved'
  let retry: NodeJS.Timeout | undefined

  async function tell(): Promise<void> {
    clearTimeout(retry)
    const status = isMissed ? 'firing' : 'resolved'
    if (status === told) return
    const silentSeconds = Math.round((performance.now() - lastHeardMs) / 1_000)
    log(status === 'firing' ? `no watchdog for ${silentSeconds} s: alerting is broken` : 'the watchdog is heard again')
    const isTold = notifyUrl === null || (await post(notifyUrl, { status, silent_seconds: silentSeconds }, log))
    if (isTold) told = status
    else retry = setTimeout(tell, RETRY_MS)
  }

  function miss(): void {
    isMissed = true
    void tell()
  }

  let timer = setTimeout(miss, withinSeconds * 1_000)
  const server = createServer((request, response) => {
    let bytes = 0
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (text: string) => {
      bytes += text.length
      if (bytes > MAX_BODY_BYTES) request.destroy()
      else body += text
    })
    request.on('end', () => {
      const stamp = request.method === 'POST' ? readWatchdog(body) : null
      const isHeard = stamp !== null
      // The same stamp again: Alertmanager lives and Prometheus does not.
      if (isHeard && (stamp === '' || stamp !== lastStamp)) {
        lastStamp = stamp
        lastHeardMs = performance.now()
        clearTimeout(timer)
        timer = setTimeout(miss, withinSeconds * 1_000)
        isMissed = false
        void tell()
      }
      response
        .writeHead(isHeard ? 200 : 400, { 'content-type': 'text/plain' })
        .end(isHeard ? 'heard\n' : 'expected a firing Watchdog alert from Alertmanager\n')
    })
    request.on('error', () => response.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}/watchdog`,
    close: async () => {
      clearTimeout(timer)
      clearTimeout(retry)
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** The stamp of a firing watchdog, empty where it has none; null where the body is something else. */
function readWatchdog(body: string): string | null {
  try {
    const { alerts } = JSON.parse(body) as {
      alerts: { status?: string; labels: Record<string, string>; annotations?: Record<string, string> }[]
    }
    const watchdog = alerts.find(({ labels, status = 'firing' }) => labels.alertname === 'Watchdog' && status === 'firing')
    return watchdog === undefined ? null : (watchdog.annotations?.[WATCHDOG_STAMP] ?? '')
  } catch {
    return null
  }
}

async function post(
  url: string,
  { status, silent_seconds }: { status: string; silent_seconds: number },
  log: (line: string) => void,
): Promise<boolean> {
  const body = {
    status,
    alertname: 'LLMWatchdogMissing',
    severity: 'critical',
    summary: 'No watchdog from Alertmanager: Prometheus, Alertmanager or the way between them is broken.',
    silent_seconds,
  }
  try {
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(url, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(NOTIFY_TIMEOUT_MS),
    })
    if (response.ok) return true
    log(`${url} answered ${response.status}; trying again`)
  } catch (error) {
    log(`${url} cannot be reached (${(error as Error).message}); trying again`)
  }
  return false
}
