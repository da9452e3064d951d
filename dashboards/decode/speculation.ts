// Speculative decoding and preemption.
import { type Row, timeSeries } from '../panels.ts'
import type { Queries } from '../queries.ts'

export function speculation(q: Queries): Row {
  return {
    title: 'Speculation and preemption',
    panels: [
      timeSeries({
        title: 'Acceptance of drafted tokens',
        description: 'Accepted over drafted. When it falls, every token costs more steps.',
        unit: 'percentunit',
        width: 8,
        min: 0,
        max: 1,
        noValue: 'No speculative decoding in this range',
        targets: [
          {
            expr: `${q.rate('engineTokensTotal', ['model'], { kind: 'accepted' })} / ${q.rate('engineTokensTotal', ['model'], { kind: 'drafted' })}`,
            legend: '{{model}}',
          },
        ],
      }),
      timeSeries({
        title: 'Preemptions',
        description: 'Preemptions and retractions per second by replica: each one recomputes or reloads a request.',
        unit: 'short',
        width: 8,
        min: 0,
        noValue: 'No engine is scraped',
        targets: [{ expr: `topk(10, ${q.preemptions(['replica'])})`, legend: '{{replica}}' }],
      }),
      timeSeries({
        title: 'Decode by replica',
        description: 'Mean decode seconds per request by replica, the ten slowest. Compare at similar output lengths.',
        unit: 's',
        width: 8,
        noValue: 'No replica label on the requests of this range',
        targets: [{ expr: `topk(10, ${q.mean('replicaPhaseSeconds', ['replica'], { phase: 'engine.decode' })})`, legend: '{{replica}}' }],
      }),
    ],
  }
}
