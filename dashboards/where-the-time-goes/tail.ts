// The same stack over the requests that missed an objective: what the tail is made of.
import { FIRST_TOKEN_PHASES } from '../palette.ts'
import { type Row, timeSeries } from '../panels.ts'
import { type Queries, RATE } from '../queries.ts'

function perRequest(q: Queries, result: string, phases?: string): string {
  const seconds = `sum by (phase) (rate(${q.select('classPhaseSecondsSum', { slo_result: result, ...(phases === undefined ? {} : { phase: `~${phases}` }) })}[${RATE}]))`
  const requests = `sum (rate(${q.select('classPhaseSecondsCount', { slo_result: result, phase: 'unattributed' })}[${RATE}]))`
  return `${seconds} / ignoring (phase) group_left () ${requests}`
}

export function tail(q: Queries): Row {
  const shared = { unit: 's' as const, width: 8, height: 9, stack: true, colourBy: 'phase' as const, min: 0 }
  return {
    title: 'Requests that missed an objective',
    panels: [
      timeSeries({
        ...shared,
        title: 'Bad requests: time by phase',
        description: 'Mean seconds of each phase over requests that missed at least one objective.',
        noValue: 'No request missed an objective in this range',
        targets: [{ expr: perRequest(q, 'bad'), legend: '{{phase}}' }],
      }),
      timeSeries({
        ...shared,
        title: 'Good requests: time by phase',
        description: 'The same over requests that met all objectives: the difference to the left is what made the others bad.',
        noValue: 'No request met its objectives in this range',
        targets: [{ expr: perRequest(q, 'good'), legend: '{{phase}}' }],
      }),
      timeSeries({
        ...shared,
        title: 'Bad requests: before the first token',
        description: 'Only the phases before the first token, over requests that missed at least one objective.',
        noValue: 'No request missed an objective in this range',
        targets: [{ expr: perRequest(q, 'bad', FIRST_TOKEN_PHASES), legend: '{{phase}}' }],
      }),
    ],
  }
}
