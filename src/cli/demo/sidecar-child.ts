// A real `longpole sidecar` beside a simulated engine, as a process of its own.
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { EngineSpec } from '../../simulator/fleet/fleet.ts'

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url))
const START_MS = 30_000

export interface SidecarChild {
  /** Where clients connect. */
  proxy: string
  /** Where the engine sends its spans; null where the sidecar takes none. */
  otlp: string | null
  stop(): void
}

/** Rejects when it does not come up. */
export async function startSidecarChild(spec: EngineSpec, upstream: string, hub: string): Promise<SidecarChild> {
  const { placement } = spec
  const anywhere = '127.0.0.1:0'
  const child = spawn(
    process.execPath,
    [
      ...[MAIN, 'sidecar', '--json', '--upstream', upstream, '--listen', anywhere, '--admin', anywhere, '--otlp-http', anywhere],
      ...['--hub', hub, '--replica', spec.name, '--model', spec.model, '--pool', spec.role, '--node', placement.node],
      ...['--cluster', placement.cluster, '--region', placement.region, '--zone', placement.zone, '--drain', '1'],
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  )
  const ports = await firstLine(child)
  return {
    proxy: `http://127.0.0.1:${ports.proxy}`,
    otlp: ports.otlpHttpPort === null ? null : `http://127.0.0.1:${ports.otlpHttpPort}`,
    stop: () => child.kill('SIGTERM'),
  }
}

function firstLine(child: ChildProcess): Promise<{ proxy: number; otlpHttpPort: number | null }> {
  return new Promise((resolve, reject) => {
    let text = ''
    const timer = setTimeout(() => reject(new Error('a sidecar did not start in time')), START_MS)
    child.stdout?.on('data', (part: Buffer) => {
      text += part.toString()
      const end = text.indexOf('\n')
      if (end < 0) return
      clearTimeout(timer)
      resolve(JSON.parse(text.slice(0, end)))
    })
    child.once('exit', (code) => {
      clearTimeout(timer)
      reject(new Error(`a sidecar ended at its start (${code ?? 'by a signal'})`))
    })
  })
}
