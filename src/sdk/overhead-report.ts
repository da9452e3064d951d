// The SDK's own cost, for a program that wants to know or to print it.
import { health } from './guard.ts'
import { currentOverhead, type Overhead } from './overhead.ts'

export type { Overhead }

/** What the SDK cost this process so far. Time of the exporter is not in it. */
export function overhead(): Overhead {
  return currentOverhead(health().failures)
}

/** One line for people. */
export function formatOverhead(measured: Overhead = overhead()): string {
  const perRequest = measured.microsecondsPerRequest === null ? 'unknown' : `${measured.microsecondsPerRequest.toFixed(0)} µs`
  const perRead = measured.nanosecondsPerRead === null ? 'unknown' : `${measured.nanosecondsPerRead.toFixed(0)} ns`
  return `@longpole/sdk: ${measured.requests} requests at ${perRequest} each, ${measured.reads} reads of a stream at ${perRead} each, ${measured.failures} failures`
}
