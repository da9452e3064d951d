// No hub has been seen: every other rule here is blind. Judged on the one series that is there whatever the traffic.
import { METRICS } from '@longpole/model/conventions/metrics'
import { select } from '../promql.ts'
import type { AlertDefinition } from '../rule.ts'

export const LLMTelemetryAbsent: AlertDefinition = {
  name: 'LLMTelemetryAbsent',
  family: 'self',
  summary: 'No hub is seen: alerting is blind.',
  description: 'Prometheus has seen no Longpole hub for three minutes; objectives, findings and cause rules do not work.',
  dashboard: 'longpole-itself',
  variants: () => [
    {
      // Three minutes and one more: noticed within five, and a restart of the hub is not.
      expr: `absent_over_time(${select(METRICS.buildInfo, { component: 'hub' })}[3m])`,
      for: '1m',
      severity: 'critical',
      channel: 'page',
      keepFiringFor: null,
    },
  ],
}
