// One simulated incident as metric history: its records through the hub's own registry in virtual time, the localizer's findings beside
// them, hours of health before, the same healthy minutes a day earlier, and every rule evaluated over it.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HUB_EXPORTED_METRICS, METRICS } from '@longpole/model/conventions/metrics'
import type { Finding } from '@longpole/model/finding'
import { alertContext, recordingGroups } from '../../alerts/generate.ts'
import { ALERTS } from '../../alerts/index.ts'
import { type PrometheusAlert, render } from '../../alerts/rule.ts'
import { createFindingMetrics } from '../../collector/exporters/prometheus/finding-metrics.ts'
import { createRegistry } from '../../collector/exporters/prometheus/registry.ts'
import { resolveObjectives } from '../../src/config/objectives.ts'
import { configSchema } from '../../src/config/schema.ts'
import { localizeContinuously } from '../../test/metrics/continuous-localizer.ts'
import { copyLines, writeHistory } from '../../test/metrics/history.ts'
import type { Firing, History } from './history.ts'
import { type FaultCase, type Incident, simulateIncident } from './incident.ts'

export interface CaseFiring extends Firing {
  alert: PrometheusAlert
}

export interface CaseResult {
  incident: Incident
  firings: CaseFiring[]
  /** What the localizer had open at an instant. */
  findingsAt: (unixSeconds: number) => readonly Finding[]
}

/** Scrape interval, seconds. */
const SCRAPE = 15
/** Evaluation interval, seconds. */
const STEP = 30
const DAY = 86_400
/** Health before the run, for the long windows of the ladder. */
const EARLIER_SECONDS = 6 * 3_600
/** How often the localizer looks. */
const LOCALIZE_SECONDS = 60
/** Written when it is known who is woken. */
const FINDINGS = new Set<string>(
  [
    METRICS.findingInfo,
    METRICS.findingShare,
    METRICS.findingOnset,
    METRICS.findingBadRequests,
    METRICS.findingEvaluated,
    METRICS.localizerLastSuccess,
  ].map(({ name }) => name),
)

export const config = configSchema.parse({})
export const objectives = resolveObjectives(config)
const context = alertContext(config)
const recordings = recordingGroups(context).flatMap((group) => group.rules)
const rendered = ALERTS.filter(({ family }) => family !== 'watchdog').flatMap((definition) => render(definition, context))

/** What a case evaluates: rules, the recordings that they and their annotations read, and the hub's series behind all. */
interface Rules {
  alerts: readonly PrometheusAlert[]
  recordings: typeof recordings
  isRead: (series: string) => boolean
}

const EVERY_RULE = rulesFor(rendered)
const PAGES = rulesFor(rendered.filter(({ labels }) => labels.channel === 'page'))

function rulesFor(alerts: readonly PrometheusAlert[]): Rules {
  const read = new Set<string>()
  const waiting = alerts.flatMap(({ expr, annotations }) => [expr, ...Object.values(annotations)])
  for (let text = waiting.pop(); text !== undefined; text = waiting.pop()) {
    for (const [name] of text.matchAll(/[a-zA-Z_:][\w:]*/g)) {
      if (read.has(name)) continue
      read.add(name)
      waiting.push(...recordings.flatMap(({ record, expr }) => (record === name ? [expr] : [])))
    }
  }
  return { alerts, recordings: recordings.filter(({ record }) => read.has(record)), isRead: (series) => read.has(series) }
}

/** Evaluates the case in `history`, which then holds it for queries. Tickets need every recording and a yesterday: five times the work. */
export async function runCase(given: FaultCase, history: History, { withTickets = true } = {}): Promise<CaseResult> {
  const rules = withTickets ? EVERY_RULE : PAGES
  const incident = simulateIncident(given, objectives)
  const folder = mkdtempSync(join(tmpdir(), 'longpole-fault-'))
  try {
    await addHistory(history, incident, rules, folder)
    if (withTickets) await addYesterday(history, incident, rules, folder)
    await history.record(rules.recordings, incident.startedAt - EARLIER_SECONDS, incident.endedAt, STEP)
    const found = await evaluateRules(history, incident, rules.alerts)
    const findingsAt = localize(incident, found)
    await addFindings(history, incident, findingsAt, folder)
    return { incident, firings: found, findingsAt }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const TODAY = 'today.om'

async function addHistory(history: History, incident: Incident, { isRead }: Rules, folder: string): Promise<void> {
  const { records, samples, events, startedAt, faultAt, endedAt } = incident
  const whole = join(folder, 'whole.om')
  const today = join(folder, TODAY)
  const isWanted = (name: string) => isRead(name) && !FINDINGS.has(name)
  await writeHistory(whole, { records, samples, events, objectives, stepSeconds: SCRAPE, isWanted })
  await copyLines(whole, today, [0], (_, at) => at <= endedAt + STEP)
  await history.addFile(today)
  const earlier = join(folder, 'earlier.om')
  const healthySeconds = faultAt - startedAt
  const repeats = Math.ceil(EARLIER_SECONDS / healthySeconds)
  const shifts = Array.from({ length: repeats }, (_, index) => (repeats - index) * healthySeconds)
  await copyLines(today, earlier, shifts, (name, at) => name === METRICS.sloRequestsTotal.name && at < faultAt)
  await history.addFile(earlier)
}

/** The healthy minutes as if they had been yesterday at the time of the fault. */
async function addYesterday(history: History, incident: Incident, rules: Rules, folder: string): Promise<void> {
  const { startedAt, faultAt, endedAt } = incident
  const yesterday = join(folder, 'yesterday.om')
  const dayShift = DAY - (endedAt - faultAt)
  await copyLines(join(folder, TODAY), yesterday, [dayShift], (_, at) => at < faultAt)
  await history.addFile(yesterday)
  await history.record(rules.recordings, startedAt - dayShift, faultAt - dayShift, STEP)
}

async function evaluateRules(
  history: History,
  { startedAt, endedAt }: Incident,
  alerts: readonly PrometheusAlert[],
): Promise<CaseFiring[]> {
  const found: CaseFiring[] = []
  for (const alert of alerts) {
    for (const firing of await history.firings(alert, startedAt, endedAt, STEP)) found.push({ ...firing, alert })
  }
  return found.sort((a, b) => a.from - b.from)
}

/** What is open at an instant: the models that somebody is woken for are looked at, from the fault until they are. */
function localize(incident: Incident, found: readonly CaseFiring[]): (unixSeconds: number) => readonly Finding[] {
  const { records, faultAt } = incident
  const pages = firstPages(incident, found)
  const models = new Set(pages.map(({ labels }) => labels.model))
  const until = Math.max(...pages.map(({ from }) => from))
  const evaluations: number[] = []
  for (let at = faultAt; at <= until; at += LOCALIZE_SECONDS) evaluations.push(at)
  const concerned = records.filter(({ model }) => model !== null && models.has(model))
  const rounds = localizeContinuously({ ...incident, records: concerned, objectives }, evaluations)
  return (now) => rounds.get(evaluations.findLast((at) => at <= now) ?? -1) ?? []
}

/** The findings as the hub exports them. */
async function addFindings(
  history: History,
  { startedAt, endedAt }: Incident,
  findingsAt: (unixSeconds: number) => readonly Finding[],
  folder: string,
): Promise<void> {
  const registry = createRegistry(HUB_EXPORTED_METRICS, { version: 'history', component: 'hub' })
  const metrics = createFindingMetrics(registry)
  const lines: string[] = []
  for (let at = startedAt; at <= endedAt; at += SCRAPE) {
    metrics.findings(findingsAt(at), BigInt(at) * 1_000_000_000n)
    for (const line of (await registry.render(false)).split('\n')) {
      if (FINDINGS.has(/^\w+/.exec(line)?.[0] ?? '')) lines.push(`${line} ${at}\n`)
    }
  }
  const file = join(folder, 'findings.om')
  writeFileSync(file, `${lines.join('')}# EOF\n`)
  await history.addFile(file)
}

/** The first page of each cluster and model after the fault. */
export function firstPages({ faultAt }: Incident, found: readonly CaseFiring[]): CaseFiring[] {
  const pages = found.filter(({ alert, from }) => alert.labels.channel === 'page' && alert.labels.family !== 'self' && from >= faultAt)
  const first = new Map<string, CaseFiring>()
  for (const page of pages) {
    const key = JSON.stringify([page.labels.cluster, page.labels.model])
    if (!first.has(key)) first.set(key, page)
  }
  return [...first.values()]
}
