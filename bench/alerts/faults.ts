// `npm run bench:alert-faults [-- --only F31,W5 --rate 12,26,40 --shape step --seed 5 --tickets --out verdicts.ndjson]`: simulated incidents
// through the hub's own registry into a real Prometheus. Who must be woken is, nobody else is, and does the page name phase and slice? One
// JSON line a case; a case that `--out` holds already is not run again. `--suite` is every fault as a step and some as a ramp and in bouts.
// `--summarize FILE …` prints the tables of docs/alerting.md from such lines.
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Shape } from '../../src/simulator/faults/fault.ts'
import { FAULTS } from '../../src/simulator/faults/index.ts'
import { parseShape } from '../../src/simulator/faults/plan.ts'
import { SHIFTS } from '../../src/simulator/shifts/index.ts'
import { firstPages, runCase } from './fault-case.ts'
import { History } from './history.ts'
import type { FaultCase } from './incident.ts'
import { LOOKBACK, pagesAt } from './page-at.ts'
import { summarize } from './summary.ts'
import { type CaseVerdict, judgeCase } from './verdict.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string' },
    seed: { type: 'string', default: '5' },
    rate: { type: 'string', default: '26' },
    severity: { type: 'string', default: 'high' },
    shape: { type: 'string', default: 'step' },
    out: { type: 'string' },
    summarize: { type: 'boolean', default: false },
    pages: { type: 'boolean', default: false },
    suite: { type: 'boolean', default: false },
    tickets: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '22' },
  },
})

/** Of each kind one that hurts: capacity, balance, memory, demand, a place, a hang, errors. */
const RAMPS = ['F11', 'F13', 'F18', 'F22']
const BOUTS = ['F23', 'F31', 'F33']

async function judge(given: FaultCase): Promise<CaseVerdict> {
  await using history = new History(LOOKBACK)
  const result = await runCase(given, history, { withTickets: values.tickets })
  const annotations: Record<string, string>[] = []
  for (const { alert, labels, value, from } of firstPages(result.incident, result.firings)) {
    const { pages } = await pagesAt(history, from, [{ alert, labels, value }])
    annotations.push(pages[0] ?? {})
    if (values.pages) process.stderr.write(`${alert.alert} ${JSON.stringify(labels)}\n${JSON.stringify(pages[0], null, 1)}\n`)
  }
  return judgeCase(given, result, annotations)
}

function linesOf(files: readonly string[]): CaseVerdict[] {
  const lines = files.flatMap((file) => readFileSync(file, 'utf8').split('\n')).filter((line) => line !== '')
  return lines.map((line) => JSON.parse(line) as CaseVerdict)
}

function casesAt(rate: number): FaultCase[] {
  const wanted = values.only?.split(',')
  const fixed = { seed: Number(values.seed), rate, healthyMinutes: 10, faultMinutes: Number(values.minutes) }
  const of = (id: string, shape: Shape): FaultCase => ({
    ...fixed,
    fault: id === 'healthy' ? null : id.startsWith('W') ? id : `${id}:${values.severity}`,
    shape,
  })
  const known = values.suite ? FAULTS : [...FAULTS, ...SHIFTS]
  const ids = [...known.map(({ id }) => id), 'healthy']
  const cases = ids.map((id) => of(id, parseShape(values.shape)))
  if (values.suite) cases.push(...RAMPS.map((id) => of(id, 'ramp')), ...BOUTS.map((id) => of(id, 'intermittent')))
  return cases.filter(({ fault }) => wanted === undefined || wanted.includes(fault?.split(':')[0] ?? 'healthy'))
}

if (values.summarize) process.stdout.write(summarize(linesOf(positionals)))
else {
  const { out } = values
  const known = new Set(out === undefined || !existsSync(out) ? [] : linesOf([out]).map(({ given }) => JSON.stringify(given)))
  const cases = values.rate.split(',').flatMap((rate) => casesAt(Number(rate)))
  for (const given of cases.filter((given) => !known.has(JSON.stringify(given)))) {
    const line = JSON.stringify(await judge(given))
    if (out === undefined) console.log(line)
    else {
      appendFileSync(out, `${line}\n`)
      process.stderr.write('.')
    }
  }
}
