// The objective-aware burn-rate ladder: from one promise to its alert conditions. The classic factors (SRE workbook, chapter 5) cannot
// be reached at 95 % or 90 % (14.4 × 10 % = 144 % bad), so each threshold is capped, and a cliff rung sees a total outage in minutes.
import { type BaseWindow, RATIO_WINDOWS, type RatioWindow, RECORDINGS } from '@longpole/model/conventions/recordings'
import { errorBudget, type ObjectiveSet, round } from './objectives.ts'
import { select } from './promql.ts'

export type RungName = 'LLMSLOCliff' | 'LLMSLOFastBurn' | 'LLMSLOSlowBurn' | 'LLMSLOBudgetTicket' | 'LLMErrorBudgetExhausted'

/** A stretch of time in which bad requests must have come: a window that ends now, or `offset` ago. */
interface Persistence {
  window: BaseWindow
  offset?: string
}

/** One pair of windows that must both be above the threshold, with the floor on bad requests that keeps a quiet night quiet. */
export interface Condition {
  windows: readonly [RatioWindow, RatioWindow]
  /** Share of bad requests, 0 to 1. */
  threshold: number
  /** Burn rate behind the threshold; null where the threshold is absolute. */
  factor: number | null
  capped: boolean
  floor?: { window: RatioWindow; badRequests: number }
  /** Bad requests must still come, or have come before: one batch that arrived together is no incident. */
  persistence?: readonly Persistence[]
}

export interface Rung {
  name: RungName
  /** Alternatives; empty for the rung on the budget itself. */
  conditions: readonly Condition[]
  for: string
  channel: 'page' | 'ticket' | 'none'
  severity: 'critical' | 'warning' | 'info'
}

/** Half of all requests bad is a cliff at every objective. */
export const CLIFF_RATIO = 0.5
const FAST_CAP = 0.5
const SLOW_CAP = 0.25
const FIVE_MINUTES_AGO: Persistence = { window: '5m', offset: '5m' }
const TEN_MINUTES_AGO: Persistence = { window: '5m', offset: '10m' }
/** Below this promise a slow burn is the promise itself being tight: a ticket. */
export const LEAST_PAGED_OBJECTIVE = 0.95

/** Burn rate that spends `share` of the period's budget within `hours`; never below 1, which is the promise itself. */
function burnFactor(share: number, hours: number, periodDays: number): number {
  return Math.max(1, round((share * periodDays * 24) / hours))
}

function burn(windows: readonly [RatioWindow, RatioWindow], factor: number, budget: number, cap?: number): Condition {
  const uncapped = round(factor * budget)
  const capped = cap !== undefined && uncapped > cap
  return { windows, factor, threshold: capped ? cap : uncapped, capped }
}

/** The five rungs for one objective (share of good requests) and error budget period in days. */
export function ladder(objective: number, periodDays = 30): Rung[] {
  const budget = errorBudget(objective)
  const cliff: Condition = {
    windows: ['5m', '2m'],
    threshold: CLIFF_RATIO,
    factor: null,
    capped: true,
    floor: { window: '5m', badRequests: 10 },
    // With `for: 1m` a batch has left the window before the alert fires.
    persistence: [{ window: '1m' }],
  }
  const fastFactor = burnFactor(0.02, 1, periodDays)
  const fast = burn(['1h', '5m'], fastFactor, budget, FAST_CAP)
  // A quarter of an hour at that rate is an incident too; an hour's share would show a fifth of bad requests after 43 minutes only.
  const sustained = burn(['15m', '5m'], fastFactor, budget, FAST_CAP)
  const slow = burn(['6h', '30m'], burnFactor(0.05, 6, periodDays), budget, SLOW_CAP)
  const slowPages = objective >= LEAST_PAGED_OBJECTIVE
  const page = { channel: 'page', severity: 'critical' } as const
  const ticket = { channel: 'ticket', severity: 'warning' } as const
  return [
    { name: 'LLMSLOCliff', conditions: [cliff], for: '1m', ...page },
    {
      name: 'LLMSLOFastBurn',
      conditions: [
        { ...fast, floor: { window: '1h', badRequests: 10 }, persistence: [FIVE_MINUTES_AGO] },
        { ...sustained, floor: { window: '15m', badRequests: 10 }, persistence: [FIVE_MINUTES_AGO, TEN_MINUTES_AGO] },
      ],
      for: '2m',
      ...page,
    },
    {
      name: 'LLMSLOSlowBurn',
      conditions: [{ ...slow, floor: { window: '6h', badRequests: 20 } }],
      for: '2m',
      ...(slowPages ? page : ticket),
    },
    {
      name: 'LLMSLOBudgetTicket',
      conditions: [
        { ...burn(['1d', '2h'], burnFactor(0.1, 24, periodDays), budget), floor: { window: '1d', badRequests: 10 } },
        { ...burn(['3d', '6h'], burnFactor(0.1, 72, periodDays), budget), floor: { window: '3d', badRequests: 10 } },
      ],
      for: '1h',
      ...ticket,
    },
    { name: 'LLMErrorBudgetExhausted', conditions: [], for: '5m', channel: 'none', severity: 'info' },
  ]
}

/** PromQL of a rung over the recordings of one set; every term is reduced to the identity labels, so that pairs match. */
export function rungExpression(rung: Rung, set: ObjectiveSet): string {
  const pick = (recording: string, offset?: string) =>
    `max by (cluster, model, slo) (${select(recording, { slo: set.slo }, set.matchers)}${offset === undefined ? '' : ` offset ${offset}`})`
  if (rung.conditions.length === 0) return `${pick(RECORDINGS.budgetRemaining)} <= 0`
  return rung.conditions
    .map(({ windows, threshold, floor, persistence = [] }) => {
      const [long, short] = windows
      const terms = [
        `${pick(RECORDINGS.sliErrorRatio(long))} > ${threshold}`,
        `${pick(RECORDINGS.sliErrorRatio(short))} > ${threshold}`,
        ...(floor === undefined ? [] : [`${pick(RECORDINGS.sliErrorCount(floor.window))} >= ${floor.badRequests}`]),
        ...persistence.map(({ window, offset }) => `${pick(RECORDINGS.sliBadRate(window), offset)} > 0`),
      ]
      return terms.join('\nand\n')
    })
    .map((condition, _index, all) => (all.length === 1 ? condition : `(\n${condition}\n)`))
    .join('\nor\n')
}

export interface LadderLintInput {
  set: Pick<ObjectiveSet, 'slo' | 'objective' | 'model'>
  rungs: readonly Rung[]
  scrapeIntervalSeconds: number
  /** Where the slice's traffic is known: requests per minute. */
  expectedRequestsPerMinute?: number
  /** Where good and bad are cut out of histogram buckets and not counted at the source. */
  buckets?: { edges: readonly number[]; thresholdSeconds: number }
}

/** What makes a ladder that can never fire, or fires on health; one sentence each, empty when it is sound. */
export function lintLadder({ set, rungs, scrapeIntervalSeconds, expectedRequestsPerMinute, buckets }: LadderLintInput): string[] {
  const where = `${set.slo} of model ${set.model} (objective ${set.objective})`
  const problems: string[] = []
  for (const { name, conditions, channel } of rungs) {
    for (const { threshold, factor, capped, windows, persistence = [] } of conditions) {
      if (factor !== null && !capped && threshold >= 0.8) {
        problems.push(`${where}: ${name} needs ${round(threshold * 100)} % bad requests; cap the threshold below 80 %`)
      }
      if (channel === 'page' && set.objective < LEAST_PAGED_OBJECTIVE && !capped) {
        problems.push(`${where}: ${name} pages on an uncapped burn rate below an objective of ${LEAST_PAGED_OBJECTIVE}`)
      }
      if (threshold <= errorBudget(set.objective) && factor !== 1) {
        problems.push(`${where}: ${name} fires at ${round(threshold * 100)} % bad requests, within the promise itself`)
      }
      for (const window of new Set([...windows, ...persistence.map((stretch) => stretch.window)])) {
        if (windowSeconds(window) < 4 * scrapeIntervalSeconds) {
          problems.push(`${where}: the ${window} window of ${name} holds fewer than four scrapes of ${scrapeIntervalSeconds} s`)
        }
      }
    }
  }
  if (expectedRequestsPerMinute !== undefined && expectedRequestsPerMinute < 0.2) {
    problems.push(`${where}: ${expectedRequestsPerMinute} requests per minute are too few for a ladder of its own; use the parent slice`)
  }
  if (buckets !== undefined && !buckets.edges.includes(buckets.thresholdSeconds)) {
    problems.push(`${where}: the limit ${buckets.thresholdSeconds} s is no bucket edge; count good and bad at the source`)
  }
  return problems
}

/** Seconds of a Prometheus duration of one unit. */
export function windowSeconds(window: string): number {
  const match = /^(\d+)([smhdw])$/.exec(window)
  if (match === null) throw new Error(`expected a duration such as 5m, got ${window}`)
  const unit = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }[match[2] as 's' | 'm' | 'h' | 'd' | 'w']
  return Number(match[1]) * unit
}

/** Every window that a rung reads must be recorded. */
export function recordedWindows(rungs: readonly Rung[]): RatioWindow[] {
  const used = new Set(
    rungs.flatMap(({ conditions }) => conditions.flatMap(({ windows, floor }) => [...windows, ...(floor ? [floor.window] : [])])),
  )
  return RATIO_WINDOWS.filter((window) => used.has(window))
}
