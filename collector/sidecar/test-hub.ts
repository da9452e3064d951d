// Peers for the sidecar's tests: a hub that keeps what it is sent and can be told to be ill, and an engine that answers as it is told.
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import type { Span } from '@longpole/model/span'
import { decodeTraces } from '../../src/wire/otlp/decode.ts'
import { decodeLogs } from '../../src/wire/otlp/decode-logs.ts'
import { decodeMetrics } from '../../src/wire/otlp/decode-metrics.ts'
import type { LogRecord, Metric } from '../../src/wire/otlp/signals.ts'
import type { SidecarSettings } from './settings.ts'

export interface TestHub {
  url: string
  /** Bodies as they came, by path. */
  bodies: { path: string; headers: IncomingMessage['headers']; raw: Buffer; plain: Buffer }[]
  /** Answer to the next bodies; 200 when unset. */
  status: number
  spans(): Span[]
  logs(): LogRecord[]
  metrics(): Metric[]
  close(): Promise<void>
}

export async function startTestHub(port = 0): Promise<TestHub> {
  const bodies: TestHub['bodies'] = []
  const of = (path: string) => bodies.filter((body) => body.path === path && body.headers['content-type'] === 'application/x-protobuf')
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const raw = Buffer.concat(parts)
    response.statusCode = hub.status
    response.end()
    if (hub.status !== 200) return
    bodies.push({
      path: request.url ?? '',
      headers: request.headers,
      raw,
      plain: request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw,
    })
  })
  const hub: TestHub = {
    url: `http://127.0.0.1:${await listen(server, port)}/`,
    bodies,
    status: 200,
    spans: () => of('/v1/traces').flatMap(({ plain }) => decodeTraces(plain).spans),
    logs: () => of('/v1/logs').flatMap(({ plain }) => decodeLogs(plain).records),
    metrics: () => of('/v1/metrics').flatMap(({ plain }) => decodeMetrics(plain).metrics),
    close: () => close(server),
  }
  return hub
}

export async function startTestEngine(listener: RequestListener): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer(listener)
  const port = await listen(server, 0)
  return { url: `http://127.0.0.1:${port}`, close: () => close(server) }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)))
}

function close(server: Server): Promise<void> {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(() => resolve()))
}

export function testSettings(upstream: string, hub: string, overrides: Partial<SidecarSettings> = {}): SidecarSettings {
  const anyPort = { host: '127.0.0.1', port: 0 }
  return {
    version: '1.2.3',
    upstream,
    listen: anyPort,
    admin: anyPort,
    hub,
    hubToken: null,
    otlpHttp: null,
    otlpGrpc: null,
    identity: { replica: 'decode-3', cluster: 'eu-1', region: 'eu', zone: 'eu-a', node: 'host-7', pool: 'decode', model: null },
    scrapeUrl: null,
    scrapeIntervalMs: 5_000,
    upstreamIdleMs: 4_000,
    drainMs: 10_000,
    ...overrides,
  }
}
