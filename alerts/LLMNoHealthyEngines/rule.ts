// No replica of a model answers: all are down, or all have vanished from the samples although they were there within the hour.
import { METRICS } from '@longpole/model/conventions/metrics'
import { select } from '../promql.ts'
import type { AlertDefinition } from '../rule.ts'

/** An engine that never answered has told nobody its model, and is nobody's outage. */
const NAMED = { model: '!=' }
const up = `sum by (cluster, model) (${select(METRICS.engineUp, NAMED)})`

export const LLMNoHealthyEngines: AlertDefinition = {
  name: 'LLMNoHealthyEngines',
  family: 'slo',
  summary: 'No engine of the model answers.',
  description: 'No replica of {{ $labels.model }} answers: every request fails or hangs.',
  place: 'no replica answers',
  dashboard: 'fleet-overview',
  variants: () => [
    {
      expr: `${up} == 0
or
(sum by (cluster, model) (${select(METRICS.engineExpected, NAMED)}) > 0 unless ${up})`,
      for: '1m',
      severity: 'critical',
      channel: 'page',
    },
  ],
}
