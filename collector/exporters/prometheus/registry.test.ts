import { LABEL_CAPS, OVERFLOW } from '@longpole/model/conventions/labels'
import { HUB_EXPORTED_METRICS, SIDECAR_METRICS } from '@longpole/model/conventions/metrics'
import { expect, test } from 'vitest'
import { createRegistry } from './registry.ts'

const SETTINGS = { version: '1.2.3', component: 'hub' }
const TRACE = '0af7651916cd43dd8448eb211c80319c'

test('every definition can be registered and both pages name every metric', async () => {
  const registry = createRegistry(HUB_EXPORTED_METRICS, SETTINGS)
  const [classic, open] = await Promise.all([registry.render(false), registry.render(true)])
  for (const { name } of Object.values(HUB_EXPORTED_METRICS)) {
    const family = name.replace(/_(?:sum|count)$/, '')
    expect(classic).toContain(`# TYPE ${family} `)
    expect(open).toContain(`# TYPE ${family.replace(/_total$/, '')} `)
  }
  expect(classic).toContain('longpole_build_info{version="1.2.3",component="hub"} 1')
  expect(open.endsWith('# EOF\n')).toBe(true)
  expect(await createRegistry(SIDECAR_METRICS, SETTINGS).render(false)).toContain('longpole_sidecar_build_info{version="1.2.3"} 1')
})

test('both pages carry the same series, whichever was asked for first, and only OpenMetrics has exemplars', async () => {
  const registry = createRegistry(HUB_EXPORTED_METRICS, SETTINGS)
  registry.increment('requestsTotal', { cluster: 'a', region: 'r', model: 'm', outcome: 'ok', error_class: null }, 3)
  registry.increment('classPhaseSecondsSum', { cluster: 'a', model: 'm', phase: 'engine.queue' }, 0.25)
  registry.observe('ttftSeconds', { model: 'm' }, 0.2, TRACE)
  const open = await registry.render(true)
  const classic = await registry.render(false)
  const line = 'longpole_requests_total{cluster="a",region="r",model="m",outcome="ok",error_class=""} 3'
  expect(classic).toContain(line)
  expect(open).toContain(line)
  const plain =
    'longpole_class_phase_seconds_sum{cluster="a",model="m",prompt_class="",tenant_class="",slo_result="",phase="engine.queue"} 0.25'
  expect(classic).toContain(plain)
  expect(open).toContain(plain)
  expect(open).toContain('# TYPE longpole_class_phase_seconds summary')
  expect(open).toMatch(new RegExp(`longpole_ttft_seconds_bucket\\{le="0.25".*# \\{trace_id="${TRACE}"\\} 0.2 `))
  expect(classic).not.toContain(TRACE)
})

test('an exemplar that is no trace id is left out, the observation counts', async () => {
  const registry = createRegistry(HUB_EXPORTED_METRICS, SETTINGS)
  registry.observe('ttftSeconds', { model: 'm' }, 1, 'x'.repeat(300))
  const page = await registry.render(true)
  expect(page).not.toContain('xxx')
  expect(page).toMatch(/longpole_ttft_seconds_count\{.*model="m".*\} 1/)
})

test('values beyond a cap go under one value, are counted, and no sum is lost', async () => {
  const registry = createRegistry(HUB_EXPORTED_METRICS, SETTINGS)
  const cap = LABEL_CAPS.model
  for (let index = 0; index < cap + 50; index++) registry.increment('requestsTotal', { model: `model-${index}`, outcome: 'ok' })
  const page = await registry.render(false)
  const series = page.split('\n').filter((line) => line.startsWith('longpole_requests_total{'))
  expect(series).toHaveLength(cap + 1)
  expect(series.find((line) => line.includes(`model="${OVERFLOW}"`))).toMatch(/ 50$/)
  expect(page).toContain('longpole_series_overflow_total{metric="longpole_requests_total",label="model"} 50')
})

test('hostile label values stay inside their quotes and are cut', async () => {
  const registry = createRegistry(HUB_EXPORTED_METRICS, SETTINGS)
  registry.increment('requestsTotal', { model: 'a"} 1\nevil_total{x="\\', outcome: 'ok' })
  registry.increment('requestsTotal', { model: 'y'.repeat(10_000), outcome: 'ok' })
  const lines = (await registry.render(false)).split('\n')
  expect(lines.some((line) => line.startsWith('evil_total'))).toBe(false)
  expect(lines.every((line) => line.length < 1_000)).toBe(true)
})

test('a removed series is gone, others stay', async () => {
  const registry = createRegistry(HUB_EXPORTED_METRICS, SETTINGS)
  registry.set('requestsOpen', { model: 'a', phase: 'engine.queue' }, 2)
  registry.set('requestsOpen', { model: 'b', phase: 'engine.queue' }, 3)
  registry.remove('requestsOpen', { model: 'a', phase: 'engine.queue' })
  const page = await registry.render(false)
  expect(page).not.toContain('longpole_requests_open{cluster="",model="a"')
  expect(page).toContain('longpole_requests_open{cluster="",model="b",replica="",phase="engine.queue"} 3')
})

test('an unknown key is our own mistake and throws', () => {
  const registry = createRegistry(SIDECAR_METRICS, SETTINGS)
  expect(() => registry.increment('nope' as never)).toThrow('metric nope is not among the definitions')
})

test('a value that is no number spoils nothing', async () => {
  const registry = createRegistry(HUB_EXPORTED_METRICS, SETTINGS)
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -1]) registry.increment('requestsTotal', { model: 'm' }, value)
  for (const value of [Number.NaN, Number.NEGATIVE_INFINITY]) registry.observe('ttftSeconds', { model: 'm' }, value)
  registry.set('storeBytes', {}, Number.NaN)
  expect(await registry.render(false)).not.toMatch(/nan|inf /i)
  registry.increment('requestsTotal', { model: 'm' }, 2)
  expect(await registry.render(false)).toMatch(/longpole_requests_total\{.*model="m".*\} 2/)
})
