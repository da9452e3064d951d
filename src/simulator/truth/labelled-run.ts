// A run with its faults, and for each fault the same run without it: what `longpole simulate` writes and the benchmarks compare.
import type { ChangeEvent } from '@longpole/model/change-event'
import type { EngineSample } from '@longpole/model/engine-sample'
import type { SimRequest } from '../core/request.ts'
import { type Injected, injectFault, type PlannedFault } from '../faults/plan.ts'
import type { FleetPlan } from '../fleet/plan.ts'
import { Simulation } from '../simulation.ts'
import type { TraceRow } from '../workload/trace.ts'
import type { World } from '../world.ts'
import { RowLog } from './row-log.ts'
import { describeInjection, type InjectionTruth, slicesOf } from './truth.ts'

export interface LabelledRunOptions {
  seed: number
  seconds: number
  rate: number
  agents: number
  fleet?: FleetPlan
  trace?: readonly TraceRow[]
  startUnixNano: bigint
  faults: readonly PlannedFault[]
  counterfactual: boolean
  onRecord?(request: SimRequest): void
  onSample?(sample: EngineSample): void
  onEvent?(event: ChangeEvent): void
  /** Virtual seconds done, of all runs together. */
  onProgress?(done: number, total: number): void
}

const PROGRESS_SECONDS = 60

export interface LabelledRun {
  rows: number
  truths: InjectionTruth[]
}

export function runLabelled(options: LabelledRunOptions): LabelledRun {
  const compared = options.counterfactual ? options.faults.length : 0
  const total = options.seconds * (1 + compared)
  let finished = 0
  const progress = (now: number) => options.onProgress?.(finished + now, total)
  const actual = runOnce(options, null, progress, options)
  finished += options.seconds
  const truths = options.faults.map((_, position) => {
    let comparison = null
    if (options.counterfactual) {
      comparison = { actual: actual.log, healed: runOnce(options, position, progress, {}).log }
      finished += options.seconds
    }
    return describe(actual.injected, position, options, comparison)
  })
  return { rows: actual.log.rows, truths }
}

/** All requests of a run without any fault: what `compareWith` takes, for many faults of the same seed and load. */
export function runHealthy(options: Omit<LabelledRunOptions, 'faults' | 'counterfactual'>): SimRequest[] {
  const requests: SimRequest[] = []
  runOnce({ ...options, faults: [], counterfactual: false }, null, () => {}, { onRecord: (request) => requests.push(request) })
  return requests
}

/** The truth of the first fault of `options` against a healthy run of the same seed, length and load. */
export function compareWith(healthy: readonly SimRequest[], options: LabelledRunOptions): InjectionTruth {
  const { injected, log } = runOnce(options, null, () => {}, options)
  const healed = new RowLog(slicesOf(injected))
  for (const request of healthy) healed.append(request)
  return describe(injected, 0, options, { actual: log, healed })
}

type Described = Parameters<typeof describeInjection>

function describe(injected: Described[0], position: number, { startUnixNano, seconds }: LabelledRunOptions, comparison: Described[4]) {
  const instant = (at: number) => String(startUnixNano + BigInt(Math.round(at * 1e9)))
  return describeInjection(injected, position, instant, seconds, comparison)
}

type Outputs = Pick<LabelledRunOptions, 'onRecord' | 'onSample' | 'onEvent'>

function runOnce(options: LabelledRunOptions, without: number | null, progress: (now: number) => void, outputs: Outputs) {
  const injected: Injected[] = []
  const take = (request: SimRequest) => {
    log.append(request)
    outputs.onRecord?.(request)
  }
  const simulation = new Simulation({
    ...options,
    inject: options.faults.map((fault, position) => (world: World) => {
      // A fault that is left out is still drawn, to know which rows it would have struck.
      const times = position === without ? { ...fault.times, start: Number.POSITIVE_INFINITY } : fault.times
      injected.push(injectFault(world, { ...fault, times }, position))
    }),
    onEnded: take,
    onSample: outputs.onSample,
    onEvent: outputs.onEvent,
  })
  const log = new RowLog(slicesOf(injected))
  for (let now = 0; now < options.seconds; now += PROGRESS_SECONDS) {
    simulation.run(Math.min(options.seconds, now + PROGRESS_SECONDS))
    progress(Math.min(options.seconds, now + PROGRESS_SECONDS))
  }
  for (const request of simulation.takeOpen()) take(request)
  return { injected, log }
}
