// Sidecars of one cluster have run more than one version for six hours: a rollout was left half done.
import { METRICS } from '@longpole/model/conventions/metrics'
import type { AlertDefinition } from '../rule.ts'

export const LLMVersionSkew: AlertDefinition = {
  name: 'LLMVersionSkew',
  family: 'self',
  summary: 'Sidecars run different versions.',
  description: 'The sidecars of cluster {{ $labels.cluster }} run {{ $value }} versions.',
  dashboard: 'longpole-itself',
  variants: () => [
    {
      expr: `count by (cluster) (count by (cluster, version) (time() - ${METRICS.sidecarSeen.name} < 600)) > 1`,
      for: '6h',
      severity: 'info',
      channel: 'none',
    },
  ],
}
