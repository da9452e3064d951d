// `npm run bench:alert-mutations [-- AlertName …]`: how many deliberate mistakes in the rules do their own tests notice?
import { ALERTS } from '../../alerts/index.ts'
import type { AlertDefinition } from '../../alerts/rule.ts'
import { mutations } from '../../alerts/testing/mutations.ts'
import { rulesOf, testRules } from '../../alerts/testing/promtool.ts'
import { findTool } from '../../test/tools.ts'

const promtool = findTool('promtool')
if (promtool.path === null) throw new Error(promtool.missing)
const promtoolPath = promtool.path
const wanted = process.argv.slice(2)
const chosen = ALERTS.filter(({ name }) => wanted.length === 0 || wanted.includes(name))

interface Tally {
  noticed: number
  all: number
}
const byKind = new Map<string, Tally>()
const survivors: string[] = []

/** promtool waits for the disk as much as for the processor. */
const AT_ONCE = 3

async function judge(definition: AlertDefinition): Promise<void> {
  const rules = rulesOf(definition)
  const mutants = rules.alerts.flatMap((alert, index) => mutations(alert).map((mutation) => ({ alert, index, mutation })))
  const next = mutants.values()
  const work = async () => {
    for (const { alert, index, mutation } of next) {
      const mutated = { ...alert, expr: mutation.expr }
      const { slo } = alert.labels
      const alerts = slo === undefined ? rules.alerts.with(index, mutated) : [mutated]
      const { passed } = await testRules(promtoolPath, definition.name, { ...rules, alerts }, slo)
      const tally = byKind.get(mutation.kind) ?? { noticed: 0, all: 0 }
      byKind.set(mutation.kind, tally)
      tally.all++
      if (!passed) tally.noticed++
      else survivors.push(`${definition.name} [${slo ?? index}] ${mutation.kind}: ${mutation.description}`)
    }
  }
  const before = survivors.length
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  process.stderr.write(
    `${definition.name}: ${mutants.length} mutants, unnoticed:${
      survivors
        .slice(before)
        .map((survivor) => `\n  ${survivor}`)
        .join('') || ' none'
    }\n`,
  )
}

for (const definition of chosen) await judge(definition)

const total = [...byKind.values()].reduce((sum, tally) => ({ noticed: sum.noticed + tally.noticed, all: sum.all + tally.all }), {
  noticed: 0,
  all: 0,
})
for (const [kind, { noticed, all }] of byKind) console.log(`${kind}: ${noticed} of ${all}`)
for (const survivor of survivors) console.log(`unnoticed: ${survivor}`)
console.log(`score: ${((100 * total.noticed) / total.all).toFixed(1)} % (${total.noticed} of ${total.all})`)
if (total.noticed / total.all < 0.95) process.exitCode = 1
