// A hub of its own ports and directory that can be killed and started again, and what the ingest tests ask of it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Span } from '@longpole/model/span'
import { createStore } from '../../../collector/store/create-store.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { encodeTraces } from '../../../src/wire/otlp/encode.ts'
import { freePorts, type Running, startLongpole, type Workspace } from '../processes.ts'

export interface TestHub {
  apiUrl: string
  /** Starts it; milliseconds until it says that it is ready. */
  start(): Promise<number>
  pid(): number
  /** SIGKILL. */
  kill(): Promise<void>
  stop(): Promise<void>
  /** Any body to `/v1/traces`; HTTP status, 0 where the connection broke. */
  post(body: Uint8Array | string, headers: Record<string, string>): Promise<number>
  /** Spans as gzip; HTTP status as of `post`. */
  send(spans: readonly Span[]): Promise<number>
  metrics(): Promise<Page>
  /** Opens the store of the stopped hub and asks it. */
  query<Row>(sql: string): Promise<Row[]>
}

/** Sum of the series of a metric whose line holds `where`. */
export type Page = (name: string, where?: string) => number

const gzipAsync = promisify(gzip)
const READY_MS = 30_000

export async function createTestHub(workspace: Workspace): Promise<TestHub> {
  const [api, http, grpc] = (await freePorts(3)) as [number, number, number]
  const data = join(workspace.directory, 'hub-data')
  const apiUrl = `http://127.0.0.1:${api}`
  let running: Running | null = null
  let starts = 0

  async function post(body: Uint8Array | string, headers: Record<string, string>): Promise<number> {
    try {
      const response = await fetch(`http://127.0.0.1:${http}/v1/traces`, { method: 'POST', headers, body: body as string })
      await response.arrayBuffer()
      return response.status
    } catch {
      return 0
    }
  }

  async function end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = running?.child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill(signal)
    await ended
  }

  return {
    apiUrl,
    async start() {
      const startMs = performance.now()
      running = startLongpole(workspace, `hub-${starts++}`, ['hub', '--data', data], {
        LONGPOLE_LISTEN_API: `127.0.0.1:${api}`,
        LONGPOLE_LISTEN_OTLP_HTTP: `127.0.0.1:${http}`,
        LONGPOLE_LISTEN_OTLP_GRPC: `127.0.0.1:${grpc}`,
      })
      while (performance.now() - startMs < READY_MS) {
        const isReady = await fetch(`${apiUrl}/readyz`).then(
          (response) => response.ok,
          () => false,
        )
        if (isReady) return performance.now() - startMs
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      throw new Error(`the hub is not ready within ${READY_MS / 1e3} s`)
    },
    pid: () => running?.child.pid ?? 0,
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    post,
    async send(spans) {
      const body = await gzipAsync(encodeTraces(spans), { level: 1 })
      return post(body, { 'content-type': 'application/x-protobuf', 'content-encoding': 'gzip' })
    },
    async metrics() {
      const lines = (await (await fetch(`${apiUrl}/metrics`)).text()).split('\n')
      return (name, where = '') =>
        lines
          .filter((line) => (line.startsWith(`${name}{`) || line.startsWith(`${name} `)) && line.includes(where))
          .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
    },
    async query<Row>(sql: string) {
      const store = await createStore({ ...loadConfig({ environment: {} }).store, data })
      try {
        return await store.query<Row>(sql)
      } finally {
        await store.close()
      }
    },
  }
}

/** Resident memory of a process, in megabytes. */
export function residentMegabytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
}
