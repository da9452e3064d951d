// The one way from foreign spans to observations: the hub's correlate processor calls it with the spans of one trace, as often as more
// of them come. Pure: the same set of spans gives the same observations, whatever their order and however often each came.
import type { Observation } from '@longpole/model/observation'
import type { Span } from '@longpole/model/span'
import type { EngineAdapter } from './adapter.ts'
import { ADAPTERS } from './index.ts'
import { byStart } from './span-tree.ts'

export interface Observed {
  observations: Observation[]
  /** Spans that no observation was made from: nobody's, or an engine's that say nothing of a request. */
  ignored: Span[]
}

/** Spans of one trace in, what they say about its LLM requests out, outermost sender first. */
export function observeSpans(spans: readonly Span[]): Observed {
  const distinct = distinctByStart(spans)
  const claimed = new Map<EngineAdapter, Span[]>()
  for (const span of distinct) {
    const adapter = ADAPTERS.find((candidate) => candidate.claims(span))
    if (adapter === undefined) continue
    const own = claimed.get(adapter)
    if (own) own.push(span)
    else claimed.set(adapter, [span])
  }
  const observations: Observation[] = []
  for (const adapter of ADAPTERS) {
    const own = claimed.get(adapter)
    if (own !== undefined) observations.push(...adapter.observe(own, distinct))
  }
  const used = new Set<string>()
  for (const { spanIds } of observations) for (const id of spanIds) used.add(id)
  return { observations, ignored: used.size === distinct.length ? [] : distinct.filter((span) => !used.has(span.spanId)) }
}

/** Ids by which the other half of a broken trace may be found, from one span: a superset of what its observation will carry. */
export function requestIdsOf(span: Span): string[] {
  const adapter = ADAPTERS.find((candidate) => candidate.claims(span))
  return adapter === undefined ? [] : adapter.requestIds(span).filter((id) => id !== null)
}

/** Each span once, by start. */
function distinctByStart(spans: readonly Span[]): readonly Span[] {
  if (spans.length < 2) return spans
  const sorted = [...spans].sort(byStart)
  const seen = new Set<string>()
  return sorted.filter(({ spanId }) => !seen.has(spanId) && seen.add(spanId))
}
