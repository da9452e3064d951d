// A real Prometheus over a written history: blocks made by promtool, then a server on loopback that answers queries about them.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { findTool } from '../tools.ts'

export interface PrometheusSeries {
  metric: Record<string, string>
  value?: [number, string]
  values?: [number, string][]
}

export interface HistoryPrometheus {
  url: string
  /** Instant query. Throws with Prometheus' own words. */
  query(expr: string, at: number): Promise<PrometheusSeries[]>
  range(expr: string, from: number, to: number, step: number): Promise<PrometheusSeries[]>
  close(): Promise<void>
}

function toolPath(tool: 'prometheus' | 'promtool'): string {
  const { path, missing } = findTool(tool)
  if (path === null) throw new Error(missing)
  return path
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** `ruleFiles` are evaluated over the whole history first, so that recordings are there. */
export async function startPrometheus(
  directory: string,
  openMetrics: string,
  history: { from: number; to: number },
  ruleFiles: readonly string[] = [],
): Promise<HistoryPrometheus> {
  const data = join(directory, 'tsdb')
  mkdirSync(data, { recursive: true })
  const promtool = toolPath('promtool')
  execFileSync(promtool, ['tsdb', 'create-blocks-from', 'openmetrics', '--quiet', openMetrics, data], {
    stdio: ['ignore', 'ignore', 'pipe'],
    maxBuffer: 1 << 26,
  })
  const configuration = join(directory, 'prometheus.yml')
  writeFileSync(configuration, 'global: { scrape_interval: 15s }\n')
  const start = async (): Promise<{ child: ChildProcess; url: string }> => {
    const port = await freePort()
    const child = spawn(
      toolPath('prometheus'),
      [
        `--config.file=${configuration}`,
        `--storage.tsdb.path=${data}`,
        '--storage.tsdb.retention.time=20y',
        `--web.listen-address=127.0.0.1:${port}`,
        '--log.level=error',
        '--query.lookback-delta=1m',
      ],
      { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, GOMAXPROCS: '1' } },
    )
    const url = `http://127.0.0.1:${port}`
    for (let attempt = 0; ; attempt++) {
      const ready = await fetch(`${url}/-/ready`).then(
        (response) => response.ok,
        () => false,
      )
      if (ready) return { child, url }
      if (attempt > 300 || child.exitCode !== null) throw new Error('prometheus did not become ready')
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  const stop = (child: ChildProcess): Promise<unknown> => {
    const exit = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    return exit
  }
  let server = await start()
  if (ruleFiles.length > 0) {
    const [from, to] = [String(history.from), String(history.to)]
    execFileSync(
      promtool,
      [
        'tsdb',
        'create-blocks-from',
        'rules',
        `--url=${server.url}`,
        `--start=${from}`,
        `--end=${to}`,
        '--eval-interval=15s',
        `--output-dir=${data}`,
        ...ruleFiles,
      ],
      { stdio: ['ignore', 'ignore', 'pipe'], maxBuffer: 1 << 26 },
    )
    await stop(server.child)
    server = await start()
  }
  const ask = async (path: string, parameters: Record<string, string>): Promise<PrometheusSeries[]> => {
    const response = await fetch(`${server.url}/api/v1/${path}`, { method: 'POST', body: new URLSearchParams(parameters) })
    const body = (await response.json()) as {
      status: string
      error?: string
      data?: { resultType: string; result: PrometheusSeries[] | [number, string] }
    }
    if (body.status !== 'success' || body.data === undefined) throw new Error(`${body.error}: ${parameters.query}`)
    if (body.data.resultType === 'scalar') return [{ metric: {}, value: body.data.result as [number, string] }]
    return body.data.result as PrometheusSeries[]
  }
  return {
    url: server.url,
    query: (query, at) => ask('query', { query, time: String(at) }),
    range: (query, from, to, step) => ask('query_range', { query, start: String(from), end: String(to), step: String(step) }),
    close: async () => void (await stop(server.child)),
  }
}
