// Rules for a user's own objectives: with any name a model may have, for any promise, accepted by the real tools or refused with a
// sentence that names the key.
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { type ConfigInput, configSchema } from '../src/config/schema.ts'
import { findTool } from '../test/tools.ts'
import { alertContext, alertGroups, generateFiles } from './generate.ts'
import { lintExpression } from './lint.ts'

const promtool = findTool('promtool')
const amtool = findTool('amtool')
const run = promisify(execFile)

async function check(input: ConfigInput): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'longpole-generate-'))
  try {
    for (const [path, content] of generateFiles(configSchema.parse(input))) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), content)
    }
    await run(promtool.path ?? '', [
      'check',
      'rules',
      '--lint=all',
      '--lint-fatal',
      join(folder, 'alerts.yaml'),
      join(folder, 'recordings.yaml'),
    ])
    await run(amtool.path ?? '', ['check-config', join(folder, 'alertmanager/alertmanager.yaml')])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const HOSTILE = [
  '<script>alert(1)</script>',
  'a\r\nb',
  '{{ .Value }}',
  'x'.repeat(10_000),
  '🔥 emoji',
  'quote"back\\slash',
  'reg.ex|(all)*',
  '`tick`',
  '\u2028line',
]

test.skipIf(promtool.missing ?? amtool.missing)('models of any name give rules that the tools accept', async () => {
  await check({
    slo: {
      objectives: HOSTILE.map((model) => ({ model, slo: 'ttft' as const, objective: 0.995, thresholdSeconds: { '1k': 1, inf: 9 } })),
    },
  })
})

test.skipIf(promtool.missing ?? amtool.missing)(
  'presets, other periods and promises down to 90 % give rules that the tools accept',
  async () => {
    await check({
      slo: {
        windowDays: 28,
        presets: [
          { model: '*', preset: 'default' },
          { model: 'deepseek-r1', preset: 'mlperf-deepseek-r1-interactive' },
        ],
        objectives: [{ model: 'batch', slo: 'e2e', objective: 0.9, thresholdSeconds: 600 }],
      },
    })
  },
)

test.skipIf(promtool.missing ?? amtool.missing)('an objective of one kind alone is enough', async () => {
  await check({ slo: { presets: [], objectives: [{ model: 'm', slo: 'availability', objective: 0.999 }] } })
})

test('no objective at all is refused', () => {
  expect(() => generateFiles(configSchema.parse({ slo: { presets: [], objectives: [] } }))).toThrow(/at least one objective/)
})

test('a model with an objective of its own is left out of the one for all', () => {
  const context = alertContext(
    configSchema.parse({ slo: { objectives: [{ model: 'm.1', slo: 'ttft', objective: 0.9, thresholdSeconds: 1 }] } }),
  )
  const cliffs = alertGroups(context)
    .flatMap((group) => group.rules)
    .filter(({ alert, labels }) => alert === 'LLMSLOFastBurn' && labels.slo === 'ttft')
  expect(cliffs).toHaveLength(2)
  expect(cliffs[0]?.expr).toContain('slo="ttft", model="m.1"}) > 0.5')
  expect(cliffs[1]?.expr).toContain('slo="ttft", model!~"m\\\\.1"}) > 0.144')
  for (const { expr } of cliffs) expect(lintExpression(expr)).toEqual([])
})

test('below 95 % a slow burn is a ticket and the cliff stays a page', () => {
  const context = alertContext(
    configSchema.parse({ slo: { objectives: [{ model: '*', slo: 'ttft', objective: 0.9, thresholdSeconds: 1 }] } }),
  )
  const channels = Object.fromEntries(
    alertGroups(context)
      .flatMap((group) => group.rules)
      .filter(({ labels }) => labels.slo === 'ttft')
      .map(({ alert, labels }) => [alert, labels.channel]),
  )
  expect(channels).toMatchObject({ LLMSLOCliff: 'page', LLMSLOFastBurn: 'page', LLMSLOSlowBurn: 'ticket' })
})

test.each([
  [
    { slo: { objectives: [{ model: 'm', slo: 'ttft' as const, objective: 0.4, thresholdSeconds: 1 }] } },
    /slo\.objectives: ttft of model m .*within the promise/,
  ],
  [
    {
      tenants: { classes: { gold: ['a'] } },
      slo: {
        objectives: [
          { model: 'm', slo: 'ttft' as const, objective: 0.99, thresholdSeconds: 1 },
          { model: 'm', slo: 'ttft' as const, objective: 0.999, thresholdSeconds: 1, tenantClass: 'gold' },
        ],
      },
    },
    /must be the same for every tenant class/,
  ],
] satisfies [ConfigInput, RegExp][])('an objective that cannot work is refused with its key', (input, message) => {
  expect(() => generateFiles(configSchema.parse(input))).toThrow(message)
})

test('a scrape interval that is too long for the windows is refused', () => {
  expect(() => generateFiles(configSchema.parse({}), { scrapeIntervalSeconds: 60 })).toThrow(/fewer than four scrapes/)
})
