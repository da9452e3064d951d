// Truths made of truths, as PromQL combines vectors.
import { group, key, OPERATIONS, type Operation, pick } from './labels.ts'
import type { Truth } from './truth.ts'

/** Each row of the left with the row of the right that has the same labels, or the same of those named. */
export const combine =
  (left: Truth, right: Truth, operate: (a: number, b: number) => number, on?: readonly string[]): Truth =>
  (moment) => {
    const byKey = new Map(right(moment).map((row) => [key(pick(row.labels, on)), row.value]))
    return left(moment).flatMap(({ labels, value }) => {
      const other = byKey.get(key(pick(labels, on)))
      return other === undefined ? [] : [{ labels, value: operate(value, other) }]
    })
  }

export const over = (left: Truth, right: Truth, on?: readonly string[]): Truth => combine(left, right, (a, b) => a / b, on)
export const minus = (left: Truth, right: Truth, on?: readonly string[]): Truth => combine(left, right, (a, b) => a - b, on)
export const plus = (left: Truth, right: Truth, on?: readonly string[]): Truth => combine(left, right, (a, b) => a + b, on)
export const scaled =
  (factor: number, truth: Truth): Truth =>
  (moment) =>
    truth(moment).map((row) => ({ ...row, value: factor * row.value }))

/** Where the left says nothing but the right does, 0. */
export const orZero =
  (left: Truth, right: Truth): Truth =>
  (moment) => {
    const rows = left(moment)
    const known = new Set(rows.map(({ labels }) => key(labels)))
    return [...rows, ...right(moment).flatMap(({ labels }) => (known.has(key(labels)) ? [] : [{ labels, value: 0 }]))]
  }

/** Share of a kind among all: 0 where there is none of it. */
export const share = (part: Truth, whole: Truth): Truth => over(orZero(part, whole), whole)

export const before =
  (truth: Truth): Truth =>
  (moment) =>
    truth(moment.before())

/** The largest (or, negative, the smallest) so many. */
export const top =
  (count: number, truth: Truth): Truth =>
  (moment) => {
    const sorted = truth(moment)
      .filter(({ value }) => !Number.isNaN(value))
      .sort((a, b) => (count >= 0 ? b.value - a.value : a.value - b.value))
    const last = sorted[Math.abs(count) - 1]?.value
    if (last === undefined) return sorted
    const sides = sorted.filter(({ value }, index) => index < Math.abs(count) || value === last)
    return sides.map((row) => (row.value === last ? { ...row, optional: true } : row))
  }

/** Only rows whose value satisfies. */
export const where =
  (truth: Truth, keep: (value: number) => boolean): Truth =>
  (moment) =>
    truth(moment).filter(({ value }) => keep(value))

/** Aggregates rows. */
export const fold =
  (operation: Operation, truth: Truth, by: readonly string[] = []): Truth =>
  (moment) => {
    const rows = truth(moment).map(({ labels, value }) => ({ labels: pick(labels, by), value }))
    return group(rows).map(({ labels, values }) => ({ labels, value: OPERATIONS[operation](values) }))
  }
