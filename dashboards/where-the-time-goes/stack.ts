// Mean E2E and mean TTFT as stacks: the sum of the areas is the mean of the whole.
import { FIRST_TOKEN_PHASES } from '../palette.ts'
import { type Row, timeSeries } from '../panels.ts'
import { metricName, type Queries, RATE } from '../queries.ts'

/** Seconds of each phase per settled request: every request has an `unattributed` part, so its count is the number of requests. */
export function phasePerRequest(q: Queries, by: readonly string[] = [], phases?: string, shift = ''): string {
  const matchers = phases === undefined ? undefined : { phase: `~${phases}` }
  const labels = [...by, 'phase'].join(', ')
  const group = by.length === 0 ? '' : ` by (${by.join(', ')})`
  const join = by.length === 0 ? 'ignoring (phase) group_left ()' : `on (${by.join(', ')}) group_left ()`
  const seconds = `sum by (${labels}) (rate(${q.select('phaseSeconds', matchers, '_sum')}[${RATE}]${shift}))`
  const requests = `sum${group} (rate(${q.select('phaseSeconds', { phase: 'unattributed' }, '_count')}[${RATE}]${shift}))`
  return `${seconds} / ${join} ${requests}`
}

export function stack(q: Queries): Row {
  return {
    title: 'Mean of all requests',
    panels: [
      timeSeries({
        title: 'Mean end-to-end time by phase',
        description: `The areas add up to the mean of ${metricName('requestSeconds')}. Grey on top is what no source could attribute.`,
        unit: 's',
        width: 12,
        height: 10,
        stack: true,
        colourBy: 'phase',
        legend: 'table',
        min: 0,
        noValue: 'No request settled in this range',
        targets: [{ expr: phasePerRequest(q), legend: '{{phase}}' }],
      }),
      timeSeries({
        title: 'Mean time to first token by phase',
        description: 'Only the phases before the first token, per request: queue, prefill, transfer, network and the rest.',
        unit: 's',
        width: 12,
        height: 10,
        stack: true,
        colourBy: 'phase',
        legend: 'table',
        min: 0,
        noValue: 'No request settled in this range',
        targets: [{ expr: phasePerRequest(q, [], FIRST_TOKEN_PHASES), legend: '{{phase}}' }],
      }),
    ],
  }
}
