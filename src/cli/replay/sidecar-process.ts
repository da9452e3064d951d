// A sidecar in a process of its own, as a fleet would run it, for the commands that need one beside them.
import { spawn } from 'node:child_process'
import { connect, createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { HubAddress } from './otlp-client.ts'

const LAUNCHER = fileURLToPath(new URL('../../../bin/longpole.mjs', import.meta.url))
const START_LIMIT_MS = 20_000
const DRAIN_LIMIT_MS = 15_000

export interface SidecarProcess {
  url: string
  /** Drains: resolves when its spans are at the hub and it has ended. */
  stop(): Promise<void>
}

/** Starts it on a free port in front of `upstream`. Rejects with what it printed when it ends before it listens. */
export async function startSidecar(upstream: string, hub: HubAddress): Promise<SidecarProcess> {
  const port = await freePort()
  const args = [
    'sidecar',
    '--upstream',
    upstream,
    '--listen',
    `127.0.0.1:${port}`,
    '--hub',
    hub.url,
    '--admin',
    '127.0.0.1:0',
    '--no-scrape',
  ]
  const environment = { ...process.env, ...(hub.token === undefined ? {} : { LONGPOLE_HUB_TOKEN: hub.token }) }
  const child = spawn(process.execPath, [LAUNCHER, ...args], { stdio: ['ignore', 'ignore', 'pipe'], env: environment })
  let printed = ''
  child.stderr.on('data', (data: Buffer) => {
    printed = (printed + data.toString('utf8')).slice(-2_000)
  })
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  await waitUntilOpen(port, ended, () => `longpole sidecar ended before it listened: ${printed.trim()}`)
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), DRAIN_LIMIT_MS)
      await ended
      clearTimeout(timer)
    },
  }
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('a TCP server has an address with a port')
  return address.port
}

async function waitUntilOpen(port: number, ended: Promise<number | null>, message: () => string): Promise<void> {
  const limit = performance.now() + START_LIMIT_MS
  let gone = false
  void ended.then(() => {
    gone = true
  })
  while (performance.now() < limit) {
    if (gone) throw new Error(message())
    if (await isOpen(port)) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`longpole sidecar did not listen on port ${port} within ${START_LIMIT_MS / 1000} s`)
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
