// One replica takes three times as long in a phase as its peers' median: draining it helps, scaling does not.
import { RECORDINGS } from '@longpole/model/conventions/recordings'
import type { AlertDefinition } from '../rule.ts'

const { replicaPhaseMeanSeconds: mean, replicaPhaseCountRate: count } = RECORDINGS
const PEERS = 'cluster, model, phase'
const median = `quantile by (${PEERS}) (0.5, ${mean})`

export const LLMReplicaOutlier: AlertDefinition = {
  name: 'LLMReplicaOutlier',
  family: 'cause',
  summary: 'One replica is far slower than its peers.',
  description:
    'Replica {{ $labels.replica }} of {{ $labels.model }} takes {{ $value | humanizeDuration }} in {{ $labels.phase }}, three times the median of its peers.',
  dashboard: 'replica',
  variants: () => [
    {
      // 50 ms apart at least: three times a millisecond hurts nobody. One of two replicas cannot exceed three times their median.
      expr: `${mean} > on (${PEERS}) group_left () 3 * ${median}
and
(${mean} - on (${PEERS}) group_left () ${median}) > 0.05
and
avg_over_time(${count}[10m]) * 600 >= 30`,
      for: '10m',
      severity: 'warning',
      channel: 'ticket',
    },
  ],
}
