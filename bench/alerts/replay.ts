// `npm run bench:alert-replay [-- --days 30 --seed 1 --batch 10]`: how many pages does a healthy month send? The history is in a real Prometheus,
// the ladder's expressions run over it every 30 s.
import { parseArgs } from 'node:util'
import { RECORDINGS } from '@longpole/model/conventions/recordings'
import { alertContext, recordingGroups } from '../../alerts/generate.ts'
import { ALERTS } from '../../alerts/index.ts'
import { render } from '../../alerts/rule.ts'
import { resolveObjectives } from '../../src/config/objectives.ts'
import { configSchema } from '../../src/config/schema.ts'
import { HEALTHY_MODELS, healthySeries } from './healthy.ts'
import { countApart, type Firing, History } from './history.ts'
import { inlineRecordings } from './inline.ts'

const { values } = parseArgs({
  options: {
    days: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    batch: { type: 'string', multiple: true, default: ['1', '10', '20'] },
  },
})
const DAYS = Number(values.days)
const STEP = 30
const START = 1_790_000_000 - (1_790_000_000 % 86_400)

const config = configSchema.parse({})
const context = alertContext(config)
const objectives = resolveObjectives(config)
const rules = recordingGroups(context).flatMap((group) => group.rules)
const BASE = new Set<string>([
  RECORDINGS.sliBadRate('2m'),
  RECORDINGS.sliTotalRate('2m'),
  RECORDINGS.sliBadRate('5m'),
  RECORDINGS.sliTotalRate('5m'),
])

interface Result {
  arrival: string
  pages: number
  perModelAndObjective: number
  byAlert: Record<string, number>
  incidents: number
  worst: string
}

async function replay(clusterSize: number): Promise<Result> {
  await using history = new History()
  const say = (text: string) => process.stderr.write(`${new Date().toISOString().slice(11, 19)} batches of ${clusterSize}: ${text}\n`)
  const samples = await history.add(
    healthySeries({ seed: Number(values.seed), days: DAYS, stepSeconds: STEP, startSeconds: START, objectives, clusterSize }),
  )
  say(`${samples} samples of history`)
  const end = START + DAYS * 86_400
  await history.record(
    rules.filter(({ record }) => BASE.has(record)),
    START,
    end,
    STEP,
  )
  say('base rates recorded')
  const found: (Firing & { alert: string })[] = []
  for (const definition of ALERTS.filter(({ name }) => name.startsWith('LLMSLO') && name !== 'LLMSLOBudgetTicket')) {
    for (const alert of render(definition, context)) {
      const fired = await history.firings({ ...alert, expr: inlineRecordings(alert.expr, rules, BASE) }, START, end, STEP)
      found.push(...fired.map((firing) => ({ ...firing, alert: alert.alert })))
    }
    say(`${definition.name}: ${found.filter(({ alert }) => alert === definition.name).length}`)
  }
  return summarize(clusterSize, found)
}

function summarize(clusterSize: number, found: readonly (Firing & { alert: string })[]): Result {
  const byAlert: Record<string, number> = {}
  const bySlice = new Map<string, Firing[]>()
  for (const firing of found) {
    byAlert[firing.alert] = (byAlert[firing.alert] ?? 0) + 1
    const key = `${firing.labels.model} ${firing.labels.slo}`
    bySlice.set(key, [...(bySlice.get(key) ?? []), firing])
  }
  // Rungs that fire together, or again while another still does, are one page.
  const counts = [...bySlice].map(([key, list]) => [key, countApart(list)] as const)
  const byModel = new Map<string, Firing[]>()
  for (const firing of found) byModel.set(firing.labels.model ?? '', [...(byModel.get(firing.labels.model ?? '') ?? []), firing])
  const pages = counts.reduce((sum, [, count]) => sum + count, 0)
  const worst = counts.sort((a, b) => b[1] - a[1])[0]
  return {
    arrival: clusterSize === 1 ? 'one by one' : `in batches of ${clusterSize}`,
    pages,
    perModelAndObjective: (pages / (HEALTHY_MODELS.length * objectives.length)) * (30 / DAYS),
    byAlert,
    incidents: [...byModel.values()].reduce((sum, list) => sum + countApart(list), 0),
    worst: worst === undefined ? 'none' : `${worst[0]}: ${worst[1]}`,
  }
}

for (const clusterSize of values.batch.map(Number)) {
  const result = await replay(clusterSize)
  if (values.json) console.log(JSON.stringify(result))
  else {
    console.log(
      `bad requests ${result.arrival}: ${result.pages} pages in ${DAYS} days, ${result.perModelAndObjective.toFixed(3)} per model and objective in 30`,
    )
    console.log(`  ${JSON.stringify(result.byAlert)}; incidents by model: ${result.incidents}; worst ${result.worst}`)
  }
}
