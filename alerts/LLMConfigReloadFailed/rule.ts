// A hub runs on its old configuration because the new one has a mistake.
import { METRICS } from '@longpole/model/conventions/metrics'
import type { AlertDefinition } from '../rule.ts'

export const LLMConfigReloadFailed: AlertDefinition = {
  name: 'LLMConfigReloadFailed',
  family: 'self',
  summary: 'A configuration could not be loaded.',
  description: 'Hub {{ $labels.instance }} still runs on its previous configuration.',
  dashboard: 'longpole-itself',
  variants: () => [
    {
      expr: `min by (instance) (${METRICS.configReloadSuccess.name}) == 0`,
      for: '5m',
      severity: 'warning',
      channel: 'ticket',
    },
  ],
}
