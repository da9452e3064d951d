// The broken patterns of public rule files, each rejected, and our own rules, all accepted.
import { describe, expect, test } from 'vitest'
import { configSchema } from '../src/config/schema.ts'
import { alertContext, alertGroups, recordingGroups } from './generate.ts'
import { ladder, lintLadder } from './ladder.ts'
import { lintExpression } from './lint.ts'

const context = alertContext(configSchema.parse({}))
const codes = (expr: string) => lintExpression(expr).map(({ code }) => code)

describe('patterns that are accepted by Prometheus and do not work', () => {
  test.each([
    ['a sum of targets that is empty, not zero, once they are gone', 'sum(up{job=~".*vllm.*"}) == 0', 'absent-target'],
    ['seconds compared with milliseconds', 'histogram_quantile(0.99, sum by (le) (rate(longpole_ttft_seconds_bucket[5m]))) > 2000', 'unit'],
    [
      "seconds compared with milliseconds, of an engine's own histogram",
      'histogram_quantile(0.99, rate(vllm:time_to_first_token_seconds_bucket[5m])) > 2000',
      'unit',
    ],
    ['a quantile over the whole lifetime', 'histogram_quantile(0.99, vllm:time_to_first_token_seconds_bucket) > 0.5', 'lifetime-quantile'],
    [
      'a quantile over the lifetime, of ours',
      'histogram_quantile(0.99, sum by (le) (longpole_ttft_seconds_bucket)) > 0.5',
      'lifetime-quantile',
    ],
    ['a counter without its _total', 'rate(vllm:num_preemptions[5m]) > 0.1', 'unknown-series'],
    ['one of ours without its _total', 'rate(longpole_engine_preemptions[5m]) > 0.1', 'unknown-series'],
    ['a histogram read as a summary', 'dynamo_frontend_time_to_first_token_seconds{quantile="0.95"} > 1', 'edge-matcher'],
    ['a burn rate that needs 144 % bad', 'slo:sli_error:ratio_rate1h{sloth_slo="ttft"} > (14.4 * 0.1)', 'unreachable-burn'],
    ['the same written as one minus good', '1 - slo:sli_error:ratio_rate1h > 14.4 * (1 - 0.9)', 'unreachable-burn'],
    [
      'the same on counters',
      'sum(rate(longpole_slo_requests_total{result="bad"}[1h])) / sum(rate(longpole_slo_requests_total[1h])) > 14.4 * (1 - 0.9)',
      'unreachable-burn',
    ],
    ['a bucket edge as text, Prometheus 3', 'rate(longpole_ttft_seconds_bucket{le="2.0"}[5m]) < 1', 'edge-matcher'],
    ['a bucket edge as text, Prometheus 2', 'rate(longpole_ttft_seconds_bucket{le="2"}[5m]) < 1', 'edge-matcher'],
    ['a label that the metric does not have', 'longpole_engine_up{modell="m"} == 1', 'unknown-label'],
    ['a rate of a gauge', 'rate(longpole_engine_running[5m]) > 1', 'not-a-counter'],
    ['a broken expression', 'sum by (model (up)', 'syntax'],
  ])('%s is rejected', (_title, expr, code) => {
    expect(codes(expr)).toContain(code)
  })

  test.each([
    ['an absence that is covered', 'sum(longpole_engine_up) == 0 or absent(longpole_engine_up)'],
    [
      'a quantile with its rate and a limit in seconds',
      'histogram_quantile(0.99, sum by (le) (rate(longpole_ttft_seconds_bucket[5m]))) > 2',
    ],
    ['a burn rate that can be reached', 'slo:sli_error:ratio_rate1h > 14.4 * 0.01'],
  ])('%s is accepted', (_title, expr) => {
    expect(lintExpression(expr)).toEqual([])
  })
})

describe('our own', () => {
  const rules = [
    ...alertGroups(context).flatMap((group) => group.rules.map(({ alert, expr }) => ({ name: alert, expr }))),
    ...recordingGroups(context).flatMap((group) => group.rules.map(({ record, expr }) => ({ name: record, expr }))),
  ]

  test('expressions have no problem', () => {
    const problems = rules.flatMap(({ name, expr }) => lintExpression(expr).map(({ code, message }) => `${name}: ${code}: ${message}`))
    expect(problems).toEqual([])
  })

  test('alerts carry severity, channel, family and every annotation, and no value in a label', () => {
    for (const { alert, labels, annotations } of alertGroups(context).flatMap((group) => group.rules)) {
      expect(labels, alert).toMatchObject({
        severity: expect.stringMatching(/^(critical|warning|info|none)$/),
        channel: expect.stringMatching(/^(page|ticket|none)$/),
        family: expect.any(String),
      })
      for (const value of Object.values(labels)) expect(value, alert).not.toMatch(/\{\{|\$/)
      for (const name of ['summary', 'description', 'runbook_url', 'dashboard_url', 'console_url', 'silence_url']) {
        expect(annotations[name], `${alert} ${name}`).toBeTruthy()
      }
      expect(annotations.summary, alert).not.toMatch(/\{\{/)
      expect(annotations.runbook_url, alert).toContain(`/${alert}/runbook.md`)
    }
  })
})

describe('the ladder', () => {
  const set = (objective: number) => ({ slo: 'ttft' as const, model: '*', objective })
  const lint = (objective: number, rungs = ladder(objective), scrapeIntervalSeconds = 15) =>
    lintLadder({ set: set(objective), rungs, scrapeIntervalSeconds })

  test.each([0.9, 0.95, 0.97, 0.99, 0.995, 0.999, 0.9999])(
    'for an objective of %d every rung can be reached and none is within the promise',
    (objective) => {
      expect(lint(objective)).toEqual([])
      for (const { conditions } of ladder(objective)) for (const { threshold } of conditions) expect(threshold).toBeLessThanOrEqual(0.5)
    },
  )

  test('for periods other than thirty days the factors follow', () => {
    expect(ladder(0.99, 28)[1]?.conditions[0]?.threshold).toBeCloseTo(0.1344)
    for (const days of [7, 14, 28, 90]) expect(lint(0.99, ladder(0.99, days)), String(days)).toEqual([])
  })

  test('the classic factors without a cap are rejected at 90 %', () => {
    const classic = ladder(0.9).map((rung) => ({
      ...rung,
      channel: 'page' as const,
      conditions: rung.conditions.map((condition) =>
        condition.factor === null ? condition : { ...condition, capped: false, threshold: condition.factor * 0.1 },
      ),
    }))
    const problems = lint(0.9, classic).join('\n')
    expect(problems).toContain('144 % bad requests')
    expect(problems).toContain('pages on an uncapped burn rate')
  })

  test('a promise so low that the cliff is inside it is rejected', () => {
    expect(lint(0.4).join('\n')).toContain('within the promise itself')
  })

  test('a window with fewer than four scrapes is rejected', () => {
    expect(lint(0.99, ladder(0.99), 60).join('\n')).toContain('fewer than four scrapes')
  })

  test('a slice with too little traffic and a limit off the bucket edges are rejected', () => {
    const base = { set: set(0.99), rungs: ladder(0.99), scrapeIntervalSeconds: 15 }
    expect(lintLadder({ ...base, expectedRequestsPerMinute: 0.1 }).join('\n')).toContain('use the parent slice')
    expect(lintLadder({ ...base, buckets: { edges: [1, 2.5], thresholdSeconds: 2 } }).join('\n')).toContain('no bucket edge')
    expect(lintLadder({ ...base, expectedRequestsPerMinute: 5, buckets: { edges: [1, 2], thresholdSeconds: 2 } })).toEqual([])
  })
})
