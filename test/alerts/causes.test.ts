// Every cause rule fires for the model that has its cause, through the hub's own registry and a real Prometheus, and for none that is well.
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import type { Clock } from '@longpole/model/clock'
import { HUB_EXPORTED_METRICS } from '@longpole/model/conventions/metrics'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { alertContext, recordingGroups } from '../../alerts/generate.ts'
import { ALERTS } from '../../alerts/index.ts'
import { render } from '../../alerts/rule.ts'
import { type Firing, History } from '../../bench/alerts/history.ts'
import { createRegistry } from '../../collector/exporters/prometheus/registry.ts'
import { createRequestMetrics } from '../../collector/exporters/prometheus/request-metrics.ts'
import { resolveObjectives } from '../../src/config/objectives.ts'
import { configSchema } from '../../src/config/schema.ts'
import { findTool } from '../tools.ts'
import { endedRequest } from './hub-page.ts'
import { ILL_MODELS, phase, REPLICAS, WELL, wellSamples } from './ill-models.ts'

const promtool = findTool('promtool')
const prometheus = findTool('prometheus')
const config = configSchema.parse({})
const context = alertContext(config)
const STEP = 60
const START = 1_790_000_010
const ILL_AFTER = 20 * 60
const SECONDS = 48 * 60
const DAY = 86_400
/** A model gets so many requests a step: enough for every floor on counts. */
const REQUESTS = 24

const recordings = recordingGroups(context).flatMap((group) => group.rules)
const cause = ALERTS.filter(({ name }) => ILL_MODELS.some(({ alert }) => alert === name))
const READ = new Set(
  [...recordings, ...cause.flatMap((definition) => render(definition, context))].flatMap(({ expr }) => expr.match(/\blongpole_\w+/g) ?? []),
)

/** The pages of the hub, step by step; the healthy ones a day earlier too, for rules that compare with yesterday. */
async function writePages(file: string): Promise<void> {
  let now = BigInt(START) * 1_000_000_000n
  const clock: Clock = { unixNano: () => now, monotonicMs: () => Number(now / 1_000_000n) }
  const registry = createRegistry(HUB_EXPORTED_METRICS, { version: 'test', component: 'hub' })
  const metrics = createRequestMetrics(registry, resolveObjectives(config), clock)
  const out = createWriteStream(file)
  const today: string[] = []
  for (let second = 0; second <= SECONDS; second += STEP) {
    now = BigInt(START + second) * 1_000_000_000n
    const illSeconds = second - ILL_AFTER
    for (const model of [WELL, ...ILL_MODELS.map(({ alert }) => alert)]) {
      const ill = illSeconds >= 0 ? ILL_MODELS.find(({ alert }) => alert === model) : undefined
      const samples = wellSamples(model).map((sample) => ({ ...sample, unix_ns: now }))
      for (const sample of ill?.samples?.(samples, illSeconds) ?? samples) metrics.sample(sample)
      for (let index = 0; index < REQUESTS; index++) {
        const well = endedRequest(model, {
          replica: REPLICAS[index % REPLICAS.length],
          prompt_tokens: 1_000,
          cached_tokens: 600,
          output_tokens: 100,
          client_region: 'eu',
          sdk: 'openai',
          itl: { '-46': 99 },
          phases: [phase('engine.tokenize', 0.05), phase('engine.queue', 0.05), phase('engine.prefill', 0.1), phase('engine.decode', 1.8)],
        })
        const isTouched = ill?.request !== undefined && index < REQUESTS * (ill.share ?? 1)
        const change = isTouched ? (ill.request?.(well) ?? null) : {}
        if (change !== null) metrics.settled({ ...well, ...change })
      }
    }
    metrics.expire()
    for (const line of (await registry.render(false)).split('\n')) {
      if (!READ.has(/^\w+/.exec(line)?.[0] ?? '')) continue
      today.push(`${line} ${START + second}\n`)
      // Healthy pages stand for yesterday at the hour of the illness.
      if (illSeconds < 0) out.write(`${line} ${START + second - DAY + (SECONDS - ILL_AFTER)}\n`)
    }
  }
  for (const line of today) out.write(line)
  out.end('# EOF\n')
  await finished(out)
}

describe.skipIf(promtool.missing ?? prometheus.missing)('cause rules through the hub', () => {
  const folder = mkdtempSync(join(tmpdir(), 'longpole-causes-'))
  const found = new Map<string, Firing[]>()

  beforeAll(async () => {
    const file = join(folder, 'pages.om')
    await writePages(file)
    await using history = new History()
    await history.addFile(file)
    const end = START + SECONDS
    await history.record(recordings, START - DAY + (SECONDS - ILL_AFTER), START - DAY + SECONDS, STEP)
    await history.record(recordings, START, end, STEP)
    for (const definition of cause) {
      for (const alert of render(definition, context)) {
        found.set(definition.name, [...(found.get(definition.name) ?? []), ...(await history.firings(alert, START, end, STEP))])
      }
    }
  }, 600_000)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test.each(ILL_MODELS.map(({ alert }) => alert))('%s fires for the model that has its cause', (alert) => {
    const own = (found.get(alert) ?? []).filter(({ labels }) => labels.model === alert)
    expect(own.filter(({ from }) => from < START + ILL_AFTER)).toEqual([])
    expect(own.length).toBeGreaterThan(0)
  })

  test('nothing fires for a model that is well', () => {
    const wrong = [...found].flatMap(([alert, list]) => list.filter(({ labels }) => labels.model === WELL).map(() => alert))
    expect(wrong).toEqual([])
  })
})
