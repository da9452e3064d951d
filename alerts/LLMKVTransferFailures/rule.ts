// KV transfers fail: each failure is a prefill done twice or a request lost.
import { METRICS } from '@longpole/model/conventions/metrics'
import { select } from '../promql.ts'
import type { AlertDefinition } from '../rule.ts'

const failed = `sum by (cluster, model) (increase(${select(METRICS.kvTransfersTotal, { result: '!=ok' })}[10m]))`

export const LLMKVTransferFailures: AlertDefinition = {
  name: 'LLMKVTransferFailures',
  family: 'cause',
  phase: 'kv.transfer',
  summary: 'KV transfers fail.',
  description: '{{ $value | humanizePercentage }} of the KV transfers of {{ $labels.model }} failed in ten minutes.',
  dashboard: 'disaggregation',
  variants: () => [
    {
      expr: `${failed} / sum by (cluster, model) (increase(${METRICS.kvTransfersTotal.name}[10m])) > 0.01
and
${failed} >= 5`,
      for: '2m',
      severity: 'warning',
      channel: 'ticket',
    },
  ],
}
