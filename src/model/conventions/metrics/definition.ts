// The shape of a metric's definition and the three ways to write one.

export interface MetricDefinition {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: readonly string[]
  /** Upper bounds of a histogram's classic buckets, without +Inf. */
  readonly buckets?: readonly number[]
}

export function counter<const N extends string, const L extends readonly string[]>(name: N, help: string, labels: L) {
  return { name, type: 'counter' as const, help, labels }
}
export function gauge<const N extends string, const L extends readonly string[]>(name: N, help: string, labels: L) {
  return { name, type: 'gauge' as const, help, labels }
}
export function histogram<const N extends string, const L extends readonly string[]>(
  name: N,
  help: string,
  labels: L,
  buckets: readonly number[],
) {
  return { name, type: 'histogram' as const, help, labels, buckets }
}
