// The driver reported a hardware fault (XID). Application faults (13, 31, 43) are not in the list: they are bugs, not broken boards.
import { EXTERNAL_METRICS, METRICS } from '@longpole/model/conventions/metrics'
import { select } from '../promql.ts'
import type { AlertDefinition } from '../rule.ts'

/** NVIDIA's XID catalogue: ECC (48, 63, 64, 94, 95), NVLink (74), fallen off the bus (79), interrupts (92), GSP (119, 120). */
const HARDWARE_XIDS = [48, 63, 64, 74, 79, 92, 94, 95, 119, 120]
const faults = select(EXTERNAL_METRICS.dcgmXidErrors, { xid: `=~${HARDWARE_XIDS.join('|')}` })
/** Which model a pod serves: replicas have the names of their pods. Of two of one name the rule cannot know which is meant. */
const served = `topk by (replica) (1, group by (cluster, model, replica) (${METRICS.engineUp.name}))`

export const LLMGPUHardFault: AlertDefinition = {
  name: 'LLMGPUHardFault',
  family: 'cause',
  phase: 'engine.decode',
  needsCounters: true,
  summary: 'A GPU reports a hardware fault.',
  description: 'A GPU of replica {{ $labels.replica }} of {{ $labels.model }} reported XID {{ $labels.xid }}.',
  dashboard: 'replica',
  variants: () => [
    {
      expr: `max by (cluster, model, replica, xid) (
(label_replace(max by (pod, xid) (max_over_time(${faults}[5m])), "replica", "$1", "pod", "(.+)") > 0)
* on (replica) group_left (cluster, model)
${served}
)`,
      for: '1m',
      severity: 'warning',
      channel: 'ticket',
    },
  ],
}
