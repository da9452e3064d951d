// In a group with a barrier the slow rank is the one that waits least: its clock, its link or its own step tells it from the others,
// whose steps are only long because they wait (workloads: F1, F4, F6).
import type { EngineSample } from '@longpole/model/engine-sample'
import type { Signals } from '../signals.ts'

/** Relative distance from the other ranks' median that singles a rank out. */
const OUTLIER = 0.07

/** A sentence that names the rank; null where ranks are not sampled or alike. */
export function slowestRank(signals: Signals): string | null {
  const now = signals.samplesNow().filter((sample) => sample.rank !== null)
  const before = signals.samplesOfSlice().filter((sample) => sample.rank !== null && !now.includes(sample))
  const throttled = now.find(
    (sample) => sample.gpu_throttle_reason !== null && sample.gpu_throttle_reason !== '' && sample.gpu_throttle_reason !== 'none',
  )
  if (throttled !== undefined) return `rank ${throttled.rank} of ${throttled.replica} is throttled: ${throttled.gpu_throttle_reason}`
  return (
    lowest(now, before, 'gpu_clock_hz', (name, value) => `${name} runs at ${percentOf(value)} of the other ranks' clock`) ??
    lowest(now, before, 'nic_transmit_bytes_per_second', (name, value) => `${name} sends ${percentOf(value)} of what the other ranks send`)
  )
}

function percentOf(ratio: number): string {
  return `${Math.round(ratio * 100)} %`
}

function lowest(
  samples: readonly EngineSample[],
  earlier: readonly EngineSample[],
  field: 'gpu_clock_hz' | 'nic_transmit_bytes_per_second',
  tell: (name: string, ratio: number) => string,
): string | null {
  const means = meanByRank(samples, field)
  if (means.size < 2) return null
  const sorted = [...means].map(([name, value]) => ({ name, value })).sort((left, right) => left.value - right.value)
  const least = sorted[0] as { name: string; value: number }
  const median = (sorted[sorted.length >> 1] as { value: number }).value
  const own = meanByRank(earlier, field).get(least.name) ?? Number.POSITIVE_INFINITY
  const isOutlier = median > 0 && least.value < (1 - OUTLIER) * median && least.value < (1 - OUTLIER) * own
  return isOutlier ? tell(least.name, least.value / median) : null
}

function meanByRank(samples: readonly EngineSample[], field: 'gpu_clock_hz' | 'nic_transmit_bytes_per_second'): Map<string, number> {
  const sums = new Map<string, { sum: number; count: number }>()
  for (const sample of samples) {
    const value = sample[field]
    if (value === null) continue
    const key = `rank ${sample.rank} of ${sample.replica}`
    const entry = sums.get(key) ?? { sum: 0, count: 0 }
    entry.sum += value
    entry.count++
    sums.set(key, entry)
  }
  return new Map([...sums].map(([name, { sum, count }]) => [name, sum / count]))
}
