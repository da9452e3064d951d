// The time line to hold the findings against; red marks are onsets, purple marks are changes.
import { type Row, timeSeries } from '../panels.ts'
import { type Queries, RATE } from '../queries.ts'

export function evidence(q: Queries): Row {
  return {
    title: 'Time line (red: onset of a finding, purple: a change)',
    panels: [
      timeSeries({
        title: 'Phase means',
        description: 'Mean of each phase over the requests that had it. The blamed phase should step at the red mark.',
        unit: 's',
        width: 12,
        height: 9,
        colourBy: 'phase',
        logarithmic: true,
        noValue: 'No request settled in this range',
        targets: [{ expr: q.mean('phaseSeconds', ['phase']), legend: '{{phase}}' }],
      }),
      timeSeries({
        title: 'Mean time in the engine by replica',
        description: 'Mean seconds per request in engine phases by replica, the ten highest. A slice of one replica stands out here.',
        unit: 's',
        width: 12,
        height: 9,
        noValue: 'No replica label on the requests of this range',
        targets: [
          {
            expr: `topk(10, sum by (replica) (rate(${q.select('replicaPhaseSeconds', { phase: '~engine.*' }, '_sum')}[${RATE}])) / max by (replica) (sum by (replica, phase) (rate(${q.select('replicaPhaseSeconds', {}, '_count')}[${RATE}]))))`,
            legend: '{{replica}}',
          },
        ],
      }),
      timeSeries({
        title: 'Share of bad requests',
        description: 'By model and objective: when it moved is when users noticed.',
        unit: 'percentunit',
        width: 12,
        min: 0,
        noValue: 'No request was judged in this range',
        targets: [
          {
            expr: q.badShare(['model', 'slo']),
            legend: '{{model}} {{slo}}',
          },
        ],
      }),
      timeSeries({
        title: 'Workload',
        description:
          'Prompt and output tokens per second. If these moved and the cost per token did not, the workload changed and nothing is broken.',
        unit: 'tokens/s',
        width: 12,
        noValue: 'No token counts in this range',
        targets: [{ expr: q.rate('tokensTotal', ['kind'], { kind: '~prompt|cached|output' }), legend: '{{kind}}' }],
      }),
    ],
  }
}
