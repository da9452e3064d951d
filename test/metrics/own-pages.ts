// What Longpole's processes say of themselves: a real hub under the demo's live fleet (with real sidecars and a client that uses the SDK)
// and one more sidecar before a small engine, their pages read while they work, each stamped as a later scrape.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { METRICS, SIDECAR_METRICS } from '@longpole/model/conventions/metrics'
import { HUB_METRICS } from '@longpole/model/conventions/metrics/hub'
import { startHub } from '../../collector/hub/main.ts'
import { startSidecar } from '../../collector/sidecar/main.ts'
import { startTestEngine, testSettings } from '../../collector/sidecar/test-hub.ts'
import { startFleet } from '../../src/cli/demo/fleet-link.ts'
import { loadConfig } from '../../src/config/load.ts'

/** Families that only a process itself can tell; requests, engines and findings come from the simulated history. */
const OWN = new Set<string>(
  [...Object.values(HUB_METRICS), ...Object.values(SIDECAR_METRICS), METRICS.connectSeconds].map(({ name }) => name as string),
)
OWN.delete(METRICS.localizerLastSuccess.name)

export interface OwnPages {
  /** Number of scrapes, one a second of real time. */
  scrapes: number
  /** Unix seconds of the last scrape, and the step between two. */
  to: number
  step: number
}

/** OpenMetrics lines with time stamps. */
export async function readOwnPages({ scrapes, to, step }: OwnPages): Promise<string[]> {
  const data = mkdtempSync(join(tmpdir(), 'longpole-own-'))
  const anywhere = '127.0.0.1:0'
  const config = loadConfig({
    environment: {},
    overrides: { store: { data }, listen: { api: anywhere, otlpHttp: anywhere, otlpGrpc: anywhere }, tenants: { key: '0'.repeat(64) } },
  })
  const hub = await startHub({ config, version: 'evaluation' })
  const otlp = `http://127.0.0.1:${hub.ports.otlpHttp}`
  const api = `http://127.0.0.1:${hub.ports.api}`
  const ready = Promise.withResolvers<void>()
  const settings = { seed: 3, rate: 20, historySeconds: 60, speed: 1, api, otlp, tenantKey: '0'.repeat(64), liveFromMs: Date.now() }
  const ignore = () => {}
  const fleet = startFleet(settings, {
    onLive: ignore,
    onSockets: () => ready.resolve(),
    onInjected: ignore,
    onHealed: ignore,
    onRefused: ignore,
    onTrouble: ignore,
    onLost: (code) => ready.reject(new Error(`the fleet's process ended (${code})`)),
  })
  const engine = await startTestEngine((request, response) => {
    request.resume()
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: {"choices":[{"delta":{"content":"a"}}]}\n\n')
    response.end('data: [DONE]\n\n')
  })
  const sidecar = await startSidecar(testSettings(engine.url, `${otlp}/`), ignore)
  const body = JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'hello' }] })
  const call = () =>
    fetch(`http://127.0.0.1:${sidecar.ports.proxy}/v1/chat/completions`, { method: 'POST', body }).then((answer) => answer.text())
  const lines: string[] = []
  try {
    await ready.promise
    for (let scrape = 0; scrape < scrapes; scrape++) {
      await Promise.all([call(), call(), call(), new Promise((resolve) => setTimeout(resolve, 1_000))])
      const at = to - (scrapes - 1 - scrape) * step
      for (const page of [`${api}/metrics`, `http://127.0.0.1:${sidecar.ports.admin}/metrics`]) {
        const text = await fetch(page).then((answer) => answer.text())
        for (const line of text.split('\n')) {
          const name = /^\w+/.exec(line)?.[0]?.replace(/_(?:bucket|sum|count)$/, '')
          if (name !== undefined && OWN.has(name)) lines.push(`${line} ${at}`)
        }
      }
    }
  } finally {
    await fleet.stop()
    await sidecar.close()
    await engine.close()
    await hub.close()
    rmSync(data, { recursive: true, force: true })
  }
  return lines
}
