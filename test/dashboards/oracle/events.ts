// Events out of records, each with the moment at which the hub's page tells of it: settled requests, and judgements of objectives.
import type { RequestRecord } from '@longpole/model/request-record'
import { judge, judgeGoodput, type Objective, thresholdOf } from '@longpole/model/slo'
import { objectivesFor } from '../../../src/config/objectives.ts'
import { endOf, settledAt } from '../../metrics/data-set.ts'
import type { FleetView } from './truth.ts'

/** One thing that happened, with the number that is summed or ranked. */
export interface Event {
  at: number
  record: RequestRecord
  value: number
  extra: Readonly<Record<string, string | null>>
}
export type Source = (fleet: FleetView) => readonly Event[]

const caches = new WeakMap<FleetView, Map<unknown, readonly Event[]>>()

function cached(read: Source): Source {
  return (fleet) => {
    const ofFleet = caches.get(fleet) ?? new Map()
    caches.set(fleet, ofFleet)
    const events = ofFleet.get(read) ?? read(fleet)
    ofFleet.set(read, events)
    return events
  }
}

const NOTHING = {}

/** A number of each settled request; null: it has none. */
export function each(read: (record: RequestRecord) => number | null | undefined, keep?: (record: RequestRecord) => boolean): Source {
  return several((record) => {
    const value = read(record)
    return value === null || value === undefined || keep?.(record) === false ? [] : [{ value, extra: NOTHING }]
  })
}

/** Several numbers of each settled request, each with labels of its own. */
export function several(
  read: (record: RequestRecord) => readonly { value: number; extra: Readonly<Record<string, string | null>> }[],
): Source {
  return cached((fleet) =>
    fleet.records
      .filter((record) => record.outcome !== 'open')
      .flatMap((record) => {
        const at = Number(settledAt(record)) / 1e9
        return read(record).map(({ value, extra }) => ({ at, record, value, extra }))
      }),
  )
}

/** Judged requests: bad at the first scrape after a deadline that passed while the request was open, else when it settles. */
export const judged: Source = cached((fleet) => fleet.records.flatMap((record) => judgements(fleet, record)))

function judgements(fleet: FleetView, record: RequestRecord): Event[] {
  const start = Number(record.start_unix_ns) / 1e9
  const end = Number(endOf(record)) / 1e9
  const settled = Number(settledAt(record)) / 1e9
  const events: Event[] = []
  const put = (at: number, slo: string, result: string) => events.push({ at, record, value: 1, extra: { slo, result } })
  const objectives = objectivesFor(fleet.objectives, record.model, record.tenant_class)
  let lateAt = Number.POSITIVE_INFINITY
  const results = objectives
    .filter(({ slo }) => slo !== 'goodput')
    .map((objective) => {
      const passed = passedAt(objective, record, start, end, fleet.step)
      if (passed !== null) {
        lateAt = Math.min(lateAt, passed)
        put(passed, objective.slo, 'bad')
        return 'bad'
      }
      const result = record.outcome === 'open' ? null : judge(objective, record)
      if (result !== null) put(settled, objective.slo, result)
      return result
    })
  const goodput = judgeGoodput(results)
  if (objectives.some(({ slo }) => slo === 'goodput') && goodput !== null && !(goodput === 'good' && record.outcome === 'open'))
    put(Number.isFinite(lateAt) ? lateAt : settled, 'goodput', goodput)
  return events
}

function passedAt(objective: Objective, record: RequestRecord, start: number, end: number, step: number): number | null {
  const limit = thresholdOf(objective, record.prompt_class)
  if (limit === null || (objective.slo !== 'ttft' && objective.slo !== 'e2e')) return null
  if (objective.slo === 'ttft' && record.ttft !== null && record.ttft <= limit) return null
  const page = (Math.floor((start + limit) / step) + 1) * step
  return page < end ? page : null
}

export const goodputOf = (fleet: FleetView, record: RequestRecord): string => {
  const results = judgements(fleet, record).filter(({ extra }) => extra.slo !== 'goodput')
  return judgeGoodput(results.map(({ extra }) => extra.result as 'good' | 'bad')) ?? ''
}
