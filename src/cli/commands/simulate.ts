// `longpole simulate`: a labelled data set of a simulated fleet, for anyone's localizer. The format is docs/simulate.md.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command, Option } from 'commander'
import { FAULTS } from '../../simulator/faults/index.ts'
import { PlanError, type PlannedFault, parseFault, parseShape } from '../../simulator/faults/plan.ts'
import { SHIFTS } from '../../simulator/shifts/index.ts'
import { type Disturbance, UNDISTURBED } from '../../simulator/spans/disturb.ts'
import { runLabelled } from '../../simulator/truth/labelled-run.ts'
import { FORMAT_VERSION, type InjectionTruth } from '../../simulator/truth/truth.ts'
import { InputError } from '../input-error.ts'
import { FORMATS, type Format, openDataSet } from '../simulate/data-set-files.ts'
import { readFleetFile } from '../simulate/fleet-file.ts'
import { readTraces } from '../simulate/trace-files.ts'

interface SimulateOptions {
  out: string
  seed: string
  minutes: string
  rate: string
  agents: string
  trace?: string
  fleet?: string
  fault: string[]
  shift: string[]
  shape: string
  duration?: string
  start: string
  format: Format
  lost: string
  sampled: string
  late: string
  counterfactual: boolean
  json?: boolean
  list?: boolean
}

const EXAMPLES = `
Examples:
  longpole simulate --out data --seed 7 --minutes 60 --fault F7
  longpole simulate --out data --seed 8 --minutes 90 --fault F17:high@50 --shift W3 --format arrow
  longpole simulate --out data --fleet fleet.yaml --rate 12
  longpole simulate --out data --minutes 10 --format otlp --lost 0.01 && longpole replay data
  longpole simulate --list

Severity is low, medium, high or a number (1 is medium). Without @minute a fault starts at about three fifths of the run.
truth.json holds what was injected and what it did, measured against the same seed without it.`

export function createCommand(): Command {
  return new Command('simulate')
    .description('Write a labelled data set of a simulated fleet: records, samples, events and the truth.')
    .option('--out <dir>', 'directory to write to', '')
    .option('--seed <n>', 'seed; the same seed gives the same bytes', '1')
    .option('--minutes <m>', 'length of the run', '60')
    .option('--rate <r>', 'open-loop requests a second', '40')
    .option('--agents <n>', 'closed-loop agents beside them', '12')
    .option('--trace <path>', "Azure's CSV, Mooncake's JSONL or a folder of them instead of generated arrivals, scaled to --rate")
    .option('--fleet <file>', 'YAML of regions, models and replicas instead of the usual 24 (docs/simulate.md)')
    .option('--fault <id[:severity][@minute]>', 'inject a fault; may be repeated', collect, [])
    .option('--shift <id[:severity][@minute]>', 'inject a shift that is no fault; may be repeated', collect, [])
    .option('--shape <shape>', 'step, ramp, intermittent or recurring', 'step')
    .option('--duration <minutes>', 'how long faults last (default: to the end)')
    .option('--start <instant>', 'RFC 3339 instant of second 0', '2026-01-05T08:00:00Z')
    .addOption(new Option('--format <format>', 'of the records').choices(FORMATS).default('ndjson'))
    .option('--lost <share>', 'with otlp: share of spans that never arrive', '0')
    .option('--sampled <share>', 'with otlp: share of traces that are kept', '1')
    .option('--late <share>', 'with otlp: share of spans that come two minutes late', '0')
    .option('--no-counterfactual', 'do not run the same seed without each fault (truth.json then has no effects)')
    .option('--list', 'list faults and shifts')
    .option('--json', 'answer as JSON')
    .addHelpText('after', EXAMPLES)
    .action(simulate)
}

function collect(value: string, previous: string[]): string[] {
  return [...previous, value]
}

async function simulate(options: SimulateOptions): Promise<void> {
  if (options.list === true) {
    printList(options.json === true)
    return
  }
  const settings = readSettings(options)
  const disturbance = readDisturbance(options)
  try {
    mkdirSync(options.out, { recursive: true })
  } catch (error) {
    throw new InputError(`--out: ${options.out} cannot be made: ${(error as Error).message}`)
  }
  const { seed, startUnixNano } = settings
  const files = await openDataSet({ directory: options.out, format: options.format, seed, startUnixNano, disturbance })
  const started = performance.now()
  const run = orInputError(() =>
    runLabelled({
      ...settings,
      counterfactual: options.counterfactual,
      onRecord: (request) => files.record(request),
      onSample: files.sample,
      onEvent: files.event,
      onProgress: process.stderr.isTTY ? printProgress : undefined,
    }),
  )
  files.close()
  writeFileSync(join(options.out, 'truth.json'), `${JSON.stringify(truthDocument(settings, run.truths), null, 2)}\n`)
  const seconds = (performance.now() - started) / 1e3
  report(options, run.rows, run.truths, seconds)
}

/** A fault that the fleet has no place for is found when the fleet is there. */
function orInputError<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof PlanError) throw new InputError(error.message)
    throw error
  }
}

function readSettings(options: SimulateOptions) {
  if (options.out === '') throw new InputError('--out: expected a directory, got nothing')
  const minutes = positive('--minutes', options.minutes)
  const seconds = minutes * 60
  const seed = whole('--seed', options.seed)
  const start = Date.parse(options.start)
  if (Number.isNaN(start)) throw new InputError(`--start: expected an RFC 3339 instant, got ${options.start}`)
  const duration = options.duration === undefined ? Number.POSITIVE_INFINITY : positive('--duration', options.duration) * 60
  const faults: PlannedFault[] = []
  orInputError(() => {
    const defaults = { seconds, seed, shape: parseShape(options.shape), duration }
    for (const text of options.fault) faults.push(parseFault(text, '--fault', defaults))
    for (const text of options.shift) faults.push(parseFault(text, '--shift', defaults))
  })
  return {
    seed,
    seconds,
    rate: positive('--rate', options.rate),
    agents: whole('--agents', options.agents),
    ...(options.fleet === undefined ? {} : { fleet: readFleetFile(options.fleet) }),
    ...(options.trace === undefined ? {} : { trace: readTraces(options.trace) }),
    startUnixNano: BigInt(start) * 1_000_000n,
    faults,
  }
}

function readDisturbance({ lost, sampled, late }: SimulateOptions): Disturbance {
  return { ...UNDISTURBED, lost: share('--lost', lost), sampled: share('--sampled', sampled), late: share('--late', late) }
}

function positive(flag: string, value: string): number {
  const number = Number(value)
  if (!(number > 0) || !Number.isFinite(number)) throw new InputError(`${flag}: expected a number above 0, got ${value}`)
  return number
}

function share(flag: string, value: string): number {
  const number = Number(value)
  if (value.trim() === '' || !(number >= 0 && number <= 1)) throw new InputError(`${flag}: expected a share from 0 to 1, got ${value}`)
  return number
}

function whole(flag: string, value: string): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number) || number < 0) throw new InputError(`${flag}: expected a whole number from 0, got ${value}`)
  return number
}

function truthDocument(settings: ReturnType<typeof readSettings>, injections: readonly InjectionTruth[]) {
  const { seed, seconds, rate, agents, startUnixNano } = settings
  return {
    format: 'longpole-simulation',
    version: FORMAT_VERSION,
    seed,
    seconds,
    rate,
    agents,
    start_unix_ns: String(startUnixNano),
    end_unix_ns: String(startUnixNano + BigInt(Math.round(seconds * 1e9))),
    injections,
  }
}

function printProgress(done: number, total: number): void {
  process.stderr.write(`\r${Math.round((100 * done) / total)} % `)
  if (done >= total) process.stderr.write('\r     \r')
}

function report(options: SimulateOptions, rows: number, truths: readonly InjectionTruth[], seconds: number): void {
  if (options.json === true) {
    const injections = truths.map(({ id, slice, mechanism, effect }) => ({ id, slice, mechanism, material: effect?.material ?? null }))
    process.stdout.write(`${JSON.stringify({ out: options.out, rows, seconds, injections })}\n`)
    return
  }
  process.stdout.write(`${rows} requests in ${seconds.toFixed(1)} s → ${options.out}\n`)
  for (const truth of truths) {
    const where = Object.entries(truth.slice).map(([name, values]) => `${name}=${values.join('|')}`)
    const material = truth.effect === null ? '' : truth.effect.material ? ', material' : ', below its own noise'
    process.stdout.write(
      `  ${truth.id} ${truth.name}: ${truth.phases.map(({ phase }) => phase).join(', ')} of ${where.join(', ') || 'the fleet'}${material}\n`,
    )
  }
}

function printList(json: boolean): void {
  const entries = [...FAULTS, ...SHIFTS].map(({ id, name, title, description }) => ({ id, name, title, description }))
  if (json) process.stdout.write(`${JSON.stringify(entries)}\n`)
  else for (const { id, name, description } of entries) process.stdout.write(`${id.padEnd(4)} ${name.padEnd(24)} ${description}\n`)
}
