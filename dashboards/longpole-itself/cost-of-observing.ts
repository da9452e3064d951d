// What observing costs: the sidecar's own time, its queue, and the localizer's rounds.
import { type Row, timeSeries } from '../panels.ts'
import type { Queries } from '../queries.ts'

export function costOfObserving(q: Queries): Row {
  return {
    title: 'What it costs',
    panels: [
      timeSeries({
        title: 'Time in the sidecar',
        description: 'Both ways, per request.',
        unit: 's',
        width: 8,
        colourBy: 'quantile',
        noValue: 'No sidecar is scraped',
        targets: q.quantiles([0.5, 0.99], 'sidecarOverheadSeconds'),
      }),
      timeSeries({
        title: 'Sidecar export backlog',
        description: 'Age of the oldest span a sidecar has not delivered.',
        unit: 's',
        width: 8,
        min: 0,
        noValue: 'No sidecar is scraped',
        targets: [{ expr: q.gauge('max', 'sidecarExportOldestSeconds'), legend: 'oldest' }],
      }),
      timeSeries({
        title: 'Localizer rounds',
        description: 'Duration of a round.',
        unit: 's',
        width: 8,
        colourBy: 'quantile',
        noValue: 'The localizer has not run yet',
        targets: q.quantiles([0.5, 0.95], 'localizerSeconds'),
      }),
      timeSeries({
        title: 'Missing engine metrics',
        description: 'Metrics that an engine version should have and has not, by replica: an upgrade renamed something.',
        unit: 'short',
        width: 12,
        min: 0,
        noValue: 'No metric is missing',
        targets: [{ expr: q.gauge('sum', 'engineMetricMissing', ['replica']), legend: '{{replica}}' }],
      }),
      timeSeries({
        title: 'Sidecars heard of',
        description: 'Sidecars that reported within five minutes.',
        unit: 'short',
        width: 12,
        min: 0,
        noValue: 'No sidecar reports',
        targets: [{ expr: `count(time() - ${q.select('sidecarSeen')} < 300) or vector(0)`, legend: 'sidecars' }],
      }),
    ],
  }
}
