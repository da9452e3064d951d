// An engine's own /metrics page through the sampler and the hub's registry to the queries of the boards: which panels about engines would
// be blank on it, and which of those the engine could have filled.
import { createManualClock } from '@longpole/model/clock'
import { HUB_EXPORTED_METRICS } from '@longpole/model/conventions/metrics'
import { createRegistry } from '../../collector/exporters/prometheus/registry.ts'
import { createSampleMetrics } from '../../collector/exporters/prometheus/sample-metrics.ts'
import { BOARDS } from '../../dashboards/index.ts'
import type { ExpositionTable } from '../../src/engines/adapter.ts'
import { EXPOSITIONS } from '../../src/engines/expositions.ts'
import { createSampler } from '../../src/engines/sampler.ts'

export interface BlankPanel {
  panel: string
  /** Series that its queries need and the page did not give. */
  series: string[]
  /** The engine's table names a source for each of them: it has not happened yet, is switched off, or a release has renamed it. */
  hasSource: boolean
}

interface Needed {
  name: string
  kind: string | null
}

/** Null where the page is of no engine that serves requests itself. */
export async function blankPanels(page: string): Promise<{ engine: string; blank: BlankPanel[] } | null> {
  const clock = createManualClock(1_767_600_000_000_000_000n)
  const registry = createRegistry(HUB_EXPORTED_METRICS, { version: '0', component: 'hub' })
  const metrics = createSampleMetrics(registry, clock)
  const sampler = createSampler({ cluster: 'c', region: 'r', model: null, pool: null, replica: 'a', rank: null })
  // The first page gives no rates; on the second everything that is counted has gone on.
  for (const text of [page, later(page)]) {
    for (const sample of sampler.sample(text, clock.unixNano())) metrics.sample(sample)
    clock.advance(5_000)
  }
  const engine = sampler.engine()
  const table = EXPOSITIONS.find((entry) => entry.engine === engine)?.table
  if (engine === null || table?.gauges.running === undefined) return null
  const lines = (await registry.render(false)).split('\n').filter((line) => line.startsWith('longpole_engine_'))
  const isThere = ({ name, kind }: Needed) =>
    lines.some((line) => line.startsWith(`${name}{`) && (kind === null || line.includes(`kind="${kind}"`)))
  const blank = panelsAboutEngines().flatMap(({ panel, ways }): BlankPanel[] => {
    if (ways.some((way) => way.every(isThere))) return []
    const absent = ways.flat().filter((series) => !isThere(series))
    const series = [...new Set(absent.map(({ name, kind }) => (kind === null ? name : `${name} ${kind}`)))]
    return [{ panel, series, hasSource: absent.every(({ name, kind }) => hasSource(table, name, kind)) }]
  })
  return { engine, blank }
}

/** Each panel with the ways in which it can show something: of each query each side of an `or`, as the series it needs. */
function panelsAboutEngines(): { panel: string; ways: Needed[][] }[] {
  return BOARDS.flatMap(({ title, rows }) =>
    rows.flatMap(({ panels }) =>
      panels.flatMap((panel) => {
        if (panel.kind === 'text') return []
        const ways = panel.targets.flatMap(({ expr }) => expr.split(' or ')).map(neededBy)
        return ways.some((way) => way.length === 0) ? [] : [{ panel: `${title} / ${panel.title}`, ways }]
      }),
    ),
  )
}

function neededBy(expr: string): Needed[] {
  return [...expr.matchAll(/\b(longpole_engine_\w+)(\{[^}]*\})?/g)].map((match) => ({
    name: match[1] as string,
    kind: /kind="(\w+)"/.exec(match[2] ?? '')?.[1] ?? null,
  }))
}

/** Fields of a sample behind each metric; what is not here is from hardware counters or from the hub. */
const FIELDS: Readonly<Record<string, (table: ExpositionTable, kind: string | null) => unknown>> = {
  longpole_engine_up: () => true,
  longpole_engine_info: () => true,
  longpole_engine_expected: () => true,
  longpole_engine_running: ({ gauges }) => gauges.running,
  longpole_engine_waiting: ({ gauges }) => gauges.waiting,
  longpole_engine_kv_usage_ratio: ({ gauges }) => gauges.kv_usage,
  longpole_engine_expert_load_ratio: ({ gauges }) => gauges.expert_load_ratio,
  longpole_engine_preemptions_total: ({ rates }) => rates.preemptions_per_second,
  longpole_engine_step_seconds: ({ step }) => step,
  longpole_engine_age_seconds: ({ startTime }) => startTime,
  longpole_engine_tokens_total: ({ rates }, kind) =>
    ({
      prompt: rates.prompt_tokens_per_second,
      cached: rates.cached_tokens_per_second,
      output: rates.output_tokens_per_second,
      drafted: rates.drafted_per_second,
      accepted: rates.accepted_per_second,
    })[kind ?? 'output'],
}

function hasSource(table: ExpositionTable, name: string, kind: string | null): boolean {
  return FIELDS[name]?.(table, kind) !== undefined
}

/** The same page after more work: every counter has grown. */
function later(page: string): string {
  return page.replace(/^([a-zA-Z_:][\w:]*(?:_total|_sum|_count))(\{.*\})? ([0-9.eE+-]+)$/gm, (_, name, labels, value) => {
    return `${name}${labels ?? ''} ${Number(value) * 1.5 + 1}`
  })
}
