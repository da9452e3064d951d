// A model gets a tenth of the requests of yesterday at this hour: traffic is gone upstream, or we do not see it.
import { RECORDINGS } from '@longpole/model/conventions/recordings'
import type { AlertDefinition } from '../rule.ts'

const rate = `avg_over_time(${RECORDINGS.requestRate}[10m])`
const yesterday = `avg_over_time(${RECORDINGS.requestRate}[10m] offset 1d)`

export const LLMTrafficDropped: AlertDefinition = {
  name: 'LLMTrafficDropped',
  family: 'cause',
  summary: 'Traffic has dropped to a tenth.',
  description: '{{ $labels.model }} had {{ $value | humanize }} requests a second at this hour yesterday and has less than a tenth now.',
  dashboard: 'fleet-overview',
  variants: () => [
    {
      expr: `${yesterday} > 0.2
unless
${rate} >= 0.1 * ${yesterday}`,
      for: '10m',
      severity: 'warning',
      channel: 'ticket',
    },
  ],
}
