// `npm run bench:counterfactual -- [--quick] [--only F7,W1]`: every fault and shift against the same seed without it, at severities, loads
// and seeds. Holds that the phases its truth names move, in its slice, that its steady phases do not, and that nothing gets slower elsewhere
// (closed-loop callers who wait send less to others, which may make these faster).
// Cases below their own noise are marked so and count neither way. Exit 1 when a material case contradicts its truth.
import { parseArgs } from 'node:util'
import type { FaultDefinition } from '../src/simulator/faults/fault.ts'
import { FAULTS } from '../src/simulator/faults/index.ts'
import { parseFault } from '../src/simulator/faults/plan.ts'
import { SHIFTS } from '../src/simulator/shifts/index.ts'
import type { PhaseEffect } from '../src/simulator/truth/effect.ts'
import { runLabelled } from '../src/simulator/truth/labelled-run.ts'
import type { InjectionTruth } from '../src/simulator/truth/truth.ts'

const SECONDS = 480
/** Requests a second of a fleet at 40, 70 and 90 % of what it is sized for. */
const LOADS = [26, 40, 50]
const SEVERITIES = ['low', 'medium', 'high']
/** Mean seconds, and share of the healthy mean, above which a phase has moved. */
const MOVED = { seconds: 0.002, ratio: 0.08 }
/** Of a phase that must stay: twice as much, for queueing spreads a little everywhere. */
const STEADY_FACTOR = 2

const { values } = parseArgs({ options: { quick: { type: 'boolean' }, only: { type: 'string' } } })
const wanted = values.only?.split(',')
const cases = [...FAULTS, ...SHIFTS].filter(({ id }) => wanted === undefined || wanted.includes(id))
const seeds = values.quick ? [1, 2] : [1, 2, 3, 4, 5]
const loads = values.quick ? [40] : LOADS
const severities = values.quick ? ['high'] : SEVERITIES
let wrong = 0

for (const fault of cases) {
  const tally = { right: 0, quiet: 0, wrong: 0 }
  const complaints: string[] = []
  for (const seed of seeds)
    for (const rate of loads)
      for (const severity of severities) {
        const verdict = judge(fault, run(fault, seed, rate, severity))
        tally[verdict.result]++
        if (verdict.result === 'wrong') complaints.push(`seed ${seed} rate ${rate} ${severity}: ${verdict.why}`)
      }
  wrong += tally.wrong
  process.stdout.write(
    `${fault.id.padEnd(4)} ${fault.name.padEnd(24)} ${tally.right} as claimed, ${tally.quiet} below noise, ${tally.wrong} not as claimed\n`,
  )
  for (const complaint of complaints.slice(0, 3)) process.stdout.write(`       ${complaint}\n`)
}
process.exitCode = wrong > 0 ? 1 : 0

function run(fault: FaultDefinition, seed: number, rate: number, severity: string): InjectionTruth {
  const flag = fault.id.startsWith('W') ? '--shift' : '--fault'
  const defaults = { seconds: SECONDS, seed, shape: 'step', duration: Number.POSITIVE_INFINITY } as const
  const planned = parseFault(`${fault.id}:${severity}@3`, flag, defaults)
  const options = { seed, seconds: SECONDS, rate, agents: 8, startUnixNano: 0n, faults: [planned], counterfactual: true }
  return runLabelled(options).truths[0] as InjectionTruth
}

type Judgement = { result: 'right' | 'quiet' } | { result: 'wrong'; why: string }

function judge(fault: FaultDefinition, truth: InjectionTruth): Judgement {
  const { effect } = truth
  if (effect === null) return { result: 'wrong', why: 'no counterfactual' }
  if (fault.id !== 'F30' && !fault.id.startsWith('W') && !effect.material) return { result: 'quiet' }
  const inside = new Map(effect.slice.phases.map((entry) => [entry.phase, entry]))
  const moved = truth.phases.filter(({ phase }) => hasMoved(inside.get(phase), 1))
  const failed = effect.slice.failed_ratio.with > effect.slice.failed_ratio.without + 0.02
  if (truth.phases.length > 0 && moved.length === 0 && !failed)
    return fault.id.startsWith('W')
      ? { result: 'quiet' }
      : { result: 'wrong', why: `none of ${truth.phases.map(({ phase }) => phase).join(', ')} moved` }
  for (const phase of truth.steady.phases) {
    const entry = inside.get(phase)
    if (hasMoved(entry, STEADY_FACTOR)) return { result: 'wrong', why: `${phase} moved from ${entry?.without} to ${entry?.with} s` }
  }
  if (fault.id.startsWith('W')) return { result: 'right' }
  const elsewhere = effect.elsewhere.phases.find((entry) => entry.with > entry.without && hasMoved(entry, STEADY_FACTOR))
  if (elsewhere !== undefined)
    return { result: 'wrong', why: `elsewhere ${elsewhere.phase} moved from ${elsewhere.without} to ${elsewhere.with} s` }
  return { result: 'right' }
}

function hasMoved(entry: PhaseEffect | undefined, factor: number): boolean {
  if (entry === undefined) return false
  return Math.abs(entry.with - entry.without) > factor * (MOVED.seconds + MOVED.ratio * entry.without)
}
