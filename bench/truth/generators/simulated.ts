// Data sets that `longpole simulate` wrote (records.arrow, truth.json) as labelled questions: the target that moved most.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isPhaseId, phaseColumn } from '@longpole/model/phase'
import { REQUEST_COLUMNS } from '@longpole/model/request-columns'
import { PHASE_COLUMNS } from '@longpole/model/request-record'
import { readTable } from '../../../src/cli/tables/read-table.ts'
import { readEvents, readSamples } from '../../../src/cli/tables/side-files.ts'
import type { Truth, TruthCase } from '../case.ts'
import { ask } from './columns.ts'

interface Injection {
  id: string
  name: string
  kind: 'fault' | 'shift'
  severity: number
  start_unix_ns: string
  verdict: string
  mechanism: string
  slice: Record<string, string[]>
  cause: Record<string, string[]>
  phases: { phase: string; with: number; without: number }[]
  effect: {
    slice: { ttft: Quantiles; e2e: Quantiles; tpot: Quantiles; failed_ratio: { with: number; without: number } }
    material: boolean
  } | null
}
interface Quantiles {
  p95: { with: number; without: number }
}

const CONSEQUENCES: ReadonlySet<string> = new Set(['outcome', 'error_class', 'finish_reason', 'vantage'])

/** The directory itself, or every directory in it. */
export async function* readSimulated(directory: string): AsyncGenerator<TruthCase> {
  const own = existsSync(join(directory, 'truth.json'))
  for (const name of own ? ['.'] : readdirSync(directory).sort()) {
    if (existsSync(join(directory, name, 'truth.json'))) yield await readOne(join(directory, name))
  }
}

async function readOne(directory: string): Promise<TruthCase> {
  const truth = JSON.parse(readFileSync(join(directory, 'truth.json'), 'utf8'))
  const injection: Injection | undefined = truth.injections[0]
  const target = injection === undefined ? 'ttft' : mostMoved(injection)
  const wanted = { time: 'start_unix_ns', target, dimensions: null, phases: null, covariates: null, weight: null }
  const { table } = await readTable(join(directory, 'records.arrow'), wanted, () => {})
  const dimensions = REQUEST_COLUMNS.filter((column) => column.kind === 'dictionary' && !CONSEQUENCES.has(column.name))
    .map((column) => column.name)
    .filter((column) => (table.dimensions.get(column)?.values.length ?? 0) >= 2)
  const phases = PHASE_COLUMNS.map((phase) => phase.seconds).filter((column) => table.numbers.has(column))
  const end = seconds(truth.end_unix_ns)
  const from = injection === undefined ? seconds(truth.start_unix_ns) + 0.7 * truth.seconds : seconds(injection.start_unix_ns)
  const question = ask(target, dimensions, phases, from, end, {
    baseline: [],
    measure: target === 'outcome' ? { kind: 'ratio' } : { kind: 'quantile', quantile: 0.95 },
    samples: await readSamples(join(directory, 'samples.ndjson')),
    events: await readEvents(join(directory, 'events.ndjson')),
  })
  const family = injection === undefined ? 'quiet' : `${injection.id} ${injection.name}`
  return {
    suite: 'simulator',
    family,
    severity: injection?.severity ?? 0,
    seed: truth.seed,
    table,
    question,
    truth: truthOf(injection, from),
  }
}

function truthOf(injection: Injection | undefined, onset: number): Truth {
  if (injection === undefined) return { kind: 'quiet', slices: [], phases: [], mechanisms: [], onset: null, moved: [], material: true }
  const shift = injection.kind === 'shift'
  const kind = shift ? 'shift' : injection.verdict === 'fleet_wide' ? 'fleet' : 'fault'
  return {
    kind,
    slices: shift ? [] : [injection.slice, injection.cause],
    phases: injection.phases.map(({ phase }) => (isPhaseId(phase) ? phaseColumn(phase) : phase)),
    mechanisms: [injection.mechanism],
    onset: shift ? null : onset,
    moved: [
      ...Object.keys(injection.slice),
      'prompt_tokens',
      'output_tokens',
      'requests',
      'requests/s',
      'prompt_tokens/s',
      'uncached_tokens/s',
      'output_tokens/s',
    ],
    material: injection.effect?.material ?? true,
  }
}

function mostMoved({ effect }: Injection): string {
  if (effect === null) return 'ttft'
  const rise = ({ p95 }: Quantiles) => (p95.without > 0 ? p95.with / p95.without : 1)
  const { slice } = effect
  const best = (['ttft', 'e2e', 'tpot'] as const)
    .map((name) => ({ name, rise: rise(slice[name]) }))
    .sort((left, right) => right.rise - left.rise)[0]
  const failing = slice.failed_ratio.with > slice.failed_ratio.without + 0.05
  return failing && (best?.rise ?? 1) < 1.3 ? 'outcome' : (best?.name ?? 'ttft')
}

function seconds(nanos: string): number {
  return Number(BigInt(nanos) / 1_000_000n) / 1000
}
