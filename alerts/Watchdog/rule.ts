// Always fires. Something outside must miss it: then Prometheus, Alertmanager or the way between them is broken.
import type { AlertDefinition } from '../rule.ts'

export const Watchdog: AlertDefinition = {
  name: 'Watchdog',
  family: 'watchdog',
  summary: 'Always firing: proves that alerts arrive.',
  description: 'Sent to the dead-man receiver every minute; that receiver raises the alarm when it stops coming.',
  dashboard: 'longpole-itself',
  variants: () => [{ expr: 'vector(1)', for: '0s', severity: 'none', channel: 'none', keepFiringFor: null }],
}
