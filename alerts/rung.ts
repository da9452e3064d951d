// The alert definition of one rung of the ladder: a rule for each set of objectives.
import { ladder, type RungName, rungExpression } from './ladder.ts'
import type { AlertDefinition } from './rule.ts'

export function rungAlert(name: RungName, { summary, description }: { summary: string; description: string }): AlertDefinition {
  return {
    name,
    family: 'slo',
    summary,
    description,
    dashboard: 'where-the-time-goes',
    variants: ({ sets, periodDays }) =>
      sets.flatMap((set) => {
        const rung = ladder(set.objective, periodDays).find((candidate) => candidate.name === name)
        if (rung === undefined) return []
        const { for: duration, severity, channel } = rung
        return [{ expr: rungExpression(rung, set), for: duration, severity, channel, labels: { slo: set.slo }, set }]
      }),
  }
}
