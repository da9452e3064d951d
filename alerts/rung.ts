// The alert definition of one rung of the ladder: a rule for each objective and promise.
import { SLO_NAMES } from '@longpole/model/slo'
import { ladder, type RungName, rungExpression } from './ladder.ts'
import { mergeByPromise } from './objectives.ts'
import type { AlertDefinition } from './rule.ts'

export function rungAlert(name: RungName, { summary, description }: { summary: string; description: string }): AlertDefinition {
  return {
    name,
    family: 'slo',
    summary,
    description,
    dashboard: 'where-the-time-goes',
    variants: ({ sets, periodDays }) =>
      SLO_NAMES.flatMap((slo) =>
        mergeByPromise(sets, slo).flatMap(({ objective, sets: same }) => {
          const rung = ladder(objective, periodDays).find((candidate) => candidate.name === name)
          const [set] = same
          if (rung === undefined || set === undefined) return []
          const { for: duration, severity, channel } = rung
          const expressions = same.map((alternative) => rungExpression(rung, alternative))
          const expr =
            expressions.length === 1 ? expressions.join('') : expressions.map((alternative) => `(\n${alternative}\n)`).join('\nor\n')
          return [{ expr, for: duration, severity, channel, labels: { slo, objective: String(objective) }, set }]
        }),
      ),
  }
}
