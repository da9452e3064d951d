// Every metric Longpole exports. Names, labels and buckets are read from here by the hub, the sidecar, the dashboards, the alert
// rules, the simulator's history and docs/metrics.md: a renamed metric breaks the build, not the pager.
import type { MetricDefinition } from './metrics/definition.ts'
import { ENGINE_METRICS } from './metrics/engines.ts'
import { FINDING_METRICS } from './metrics/findings.ts'
import { HUB_METRICS } from './metrics/hub.ts'
import { REQUEST_METRICS } from './metrics/requests.ts'
import { SIDECAR_METRICS } from './metrics/sidecar.ts'

export type { MetricDefinition } from './metrics/definition.ts'
export { EXTERNAL_METRICS } from './metrics/external.ts'
export { SIDECAR_METRICS } from './metrics/sidecar.ts'

/** What the hub's /metrics exports. */
export const HUB_EXPORTED_METRICS = { ...REQUEST_METRICS, ...ENGINE_METRICS, ...FINDING_METRICS, ...HUB_METRICS } as const

export const METRICS = { ...HUB_EXPORTED_METRICS, ...SIDECAR_METRICS } as const satisfies Record<string, MetricDefinition>

export type MetricKey = keyof typeof METRICS
export type HubMetricKey = keyof typeof HUB_EXPORTED_METRICS
export type SidecarMetricKey = keyof typeof SIDECAR_METRICS
