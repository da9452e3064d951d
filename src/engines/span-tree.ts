// The spans of one trace as a tree: children by parent, for engines that say one request in many spans.
import type { Span } from '@longpole/model/span'

export interface SpanTree {
  byId: ReadonlyMap<string, Span>
  childrenOf(span: Span): readonly Span[]
  /** The span and everything below it, parents first, by start. Cycles and duplicates are visited once. */
  subtree(span: Span): Span[]
}

const NONE: readonly Span[] = []

export function spanTree(spans: readonly Span[]): SpanTree {
  const byId = new Map<string, Span>()
  const children = new Map<string, Span[]>()
  for (const span of spans) {
    if (byId.has(span.spanId)) continue
    byId.set(span.spanId, span)
    if (span.parentSpanId === '') continue
    const siblings = children.get(span.parentSpanId)
    if (siblings) siblings.push(span)
    else children.set(span.parentSpanId, [span])
  }
  for (const siblings of children.values()) siblings.sort(byStart)
  return {
    byId,
    childrenOf: (span) => children.get(span.spanId) ?? NONE,
    subtree(root) {
      const seen = new Set([root.spanId])
      const found = [root]
      for (let at = 0; at < found.length; at++) {
        for (const child of children.get((found[at] as Span).spanId) ?? NONE) {
          if (seen.has(child.spanId)) continue
          seen.add(child.spanId)
          found.push(child)
        }
      }
      return found
    },
  }
}

/** Order that does not depend on the order of arrival: a record is a pure function of its distinct spans. */
export function byStart(left: Span, right: Span): number {
  if (left.startUnixNano !== right.startUnixNano) return left.startUnixNano < right.startUnixNano ? -1 : 1
  return left.spanId < right.spanId ? -1 : left.spanId > right.spanId ? 1 : 0
}
