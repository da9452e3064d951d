// Seconds of prefill, and seconds per uncached token: the second does not move when prompts get longer or the cache colder.
import { RECORDINGS } from '@longpole/model/conventions/recordings'
import { type Row, timeSeries } from '../panels.ts'
import { type Queries, RATE } from '../queries.ts'

export function costOfPrefill(q: Queries): Row {
  const seconds = `sum by (model) (rate(${q.select('phaseSeconds', { phase: 'engine.prefill' }, '_sum')}[${RATE}]))`
  const uncached = `(${q.rate('tokensTotal', ['model'], { kind: 'prompt' })} - ${q.rate('tokensTotal', ['model'], { kind: 'cached' })})`
  return {
    title: 'Cost of prefill',
    panels: [
      timeSeries({
        title: 'Prefill time',
        description: 'First scheduled until the first token, per request.',
        unit: 's',
        width: 8,
        colourBy: 'quantile',
        logarithmic: true,
        noValue: 'No request with a known prefill in this range',
        targets: q.quantiles([0.5, 0.95, 0.99], 'phaseSeconds', { phase: 'engine.prefill' }),
      }),
      timeSeries({
        title: 'Prefill seconds per 1,000 uncached tokens',
        description: 'If this grows, compute got slower. If it is flat and prefill grows, more tokens have to be computed.',
        unit: 's',
        width: 8,
        faded: 'usual.*',
        noValue: 'No token counts in this range',
        targets: [
          { expr: `1000 * ${seconds} / ${uncached}`, legend: '{{model}}' },
          { expr: q.selectRecorded(RECORDINGS.prefillSecondsPerUncachedKilotokenMedian, ['cluster', 'model']), legend: 'usual {{model}}' },
        ],
      }),
      timeSeries({
        title: 'Prefill by replica',
        description: 'Mean prefill seconds by replica, the ten slowest.',
        unit: 's',
        width: 8,
        noValue: 'No replica label on the requests of this range',
        targets: [{ expr: `topk(10, ${q.mean('replicaPhaseSeconds', ['replica'], { phase: 'engine.prefill' })})`, legend: '{{replica}}' }],
      }),
    ],
  }
}
