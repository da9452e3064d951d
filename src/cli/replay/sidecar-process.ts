// A sidecar in a process of its own, as a fleet would run it, for the commands that need one beside them.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
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
  const addresses = ['--upstream', upstream, '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--hub', hub.url]
  const environment = { ...process.env, ...(hub.token === undefined ? {} : { LONGPOLE_HUB_TOKEN: hub.token }) }
  const child = spawn(process.execPath, [LAUNCHER, 'sidecar', ...addresses, '--no-scrape', '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment,
  })
  let printed = ''
  child.stderr.on('data', (data: Buffer) => {
    printed = (printed + data.toString('utf8')).slice(-2_000)
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const port = await portOf(child.stdout, ended)
  if (port === null) {
    child.kill('SIGKILL')
    throw new Error(`longpole sidecar did not say where it listens: ${printed.trim() || 'it printed nothing'}`)
  }
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

/** From the one line of JSON that it prints once everything is up: its port may be open before its worker takes what passes there. */
async function portOf(stdout: Readable, ended: Promise<void>): Promise<number | null> {
  const line = new Promise<string>((resolve) => createInterface({ input: stdout }).once('line', resolve))
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), START_LIMIT_MS)
  })
  const first = await Promise.race([line, ended.then(() => null), limit])
  clearTimeout(timer)
  return first === null ? null : (JSON.parse(first) as { proxy: number }).proxy
}
