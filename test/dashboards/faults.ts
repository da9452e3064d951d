// `npm run dashboards:faults [-- F7:high …]`: for each simulated fault, how many panels a person looks at, from the top of Fleet overview
// on, until the right phase and slice are on screen, with the localizer and with it stopped; and whether the panels whose phase the truth
// names moved while those of its steady phases stayed. One JSON line a fault.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { BOARDS } from '../../dashboards/index.ts'
import { dataPanels, type LintBoard } from '../../dashboards/lint/rules.ts'
import { loadConfig } from '../../src/config/load.ts'
import { resolveObjectives } from '../../src/config/objectives.ts'
import { localizeContinuously } from '../metrics/continuous-localizer.ts'
import { settledAt } from '../metrics/data-set.ts'
import { writeHistory } from '../metrics/history.ts'
import { type HistoryPrometheus, startPrometheus } from '../metrics/prometheus.ts'
import { FLEET_START, simulateFleet } from '../metrics/simulated-fleet.ts'
import { type Claim, firstRow, grownLine, isRightPhase, isRightSlice, type ReadPanel, type Truth, together } from './reading.ts'
import { resolveQuery } from './resolve-query.ts'

const ROOT = new URL('../../', import.meta.url).pathname
const DEFAULT = [
  'F1',
  'F2',
  'F3',
  'F5',
  'F7',
  'F8',
  'F9',
  'F10',
  'F11',
  'F13',
  'F14',
  'F16',
  'F17',
  'F18',
  'F21',
  'F24',
  'F25',
  'F26',
  'F27',
  'F31',
]
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: '21' },
    rate: { type: 'string', default: '12' },
    healthy: { type: 'string', default: '16' },
    minutes: { type: 'string', default: '23' },
    most: { type: 'string', default: '20' },
  },
})

const STEP = 15
const INTERVALS = { rate: 240, range: 1_200 }
/** What a person sees grow: by a quarter, and by more than some milliseconds. */
const GROWN = 1.25
const VISIBLE_SECONDS = 0.01

const PANELS = BOARDS.flatMap(({ name }) => {
  const board = JSON.parse(readFileSync(join(ROOT, `dashboards/generated/${name}.json`), 'utf8')) as LintBoard
  return dataPanels(board).map((panel) => ({ board: name, panel: panel as unknown as ReadPanel }))
})

const SLICES = slicesOnly(readFileSync(join(ROOT, 'alerts/generated/recordings.yaml'), 'utf8'))
const FOUND = 'longpole_finding_'
/** Series that the panels and the recordings behind them read. */
const READ = new Set(
  [SLICES, ...PANELS.flatMap(({ panel }) => panel.targets.map(({ expr = '' }) => expr))].flatMap(
    (text) => text.match(/\blongpole_\w+/g) ?? [],
  ),
)

type Ask = (expr: string, at: number) => ReturnType<HistoryPrometheus['query']>

/** `localizer` false: its panels are looked at and say nothing. */
async function read(ask: Ask, { now, before, localizer, truth, rows }: Scene) {
  let known: Claim = { phase: null, slice: {} }
  const path: string[] = []
  for (const { board, panel } of PANELS) {
    if (path.length >= Number(options.most)) break
    path.push(`${board} / ${panel.title}`)
    const isFindings = panel.targets.some(({ expr }) => expr?.includes(FOUND))
    if (isFindings && !localizer) continue
    const exprs = panel.targets.map(({ expr }) => resolveQuery(expr ?? '', INTERVALS))
    const claim =
      panel.type === 'table'
        ? firstRow(panel, await Promise.all(exprs.map((expr) => ask(expr, now))))
        : grownLine(panel, await ask(exprs[0] ?? '', now), await ask(exprs[0] ?? '', before), exprs[0] ?? '')
    known = together(known, claim)
    const slice = isRightSlice(known.slice, truth, rows)
    if (isRightPhase(known.phase, truth) && slice !== 'wrong') return { panels: path.length, at: path.at(-1), slice, claim: known }
  }
  return { panels: null, at: null, slice: 'wrong', claim: known }
}

interface Scene {
  now: number
  before: number
  localizer: boolean
  truth: Truth
  rows: Parameters<typeof isRightSlice>[2]
}

/** What each panel that draws phases says of the phase that the truth names first, and of those that it calls steady. */
interface Movement {
  /** Panels whose line of the true phase grew, and those whose line did not. */
  moved: string[]
  still: string[]
  /** Lines of steady phases that grew. */
  wrongly: string[]
}

/** Every panel with a line for each phase, the board's variables standing at the true slice: derived from the truth, not listed. */
async function movement(ask: Ask, { now, before, truth }: Scene, steady: readonly string[]): Promise<Movement> {
  const found: Movement = { moved: [], still: [], wrongly: [] }
  const [first] = truth.phases
  for (const { board, panel } of PANELS) {
    const expr = panel.targets[0]?.expr ?? ''
    if (panel.type !== 'timeseries' || !/by \(([a-z_]+, )*phase\)/.test(expr)) continue
    const chosen = Object.fromEntries(Object.entries(truth.slice).map(([name, values]) => [name, values.join('|')]))
    const resolved = resolveQuery(expr, INTERVALS, chosen)
    const earlier = new Map((await ask(resolved, before)).map(({ metric, value }) => [metric.phase, Number(value?.[1])]))
    const grown = new Set<string>()
    const lines = new Set<string>()
    for (const { metric, value } of await ask(resolved, now)) {
      const usual = earlier.get(metric.phase)
      const current = Number(value?.[1])
      if (metric.phase === undefined || usual === undefined || Number.isNaN(current)) continue
      lines.add(metric.phase)
      if (current > GROWN * usual && current - usual > VISIBLE_SECONDS) grown.add(metric.phase)
    }
    const name = `${board} / ${panel.title}`
    if (first !== undefined && lines.has(first)) (grown.has(first) ? found.moved : found.still).push(name)
    for (const phase of steady) if (grown.has(phase)) found.wrongly.push(`${name}: ${phase}`)
  }
  return found
}

async function runFault(text: string): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'longpole-fault-boards-'))
  const [minutes, healthy] = [Number(options.minutes), Number(options.healthy)]
  const start = Number(FLEET_START / 1_000_000_000n)
  const end = start + minutes * 60
  try {
    const fleet = simulateFleet({ seed: Number(options.seed), minutes, rate: Number(options.rate), injections: [`${text}@${healthy}`] })
    const objectives = resolveObjectives(loadConfig({ environment: {} }))
    const rounds = [end - 165, end - 15]
    const findings = localizeContinuously({ ...fleet, objectives }, rounds)
    const findingsAt = (at: number) => findings.get(rounds.filter((round) => round <= at).at(-1) ?? 0) ?? []
    const page = join(directory, 'page.om')
    await writeHistory(page, {
      ...fleet,
      objectives,
      findings: (now) => findingsAt(Number(now / 1_000_000_000n)),
      isWanted: (series) => READ.has(series),
    })
    const rules = join(directory, 'slices.yaml')
    writeFileSync(rules, SLICES)
    const prometheus = await startPrometheus({ directory, pages: [page], from: start, to: end, step: STEP, ruleFiles: [rules] })
    const [injected] = fleet.truths
    if (injected === undefined) throw new Error(`${text}: nothing was injected`)
    const rows = fleet.records.filter((record) => Number(settledAt(record)) / 1e9 > end - 300)
    const scene = {
      now: end + 7,
      before: start + healthy * 60 - 60 + 7,
      truth: { ...injected, phases: injected.phases.map(({ phase }) => phase) },
      rows,
    }
    const withLocalizer = await read(prometheus.query, { ...scene, localizer: true })
    const without = await read(prometheus.query, { ...scene, localizer: false })
    const moved = await movement(prometheus.query, { ...scene, localizer: true }, injected.steady.phases)
    await prometheus.close()
    console.log(
      JSON.stringify({
        fault: text,
        truth: { slice: injected.slice, phases: scene.truth.phases },
        localizer: withLocalizer,
        stopped: without,
        moved,
      }),
    )
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** The groups of recordings that Slower than usual reads. */
function slicesOnly(yaml: string): string {
  const [head = '', ...groups] = yaml.split(/^ {2}- name: /m)
  return (
    head +
    groups
      .filter((group) => group.startsWith('longpole-slices'))
      .map((group) => `  - name: ${group}`)
      .join('')
  )
}

for (const fault of positionals.length > 0 ? positionals : DEFAULT.map((id) => `${id}:high`)) await runFault(fault)
