// `npm run dashboards:evaluate`: every query of every panel of every board against a real Prometheus, which is fed by a simulated fleet
// through the hub's own registry, and by what a real hub and a real sidecar say of themselves. Prints what is empty, what is wrong against
// the records, and what is slow; exits 1 when a query fails, a number is wrong, or a panel is empty without an argued reason.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { DashboardName } from '@longpole/model/conventions/links'
import { dataPanels, type LintBoard } from '../../dashboards/lint/rules.ts'
import { loadConfig } from '../../src/config/load.ts'
import { resolveObjectives } from '../../src/config/objectives.ts'
import { localizeContinuously } from '../metrics/continuous-localizer.ts'
import { copyEarlier, writeHistory } from '../metrics/history.ts'
import { readOwnPages } from '../metrics/own-pages.ts'
import { debianTools, type HistoryPrometheus, startPrometheus } from '../metrics/prometheus.ts'
import { FLEET_START, simulateFleet } from '../metrics/simulated-fleet.ts'
import { compare } from './oracle/compare.ts'
import { type FleetView, momentOf, type Row } from './oracle/truth.ts'
import { resolveQuery } from './resolve-query.ts'
import { TRUTHS } from './truths/index.ts'

const ROOT = new URL('../../', import.meta.url).pathname
const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '50' },
    healthy: { type: 'string', default: '30' },
    seed: { type: 'string', default: '11' },
    rate: { type: 'string', default: '10' },
    inject: { type: 'string', multiple: true, default: ['F17:high', 'F33:high', 'F22', 'F10:high', 'F20'] },
    bin: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
})

const STEP = 15
const RATE_SECONDS = 120
const RANGE_SECONDS = 1_800
const WHOLE_DAY = 86_400

/** Panels that show nothing here, and why that is right. */
const MAY_BE_EMPTY: Readonly<Record<string, string>> = {
  'longpole-itself / Label values beyond their cap': 'no label of this fleet goes beyond its cap',
  'longpole-itself / Missing engine metrics': 'no engine of this fleet misses a metric',
  'longpole-itself / Dropped and rejected': 'a healthy hub drops and rejects nothing',
  'longpole-itself / Localizer rounds': "rounds of the hub's own process; this run localizes in virtual time",
}

interface Outcome {
  panel: string
  series: number
  milliseconds: number
  wrong: string[]
  error?: string
}

function rowsOf(series: Awaited<ReturnType<HistoryPrometheus['query']>>): Row[] {
  return series.map(({ metric, value }) => {
    const { __name__, ...labels } = metric
    return { labels, value: Number(value?.[1]) }
  })
}

async function evaluate(prometheus: HistoryPrometheus, fleet: FleetView, at: number): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  const folder = join(ROOT, 'dashboards/generated')
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
    const name = file.replace('.json', '') as DashboardName
    const board = JSON.parse(readFileSync(join(folder, file), 'utf8')) as LintBoard
    for (const panel of dataPanels(board)) {
      const outcome: Outcome = { panel: `${name} / ${panel.title}`, series: 0, milliseconds: 0, wrong: [] }
      outcomes.push(outcome)
      const truths = TRUTHS[name][panel.title ?? '']
      const targets = panel.targets ?? []
      if (truths === undefined) outcome.wrong.push('no truth: add it to test/dashboards/truths')
      else if (typeof truths !== 'string' && truths.length !== targets.length)
        outcome.wrong.push(`${targets.length} queries, ${truths.length} truths`)
      for (const [index, target] of targets.entries()) {
        const expr = resolveQuery(target.expr ?? '', { rate: RATE_SECONDS, range: RANGE_SECONDS })
        const began = performance.now()
        try {
          // A table asks for one instant, a graph for a range.
          const result = target.instant === true ? await prometheus.query(expr, at) : await prometheus.range(expr, at - 900, at, 30)
          outcome.milliseconds += performance.now() - began
          outcome.series += result.filter(({ value, values = [] }) => (value ? [value] : values).some(([, text]) => text !== 'NaN')).length
          const truth = typeof truths === 'string' ? null : truths?.[index]
          if (!truth) continue
          const wrong = compare(truth(momentOf(fleet, at, RATE_SECONDS)), rowsOf(await prometheus.query(expr, at)))
          outcome.wrong.push(...wrong.map((line) => `${'ABCDEFGH'[index]}: ${line}`))
        } catch (failure) {
          outcome.error = (failure as Error).message
        }
      }
    }
  }
  return outcomes
}

function report(outcomes: readonly Outcome[]): number {
  const failed = outcomes.filter(({ error }) => error !== undefined)
  const empty = outcomes.filter(({ error, series }) => error === undefined && series === 0)
  const wrong = outcomes.filter((outcome) => outcome.wrong.length > 0)
  for (const { panel, error } of failed) console.log(`error  ${panel}: ${error}`)
  for (const { panel } of empty) console.log(`empty  ${panel}: ${MAY_BE_EMPTY[panel] ?? 'must not be'}`)
  for (const { panel, wrong: lines } of wrong) {
    console.log(`wrong  ${panel}: ${lines.length}`)
    for (const line of lines.slice(0, 4)) console.log(`         ${line}`)
  }
  for (const { panel, milliseconds } of [...outcomes].sort((a, b) => b.milliseconds - a.milliseconds).slice(0, 3)) {
    console.log(`slow   ${panel}: ${milliseconds.toFixed(0)} ms`)
  }
  const blank = empty.filter(({ panel }) => MAY_BE_EMPTY[panel] === undefined)
  console.log(
    `${outcomes.length} panels: ${outcomes.length - empty.length - failed.length} with data, ${empty.length} empty (${blank.length} without a reason), ${failed.length} failed, ${wrong.length} with wrong numbers`,
  )
  return failed.length + blank.length + wrong.length
}

const directory = mkdtempSync(join(tmpdir(), 'longpole-boards-'))
const minutes = Number(options.minutes)
const healthy = Number(options.healthy)
const start = Number(FLEET_START / 1_000_000_000n)
const end = start + minutes * 60
const injections = options.inject.filter((text) => text !== 'none').map((text) => (text.includes('@') ? text : `${text}@${healthy}`))
const fleet = simulateFleet({ seed: Number(options.seed), minutes, rate: Number(options.rate), injections })
const objectives = resolveObjectives(loadConfig({ environment: {} }))
const rounds = injections.length === 0 ? [] : Array.from({ length: 4 }, (_, index) => end - 360 + index * 120)
const findings = localizeContinuously({ ...fleet, objectives }, rounds)
const findingsAt = (at: number) => findings.get(rounds.filter((round) => round <= at).at(-1) ?? 0) ?? []
const prices = Object.fromEntries(
  [...new Set(fleet.records.map(({ model }) => model ?? ''))].map((model, index) => [model, 12 + 8 * index]),
)
const today = join(directory, 'today.om')
const history = await writeHistory(today, {
  ...fleet,
  objectives,
  prices: { replicaHour: prices },
  findings: (now) => findingsAt(Number(now / 1_000_000_000n)),
})
console.log(`${fleet.records.length} requests, ${history.pages} scrapes, ${findingsAt(end).length} findings open at the end`)
const pages = [today]
for (const seconds of [3_600, WHOLE_DAY]) {
  const path = join(directory, `earlier-${seconds}.om`)
  // The last minutes before the faults stand where the last minutes of the run are compared with.
  await copyEarlier(today, path, { from: start, to: start + healthy * 60 }, seconds - (minutes - healthy) * 60)
  pages.push(path)
}
const own = join(directory, 'own.om')
writeFileSync(own, `${(await readOwnPages({ scrapes: 20, to: end, step: STEP })).join('\n')}\n# EOF\n`)
pages.push(own)
const tools =
  options.bin === undefined ? debianTools() : { prometheus: join(options.bin, 'prometheus'), promtool: join(options.bin, 'promtool') }
const rules = [join(ROOT, 'alerts/generated/recordings.yaml')]
const prometheus = await startPrometheus({ directory, pages, from: start, to: end, step: STEP, ruleFiles: rules }, tools)
const view: FleetView = { ...fleet, objectives, findings: findingsAt, prices, step: STEP, healthyAgo: (minutes - healthy) * 60 }
const outcomes = await evaluate(prometheus, view, end + 7)
if (report(outcomes) > 0) process.exitCode = 1
if (options.keep) {
  console.log(`Prometheus keeps running at ${prometheus.url}, data in ${directory}, last scrape at ${end}`)
} else {
  await prometheus.close()
  rmSync(directory, { recursive: true, force: true })
}
