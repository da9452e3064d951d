// One body of metrics on its way: engine samples into the store, then to the metrics; what they say of a change becomes an event.
import type { ChangeEvent } from '@longpole/model/change-event'
import type { Clock } from '@longpole/model/clock'
import type { HubMetricKey } from '@longpole/model/conventions/metrics'
import type { DecodedMetrics } from '../../src/wire/otlp/decode-metrics.ts'
import type { MetricRegistry } from '../exporters/prometheus/registry.ts'
import type { RequestMetrics } from '../exporters/prometheus/request-metrics.ts'
import { comeAgain, taken, type Verdict } from '../receivers/otlp/verdict.ts'
import type { Store } from '../store/store.ts'
import type { ArrivalState } from './arrival-state.ts'
import { createChangeDetector } from './change-events.ts'
import { readSamples } from './samples.ts'

export interface SampleIntakeSettings {
  clock: Clock
  store: Pick<Store, 'insertSamples' | 'insertEvents'>
  registry: Pick<MetricRegistry<HubMetricKey>, 'increment'>
  metrics: RequestMetrics
  arrivals: ArrivalState
  /** Of samples that do not name theirs. */
  cluster: string | null
  onTrouble(message: string): void
}

export interface SampleIntake {
  take(batch: DecodedMetrics): Promise<Verdict>
  /** Replicas that are no longer heard of; every few seconds. */
  sweep(): Promise<void>
}

export function createSampleIntake(settings: SampleIntakeSettings): SampleIntake {
  const { clock, store, registry, metrics, arrivals, cluster, onTrouble } = settings
  const changes = createChangeDetector(clock)

  async function takeEvents(events: readonly ChangeEvent[]): Promise<void> {
    if (events.length === 0) return
    metrics.events(events)
    await store.insertEvents(events).catch((error: Error) => onTrouble(error.message))
  }

  return {
    async take(batch) {
      for (const resource of new Set(batch.metrics.map((metric) => metric.resource))) metrics.heard(resource)
      const { samples, ignored } = readSamples(batch.metrics, cluster)
      registry.increment('dataPointsTotal', { result: 'ignored' }, ignored + batch.unsupported)
      if (samples.length === 0) return taken()
      try {
        await store.insertSamples(samples)
      } catch (error) {
        onTrouble((error as Error).message)
        return comeAgain('the store is not available')
      }
      registry.increment('dataPointsTotal', { result: 'sample' }, samples.length)
      for (const sample of samples) {
        metrics.sample(sample)
        arrivals.sample(sample)
      }
      await takeEvents(samples.flatMap((sample) => changes.sample(sample)))
      return taken()
    },
    sweep: () => takeEvents(changes.silent()),
  }
}
