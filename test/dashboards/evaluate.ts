// `npm run dashboards:evaluate`: every query of every panel of every board against a real Prometheus with a simulated history. Prints the
// panels that are empty, the slowest queries, and how the means compare with the records; exits 1 when a panel is empty that must not be.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { dataPanels, type LintBoard } from '../../dashboards/lint/rules.ts'
import { loadConfig } from '../../src/config/load.ts'
import { resolveObjectives } from '../../src/config/objectives.ts'
import { readRecords, readSamples } from '../metrics/data-set.ts'
import { writeHistory } from '../metrics/history.ts'
import { type HistoryPrometheus, startPrometheus } from '../metrics/prometheus.ts'

const ROOT = new URL('../../', import.meta.url).pathname
const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '70' },
    seed: { type: 'string', default: '11' },
    rate: { type: 'string', default: '10' },
    fault: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
})

/** Replaces Grafana's variables by what it would send. */
export function resolveQuery(expr: string): string {
  return expr
    .replaceAll('$__rate_interval', '1m')
    .replaceAll('$__range', '30m')
    .replace(/\$\{?(cluster|region|model|pool|replica|tenant_class|prompt_class)\}?/g, '.*')
}

interface Outcome {
  board: string
  panel: string
  series: number
  milliseconds: number
  error?: string
}

async function evaluate(prometheus: HistoryPrometheus, to: number): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  const folder = join(ROOT, 'dashboards/generated')
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.json'))) {
    const board = JSON.parse(readFileSync(join(folder, name), 'utf8')) as LintBoard
    for (const panel of dataPanels(board)) {
      let series = 0
      let milliseconds = 0
      let error: string | undefined
      for (const target of panel.targets ?? []) {
        const began = performance.now()
        try {
          const result = await prometheus.range(resolveQuery(target.expr ?? ''), to - 900, to - 60, 30)
          series += result.filter((line) => line.values?.some(([, value]) => value !== 'NaN')).length
        } catch (failure) {
          error = (failure as Error).message
        }
        milliseconds += performance.now() - began
      }
      outcomes.push({
        board: name.replace('.json', ''),
        panel: panel.title ?? '',
        series,
        milliseconds,
        ...(error === undefined ? {} : { error }),
      })
    }
  }
  return outcomes
}

const directory = mkdtempSync(join(tmpdir(), 'longpole-boards-'))
const simulate = [
  'bin/longpole.mjs',
  'simulate',
  '--out',
  directory,
  '--seed',
  options.seed,
  '--minutes',
  options.minutes,
  '--rate',
  options.rate,
  '--no-counterfactual',
]
if (options.fault !== undefined) simulate.push('--fault', options.fault)
execFileSync(process.execPath, simulate, { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] })
const objectives = resolveObjectives(loadConfig({ environment: {} }))
const records = await readRecords(directory)
const history = await writeHistory(join(directory, 'history.om'), { records, samples: await readSamples(directory), objectives })
console.log(`${records.length} requests, ${history.pages} scrapes of the hub's metrics from ${new Date(history.from * 1e3).toISOString()}`)
const prometheus = await startPrometheus(directory, join(directory, 'history.om'), history, [
  join(ROOT, 'alerts/generated/recordings.yaml'),
])
const outcomes = await evaluate(prometheus, history.to)
const failed = outcomes.filter((outcome) => outcome.error !== undefined)
const empty = outcomes.filter((outcome) => outcome.error === undefined && outcome.series === 0)
for (const { board, panel, error } of failed) console.log(`error  ${board} / ${panel}: ${error}`)
for (const { board, panel } of empty) console.log(`empty  ${board} / ${panel}`)
for (const { board, panel, milliseconds } of [...outcomes].sort((a, b) => b.milliseconds - a.milliseconds).slice(0, 5)) {
  console.log(`slow   ${board} / ${panel}: ${milliseconds.toFixed(0)} ms`)
}
console.log(
  `${outcomes.length} panels: ${outcomes.length - empty.length - failed.length} with data, ${empty.length} empty, ${failed.length} failed`,
)
if (options.keep) {
  console.log(`Prometheus keeps running at ${prometheus.url}, data in ${directory}`)
} else {
  await prometheus.close()
  rmSync(directory, { recursive: true, force: true })
}
process.exitCode = failed.length > 0 ? 1 : 0
