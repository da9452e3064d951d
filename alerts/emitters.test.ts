// A rule that reads what nobody exports is silent for ever and looks well. Every metric that a rule, a recording or an annotation reads must
// be written by code of the hub or the sidecar, or be named as somebody else's.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { EXTERNAL_METRICS, METRICS, type MetricKey } from '@longpole/model/conventions/metrics'
import { RECORDINGS } from '@longpole/model/conventions/recordings'
import { expect, test } from 'vitest'
import { configSchema } from '../src/config/schema.ts'
import { alertContext, recordingGroups } from './generate.ts'
import { ALERTS } from './index.ts'
import { render } from './rule.ts'

const ROOT = new URL('../', import.meta.url).pathname
const context = alertContext(configSchema.parse({}))
const recordings = recordingGroups(context).flatMap(({ rules }) => rules)
const alerts = ALERTS.flatMap((definition) => render(definition, context))

/** Source of whatever can write a metric: metrics are written by their key. */
function writers(): string {
  return ['collector/exporters', 'collector/hub', 'collector/processors', 'collector/sidecar', 'collector/store', 'collector/receivers']
    .flatMap((folder) => readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(ROOT, folder, name)))
    .filter((file) => file.endsWith('.ts') && !/test/.test(file))
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n')
}

function keysOf(text: string): MetricKey[] {
  return (Object.keys(METRICS) as MetricKey[]).filter((key) =>
    new RegExp(`(?<![\\w:])${METRICS[key].name}(?:_bucket|_sum|_count)?(?![\\w:])`).test(text),
  )
}

test('every metric that a rule, a recording or an annotation reads is written by somebody', () => {
  const source = writers()
  const read = new Set([
    ...recordings.flatMap(({ expr }) => keysOf(expr)),
    ...alerts.flatMap(({ expr, annotations }) => keysOf([expr, ...Object.values(annotations)].join('\n'))),
  ])
  expect(read.size).toBeGreaterThan(40)
  expect([...read].filter((key) => !new RegExp(`\\b${key}\\b`).test(source))).toEqual([])
})

test('every recording that an alert reads is recorded, and every name with our prefix is ours', () => {
  const recorded = new Set(recordings.map(({ record }) => record))
  const names = alerts.flatMap(
    ({ expr, annotations }) => [expr, ...Object.values(annotations)].join('\n').match(/(?<![\w:$])[a-z_]+:[\w:]+/g) ?? [],
  )
  const known = new Set(Object.values(RECORDINGS).filter((name) => typeof name === 'string'))
  const wanted = names.filter((name) => /^(slo|model|model_phase|replica_phase):/.test(name))
  expect(wanted.length).toBeGreaterThan(20)
  expect(wanted.filter((name) => !recorded.has(name))).toEqual([])
  expect([...known].filter((name) => !recorded.has(name))).toEqual([])
})

test('a rule on a metric of somebody else says what it needs', () => {
  const external = Object.values(EXTERNAL_METRICS).map(({ name }) => name)
  const needing = ALERTS.filter((definition) =>
    render(definition, context).some(({ expr }) => external.some((name) => expr.includes(name))),
  )
  expect(needing.map(({ name }) => name)).toEqual(['LLMGPUHardFault'])
  for (const { name, needsCounters } of needing) {
    expect(needsCounters).toBe(true)
    expect(readFileSync(join(ROOT, 'alerts', name, 'runbook.md'), 'utf8')).toContain('Needs dcgm-exporter')
  }
})
