// Fires while only informational alerts fire for a model; Alertmanager mutes them with it, so that they are seen beside others only.
import type { AlertDefinition } from '../rule.ts'

const firing = (severity: string) => `ALERTS{severity${severity}, alertstate="firing", family=~"slo|cause|self"} == 1`

export const InfoInhibitor: AlertDefinition = {
  name: 'InfoInhibitor',
  family: 'watchdog',
  summary: 'Mutes informational alerts that stand alone.',
  description: 'Only informational alerts fire for {{ $labels.model }}; they are muted until something else does.',
  dashboard: 'longpole-itself',
  variants: () => [
    {
      expr: `max by (cluster, model) (${firing('="info"')})
unless on (cluster, model)
${firing('=~"warning|critical"')}`,
      for: '0s',
      severity: 'none',
      channel: 'none',
      keepFiringFor: null,
    },
  ],
}
