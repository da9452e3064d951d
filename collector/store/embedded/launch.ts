// Starts the store process, waits until it answers, starts it again when it dies, and ends it with the hub.
import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { StoreConfigError } from '../store.ts'

export interface LaunchSettings {
  data: string
  memoryBytes: number
  /** Told about every restart: the reason the process gave. */
  onRestart?: (reason: string) => void
}

export interface EmbeddedStore {
  /** Unix socket it listens on; the same after a restart. */
  readonly socket: string
  readonly data: string
  /** Process id now; null while it is being started again. */
  pid(): number | null
  /** Resolves when it answers: at once, or after a restart. Rejects when it is closed. */
  ready(): Promise<void>
  close(): Promise<void>
}

class DirectoryInUse extends StoreConfigError {}

const LOCK_TRIES = 4
const LOCK_WAIT_MS = 250
const FORMER_GONE_MS = 1_000
const FORMER_LOOK_MS = 10
const START_TIMEOUT_MS = 30_000
const CLOSE_TIMEOUT_MS = 5_000
/** Waits between restarts: none at first, longer while it keeps dying young. */
const RESTART_DELAYS_MS = [0, 100, 500, 2_000, 5_000] as const
const YOUNG_MS = 10_000
const STDERR_KEPT = 8_192

/** Rejects with a clear error where the process cannot start: a data directory in use, not writable, no chDB for this platform. */
export async function launchEmbedded({ data, memoryBytes, onRestart = () => {} }: LaunchSettings): Promise<EmbeddedStore> {
  const directory = resolve(data)
  // The path of a unix socket has at most 107 bytes, so it does not go into the data directory.
  const socketDirectory = mkdtempSync(join(tmpdir(), 'longpole-'))
  const socket = join(socketDirectory, 'store')
  let child: ChildProcess | null = null
  let isClosing = false
  let failures = 0
  let starting: Promise<void> = start()

  async function start(): Promise<void> {
    rmSync(socket, { force: true })
    await formerGone(directory)
    const startedMs = performance.now()
    const process = spawnProcess(directory, socket, memoryBytes)
    try {
      await process.ready
    } catch (error) {
      process.child.kill('SIGKILL')
      throw explain(directory, (error as Error).message)
    }
    child = process.child
    process.child.once('exit', (code, signal) => {
      child = null
      if (isClosing) return
      failures = performance.now() - startedMs < YOUNG_MS ? failures + 1 : 0
      onRestart(`${signal ?? `exit status ${code}`}${lastLine(process.stderr())}`)
      starting = restart()
      starting.catch(() => {})
    })
  }

  async function restart(): Promise<void> {
    for (;;) {
      const delay = RESTART_DELAYS_MS[Math.min(failures, RESTART_DELAYS_MS.length - 1)] ?? 0
      if (delay > 0) await new Promise((resume) => setTimeout(resume, delay).unref())
      if (isClosing) throw new Error('the store is closed')
      try {
        return await start()
      } catch (error) {
        failures++
        onRestart((error as Error).message)
      }
    }
  }

  try {
    await whileInUse(starting, () => {
      starting = start()
      return starting
    })
  } catch (error) {
    rmSync(socketDirectory, { recursive: true, force: true })
    throw error
  }

  return {
    socket,
    data: directory,
    pid: () => child?.pid ?? null,
    ready: () => starting,
    async close() {
      isClosing = true
      // A process that is being started again would otherwise be left behind.
      await starting.catch(() => {})
      if (child !== null) await endProcess(child)
      rmSync(socketDirectory, { recursive: true, force: true })
    },
  }
}

/** The process of a hub that was killed a moment ago ends by itself: waiting for that is quicker than a start in vain. */
async function formerGone(data: string): Promise<void> {
  const pid = lockedBy(data)
  for (const limitMs = performance.now() + FORMER_GONE_MS; pid !== null && isAlive(pid) && performance.now() < limitMs; ) {
    await new Promise((resume) => setTimeout(resume, FORMER_LOOK_MS))
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** It may still hold the lock all the same. */
async function whileInUse(first: Promise<void>, again: () => Promise<void>): Promise<void> {
  let attempt = first
  for (let tries = 1; ; tries++) {
    try {
      return await attempt
    } catch (error) {
      if (!(error instanceof DirectoryInUse) || tries === LOCK_TRIES) throw error
      await new Promise((resume) => setTimeout(resume, LOCK_WAIT_MS))
      attempt = again()
    }
  }
}

function spawnProcess(data: string, socket: string, memoryBytes: number) {
  const child = fork(fileURLToPath(new URL('./process.ts', import.meta.url)), [data, socket, String(memoryBytes)], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    // The launcher's own flags (a debugger's port, a test runner's loader) are not for the child.
    execArgv: [],
    // Each running statement holds a thread: three readers, one writer, one for commands, the rest for files.
    env: { ...process.env, UV_THREADPOOL_SIZE: '8', NODE_OPTIONS: '' },
  })
  let kept = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    kept = (kept + text).slice(-STDERR_KEPT)
  })
  const ready = new Promise<void>((done, failed) => {
    const timer = setTimeout(() => failed(new Error(`no answer within ${START_TIMEOUT_MS / 1_000} s`)), START_TIMEOUT_MS)
    const settle = (finish: () => void) => {
      clearTimeout(timer)
      finish()
    }
    child.once('message', () => settle(done))
    child.once('error', (error) => settle(() => failed(error)))
    child.once('exit', (code, signal) => settle(() => failed(new Error(`${signal ?? `exit status ${code}`}\n${kept}`))))
  })
  return { child, ready, stderr: () => kept }
}

/** It ends on disconnect; one that does not (a long query) is killed: nothing acknowledged is lost by that. */
function endProcess(child: ChildProcess): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), CLOSE_TIMEOUT_MS)
    child.once('exit', () => {
      clearTimeout(timer)
      done()
    })
    if (child.connected) child.disconnect()
    else child.kill('SIGKILL')
  })
}

/** chDB tells JavaScript only that it cannot connect; the reason stands on stderr. */
function explain(data: string, message: string): Error {
  if (/Cannot lock file|CANNOT_OPEN_FILE|another server instance/i.test(message)) {
    return new StoreConfigError(
      `data directory ${data} is in use by ${ownerOf(data)}: stop it, or give this one another directory (store.data)`,
    )
  }
  if (/EACCES|Permission denied|EROFS|Read-only file system/i.test(message)) {
    return new StoreConfigError(`data directory ${data} (store.data) cannot be written`)
  }
  if (/ENOSPC|No space left on device/i.test(message)) return new Error(`no space left for the store in ${data} (store.data)`)
  if (/Cannot find module '?@chdb|chdb.*(not|un)supported|Failed to load/i.test(message)) {
    const platform = `${process.platform}-${process.arch}`
    return new StoreConfigError(`the embedded store has no build for ${platform}: set store.url to a ClickHouse server${lastLine(message)}`)
  }
  return new Error(`the embedded store in ${data} did not start${lastLine(message)}`)
}

function ownerOf(data: string): string {
  const pid = lockedBy(data)
  return pid === null ? 'another process' : `process ${pid}`
}

/** The engine writes its process id into the file that it locks. */
function lockedBy(data: string): number | null {
  try {
    const pid = /^PID: (\d+)/m.exec(readFileSync(join(data, 'chdb', 'status'), 'utf8'))?.[1]
    return pid === undefined ? null : Number(pid)
  } catch {
    return null
  }
}

function lastLine(text: string): string {
  const lines = text.split('\n').filter((line) => /Exception|Error|error/.test(line))
  const line = lines[0]?.trim()
  return line === undefined || line === '' ? '' : `: ${line.slice(0, 300)}`
}
