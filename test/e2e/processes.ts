// Starts the product's processes as a user would (`bin/longpole.mjs`), and an engine by a command of the environment; stops what it
// started, and nothing else.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const LAUNCHER = fileURLToPath(new URL('../../bin/longpole.mjs', import.meta.url))

export interface Running {
  child: ChildProcess
  stop(): Promise<void>
}

export interface Workspace {
  directory: string
  /** Stops everything in reverse order and removes the directory, unless a check failed and the logs are wanted. */
  close(keep: boolean): Promise<void>
  defer(action: () => Promise<void>): void
}

export function createWorkspace(): Workspace {
  const directory = mkdtempSync(join(tmpdir(), 'longpole-e2e-'))
  const actions: (() => Promise<void>)[] = []
  return {
    directory,
    defer: (action) => void actions.push(action),
    async close(keep) {
      for (const action of actions.reverse()) await action().catch((error: unknown) => console.error(error))
      if (keep) console.log(`logs are in ${directory}`)
      else rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** A whole program: `main` says whether all that it checked held. Ends the process with status 0 or 1; logs stay where it did not. */
export async function runProgram(main: (workspace: Workspace) => Promise<boolean>): Promise<never> {
  const workspace = createWorkspace()
  let ok = false
  try {
    ok = await main(workspace)
  } catch (error) {
    console.error(error)
  }
  await workspace.close(!ok)
  process.exit(ok ? 0 : 1)
}

/** Output goes to `<directory>/<name>.log`. */
export function startProcess(
  workspace: Workspace,
  name: string,
  command: string,
  args: string[],
  options: { env?: Record<string, string>; shell?: boolean; signal?: NodeJS.Signals } = {},
): Running {
  const log = createWriteStream(join(workspace.directory, `${name}.log`))
  const child = spawn(command, args, {
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: options.shell ?? false,
    detached: options.shell ?? false,
  })
  child.stdout.pipe(log)
  child.stderr.pipe(log)
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
    const signal = options.signal ?? 'SIGTERM'
    // A shell's command runs in a group of its own, which was started here.
    if (options.shell) process.kill(-child.pid, signal)
    else child.kill(signal)
    const timer = setTimeout(() => child.kill('SIGKILL'), 30_000)
    await once(child, 'exit')
    clearTimeout(timer)
  }
  workspace.defer(stop)
  return { child, stop }
}

export function startLongpole(workspace: Workspace, name: string, args: string[], env: Record<string, string> = {}): Running {
  return startProcess(workspace, name, process.execPath, [LAUNCHER, ...args], { env })
}

export interface Hub {
  apiUrl: string
  otlpUrl: string
}

export async function startHub(workspace: Workspace, name = 'hub', env: Record<string, string> = {}): Promise<Hub> {
  const [api, http, grpc] = await freePorts(3)
  startLongpole(workspace, name, ['hub', '--data', join(workspace.directory, `${name}-data`)], {
    LONGPOLE_LISTEN_API: `127.0.0.1:${api}`,
    LONGPOLE_LISTEN_OTLP_HTTP: `127.0.0.1:${http}`,
    LONGPOLE_LISTEN_OTLP_GRPC: `127.0.0.1:${grpc}`,
    ...env,
  })
  const hub = { apiUrl: `http://127.0.0.1:${api}`, otlpUrl: `http://127.0.0.1:${http}` }
  await waitFor(`hub ready at ${hub.apiUrl}`, 60_000, async () => (await fetch(`${hub.apiUrl}/readyz`)).ok)
  return hub
}

export interface Sidecar extends Running {
  port: number
  otlpPort: number
}

export async function startSidecar(
  workspace: Workspace,
  options: { name?: string; upstreamUrl: string; hubUrl: string; otlpPort?: number; replica: string; pool?: string },
): Promise<Sidecar> {
  const [port, spare] = (await freePorts(2)) as [number, number]
  const otlpPort = options.otlpPort ?? spare
  const args = ['sidecar', '--upstream', options.upstreamUrl, '--listen', `127.0.0.1:${port}`, '--hub', options.hubUrl]
  args.push('--replica', options.replica, '--otlp-http', `127.0.0.1:${otlpPort}`, '--admin', '127.0.0.1:0')
  if (options.pool !== undefined) args.push('--pool', options.pool)
  const running = startLongpole(workspace, options.name ?? 'sidecar', args)
  await waitFor(`sidecar on ports ${port} and ${otlpPort}`, 20_000, async () => (await isOpen(port)) && (await isOpen(otlpPort)))
  return { ...running, port, otlpPort }
}

/** Asks again every 100 ms until the answer is true; throws what it waited for when the time is over. */
export async function waitFor(what: string, limitMs: number, ask: () => Promise<boolean>): Promise<void> {
  const limit = performance.now() + limitMs
  let last: unknown
  while (performance.now() < limit) {
    try {
      if (await ask()) return
    } catch (error) {
      last = error
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`not within ${limitMs / 1000} s: ${what}${last instanceof Error ? ` (${last.message})` : ''}`)
}

/** Held all at once before they are let go: asked for one by one, the same port can come twice. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  const ports: number[] = []
  for (const server of servers) {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('a TCP server has a port')
    ports.push(address.port)
  }
  for (const server of servers) server.close()
  return ports
}

export function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
