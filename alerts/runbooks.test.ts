// A runbook is read at three in the morning: five sections, commands that can be pasted, a way back from every step, the rule's query.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { expectedRunbook } from './build.ts'
import { ALERTS } from './index.ts'
import { lintExpression } from './lint.ts'
import { ALERTS_FOLDER } from './testing/promtool.ts'

const SECTIONS = ['Meaning', 'Impact', 'Diagnosis', 'Mitigation', 'Query']

function sections(text: string): Map<string, string> {
  return new Map(
    text
      .split(/^## /m)
      .slice(1)
      .map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n')).trim()]),
  )
}

test.each(ALERTS.map((alert) => [alert.name, alert] as const))('the runbook of %s is complete', (name, alert) => {
  const text = readFileSync(join(ALERTS_FOLDER, name, 'runbook.md'), 'utf8')
  expect(text.startsWith(`# ${name}\n`)).toBe(true)
  const parts = sections(text)
  expect([...parts.keys()]).toEqual(SECTIONS)
  for (const part of parts.values()) expect(part.length).toBeGreaterThan(4)

  const commands =
    /```sh\n([\s\S]*?)```/
      .exec(parts.get('Diagnosis') ?? '')?.[1]
      ?.split('\n')
      .filter((line) => line !== '' && !line.startsWith('#')) ?? []
  expect(commands.length).toBeGreaterThanOrEqual(2)
  for (const command of commands)
    expect(command).toMatch(/^(promtool|curl|longpole|kubectl|amtool|journalctl|dmesg|nvidia-smi|df|git|grep|chronyc|timedatectl) /)

  for (const step of (parts.get('Mitigation') ?? '').split('\n')) expect(step).toMatch(/^- .+ Rollback: .+\.$/)
  expect(text, 'npm run alerts').toBe(expectedRunbook(alert))
})

test('every query of a runbook reads series that exist', () => {
  const problems = ALERTS.flatMap(({ name }) => {
    const text = readFileSync(join(ALERTS_FOLDER, name, 'runbook.md'), 'utf8')
    const queries = [...text.matchAll(/promtool query instant \S+ '([^']+)'/g)].map((match) => match[1] as string)
    // A state that a person looks at may be empty: only what is misspelt counts here.
    return queries.flatMap((query) =>
      lintExpression(query)
        .filter(({ code }) => code !== 'absent-target')
        .map(({ message }) => `${name}: ${message}`),
    )
  })
  expect(problems).toEqual([])
})

test('docs/alerting.md lists every alert', () => {
  const text = readFileSync(join(ALERTS_FOLDER, '../docs/alerting.md'), 'utf8')
  expect(ALERTS.map(({ name }) => name).filter((name) => !text.includes(`| [${name}](../alerts/${name}/runbook.md) |`))).toEqual([])
})
