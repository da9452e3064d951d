// `npm run bench:truth`: asks the localizer every labelled question, beside what others would say and beside itself with steps left
// out, and prints the tables of docs/accuracy.md. `--seeds A..B` chooses seeds, `--full` more of everything, `--data DIR` adds data sets that
// `longpole simulate` wrote, `--ablations` the versions with steps left out, `--calibrate` the knots of confidence/calibration.ts.
import { parseArgs } from 'node:util'
import { localize } from '../../src/localizer/localize.ts'
import type { Step } from '../../src/localizer/question.ts'
import { BASELINES } from './baselines.ts'
import type { TruthCase } from './case.ts'
import { clarityOf } from './clarity.ts'
import { FLEET_OPTIONS, fleetCase } from './generators/fleet.ts'
import { fleetFaults, fleetShifts } from './generators/fleet-faults.ts'
import { readSimulated } from './generators/simulated.ts'
import { smallEngineCase } from './generators/small-engines.ts'
import { smallFaults, smallPairs } from './generators/small-faults.ts'
import { isotonic } from './isotonic.ts'
import { type Said, scoreCase } from './score.ts'
import { add, createTotal, HEADER, MORE_HEADER, moreRow, row, type Total } from './summary.ts'

const { values: options } = parseArgs({
  options: {
    seeds: { type: 'string', default: '101..103' },
    full: { type: 'boolean', default: false },
    ablations: { type: 'boolean', default: false },
    calibrate: { type: 'boolean', default: false },
    suites: { type: 'string', default: 'small-engines,two-faults,fleet' },
    data: { type: 'string', multiple: true, default: [] },
  },
})

const STEPS: readonly Step[] = ['main_effects', 'confounders', 'contrast', 'null_maximum', 'phase_scan', 'narrowing']

async function* cases(): AsyncGenerator<TruthCase> {
  const [from, to] = options.seeds.split('..').map(Number) as [number, number]
  const suites = new Set(options.suites.split(','))
  for (let seed = from; seed <= to; seed++) {
    if (suites.has('small-engines')) for (const fault of smallFaults(seed)) yield smallEngineCase(fault, seed)
    if (suites.has('two-faults')) for (const pair of smallPairs(seed)) yield smallEngineCase(pair, seed)
    // A large case takes a second or two: one seed in three, all of them in the full form.
    if (!suites.has('fleet') || (!options.full && (seed - from) % 3 !== 0)) continue
    for (const fault of [...fleetFaults(1), ...fleetShifts()]) yield fleetCase(fault, seed)
    if (!options.full) continue
    for (const fault of fleetFaults(0.5)) yield fleetCase(fault, seed)
    for (const fault of [...fleetFaults(1), ...fleetShifts()]) yield fleetCase(fault, seed, { ...FLEET_OPTIONS, mixShift: true })
  }
  for (const directory of options.data) yield* readSimulated(directory)
}

function ask(given: TruthCase, without: ReadonlySet<Step>, covariates: string[] | null): Said {
  const { findings } = localize(given.table, { ...given.question, without, covariates })
  const first = findings[0]
  if (first === undefined) return { verdict: 'no_regression', slices: [], finding: null, findings }
  const named = findings.filter((finding) => finding.verdict === 'localized').map((finding) => finding.slice)
  return { verdict: first.verdict, slices: [...named, ...first.aliases], finding: first, findings }
}

function totalOf(totals: Map<string, Total>, name: string): Total {
  let total = totals.get(name)
  if (total === undefined) {
    total = createTotal()
    totals.set(name, total)
  }
  return total
}

async function main(): Promise<void> {
  const methods = new Map<string, Total>()
  const families = new Map<string, Total>()
  const pairs: { clarity: number; right: boolean }[] = []
  const losses: string[] = []
  const start = performance.now()
  for await (const given of cases()) {
    const said = ask(given, new Set(), given.question.covariates)
    const score = scoreCase(given, said)
    add(totalOf(methods, `**ours, ${given.suite}**`), given, score)
    add(totalOf(families, `${given.suite}: ${given.family}`), given, score)
    if (said.finding?.verdict === 'localized') pairs.push({ clarity: clarityOf(said.finding), right: score.outcome === 'right' })
    if (['wrong', 'silent', 'false_alarm', 'unnamed'].includes(score.outcome) && given.truth.material) {
      const told = `${said.verdict} ${JSON.stringify(said.slices[0] ?? {})} (${said.finding?.confidence})`
      losses.push(
        `${given.suite} ${given.family} severity ${given.severity} seed ${given.seed}: ${score.outcome}, wanted ${JSON.stringify(given.truth.slices)}, said ${told}`,
      )
    }
    for (const [name, baseline] of Object.entries(BASELINES)) {
      const slices = baseline(given)
      add(totalOf(methods, name), given, scoreCase(given, { verdict: 'localized', slices, finding: null, findings: [] }))
    }
    if (!options.ablations) continue
    for (const step of STEPS)
      add(totalOf(methods, `ours without ${step}`), given, scoreCase(given, ask(given, new Set([step]), given.question.covariates)))
    add(totalOf(methods, 'ours without conditioning'), given, scoreCase(given, ask(given, new Set(), [])))
  }
  const table = (totals: Map<string, Total>) => `${HEADER}\n${[...totals].map(([name, total]) => row(name, total)).join('\n')}`
  const more = [...methods].filter(([name]) => name.includes('ours')).map(([name, total]) => moreRow(name, total))
  const seconds = ((performance.now() - start) / 1000).toFixed(0)
  process.stdout.write(
    `Seeds ${options.seeds}, ${seconds} s.\n\n${table(methods)}\n\n${table(families)}\n\n${MORE_HEADER}\n${more.join('\n')}\n\nLosses:\n${losses.map((loss) => `- ${loss}`).join('\n')}\n`,
  )
  if (options.calibrate) process.stdout.write(`\n${JSON.stringify(isotonic(pairs))}\n`)
}

await main()
