// Every committed board against the linter's rules, the conventions and a fresh generation.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { METRICS } from '@longpole/model/conventions/metrics'
import { describe, expect, test } from 'vitest'
import { layout } from './board.ts'
import { generateDashboards } from './build.ts'
import { BOARDS } from './index.ts'
import { dataPanels, interpolate, LINT_RULES, type LintBoard } from './lint/rules.ts'
import { stat, timeSeries } from './panels.ts'
import { createQueries } from './queries.ts'

const GENERATED = new URL('generated/', import.meta.url)
const boards = readdirSync(GENERATED)
  .filter((name) => name.endsWith('.json'))
  .map((name) => ({ name, board: JSON.parse(readFileSync(new URL(name, GENERATED), 'utf8')) as LintBoard & { description: string } }))

test('the committed boards equal a fresh generation: run `npm run dashboards`', () => {
  const fresh = generateDashboards()
  expect(boards.map(({ name }) => name).sort()).toEqual([...fresh.keys()].sort())
  for (const [name, content] of fresh) expect(readFileSync(new URL(name, GENERATED), 'utf8') === content, `${name} is stale`).toBe(true)
})

describe.each(Object.entries(LINT_RULES))('%s', (_name, rule) => {
  test.each(boards)('$name', ({ board }) => {
    expect(rule(board)).toEqual([])
  })
})

const broken: LintBoard = {
  editable: true,
  templating: { list: [{ name: 'unused', type: 'query', refresh: 1 }] },
  panels: [
    { type: 'timeseries', targets: [{ expr: 'sum(rate(x_total[5m])' }] },
    { type: 'timeseries', title: 'a', targets: [] },
    { type: 'timeseries', title: 'b', targets: [{ expr: 'sum(x_total)' }, { expr: 'rate(x_total[5m])' }] },
  ],
}

test.each(Object.entries(LINT_RULES))('%s has something to say about a broken board', (_name, rule) => {
  expect(rule(broken).length).toBeGreaterThan(0)
})

const NAMES = new Set(
  Object.values(METRICS).flatMap((metric) =>
    metric.type === 'histogram' ? [`${metric.name}_bucket`, `${metric.name}_sum`, `${metric.name}_count`] : [metric.name as string],
  ),
)

test.each(boards)('$name reads canonical metrics only: no engine name of its own', ({ board }) => {
  const foreign = dataPanels(board).flatMap((panel) =>
    (panel.targets ?? []).flatMap((target) =>
      [...interpolate(target.expr ?? '').matchAll(/\b([a-z]+_[a-z_]+)(?=[{[)\s]|$)/g)]
        .map((match) => match[1] as string)
        .filter((word) => word.startsWith('longpole_') || /^(vllm|sglang|trtllm|dynamo|llamacpp)/.test(word))
        .filter((word) => !NAMES.has(word)),
    ),
  )
  expect(foreign).toEqual([])
})

test('every matcher and grouping label exists on its metric', () => {
  const q = createQueries(['cluster', 'model'])
  expect(q.select('ttftSeconds', {}, '_bucket')).toBe('longpole_ttft_seconds_bucket{cluster=~"$cluster",model=~"$model"}')
  expect(q.select('storeUp')).toBe('longpole_store_up')
})

test('the thirteen boards are there, each opening with its sentence', () => {
  expect(BOARDS).toHaveLength(13)
  for (const board of BOARDS) expect(board.answers).toMatch(/\?$/)
  expect(existsSync(new URL('fleet-overview.json', GENERATED))).toBe(true)
})

test('panels flow into lines of 24 columns and never overlap', () => {
  const panel = (width: number) => timeSeries({ title: 't', description: 'd', unit: 's', noValue: 'n', targets: [], width })
  const { places, bottom } = layout([panel(12), panel(12), stat({ ...panel(8), width: 8 }), panel(16), panel(12)], 4)
  expect(places.map(({ x, y }) => [x, y])).toEqual([
    [0, 4],
    [12, 4],
    [0, 12],
    [8, 12],
    [0, 20],
  ])
  expect(bottom).toBe(28)
})
