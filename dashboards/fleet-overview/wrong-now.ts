// First row: the answer, before any chart.

import { findingsTable } from '../findings-table.ts'
import { type Row, stat } from '../panels.ts'
import { metricName, type Queries } from '../queries.ts'
import { slowerSlices } from '../slower-slices.ts'
import { waitingLongest } from '../waiting-longest.ts'

export function wrongNow(q: Queries): Row {
  return {
    title: 'Now',
    panels: [
      findingsTable(q, 6),
      slowerSlices(q, 8),
      waitingLongest(q, 6),
      stat({
        title: 'Open requests',
        description: 'Requests in flight now. A fleet that hangs shows here first: the number grows and nothing ends.',
        unit: 'short',
        width: 6,
        sparkline: true,
        noValue: 'No sidecar reports requests in flight',
        targets: [{ expr: q.gauge('sum', 'requestsOpen') }],
      }),
      stat({
        title: 'Oldest open request',
        description: 'Age of the oldest request in flight. Long generations reach minutes; a hang has no upper end.',
        unit: 's',
        width: 6,
        sparkline: true,
        noValue: 'None in flight',
        thresholds: [
          { value: null, colour: 'green' },
          { value: 120, colour: 'yellow' },
          { value: 600, colour: 'red' },
        ],
        targets: [{ expr: q.gauge('max', 'requestOpenAgeSecondsMax') }],
      }),
      stat({
        title: 'Engines down',
        description: 'Replicas whose last scrape failed.',
        unit: 'short',
        width: 6,
        noValue: 'No engine is scraped',
        thresholds: [
          { value: null, colour: 'green' },
          { value: 1, colour: 'red' },
        ],
        targets: [{ expr: `count(${q.select('engineUp')} == 0) or (0 * count(${q.select('engineUp')}))` }],
      }),
      stat({
        title: 'Localizer looked',
        description: 'Time since the localizer last finished a round. If it is stale, "nothing is wrong" means nothing.',
        unit: 's',
        width: 6,
        noValue: 'The localizer has not run yet',
        thresholds: [
          { value: null, colour: 'green' },
          { value: 120, colour: 'yellow' },
          { value: 300, colour: 'red' },
        ],
        targets: [{ expr: `time() - max(${metricName('localizerLastSuccess')})` }],
      }),
    ],
  }
}
