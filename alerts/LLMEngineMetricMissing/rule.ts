// An engine no longer exports a metric that its version should have: an upgrade renamed it, and a board or rule is dead.
import { METRICS } from '@longpole/model/conventions/metrics'
import type { AlertDefinition } from '../rule.ts'

export const LLMEngineMetricMissing: AlertDefinition = {
  name: 'LLMEngineMetricMissing',
  family: 'self',
  summary: 'An engine metric is missing.',
  description: '{{ $value }} replicas of {{ $labels.model }} ({{ $labels.engine }}) do not export {{ $labels.metric }}.',
  dashboard: 'longpole-itself',
  variants: () => [
    {
      expr: `count by (cluster, model, engine, metric) (${METRICS.engineMetricMissing.name} == 1) > 0`,
      for: '15m',
      severity: 'warning',
      channel: 'ticket',
    },
  ],
}
