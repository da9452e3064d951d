// Streams stop for more than ten times the TPOT objective: users see text freeze.
import { METRICS } from '@longpole/model/conventions/metrics'
import type { AlertDefinition } from '../rule.ts'

const stalls = `sum by (cluster, model) (increase(${METRICS.streamStallsTotal.name}[5m]))`

export const LLMStreamStall: AlertDefinition = {
  name: 'LLMStreamStall',
  family: 'cause',
  phase: 'engine.decode',
  summary: 'Streams stall in the middle.',
  description: '{{ $value | humanizePercentage }} of the streams of {{ $labels.model }} had a gap above ten times the TPOT objective.',
  dashboard: 'decode',
  variants: () => [
    {
      expr: `${stalls} / sum by (cluster, model) (increase(${METRICS.replicaRequestsTotal.name}[5m])) > 0.02
and
${stalls} >= 10`,
      for: '5m',
      severity: 'warning',
      channel: 'ticket',
    },
  ],
}
