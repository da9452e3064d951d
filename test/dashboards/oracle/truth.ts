// What a panel must show, computed from the records and samples themselves: no counters, no rates, no PromQL. A truth is a function from
// a moment to the rows that its query must return; ../truths has one for every query of every board.
import type { EngineSample } from '@longpole/model/engine-sample'
import type { Finding } from '@longpole/model/finding'
import type { RequestRecord } from '@longpole/model/request-record'
import type { Objective } from '@longpole/model/slo'

export interface Row {
  labels: Record<string, string>
  value: number
  /** For quantiles of a histogram: the bucket that holds the true one. */
  low?: number
  high?: number
  /** May as well be missing: it ties with others for the last place, or its series began within the window, where a rate cannot see it. */
  optional?: boolean
}
export type Truth = (moment: Moment) => Row[]

export interface FleetView {
  records: readonly RequestRecord[]
  samples: readonly EngineSample[]
  objectives: readonly Objective[]
  findings: (at: number) => readonly Finding[]
  prices: Readonly<Record<string, number>>
  /** Seconds between scrapes. */
  step: number
  /** The history holds the healthy part again, an hour and a day earlier; what is compared with now happened so many seconds ago. */
  healthyAgo: number
}

/** Two scrapes and what lies between: the first and the last sample of a range selector. Unix seconds, from < x ≤ to. */
export interface Moment {
  fleet: FleetView
  from: number
  to: number
  /** The moment that an hour or a day ago looks like. */
  before: () => Moment
  /** The same end, with a window of so many seconds. */
  widen: (seconds: number) => Moment
}

export function momentOf(fleet: FleetView, at: number, windowSeconds: number): Moment {
  const to = Math.floor(at / fleet.step) * fleet.step
  return {
    fleet,
    to,
    from: to - windowSeconds + fleet.step,
    before: () => momentOf(fleet, at - fleet.healthyAgo, windowSeconds),
    widen: (seconds) => momentOf(fleet, at, seconds),
  }
}
