// Truths about requests: how often, how much, how long in the mean and at a quantile.
import type { Event, Source } from './events.ts'
import { group, key, known, type Labels, total } from './labels.ts'
import type { Moment, Truth } from './truth.ts'

function labelsOf(event: Event, by: readonly string[]): Labels {
  return known(by, (name) => (name in event.extra ? event.extra[name] : event.record[name as keyof Event['record']]))
}

function inWindow(source: Source, by: readonly string[], { fleet, from, to }: Moment) {
  const within = source(fleet).filter(({ at }) => at > from && at <= to)
  return group(within.map((event) => ({ labels: labelsOf(event, by), value: event.value })))
}

/** Sum of the numbers per second. */
export const perSecond =
  (source: Source, by: readonly string[] = []): Truth =>
  (moment) =>
    inWindow(source, by, moment).map(({ labels, values }) => ({ labels, value: total(values) / (moment.to - moment.from) }))

/** Events per second. Where nothing of the kind had happened before, a rate does not see the first. */
export const frequency =
  (source: Source, by: readonly string[] = []): Truth =>
  (moment) => {
    const old = new Set(source(moment.fleet).flatMap((event) => (event.at <= moment.from ? [key(labelsOf(event, by))] : [])))
    return inWindow(source, by, moment).map(({ labels, values }) => ({
      labels,
      value: values.length / (moment.to - moment.from),
      ...(old.has(key(labels)) ? {} : { optional: true }),
    }))
  }

export const mean =
  (source: Source, by: readonly string[] = []): Truth =>
  (moment) =>
    inWindow(source, by, moment).map(({ labels, values }) => ({ labels, value: total(values) / values.length }))

/** The value below or at which a share of all lies (nearest rank), with its histogram bucket. */
export const quantile =
  (share: number, source: Source, buckets: readonly number[], by: readonly string[] = []): Truth =>
  (moment) =>
    inWindow(source, by, moment).map(({ labels, values }) => {
      const sorted = [...values].sort((a, b) => a - b)
      const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number
      const index = buckets.findIndex((bound) => value <= bound)
      const last = buckets.at(-1) as number
      return { labels, value, low: index < 0 ? last : (buckets[index - 1] ?? 0), high: index < 0 ? last : (buckets[index] as number) }
    })

/** How many lie at or below each bound of a histogram, over the window as Prometheus extrapolates it. */
export const cumulative =
  (source: Source, buckets: readonly number[]): Truth =>
  (moment) => {
    const values = inWindow(source, [], moment)[0]?.values ?? []
    const scale = (moment.to - moment.from + moment.fleet.step) / (moment.to - moment.from)
    return [...buckets, Number.POSITIVE_INFINITY].map((bound) => ({
      labels: { le: bound === Number.POSITIVE_INFINITY ? '+Inf' : String(bound) },
      value: scale * values.filter((value) => value <= bound).length,
    }))
  }
