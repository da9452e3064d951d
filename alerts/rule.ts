// What an alert is made of. A folder's rule.ts says what only it knows; `render` adds what every alert carries: identity labels, the
// runbook, a board and a console link at the right slice and time, and on pages the twelve fields of page.ts.
import { type DashboardName, runbookUrl } from '@longpole/model/conventions/links'
import type { PhaseId } from '@longpole/model/phase'
import { consoleUrl, dashboardUrl, type LinkBases, silenceUrl } from './links.ts'
import type { ObjectiveSet } from './objectives.ts'
import { pageFields } from './page.ts'
import { label } from './template.ts'

export interface RecordingRule {
  record: string
  expr: string
  labels?: Record<string, string>
}
export interface RecordingGroup {
  name: string
  interval: string
  rules: RecordingRule[]
}

export interface PrometheusAlert {
  alert: string
  expr: string
  for: string
  keep_firing_for?: string
  labels: Record<string, string>
  annotations: Record<string, string>
}

/**
 * `slo`: user-visible symptoms, and what stands in for them; `cause`: explains a page, never wakes anybody; `self`: the observer's own
 * health; `watchdog`: proves that the path to a person works.
 */
export type Family = 'slo' | 'cause' | 'self' | 'watchdog'

/** One Prometheus rule of an alert; an alert has several where severity depends on the situation or objectives differ by model. */
export interface Variant {
  expr: string
  for: string
  severity: 'critical' | 'warning' | 'info' | 'none'
  channel: 'page' | 'ticket' | 'none'
  /** Static labels beside those of the expression, for example `slo`. */
  labels?: Record<string, string>
  /** Where it says something else than the alert's other variants. */
  summary?: string
  description?: string
  place?: string
  /** For rungs: the promise, which the page repeats. */
  set?: ObjectiveSet
  /** Default 5m: a resolve that is taken back a minute later is noise. Null for none. */
  keepFiringFor?: string | null
}

export interface AlertContext {
  sets: readonly ObjectiveSet[]
  periodDays: number
  links: LinkBases
}

export interface AlertDefinition {
  /** The folder's name, exactly. */
  name: string
  family: Family
  /** One fixed sentence without values, so that it can title a group. */
  summary: string
  /** Go template: what was measured, with `$labels` and `$value`. */
  description: string
  /** Board that shows it. */
  dashboard: DashboardName
  /** The phase a cause rule speaks of; absent where it is a label of the expression or not known. */
  phase?: PhaseId
  /** Where an alert on engines knows the place by itself: its page says so before what the localizer found; Go template. */
  place?: string
  /** Annotations that only this alert has; Go templates. */
  annotations?: Record<string, string>
  /** The signal exists only where hardware or transport counters are collected. */
  needsCounters?: boolean
  variants(context: AlertContext): Variant[]
}

export function render(definition: AlertDefinition, context: AlertContext): PrometheusAlert[] {
  return definition.variants(context).map((variant) => renderVariant(definition, variant, context))
}

function renderVariant(definition: AlertDefinition, variant: Variant, context: AlertContext): PrometheusAlert {
  const { links } = context
  const { name, family, phase, dashboard } = definition
  const keep = variant.keepFiringFor === undefined ? '5m' : variant.keepFiringFor
  const isPage = variant.channel === 'page'
  return {
    alert: name,
    expr: variant.expr,
    for: variant.for,
    ...(keep === null ? {} : { keep_firing_for: keep }),
    labels: {
      severity: variant.severity,
      channel: variant.channel,
      family,
      ...(family === 'cause' && phase !== undefined ? { phase } : {}),
      ...variant.labels,
    },
    annotations: {
      summary: variant.summary ?? definition.summary,
      description: cleaned(variant.description ?? definition.description),
      runbook_url: runbookUrl(name, links.runbooks),
      dashboard_url: dashboardUrl(links, dashboard),
      console_url: consoleUrl(links),
      ...definition.annotations,
      ...(isPage ? pageFields(definition, variant, context) : { silence_url: silenceUrl(links) }),
    },
  }
}

/** Labels in a description are shown like everywhere else: without markup and control characters, and not endlessly long. */
function cleaned(description: string): string {
  return description.replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, name: string) => label(name))
}
