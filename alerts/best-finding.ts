// Which finding an alert speaks of: one query behind the cause, the onset and every link of a page, so that they speak of the same.
import { METRICS } from '@longpole/model/conventions/metrics'
import { query } from './template.ts'

const INFO = METRICS.findingInfo.name

/**
 * The best finding of a rank: of the same cluster and objective first, then of the same objective, then of the same cluster, then of
 * the model. A finding that spans clusters has none; that of another cluster is none of ours. Factors order the alternatives.
 */
function bestFinding(rank: string): { promql: string; values: string[] } {
  const alternatives = [
    { cluster: true, slo: true },
    { cluster: false, slo: true },
    { cluster: true, slo: false },
    { cluster: false, slo: false },
  ]
  const promql = alternatives.map(({ cluster, slo }, index) => {
    const matchers = `cluster=${cluster ? '%q' : '""'},model=%q${slo ? ',slo=%q' : ''},rank="${rank}"`
    return `${INFO}{${matchers}} * ${alternatives.length - index}`
  })
  const values = alternatives.flatMap(({ cluster, slo }) => [
    ...(cluster ? ['$labels.cluster'] : []),
    '$labels.model',
    ...(slo ? ['$labels.slo'] : []),
  ])
  return { promql: `topk(1, ${promql.join(' or ')})`, values }
}

/** `text` with the finding's labels as `.Labels`; `otherwise` where there is none. */
export function withFinding(rank: string, text: string, otherwise: string): string {
  const { promql, values } = bestFinding(rank)
  return `{{ with ${query(promql, ...values)} }}{{ with first . }}${text}{{ end }}{{ else }}${otherwise}{{ end }}`
}

/** Labels that pick the other metrics of the finding in `withFinding`; for `ofFinding`. */
export const OF_FINDING = ['.Labels.cluster', '.Labels.model', '.Labels.slo', '.Labels.rank']

export function ofFinding(metric: string): string {
  return `${metric}{cluster=%q,model=%q,slo=%q,rank=%q}`
}
