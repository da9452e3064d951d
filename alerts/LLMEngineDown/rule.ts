// An engine does not answer its scrape: a ticket among several replicas, a page where it is the only one.
import { METRICS } from '@longpole/model/conventions/metrics'
import type { AlertDefinition } from '../rule.ts'

const up = METRICS.engineUp.name
const down = `min by (cluster, model, replica) (${up}) == 0`
const replicas = `count by (cluster, model) (count by (cluster, model, replica) (${up}))`

export const LLMEngineDown: AlertDefinition = {
  name: 'LLMEngineDown',
  family: 'cause',
  summary: 'An engine does not answer.',
  description: 'Replica {{ $labels.replica }} of {{ $labels.model }} has not answered its scrape for two minutes.',
  place: 'phase engine, the only replica does not answer',
  dashboard: 'replica',
  variants: () => [
    { expr: `${down}\nand on (cluster, model)\n${replicas} > 1`, for: '2m', severity: 'warning', channel: 'ticket' },
    { expr: `${down}\nand on (cluster, model)\n${replicas} <= 1`, for: '2m', severity: 'critical', channel: 'page' },
  ],
}
