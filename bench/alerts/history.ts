// Metric history as blocks in a real Prometheus, and rules run over it: recordings level by level, alert expressions as range queries,
// `for` and `keep_firing_for` applied here. So weeks of rule evaluation take minutes.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { windowSeconds } from '../../alerts/ladder.ts'
import type { PrometheusAlert } from '../../alerts/rule.ts'
import { type Server, startPrometheus } from '../../alerts/testing/servers.ts'
import { byDependency, debianTools, type PrometheusTools } from '../../test/metrics/prometheus.ts'

const run = promisify(execFile)

export interface Series {
  name: string
  labels: Record<string, string>
  /** Unix seconds and value, in order. */
  points: readonly (readonly [number, number])[]
}

interface RecordedRule {
  record: string
  expr: string
  labels?: Record<string, string>
}

type Condition = Pick<PrometheusAlert, 'expr' | 'for' | 'keep_firing_for'>

/** Prometheus refuses more points a series and query. */
const MAX_POINTS = 10_000

export class History implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'longpole-history-'))
  private server: Server | undefined
  private files = 0
  readonly tools: PrometheusTools
  private readonly lookback: string

  /** `lookback`: how long a sample stands for what follows; blocks have no marks where a series ends. */
  constructor(lookback = '5m', tools = debianTools()) {
    this.tools = tools
    this.lookback = lookback
    mkdirSync(join(this.folder, 'data'))
  }

  /** Writes series to one OpenMetrics file and turns it into blocks. Every series of a metric must come in one call. */
  async add(series: Iterable<Series>): Promise<number> {
    const file = join(this.folder, `history-${this.files++}.om`)
    const stream = createWriteStream(file)
    let samples = 0
    let family = ''
    for (const { name, labels, points } of series) {
      if (name !== family) {
        family = name
        stream.write(`# TYPE ${name} unknown\n`)
      }
      const head = `${name}{${Object.entries(labels)
        .map(([label, value]) => `${label}=${JSON.stringify(value)}`)
        .join(',')}}`
      let text = ''
      for (const [seconds, value] of points) {
        text += `${head} ${value} ${seconds}\n`
        samples++
      }
      if (!stream.write(text)) await once(stream, 'drain')
    }
    stream.end('# EOF\n')
    await once(stream, 'finish')
    await this.addFile(file)
    rmSync(file)
    return samples
  }

  /** Turns an OpenMetrics file into blocks. Long blocks: promtool reads the file once for each. */
  async addFile(file: string): Promise<void> {
    await this.stop()
    const args = ['tsdb', 'create-blocks-from', 'openmetrics', '--quiet', '--max-block-duration=162h', file, join(this.folder, 'data')]
    await run(this.tools.promtool, args, { maxBuffer: 1e9 })
  }

  /** A server over the history that evaluates these rules now. */
  async serve(rules: string): Promise<string> {
    await this.stop()
    return await this.url({ 'rules.yaml': rules })
  }

  private async url(rules: Record<string, string> = {}): Promise<string> {
    this.server ??= await startPrometheus(this.tools.prometheus, {
      scrape: [],
      evaluationInterval: '1h',
      rules,
      folder: this.folder,
      flags: [
        '--storage.tsdb.retention.time=10y',
        '--query.max-samples=500000000',
        '--query.timeout=20m',
        `--query.lookback-delta=${this.lookback}`,
      ],
    })
    return this.server.url
  }

  /** A range query over any length, in pieces that Prometheus accepts. */
  async range(expr: string, from: number, to: number, stepSeconds: number): Promise<Series[]> {
    const found = new Map<string, Series & { points: [number, number][] }>()
    for (let start = from; start <= to; start += MAX_POINTS * stepSeconds) {
      const end = Math.min(to, start + (MAX_POINTS - 1) * stepSeconds)
      const body = new URLSearchParams({ query: expr, start: String(start), end: String(end), step: String(stepSeconds) })
      const response = await fetch(`${await this.url()}/api/v1/query_range`, { method: 'POST', body })
      const answer = (await response.json()) as {
        status: string
        error?: string
        data?: { result: { metric: Record<string, string>; values: [number, string][] }[] }
      }
      if (answer.status !== 'success') throw new Error(`${answer.error}: ${expr}`)
      for (const { metric, values } of answer.data?.result ?? []) {
        const { __name__: name = '', ...labels } = metric
        const key = JSON.stringify(metric)
        const series = found.get(key) ?? { name, labels, points: [] }
        found.set(key, series)
        for (const [seconds, value] of values) series.points.push([seconds, Number(value)])
      }
    }
    return [...found.values()]
  }

  /** Evaluates recording rules and keeps the results as blocks; rules that read no other's result are done together. */
  async record(rules: readonly RecordedRule[], from: number, to: number, step: number): Promise<void> {
    for (const level of byDependency(rules)) {
      const results: Series[] = []
      for (const { record, expr, labels = {} } of level) {
        for (const series of await this.range(expr, from, to, step))
          results.push({ name: record, labels: { ...series.labels, ...labels }, points: series.points })
      }
      if (results.length > 0) await this.add(results)
    }
  }

  /** When an alert fires between two instants (Unix seconds), evaluated every `stepSeconds`. */
  async firings({ expr, for: duration, keep_firing_for: keep = '0s' }: Condition, from: number, to: number, stepSeconds: number) {
    return firings(await this.range(expr, from, to, stepSeconds), stepSeconds, windowSeconds(duration), windowSeconds(keep))
  }

  async stop(): Promise<void> {
    await this.server?.kill()
    this.server = undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

export interface Firing {
  labels: Record<string, string>
  from: number
  to: number
  /** The expression's value when it began to fire. */
  value: number
}

/** When an alert fires: its condition held for `for`, and it goes on for `keepFiringFor` after the condition ended. */
function firings(series: readonly Series[], stepSeconds: number, forSeconds: number, keepSeconds: number): Firing[] {
  const found: Firing[] = []
  for (const { labels, points } of series) {
    let since: number | null = null
    let last = 0
    let open: Firing | null = null
    for (const [at, value] of points) {
      if (since === null || at - last > stepSeconds) since = at
      last = at
      if (open !== null && at - open.to > keepSeconds) open = null
      if (at - since < forSeconds && open === null) continue
      if (open === null) {
        open = { labels, from: at, to: at, value }
        found.push(open)
      } else open.to = at
    }
  }
  return found.map((firing) => ({ ...firing, to: firing.to + keepSeconds }))
}

/** How often somebody would be woken: firings that overlap are one. */
export function countApart(list: readonly Firing[]): number {
  let count = 0
  let until = Number.NEGATIVE_INFINITY
  for (const { from, to } of list.toSorted((a, b) => a.from - b.from)) {
    if (from > until) count++
    until = Math.max(until, to)
  }
  return count
}
