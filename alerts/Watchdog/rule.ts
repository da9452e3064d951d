// Always fires. Something outside must miss it: then Prometheus, Alertmanager or the way between them is broken.
import { WATCHDOG_STAMP } from '../deadman.ts'
import type { AlertDefinition } from '../rule.ts'
import { EPOCH, query } from '../template.ts'

export const Watchdog: AlertDefinition = {
  name: 'Watchdog',
  family: 'watchdog',
  summary: 'Always firing: proves that alerts arrive.',
  description: 'Sent to the dead-man receiver every minute; that receiver raises the alarm when it stops coming.',
  dashboard: 'longpole-itself',
  // Alertmanager repeats a firing alert for minutes after Prometheus died; only a Prometheus that lives moves this stamp.
  annotations: { [WATCHDOG_STAMP]: `{{ with ${query('vector(time())')} }}{{ . | first | value | ${EPOCH} }}{{ end }}` },
  variants: () => [{ expr: 'vector(1)', for: '0s', severity: 'none', channel: 'none', keepFiringFor: null }],
}
