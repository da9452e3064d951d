// A simulated fleet as the hub would have seen it: records, samples and change events in virtual time, with the truth of what was injected.
import type { ChangeEvent } from '@longpole/model/change-event'
import type { EngineSample } from '@longpole/model/engine-sample'
import type { RequestRecord } from '@longpole/model/request-record'
import type { Shape } from '../../src/simulator/faults/fault.ts'
import { type PlannedFault, parseFault } from '../../src/simulator/faults/plan.ts'
import { encodeNdjson } from '../../src/simulator/output/ndjson.ts'
import { RecordBatch } from '../../src/simulator/output/record-batch.ts'
import { runLabelled } from '../../src/simulator/truth/labelled-run.ts'
import type { InjectionTruth } from '../../src/simulator/truth/truth.ts'
import { recordOf, settledAt } from './data-set.ts'

export interface FleetRun {
  seed: number
  minutes: number
  rate: number
  /** As on the command line of `longpole simulate`: `F17:high@20`, `W3`. */
  injections: readonly string[]
  /** Run the same seed without each injection, to know what moved because of it. */
  counterfactual?: boolean
}

export interface SimulatedFleet {
  /** In the order in which they settle; open ones last. */
  records: RequestRecord[]
  samples: EngineSample[]
  events: ChangeEvent[]
  truths: InjectionTruth[]
}

export const FLEET_START = 1_767_600_000n * 1_000_000_000n

export function simulateFleet({ injections, ...run }: FleetRun): SimulatedFleet {
  return runFleet({ ...run, faults: injections.map((text) => planInjection(text, run)) })
}

/** A fault or shift from its text, to the end of the run. */
export function planInjection(text: string, { seed, minutes, shape = 'step' }: { seed: number; minutes: number; shape?: Shape }) {
  const defaults = { seconds: minutes * 60, seed, shape, duration: Number.POSITIVE_INFINITY }
  return parseFault(text, text.startsWith('W') ? '--shift' : '--fault', defaults)
}

/** As `simulateFleet`, with faults that are planned already. */
export function runFleet({
  seed,
  minutes,
  rate,
  faults,
  counterfactual = false,
}: Omit<FleetRun, 'injections'> & { faults: PlannedFault[] }): SimulatedFleet {
  const records: RequestRecord[] = []
  const samples: EngineSample[] = []
  const events: ChangeEvent[] = []
  const batch = new RecordBatch({ seed, startUnixNano: FLEET_START }, 2_048)
  const flush = () => {
    for (const line of encodeNdjson(batch).split('\n')) if (line !== '') records.push(recordOf(JSON.parse(line)))
    batch.clear()
  }
  const { truths } = runLabelled({
    seed,
    seconds: minutes * 60,
    rate,
    agents: 6,
    startUnixNano: FLEET_START,
    faults,
    counterfactual,
    onRecord: (request) => {
      batch.append(request)
      if (batch.isFull) flush()
    },
    onSample: (sample) => samples.push(sample),
    onEvent: (event) => events.push(event),
  })
  flush()
  return { records: records.sort((a, b) => Number(settledAt(a) - settledAt(b))), samples, events, truths }
}
