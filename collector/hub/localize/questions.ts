// From objectives and from a person's request to the localizer's questions.
import type { ApiWhyRequest } from '@longpole/model/api'
import type { Objective, SloName } from '@longpole/model/slo'
import type { Measure } from '../../../src/localizer/question.ts'
import { parseInstant } from '../api/input.ts'
import type { TaskQuestion } from './messages.ts'
import type { Windows } from './windows.ts'

/** Column behind each objective; goodput is all others together and has none. */
const COLUMNS: Partial<Record<SloName, string>> = { ttft: 'ttft', tpot: 'tpot', stall: 'itl_max', e2e: 'e2e', availability: 'outcome' }
const QUANTILE = 0.95

function measureOf(column: string): Measure {
  return column === 'outcome' ? { kind: 'ratio' } : { kind: 'quantile', quantile: QUANTILE }
}

/** One question for each objective of the model. "It got slower" is asked rather than "it is too slow": a deadline hides what comes. */
export function continuousQuestions(objectives: readonly Objective[], model: string, windows: Windows): TaskQuestion[] {
  const names = new Set(
    objectives.filter((objective) => objective.model === model || objective.model === '*').map((objective) => objective.slo),
  )
  return [...names].flatMap((slo) => {
    const target = COLUMNS[slo]
    return target === undefined ? [] : [{ target, measure: measureOf(target), ...windows, covariates: null, slo, model }]
  })
}

const DEFAULT_BASELINE_SECONDS = 3_600

/** Throws RangeError that names the key. */
export function askedQuestion(
  request: ApiWhyRequest,
  objectives: readonly Objective[],
): { question: TaskQuestion; slice: Record<string, string[]> } {
  const window = (key: string, { from, to }: { from: string | number; to: string | number }) => ({
    from: Number(parseInstant(`${key}.from`, from)) / 1e9,
    to: Number(parseInstant(`${key}.to`, to)) / 1e9,
  })
  const incident = window('incident', request.incident)
  const given = (request.baseline ?? []).map((entry) => window('baseline', entry))
  const length = Math.max(DEFAULT_BASELINE_SECONDS, 3 * (incident.to - incident.from))
  const baseline = given.length > 0 ? given : [{ from: incident.from - length, to: incident.from }]
  const target = request.target ?? columnOf(request.slo, objectives)
  const measure: Measure =
    target === 'outcome'
      ? { kind: 'ratio' }
      : request.slo_seconds !== undefined
        ? { kind: 'deadline', seconds: request.slo_seconds }
        : { kind: 'quantile', quantile: request.quantile ?? QUANTILE }
  const question = { target, measure, incident, baseline, covariates: null, slo: request.slo ?? null, model: request.model ?? null }
  return { question, slice: request.slice ?? {} }
}

function columnOf(slo: string | undefined, objectives: readonly Objective[]): string {
  if (slo === undefined) return 'ttft'
  const column = COLUMNS[slo as SloName]
  if (column === undefined)
    throw new RangeError(`slo: expected one of ${Object.keys(COLUMNS).join(', ')}, got ${slo} (${objectives.length} objectives)`)
  return column
}
