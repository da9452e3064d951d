// Seconds of each phase by class of request and by whether it met its objectives. All series of a class start at 0 together, before most of
// them have anything to count: a rate does not see the first increase of a series that was not there before, and bad requests are few.
import { PROMPT_CLASSES, type RequestRecord } from '@longpole/model/request-record'
import { LabelledSeries, rememberByColumns } from './record-series.ts'
import type { Labels, MetricRegistry } from './registry.ts'
import type { Judgement } from './slo-metrics.ts'

type ClassRegistry = MetricRegistry<'classPhaseSecondsSum' | 'classPhaseSecondsCount'>
type Columns = Pick<RequestRecord, 'cluster' | 'model' | 'prompt_class' | 'tenant_class'>

/** Counts the phases of a settled record of that goodput. */
export type CountClassPhases = (record: RequestRecord, goodput: Judgement) => void

/** So many classes of a model and cluster start together; what comes beyond starts with its first request. */
const MAX_CLASSES = 64

export function createClassPhases(registry: ClassRegistry): CountClassPhases {
  const modelOf = rememberByColumns(['cluster', 'model'], () => new ModelPhases())
  const classOf = rememberByColumns(['cluster', 'model', 'prompt_class', 'tenant_class'], (labels) => new ClassSeries(registry, labels))
  const isKnown = rememberByColumns(['cluster', 'model', 'tenant_class'], () => ({ started: false }))

  function startTenantClass(record: Columns): void {
    const tenant = isKnown(record)
    if (tenant.started) return
    tenant.started = true
    const { cluster, model, tenant_class } = record
    for (const { id } of PROMPT_CLASSES) modelOf(record).add(classOf({ cluster, model, tenant_class, prompt_class: id }))
  }

  return (record, goodput) => {
    startTenantClass(record)
    const model = modelOf(record)
    const { sum, count } = classOf(record).of(goodput)
    for (const { phase, seconds } of record.phases) {
      model.start(phase)
      sum.of(phase).increment(seconds)
      count.of(phase).increment()
    }
  }
}

/** The classes and phases of a model that were met: each of one has each of the other. */
class ModelPhases {
  private readonly classes: ClassSeries[] = []
  private readonly phases = new Set<string>()

  add(added: ClassSeries): void {
    if (this.classes.length >= MAX_CLASSES) return
    this.classes.push(added)
    for (const phase of this.phases) added.start(phase)
  }

  start(phase: string): void {
    if (this.phases.has(phase)) return
    this.phases.add(phase)
    for (const known of this.classes) known.start(phase)
  }
}

class ClassSeries {
  private readonly registry: ClassRegistry
  private readonly labels: Labels
  private readonly byResult = new Map<Judgement, { sum: LabelledSeries; count: LabelledSeries }>()

  constructor(registry: ClassRegistry, labels: Labels) {
    this.registry = registry
    this.labels = labels
  }

  of(goodput: Judgement) {
    let both = this.byResult.get(goodput)
    if (both === undefined) {
      const labels = { ...this.labels, slo_result: goodput }
      both = {
        sum: new LabelledSeries(this.registry, 'classPhaseSecondsSum', labels, 'phase'),
        count: new LabelledSeries(this.registry, 'classPhaseSecondsCount', labels, 'phase'),
      }
      this.byResult.set(goodput, both)
    }
    return both
  }

  start(phase: string): void {
    for (const goodput of ['good', 'bad'] as const) {
      const { sum, count } = this.of(goodput)
      sum.of(phase).increment(0)
      count.of(phase).increment(0)
    }
  }
}
