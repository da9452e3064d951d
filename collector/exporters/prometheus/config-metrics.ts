// What the configuration says and boards need, as gauges.
import type { HubMetricKey } from '@longpole/model/conventions/metrics'
import type { Config } from '../../../src/config/schema.ts'
import type { MetricRegistry } from './registry.ts'

/** Once, when the configuration was loaded without error. */
export function publishConfig(registry: MetricRegistry<HubMetricKey>, { prices }: Pick<Config, 'prices'>): void {
  registry.set('configReloadSuccess', {}, 1)
  for (const [model, price] of Object.entries(prices.replicaHour)) registry.set('priceReplicaHour', { model }, price)
}
