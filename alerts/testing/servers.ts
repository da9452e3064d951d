// Real Prometheus and Alertmanager for tests: on loopback, on free ports, in a folder that is removed with them.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'

export interface Server extends AsyncDisposable {
  url: string
  folder: string
  log(): string
  kill(): Promise<void>
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

interface StartOptions {
  command: string
  files: Record<string, string>
  args(folder: string, port: number): string[]
  readyPath: string
  folder?: string
}

async function start({ command, files, args, readyPath, ...options }: StartOptions): Promise<Server> {
  const isOwnFolder = options.folder === undefined
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'longpole-server-'))
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
  const port = await freePort()
  const child = spawn(command, args(folder, port), { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, GOMAXPROCS: '2' } })
  let log = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => {
      log = (log + text).slice(-200_000)
    })
  }
  const url = `http://127.0.0.1:${port}`
  const stop = () => stopChild(child)
  try {
    await ready(url + readyPath, child, () => log)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    url,
    folder,
    log: () => log,
    kill: stop,
    [Symbol.asyncDispose]: async () => {
      await stop()
      if (isOwnFolder) rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function ready(url: string, child: ChildProcess, log: () => string): Promise<void> {
  const deadline = performance.now() + 30_000
  while (performance.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`${child.spawnfile} ended with ${child.exitCode}: ${log().slice(-2000)}`)
    const isReady = await fetch(url).then(
      (response) => response.ok,
      () => false,
    )
    if (isReady) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`${url} did not become ready: ${log().slice(-2000)}`)
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await ended
}

export function startAlertmanager(command: string, config: Record<string, unknown>, template: string): Promise<Server> {
  return start({
    command,
    files: { 'alertmanager.yaml': stringify(config), 'longpole.tmpl': template },
    args: (folder, port) => [
      `--config.file=${join(folder, 'alertmanager.yaml')}`,
      `--storage.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ],
    readyPath: '/-/ready',
  })
}

export interface PrometheusOptions {
  scrape: { target: string; interval: string }[]
  evaluationInterval: string
  rules: Record<string, string>
  alertmanager?: string
  /** An existing data folder, for history made by promtool. */
  folder?: string
  flags?: readonly string[]
}

export function startPrometheus(command: string, options: PrometheusOptions): Promise<Server> {
  const config = {
    global: { evaluation_interval: options.evaluationInterval },
    rule_files: Object.keys(options.rules),
    ...(options.alertmanager === undefined
      ? {}
      : { alerting: { alertmanagers: [{ static_configs: [{ targets: [options.alertmanager.replace('http://', '')] }] }] } }),
    scrape_configs: options.scrape.map(({ target, interval }, index) => ({
      job_name: `target${index}`,
      scrape_interval: interval,
      scrape_timeout: interval,
      static_configs: [{ targets: [target] }],
    })),
  }
  return start({
    command,
    files: { 'prometheus.yaml': stringify(config), ...options.rules },
    args: (folder, port) => [
      `--config.file=${join(folder, 'prometheus.yaml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--rules.alert.resend-delay=1s',
      ...(options.flags ?? []),
    ],
    readyPath: '/-/ready',
    ...(options.folder === undefined ? {} : { folder: options.folder }),
  })
}
