// A few gaps between tokens are many times the usual one: something takes whole steps away from decode, mostly prefill.
import { METRICS } from '@longpole/model/conventions/metrics'
import { RECORDINGS } from '@longpole/model/conventions/recordings'
import { series } from '../promql.ts'
import type { AlertDefinition } from '../rule.ts'

export const LLMDecodeInterference: AlertDefinition = {
  name: 'LLMDecodeInterference',
  family: 'cause',
  phase: 'engine.decode',
  summary: 'Other work takes steps away from decode.',
  description: 'The 99th percentile of gaps between tokens of {{ $labels.model }} is {{ $value | humanize }} times the median.',
  dashboard: 'decode',
  variants: () => [
    {
      expr: `${RECORDINGS.itlQuantile('99')} / ${RECORDINGS.itlQuantile('50')} > 5
and
sum by (cluster, model) (increase(${series(METRICS.itlSeconds, 'count')}[5m])) >= 1000`,
      for: '5m',
      severity: 'warning',
      channel: 'ticket',
    },
  ],
}
