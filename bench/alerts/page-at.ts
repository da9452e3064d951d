// What a page says: an alert's annotations expanded by a real Prometheus over a case's history, moved so that the instant of the page is
// now. Templates are run by Prometheus and nothing else, so what is read here is what arrives.
import { METRICS } from '@longpole/model/conventions/metrics'
import { stringify } from 'yaml'
import type { PrometheusAlert } from '../../alerts/rule.ts'
import { History, type Series } from './history.ts'

export interface PageRequest {
  alert: PrometheusAlert
  /** Labels and value of the series that fired. */
  labels: Record<string, string>
  value: number
}

/** The longest range that an annotation reads, and a little more. */
const PAST_SECONDS = 2_400
const STEP = 15
/** Between writing the blocks and the first evaluation. */
const AHEAD_SECONDS = 8
/** The page is read within that time after its instant, or again: on a busy machine the server starts late. */
const HELD_STEPS = 12
const ATTEMPTS = 4
/** Gauges whose values are instants: they move with the samples. */
const INSTANTS = new Set<string>(
  [METRICS.findingOnset, METRICS.findingEvaluated, METRICS.changeTimestamp, METRICS.sidecarSeen, METRICS.localizerLastSuccess].map(
    ({ name }) => name,
  ),
)
/** Blocks have no marks where a series ends: a sample stands for no more than the next two scrapes. */
export const LOOKBACK = '45s'
const TRIGGER = 'page_trigger'

/** The annotations of each page at an instant (Unix seconds) of the history, and by how many seconds instants in them are moved. */
export async function pagesAt(
  history: History,
  at: number,
  requests: readonly PageRequest[],
): Promise<{ pages: Record<string, string>[]; movedSeconds: number }> {
  const names = new Set(requests.flatMap(({ alert }) => Object.values(alert.annotations).flatMap(seriesNames)))
  const gathered: Series[] = []
  for (const name of names) {
    const found = await history.range(name, at - PAST_SECONDS, at, STEP)
    gathered.push(...found.map((series) => ({ ...series, name })))
  }
  for (let attempt = 1; ; attempt++) {
    const found = await expandNow(history.tools, gathered, at, requests)
    if (found !== null) return found
    if (attempt === ATTEMPTS) throw new Error(`Prometheus did not expand ${requests.length} pages`)
  }
}

/** Moves what was gathered to now and has a real Prometheus expand the annotations; null where it was not there in time. */
async function expandNow(
  tools: History['tools'],
  gathered: readonly Series[],
  at: number,
  requests: readonly PageRequest[],
): Promise<{ pages: Record<string, string>[]; movedSeconds: number } | null> {
  await using moved = new History(LOOKBACK, tools)
  const movedSeconds = Math.ceil(Date.now() / 1_000) + AHEAD_SECONDS - at
  const shifted = gathered.map(({ name, labels, points }) => ({
    name,
    labels,
    points: hold(
      points.map(([second, value]) => [second + movedSeconds, INSTANTS.has(name) ? value + movedSeconds : value] as const),
      at + movedSeconds,
    ),
  }))
  const triggers = requests.map(({ labels, value }, index) => ({
    name: TRIGGER,
    labels: { ...labels, page: String(index) },
    points: hold([[at + movedSeconds, value]], at + movedSeconds),
  }))
  await moved.add([...shifted, ...triggers])
  const rules = requests.map(({ alert, labels }, index) => ({
    alert: alert.alert,
    expr: `sum by (${Object.keys(labels).join(', ')}) (${TRIGGER}{page="${index}"})`,
    labels: { page: String(index) },
    annotations: alert.annotations,
  }))
  const url = await moved.serve(stringify({ groups: [{ name: 'pages', interval: '1s', rules }] }))
  const pages = await expanded(url, requests.length)
  return pages === null ? null : { pages, movedSeconds }
}

/** What is there at the instant stays for three minutes more, for the page is read a little later; what was gone before stays gone. */
function hold(points: readonly (readonly [number, number])[], at: number): (readonly [number, number])[] {
  const last = points.at(-1)
  if (last === undefined || last[0] < at) return [...points]
  return [...points, ...Array.from({ length: HELD_STEPS }, (_, step) => [last[0] + (step + 1) * STEP, last[1]] as const)]
}

function seriesNames(text: string): string[] {
  return text.match(/\b(?:longpole_\w+|slo:[\w:]+)/g) ?? []
}

async function expanded(url: string, count: number): Promise<Record<string, string>[] | null> {
  const deadline = performance.now() + (HELD_STEPS * STEP + AHEAD_SECONDS) * 1_000
  while (performance.now() < deadline) {
    const response = await fetch(`${url}/api/v1/alerts`)
    const { data } = (await response.json()) as {
      data: { alerts: { labels: Record<string, string>; annotations: Record<string, string> }[] }
    }
    if (data.alerts.length >= count) {
      return Array.from({ length: count }, (_, page) => data.alerts.find(({ labels }) => labels.page === String(page))?.annotations ?? {})
    }
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
  return null
}
