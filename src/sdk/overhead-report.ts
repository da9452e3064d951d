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
  const { requests, reads, failures } = measured
  const later = measured.microsecondsPerRequest === null ? '' : `, later ones ${measured.microsecondsPerRequest.toFixed(0)} µs each`
  const first = measured.firstRequestMicroseconds === null ? '' : ` (first ${measured.firstRequestMicroseconds.toFixed(0)} µs${later})`
  const perRead = measured.nanosecondsPerRead === null ? '' : ` (${measured.nanosecondsPerRead.toFixed(0)} ns each)`
  return `@longpole/sdk cost: ${requests} requests${first}, ${reads} reads of streams${perRead}, ${failures} failures of its own`
}
