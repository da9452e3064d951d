// No replica of a model answers: all are down, or all have vanished from the samples although they were there within the hour.
import { METRICS } from '@longpole/model/conventions/metrics'
import type { AlertDefinition } from '../rule.ts'

const up = `sum by (cluster, model) (${METRICS.engineUp.name})`

export const LLMNoHealthyEngines: AlertDefinition = {
  name: 'LLMNoHealthyEngines',
  family: 'slo',
  summary: 'No engine of the model answers.',
  description: 'No replica of {{ $labels.model }} answers: every request fails or hangs.',
  place: 'phase engine, no replica answers',
  dashboard: 'fleet-overview',
  variants: () => [
    {
      expr: `${up} == 0
or
(sum by (cluster, model) (${METRICS.engineExpected.name}) > 0 unless ${up})`,
      for: '1m',
      severity: 'critical',
      channel: 'page',
    },
  ],
}
