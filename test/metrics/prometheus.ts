// A real Prometheus over a written history: blocks made by promtool, then a server on loopback that answers queries about them.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { freePort } from '../../alerts/testing/servers.ts'
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

export interface HistorySettings {
  /** Scratch folder that the caller removes. */
  directory: string
  /** OpenMetrics files with time stamps, each complete in itself. */
  pages: readonly string[]
  from: number
  to: number
  /** Seconds between the scrapes of the pages: a series that is gone is gone at the next one. */
  step: number
  /** Evaluated over the whole history first, at every scrape, so that recordings are there. */
  ruleFiles?: readonly string[]
}

export interface PrometheusTools {
  prometheus: string
  promtool: string
}

/** Debian's, or throws with the name of the package. */
export function debianTools(): PrometheusTools {
  const pathOf = (tool: 'prometheus' | 'promtool') => {
    const { path, missing } = findTool(tool)
    if (path === null) throw new Error(missing)
    return path
  }
  return { prometheus: pathOf('prometheus'), promtool: pathOf('promtool') }
}

export async function startPrometheus(settings: HistorySettings, tools: PrometheusTools = debianTools()): Promise<HistoryPrometheus> {
  const { directory, pages, from, to, step, ruleFiles = [] } = settings
  const data = join(directory, 'tsdb')
  mkdirSync(data, { recursive: true })
  const promtool = (...words: string[]) => execFileSync(tools.promtool, words, { stdio: ['ignore', 'ignore', 'pipe'], maxBuffer: 1 << 26 })
  for (const page of pages) promtool('tsdb', 'create-blocks-from', 'openmetrics', '--quiet', page, data)
  const start = () => startServer(tools.prometheus, directory, ['--storage.tsdb.retention.time=20y', `--query.lookback-delta=${step}s`])
  let server = await start()
  // promtool does not see what it records itself: rules that read others wait for the blocks of those.
  for (const [level, rules] of byDependency(ruleFiles.flatMap(readRules)).entries()) {
    const file = join(directory, `rules-${level}.yaml`)
    writeFileSync(file, stringify({ groups: [{ name: 'recordings', interval: `${step}s`, rules }] }))
    promtool(
      'tsdb',
      'create-blocks-from',
      'rules',
      `--url=${server.url}`,
      `--start=${from}`,
      `--end=${to + 4 * step}`,
      `--output-dir=${data}`,
      file,
    )
    await stopServer(server.child)
    server = await start()
  }
  return { url: server.url, ...createAsker(server.url), close: () => stopServer(server.child) }
}

interface RecordingRule {
  record: string
  expr: string
  labels?: Record<string, string>
}

function readRules(file: string): RecordingRule[] {
  const { groups } = parse(readFileSync(file, 'utf8')) as { groups: { rules: RecordingRule[] }[] }
  return groups.flatMap(({ rules }) => rules)
}

/** Levels of rules, each of which reads only what earlier levels record. */
export function byDependency<Rule extends { record: string; expr: string }>(rules: readonly Rule[]): Rule[][] {
  const levels: Rule[][] = []
  let left = [...rules]
  while (left.length > 0) {
    const waiting = new Set(left.map(({ record }) => record))
    const isReady = ({ record, expr }: Rule) =>
      (expr.match(/[a-zA-Z_:][\w:]*/g) ?? []).every((word) => word === record || !waiting.has(word))
    const level = left.filter(isReady)
    if (level.length === 0) throw new Error(`recordings read each other: ${[...waiting].join(', ')}`)
    left = left.filter((rule) => !level.includes(rule))
    levels.push(level)
  }
  return levels
}

interface PrometheusServer {
  child: ChildProcess
  url: string
}

/** A server on a free port of loopback whose data lies in `directory`/tsdb. */
async function startServer(program: string, directory: string, words: readonly string[]): Promise<PrometheusServer> {
  const configuration = join(directory, 'prometheus.yml')
  writeFileSync(configuration, 'global: { scrape_interval: 15s }\n')
  const port = await freePort()
  const fixed = [`--config.file=${configuration}`, `--storage.tsdb.path=${join(directory, 'tsdb')}`, '--log.level=error']
  const child = spawn(program, [...fixed, `--web.listen-address=127.0.0.1:${port}`, ...words], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, GOMAXPROCS: '1' },
  })
  const url = `http://127.0.0.1:${port}`
  for (let attempt = 0; ; attempt++) {
    const ready = await fetch(`${url}/-/ready`).then(
      (response) => response.ok,
      () => false,
    )
    if (ready) return { child, url }
    if (attempt > 600 || child.exitCode !== null) throw new Error('prometheus did not become ready')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function stopServer(child: ChildProcess): Promise<void> {
  const exit = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await exit
}

function createAsker(url: string): Pick<HistoryPrometheus, 'query' | 'range'> {
  const ask = async (path: string, parameters: Record<string, string>): Promise<PrometheusSeries[]> => {
    const response = await fetch(`${url}/api/v1/${path}`, { method: 'POST', body: new URLSearchParams(parameters) })
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
    query: (query, at) => ask('query', { query, time: String(at) }),
    range: (query, from, to, step) => ask('query_range', { query, start: String(from), end: String(to), step: String(step) }),
  }
}
