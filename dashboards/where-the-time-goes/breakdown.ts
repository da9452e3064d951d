// The same time by model, region, tenant class and prompt class: where in the fleet it is spent.
import { type Row, timeSeries } from '../panels.ts'
import type { Queries } from '../queries.ts'
import { phasePerRequest } from './stack.ts'

export function breakdown(q: Queries): Row {
  const shared = { unit: 's' as const, width: 12, min: 0, noValue: 'No request settled in this range' }
  return {
    title: 'By slice',
    panels: [
      timeSeries({
        ...shared,
        title: 'Mean time by model',
        description: 'Mean end-to-end seconds by model.',
        targets: [{ expr: `sum by (model) (${phasePerRequest(q, ['model'])})`, legend: '{{model}}' }],
      }),
      timeSeries({
        ...shared,
        title: 'Mean time by region',
        description: 'Mean end-to-end seconds by serving region.',
        targets: [{ expr: `sum by (region) (${phasePerRequest(q, ['region'])})`, legend: '{{region}}' }],
      }),
      timeSeries({
        ...shared,
        title: 'Mean time by tenant class',
        description: 'Mean end-to-end seconds by class of tenant.',
        targets: [{ expr: q.mean('requestSeconds', ['tenant_class']), legend: '{{tenant_class}}' }],
      }),
      timeSeries({
        ...shared,
        title: 'Mean time by prompt length',
        description: 'Mean end-to-end seconds by input-length class: a long prompt is not a slow fleet.',
        targets: [{ expr: q.mean('requestSeconds', ['prompt_class']), legend: '{{prompt_class}}' }],
      }),
    ],
  }
}
