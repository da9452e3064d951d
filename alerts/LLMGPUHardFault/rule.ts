// The driver reported a hardware fault (XID). Application faults (13, 31, 43) are not in the list: they are bugs, not broken boards.
import { METRICS } from '@longpole/model/conventions/metrics'
import { select } from '../promql.ts'
import type { AlertDefinition } from '../rule.ts'

/** NVIDIA's XID catalogue: ECC (48, 63, 64, 94, 95), NVLink (74), fallen off the bus (79), interrupts (92), GSP (119, 120). */
const HARDWARE_XIDS = [48, 63, 64, 74, 79, 92, 94, 95, 119, 120]
const faults = select(METRICS.engineGpuFaultsTotal, { xid: `=~${HARDWARE_XIDS.join('|')}` })

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
      // A counter that is born with its first fault has no increase: that it is new counts too.
      expr: `max by (cluster, model, replica, xid) (
increase(${faults}[10m]) > 0
or
(${faults} > 0 unless ${faults} offset 10m)
)`,
      for: '1m',
      severity: 'warning',
      channel: 'ticket',
    },
  ],
}
