import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { METRICS } from '@longpole/model/conventions/metrics'
import { RECORDINGS } from '@longpole/model/conventions/recordings'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { findTool } from '../../test/tools.ts'
import { run } from '../testing/promtool.ts'
import { sliceRecordings } from './slices.ts'

const promtool = findTool('promtool')
const rules = sliceRecordings()
  .flatMap((group) => group.rules)
  .filter(({ record }) => record === RECORDINGS.slicePhaseExcessWeight)

interface Slice {
  dimension: string
  value: string
  phase?: string
  /** Seconds: mean now, and the most that is usual. */
  now?: number
  most: number
  /** Requests a second. */
  rate?: number
}

function labelsOf({ dimension, value, phase = 'engine.queue' }: Slice): Record<string, string> {
  return { cluster: 'c', dimension, model: 'm', phase, slice: dimension === 'all' ? 'all' : `${dimension}=${value}` }
}

function series(name: string, labels: Record<string, string>, value: number) {
  const text = Object.entries(labels).map(([label, of]) => `${label}="${of}"`)
  return { series: `${name}{${text.join(',')}}`, values: `${value}x4` }
}

const inputs = (slice: Slice) => [
  series(RECORDINGS.slicePhaseUsualMostSeconds, labelsOf(slice), slice.most),
  ...(slice.now === undefined ? [] : [series(RECORDINGS.slicePhaseMeanSeconds, labelsOf(slice), slice.now)]),
  ...(slice.rate === undefined ? [] : [series(RECORDINGS.slicePhaseCountRate, labelsOf(slice), slice.rate)]),
]

/** promtool's verdict that the slices stand out, in this order. */
async function standOut(given: readonly ReturnType<typeof series>[], wanted: readonly Slice[]) {
  const folder = mkdtempSync(join(tmpdir(), 'longpole-slices-'))
  try {
    writeFileSync(join(folder, 'rules.yaml'), stringify({ groups: [{ name: 'slices', interval: '1m', rules }] }))
    const weight = RECORDINGS.slicePhaseExcessWeight
    const sample = (slice: Slice) => ({
      labels: `{${Object.entries(labelsOf(slice)).map(([label, value]) => `${label}="${value}"`)}}`,
      value: 1,
    })
    const rank = (place: number) => ({
      expr: `(topk(${place + 1}, ${weight}) unless topk(${place}, ${weight})) > bool 0`,
      eval_time: '3m',
      exp_samples: wanted[place] === undefined ? [] : [sample(wanted[place])],
    })
    const tests = [{ interval: '1m', input_series: given, promql_expr_test: [rank(0), ...wanted.map((_, place) => rank(place + 1))] }]
    writeFileSync(join(folder, 'test.yaml'), stringify({ rule_files: ['rules.yaml'], evaluation_interval: '1m', tests }))
    const { passed, output } = await run(promtool.path ?? '', ['test', 'rules', join(folder, 'test.yaml')])
    expect(passed, output).toBe(true)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const places: Slice[] = [
  { dimension: 'all', value: '', now: 0.2, most: 0.1, rate: 30 },
  { dimension: 'replica', value: 'r1', now: 0.4, most: 0.1, rate: 10 },
  { dimension: 'tenant_class', value: 'batch', now: 0.4, most: 0.1, rate: 10 },
]

test.skipIf(promtool.missing)('of two slices with the same extra time the narrower comes first, and a place before a class', async () => {
  const [all, replica, tenants] = places as [Slice, Slice, Slice]
  await standOut(places.flatMap(inputs), [replica, tenants, all])
})

test.skipIf(promtool.missing)('a queue that is usually empty stands out when it is not', async () => {
  const empty: Slice = { dimension: 'region', value: 'eu', now: 0.4, most: 0, rate: 1 }
  await standOut(inputs(empty), [empty])
})

test.skipIf(promtool.missing)('a bursty phase within what is usual for it does not stand out', async () => {
  await standOut(inputs({ dimension: 'replica', value: 'r1', now: 0.11, most: 0.1, rate: 100 }), [])
})

test.skipIf(promtool.missing)('a replica that hangs stands out although none of its requests end; long generations do not', async () => {
  const hung: Slice = { dimension: 'replica', value: 'hung', phase: 'engine.decode', most: 2 }
  const long: Slice = { dimension: 'replica', value: 'long', phase: 'engine.decode', most: 40 }
  const open = (replica: string) => {
    const labels = { cluster: 'c', model: 'm', replica, phase: 'engine.decode' }
    return [series(METRICS.requestsOpen.name, labels, 5), series(METRICS.requestOpenAgeSecondsMax.name, labels, 200)]
  }
  await standOut([...inputs(hung), ...inputs(long), ...open('hung'), ...open('long')], [hung])
})
