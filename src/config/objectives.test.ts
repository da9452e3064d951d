import { expect, test } from 'vitest'
import { loadConfig } from './load.ts'
import { objectivesFor, resolveObjectives } from './objectives.ts'
import { PRESETS } from './presets.ts'

function resolve(slo: Record<string, unknown>) {
  return resolveObjectives(loadConfig({ environment: {}, overrides: { slo } }))
}

test('the default preset holds for every model', () => {
  const objectives = resolve({})
  expect(objectives.map((objective) => objective.slo).sort()).toEqual(['availability', 'e2e', 'goodput', 'stall', 'tpot', 'ttft'])
  expect(objectivesFor(objectives, 'anything')).toHaveLength(6)
})

test('an objective of a model replaces the one for all, others stay', () => {
  const objectives = resolve({ objectives: [{ model: 'm', slo: 'ttft', objective: 0.95, thresholdSeconds: 5 }] })
  const own = objectivesFor(objectives, 'm').find((objective) => objective.slo === 'ttft')
  expect(own).toMatchObject({ objective: 0.95, thresholdSeconds: { '1k': 5, inf: 5 } })
  expect(objectivesFor(objectives, 'm')).toHaveLength(6)
  expect(objectivesFor(objectives, 'other').find((objective) => objective.slo === 'ttft')?.objective).toBe(0.99)
})

test("a tenant class's own objective holds for that class only", () => {
  const objectives = resolve({ objectives: [{ slo: 'ttft', objective: 0.9, thresholdSeconds: 9, tenantClass: 'batch' }] })
  const ttft = (tenantClass: string | null) => objectivesFor(objectives, 'm', tenantClass).find((objective) => objective.slo === 'ttft')
  expect(ttft('batch')?.objective).toBe(0.9)
  expect(ttft('gold')?.objective).toBe(0.99)
  expect(ttft(null)?.objective).toBe(0.99)
})

test('published presets carry their published limits for short prompts', () => {
  const of = (preset: keyof typeof PRESETS, slo: string) => PRESETS[preset].find((entry) => entry.slo === slo)?.thresholdSeconds?.['1k']
  expect([of('mlperf-deepseek-r1-server', 'ttft'), of('mlperf-deepseek-r1-interactive', 'tpot')]).toEqual([2, 0.015])
  expect([of('mlperf-llama31-405b-server', 'ttft'), of('mlperf-llama31-405b-interactive', 'ttft')]).toEqual([6, 4.5])
  expect([of('mlperf-gpt-oss-120b-server', 'ttft'), of('mlperf-gpt-oss-120b-interactive', 'tpot')]).toEqual([3, 0.02])
  expect([of('guidellm-chat', 'ttft'), of('guidellm-rag', 'ttft'), of('guidellm-code', 'tpot')]).toEqual([0.2, 0.3, 0.15])
})
