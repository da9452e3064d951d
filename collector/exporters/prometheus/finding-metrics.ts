// Findings and change events as gauges, so that an alert's annotations can name the culprit by a query and need no other service.
import type { ChangeEvent } from '@longpole/model/change-event'
import type { HubMetricKey } from '@longpole/model/conventions/metrics'
import { type Finding, formatSlice } from '@longpole/model/finding'
import type { MetricRegistry } from './registry.ts'

/** Findings shown of one cluster, model and objective. */
const MAX_RANK = 3
const MAX_EVENTS = 64

export interface FindingMetrics {
  /** The open findings, best first. */
  findings(findings: readonly Finding[], evaluatedUnixNano: bigint): void
  /** Change events as they come; the newest of all are shown. */
  events(events: readonly ChangeEvent[]): void
}

export function createFindingMetrics(registry: MetricRegistry<HubMetricKey>): FindingMetrics {
  let newest: ChangeEvent[] = []
  return {
    findings(findings, evaluatedUnixNano) {
      for (const key of ['findingInfo', 'findingShare', 'findingOnset', 'findingBadRequests', 'findingEvaluated'] as const)
        registry.clear(key)
      const ranks = new Map<string, number>()
      for (const finding of findings) {
        const place = { cluster: clusterOf(finding), model: finding.model, slo: finding.target.slo }
        const rank = (ranks.get(JSON.stringify(place)) ?? 0) + 1
        ranks.set(JSON.stringify(place), rank)
        if (rank <= MAX_RANK) setFinding(registry, finding, { ...place, rank: String(rank) }, evaluatedUnixNano)
      }
      registry.set('localizerLastSuccess', {}, Number(evaluatedUnixNano) / 1e9)
    },

    events(events) {
      registry.clear('changeTimestamp')
      const byId = new Map([...newest, ...events].map((event) => [event.id, event]))
      newest = [...byId.values()].sort((a, b) => Number(a.unix_ns - b.unix_ns)).slice(-MAX_EVENTS)
      // Oldest first: of two events of one name the newest is the one to show.
      for (const event of newest) {
        const cluster = event.scope.cluster?.length === 1 ? event.scope.cluster[0] : null
        registry.set(
          'changeTimestamp',
          { cluster, kind: event.kind, source: event.source, event: event.title },
          Number(event.unix_ns) / 1e9,
        )
      }
    },
  }
}

function clusterOf({ slice }: Finding): string | null {
  return slice.cluster?.length === 1 ? (slice.cluster[0] ?? null) : null
}

function setFinding(
  registry: MetricRegistry<HubMetricKey>,
  finding: Finding,
  place: { cluster: string | null; model: string | null; slo: string | null; rank: string },
  evaluatedUnixNano: bigint,
): void {
  const [change] = finding.changes
  registry.set(
    'findingInfo',
    {
      ...place,
      finding: finding.id,
      verdict: finding.verdict,
      phase: finding.phases[0]?.phase,
      slice: formatSlice(finding.slice),
      mechanism: finding.mechanism?.name,
      confidence: finding.confidence,
      change: change === undefined ? null : `${change.event.kind}: ${change.event.title}`,
    },
    1,
  )
  if (finding.share_explained !== null) registry.set('findingShare', place, finding.share_explained.value)
  if (finding.onset !== null) registry.set('findingOnset', place, Date.parse(finding.onset.at) / 1_000)
  registry.set('findingBadRequests', place, finding.bad_requests)
  registry.set('findingEvaluated', place, Number(evaluatedUnixNano) / 1e9)
}
