// `npm run bench:counterfactual -- [--quick] [--only F7,W1] [--seeds 1,2] [--out FILE]`: every fault and shift against the same seed
// without it, at three severities, three loads and five seeds. Holds that the phases its truth names move, in its slice, that its steady
// phases do not, and that nothing gets slower elsewhere. Cases below their own noise are marked so and count neither way. With --out every
// case is a line of JSON at once, and cases that the file has are not run again: bench/counterfactual/table.ts makes the table of it.
// Exit 1 when a material case contradicts its truth.
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { FaultDefinition } from '../src/simulator/faults/fault.ts'
import { FAULTS } from '../src/simulator/faults/index.ts'
import { parseFault } from '../src/simulator/faults/plan.ts'
import { SHIFTS } from '../src/simulator/shifts/index.ts'
import { compareWith, runHealthy } from '../src/simulator/truth/labelled-run.ts'
import { judge } from './counterfactual/judge.ts'
import { type Case, formatTable, SEVERITIES } from './counterfactual/table.ts'

const SECONDS = 480
/** Requests a second of a fleet at 40, 70 and 90 % of what it is sized for. */
const LOADS = [26, 40, 50]

const { values } = parseArgs({
  options: { quick: { type: 'boolean' }, only: { type: 'string' }, seeds: { type: 'string' }, out: { type: 'string' } },
})
const wanted = values.only?.split(',')
const definitions = [...FAULTS, ...SHIFTS].filter(({ id }) => wanted === undefined || wanted.includes(id))
const seeds = values.seeds?.split(',').map(Number) ?? (values.quick ? [1, 2] : [1, 2, 3, 4, 5])
const loads = values.quick ? [40] : LOADS
const severities = values.quick ? ['high'] : SEVERITIES
const known = values.out !== undefined && existsSync(values.out) ? readFileSync(values.out, 'utf8').split('\n').filter(Boolean) : []
const cases: Case[] = known.map((line) => JSON.parse(line) as Case)

for (const seed of seeds) for (const rate of loads) runAll(seed, rate)
const { text, wrong } = formatTable(cases, definitions)
process.stdout.write(text)
process.exitCode = wrong > 0 ? 1 : 0

/** One healthy run serves all faults of its seed and load. */
function runAll(seed: number, rate: number): void {
  const shared = { seed, seconds: SECONDS, rate, agents: 8, startUnixNano: 0n }
  const due = definitions
    .flatMap((fault) => severities.map((severity) => ({ fault, severity })))
    .filter((entry) => !isKnown(entry, seed, rate))
  if (due.length === 0) return
  const healthy = runHealthy(shared)
  for (const { fault, severity } of due) {
    const defaults = { seconds: SECONDS, seed, shape: 'step', duration: Number.POSITIVE_INFINITY } as const
    const planned = parseFault(`${fault.id}:${severity}@3`, fault.id.startsWith('W') ? '--shift' : '--fault', defaults)
    const verdict = judge(fault, compareWith(healthy, { ...shared, faults: [planned], counterfactual: true }))
    const entry: Case = { id: fault.id, seed, rate, severity, result: verdict.result, why: verdict.result === 'wrong' ? verdict.why : null }
    cases.push(entry)
    if (values.out !== undefined) appendFileSync(values.out, `${JSON.stringify(entry)}\n`)
  }
  process.stderr.write(`seed ${seed}, ${rate} requests a second: done\n`)
}

function isKnown({ fault, severity }: { fault: FaultDefinition; severity: string }, seed: number, rate: number): boolean {
  return cases.some((entry) => entry.id === fault.id && entry.severity === severity && entry.seed === seed && entry.rate === rate)
}
