// received = stored + dropped + rejected + in flight, and what was joined.
import { type Row, stat, timeSeries } from '../panels.ts'
import type { Queries } from '../queries.ts'

export function conservation(q: Queries): Row {
  return {
    title: 'Nothing is lost silently',
    panels: [
      stat({
        title: 'Spans unaccounted for',
        description: 'received − stored − dropped − rejected − in flight. Anything but 0 is a defect of Longpole.',
        unit: 'short',
        width: 6,
        noValue: 'No span has arrived',
        thresholds: [
          { value: null, colour: 'red' },
          { value: 0, colour: 'green' },
          { value: 1, colour: 'red' },
        ],
        targets: [
          {
            expr: `sum(${q.select('spansReceivedTotal')}) - sum(${q.select('spansStoredTotal')}) - (sum(${q.select('spansDroppedTotal')}) or vector(0)) - (sum(${q.select('spansRejectedTotal')}) or vector(0)) - sum(${q.select('spansInFlight')})`,
          },
        ],
      }),
      stat({
        title: 'Store',
        description: 'The store answers.',
        unit: 'none',
        width: 6,
        noValue: 'The hub is not scraped',
        mappings: { '0': { text: 'away', colour: 'red' }, '1': { text: 'up', colour: 'green' } },
        targets: [{ expr: q.gauge('min', 'storeUp') }],
      }),
      stat({
        title: 'Free in the store',
        description: 'Free part of the size limit or the disk, the smaller.',
        unit: 'percentunit',
        width: 6,
        noValue: 'The hub is not scraped',
        thresholds: [
          { value: null, colour: 'red' },
          { value: 0.1, colour: 'yellow' },
          { value: 0.25, colour: 'green' },
        ],
        targets: [{ expr: q.gauge('min', 'storeFreeRatio') }],
      }),
      stat({
        title: 'Oldest span not stored',
        description: 'Lag of the ingest.',
        unit: 's',
        width: 6,
        noValue: 'The hub is not scraped',
        thresholds: [
          { value: null, colour: 'green' },
          { value: 5, colour: 'yellow' },
          { value: 30, colour: 'red' },
        ],
        targets: [{ expr: q.gauge('max', 'storeLagSeconds') }],
      }),
      timeSeries({
        title: 'Spans',
        description: 'Received and stored per second; the lines should lie on each other.',
        unit: 'short',
        width: 8,
        min: 0,
        noValue: 'No span in this range',
        targets: [
          { expr: q.rate('spansReceivedTotal'), legend: 'received' },
          { expr: q.rate('spansStoredTotal'), legend: 'stored' },
        ],
      }),
      timeSeries({
        title: 'Dropped and rejected',
        description: 'By reason. Rejected spans are sent again; dropped ones are gone.',
        unit: 'short',
        width: 8,
        min: 0,
        noValue: 'Nothing dropped or rejected in this range',
        targets: [
          { expr: q.rate('spansDroppedTotal', ['reason']), legend: 'dropped: {{reason}}' },
          { expr: q.rate('spansRejectedTotal', ['reason']), legend: 'rejected: {{reason}}' },
        ],
      }),
      timeSeries({
        title: 'Records by vantage',
        description: 'Settled records in which each vantage was seen. Equal lines mean everything joins.',
        unit: 'reqps',
        width: 8,
        min: 0,
        noValue: 'No record in this range',
        targets: [{ expr: q.rate('recordsJoinedTotal', ['vantage']), legend: '{{vantage}}' }],
      }),
      timeSeries({
        title: 'Label values beyond their cap',
        description: 'Counted under "other", by metric and label.',
        unit: 'short',
        width: 12,
        min: 0,
        noValue: 'No label is over its cap',
        targets: [{ expr: `topk(10, ${q.rate('seriesOverflowTotal', ['metric', 'label'])})`, legend: '{{metric}} {{label}}' }],
      }),
      timeSeries({
        title: 'Clock offsets',
        description: 'Largest estimated offset of replica clocks; durations are safe from it, one-way network phases are not.',
        unit: 's',
        width: 12,
        noValue: 'No pair of clocks was compared',
        targets: [{ expr: `topk(10, ${q.gauge('max', 'clockOffsetSeconds', ['replica'])})`, legend: '{{replica}}' }],
      }),
    ],
  }
}
