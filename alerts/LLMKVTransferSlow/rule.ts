// KV blocks take more than half a second from the prefill to the decode side.
import { METRICS } from '@longpole/model/conventions/metrics'
import { histogramQuantile, select, series } from '../promql.ts'
import type { AlertDefinition } from '../rule.ts'

const phase = 'kv.transfer'

export const LLMKVTransferSlow: AlertDefinition = {
  name: 'LLMKVTransferSlow',
  family: 'cause',
  phase,
  summary: 'KV transfers are slow.',
  description: 'The 99th percentile of KV transfers of {{ $labels.model }} is {{ $value | humanizeDuration }}.',
  dashboard: 'disaggregation',
  variants: () => [
    {
      expr: `${histogramQuantile(0.99, METRICS.phaseSeconds, 'cluster, model', '10m', { phase })} > 0.5
and
sum by (cluster, model) (increase(${select(series(METRICS.phaseSeconds, 'count'), { phase })}[10m])) >= 100`,
      for: '10m',
      severity: 'warning',
      channel: 'ticket',
    },
  ],
}
