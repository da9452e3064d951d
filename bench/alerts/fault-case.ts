// One simulated fault as metric history: the simulator's records through the hub's own registry in virtual time, its pages as blocks, and
// a copy of the healthy part a day earlier for rules that compare with yesterday.

import { once } from 'node:events'
import { createReadStream, createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { finished } from 'node:stream/promises'
import type { ChangeEvent } from '@longpole/model/change-event'
import type { EngineSample } from '@longpole/model/engine-sample'
import type { RequestRecord } from '@longpole/model/request-record'
import { alertContext, recordingGroups } from '../../alerts/generate.ts'
import { ALERTS } from '../../alerts/index.ts'
import { windowSeconds } from '../../alerts/ladder.ts'
import { render } from '../../alerts/rule.ts'
import { resolveObjectives } from '../../src/config/objectives.ts'
import { configSchema } from '../../src/config/schema.ts'
import { parseFault } from '../../src/simulator/faults/plan.ts'
import { encodeNdjson } from '../../src/simulator/output/ndjson.ts'
import { RecordBatch } from '../../src/simulator/output/record-batch.ts'
import { runLabelled } from '../../src/simulator/truth/labelled-run.ts'
import { recordOf, settledAt } from '../../test/metrics/data-set.ts'
import { writeHistory } from '../../test/metrics/history.ts'
import { type Firing, firings, History } from './history.ts'

export interface FaultCase {
  /** As on the command line of `longpole simulate`, without the minute; null: nothing is injected. */
  fault: string | null
  isShift?: boolean
  seed: number
  rate: number
  minutes: number
  startMinute: number
}

export interface CaseResult {
  firings: (Firing & { alert: string; channel: string })[]
  faultAt: number
  from: number
  to: number
  requests: number
}

/** Scrape and evaluation interval, seconds: the shortest window holds four. */
const STEP = 15
const DAY = 86_400
const START = 1_767_600_000n * 1_000_000_000n

const config = configSchema.parse({})
const context = alertContext(config)
const recordings = recordingGroups(context).flatMap((group) => group.rules)

export async function runCase(fault: FaultCase, tools: { promtool: string; prometheus: string }): Promise<CaseResult> {
  const { records, samples } = simulate(fault)
  await using history = new History(tools)
  const folder = mkdtempSync(join(tmpdir(), 'longpole-fault-'))
  try {
    const whole = join(folder, 'whole.om')
    const page = join(folder, 'today.om')
    const bounds = await writeHistory(whole, { records, samples, objectives: resolveObjectives(config), stepSeconds: STEP })
    await copyLines(whole, page, (line) => (READ.has(/^\w+/.exec(line)?.[0] ?? '') ? line : null))
    const from = Math.ceil(bounds.from / STEP) * STEP
    const faultAt = from + fault.startMinute * 60
    await history.addFile(page)
    const yesterday = join(folder, 'yesterday.om')
    await copyHealthy(page, yesterday, from, fault)
    await history.addFile(yesterday)
    await history.record(recordings, from - DAY, from - DAY + fault.minutes * 60, STEP)
    await history.record(recordings, from, bounds.to, STEP)
    const found: CaseResult['firings'] = []
    for (const definition of ALERTS) {
      for (const alert of render(definition, context)) {
        const series = await history.range(alert.expr, from, bounds.to, STEP)
        const keep = windowSeconds(alert.keep_firing_for ?? '0s')
        const fired = firings(series, STEP, windowSeconds(alert.for), keep)
        found.push(...fired.map((firing) => ({ ...firing, alert: alert.alert, channel: alert.labels.channel ?? '' })))
      }
    }
    return { firings: found, faultAt, from, to: bounds.to, requests: records.length }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function simulate({ fault, isShift = false, seed, rate, minutes, startMinute }: FaultCase): {
  records: RequestRecord[]
  samples: EngineSample[]
} {
  const records: RequestRecord[] = []
  const samples: EngineSample[] = []
  const events: ChangeEvent[] = []
  const batch = new RecordBatch({ seed, startUnixNano: START }, 2_048)
  const flush = () => {
    for (const line of encodeNdjson(batch).split('\n')) if (line !== '') records.push(recordOf(JSON.parse(line)))
    batch.clear()
  }
  const seconds = minutes * 60
  const flag = isShift ? '--shift' : '--fault'
  const planned =
    fault === null
      ? []
      : [parseFault(`${fault}@${startMinute}`, flag, { seconds, seed, shape: 'step', duration: Number.POSITIVE_INFINITY })]
  runLabelled({
    seed,
    seconds,
    rate,
    agents: 6,
    startUnixNano: START,
    faults: planned,
    counterfactual: false,
    onRecord: (request) => {
      batch.append(request)
      if (batch.isFull) flush()
    },
    onSample: (sample) => samples.push(sample),
    onEvent: (event) => events.push(event),
  })
  flush()
  return { records: records.sort((a, b) => Number(settledAt(a) - settledAt(b))), samples }
}

/** The pages before the fault again, a day earlier, placed where the fault will be compared with. */
function copyHealthy(from: string, to: string, startSeconds: number, { startMinute, minutes }: FaultCase): Promise<void> {
  const shift = DAY - (minutes - startMinute) * 60
  return copyLines(from, to, (line) => {
    const space = line.lastIndexOf(' ')
    const at = Number(line.slice(space + 1))
    return at < startSeconds || at >= startSeconds + startMinute * 60 ? null : `${line.slice(0, space)} ${at - shift}`
  })
}

/** Series that some rule reads; the rest of the page is left out. */
const READ = new Set(
  [...recordings, ...ALERTS.flatMap((definition) => render(definition, context))].flatMap(
    ({ expr }) => expr.match(/\blongpole_\w+/g) ?? [],
  ),
)

async function copyLines(from: string, to: string, change: (line: string) => string | null): Promise<void> {
  const out = createWriteStream(to)
  for await (const line of createInterface({ input: createReadStream(from) })) {
    const changed = line.startsWith('#') ? null : change(line)
    if (changed === null || out.write(`${changed}\n`)) continue
    await once(out, 'drain')
  }
  out.end('# EOF\n')
  await finished(out)
}
