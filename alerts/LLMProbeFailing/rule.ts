// Synthetic requests fail five times of six. A page where no real traffic would tell, a ticket where the objectives do.
import { METRICS } from '@longpole/model/conventions/metrics'
import { RECORDINGS } from '@longpole/model/conventions/recordings'
import { select } from '../promql.ts'
import type { AlertDefinition } from '../rule.ts'

const increase = (labels: Record<string, string>) => `sum by (cluster, model) (increase(${select(METRICS.probeRequestsTotal, labels)}[2m]))`
const failing = `${increase({ result: 'bad' })} / ${increase({})} > 0.8
and
${increase({})} >= 5`
const traffic = `${RECORDINGS.requestRate} > 0.02`

export const LLMProbeFailing: AlertDefinition = {
  name: 'LLMProbeFailing',
  family: 'slo',
  summary: 'Synthetic requests fail.',
  description: '{{ $value | humanizePercentage }} of the synthetic requests for {{ $labels.model }} failed or were late in two minutes.',
  dashboard: 'fleet-overview',
  variants: () => [
    { expr: `${failing}\nunless on (cluster, model)\n${traffic}`, for: '1m', severity: 'critical', channel: 'page' },
    { expr: `${failing}\nand on (cluster, model)\n${traffic}`, for: '1m', severity: 'warning', channel: 'ticket' },
  ],
}
