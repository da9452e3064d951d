// docs/metrics.md, from the definitions in src/model/conventions.
import { LABEL_CAPS, OVERFLOW } from '@longpole/model/conventions/labels'
import { METRICS, type MetricDefinition, SIDECAR_METRICS } from '@longpole/model/conventions/metrics'
import { ENGINE_METRICS } from '@longpole/model/conventions/metrics/engines'
import { FINDING_METRICS } from '@longpole/model/conventions/metrics/findings'
import { HUB_METRICS } from '@longpole/model/conventions/metrics/hub'
import { REQUEST_METRICS } from '@longpole/model/conventions/metrics/requests'
import { code, GENERATED, markdownTable } from './markdown.ts'

const SECTIONS: readonly { title: string; text: string; metrics: Readonly<Record<string, MetricDefinition>> }[] = [
  {
    title: 'Requests',
    text: 'From joined records, counted once, when a record settles. Exported by the hub.',
    metrics: REQUEST_METRICS,
  },
  {
    title: 'Engines',
    text: 'Canonical metrics of engines, from samples of their own pages. Exported by the hub.',
    metrics: ENGINE_METRICS,
  },
  { title: 'Findings, changes, probes', text: 'What an alert needs to name the culprit. Exported by the hub.', metrics: FINDING_METRICS },
  { title: 'The hub itself', text: 'Spans: received = stored + dropped + rejected + in flight, exactly.', metrics: HUB_METRICS },
  { title: 'Sidecars themselves', text: 'Exported by each sidecar on its own page.', metrics: SIDECAR_METRICS },
]

export function describeMetrics(): string {
  const sections = SECTIONS.map(
    ({ title, text, metrics }) =>
      `## ${title}\n\n${text}\n\n${markdownTable(['metric', 'type', 'labels', 'meaning'], Object.values(metrics).map(rowOf))}`,
  )
  const caps = markdownTable(
    ['label', 'values'],
    Object.entries(LABEL_CAPS).map(([label, cap]) => [code(label), String(cap)]),
  )
  return `# Metrics

${GENERATED}

${Object.keys(METRICS).length} metrics. Seconds, bytes, ratios from 0 to 1. Both pages (Prometheus text and OpenMetrics) have the same names; histograms carry the
exemplar \`trace_id\` in OpenMetrics. An unknown label is empty; what is not known is absent, never 0.

${sections.join('\n\n')}

## Limits of labels

Each label of each metric takes so many values; further ones are counted under \`${OVERFLOW}\` and in \`${METRICS.seriesOverflowTotal.name}\`. Labels that are not
listed take \`limits.labelValues\` of the configuration.

${caps}
`
}

function rowOf({ name, type, labels, help, buckets }: MetricDefinition): string[] {
  const shown = buckets === undefined ? type : `${type}, ${buckets.length} buckets ${buckets[0]} … ${buckets.at(-1)}`
  return [code(name), shown, labels.map(code).join(', '), help]
}
