// The raw spans of a request as a tree, each with its attributes on demand. Clocks differ: a child may seem to start before its parent.
import type { ApiSpan } from '@longpole/model/api'
import type { ReactNode } from 'react'
import { duration } from '../format.ts'

const seconds = (span: ApiSpan): number => Number(BigInt(span.end_unix_ns) - BigInt(span.start_unix_ns)) / 1e9

export function SpanTree({ spans }: { spans: readonly ApiSpan[] }): ReactNode {
  if (spans.length === 0)
    return <p className="muted">The raw spans have aged out, or the record was made without any (simulated history).</p>
  const traces = [...new Set(spans.map((span) => span.trace_id))]
  return traces.map((trace) => (
    <Trace key={trace} name={traces.length > 1 ? trace : null} spans={spans.filter((span) => span.trace_id === trace)} />
  ))
}

/** Span ids are unique within their trace only. */
function Trace({ name, spans }: { name: string | null; spans: readonly ApiSpan[] }): ReactNode {
  const known = new Set(spans.map((span) => span.span_id))
  const roots = spans.filter((span) => !known.has(span.parent_span_id))
  return (
    <>
      {name !== null && (
        <h3>
          Trace <code>{name}</code>
        </h3>
      )}
      <ul className="spans">{roots.map((span) => branch(span, spans, 0))}</ul>
    </>
  )
}

function branch(span: ApiSpan, spans: readonly ApiSpan[], depth: number): ReactNode {
  const children = depth < 12 ? spans.filter((other) => other.parent_span_id === span.span_id && other.span_id !== span.span_id) : []
  return (
    <li key={span.span_id}>
      <details>
        <summary>
          <strong>{span.name}</strong> {duration(seconds(span))} <span className="muted">{span.scope}</span>
        </summary>
        <pre>{JSON.stringify({ ...span.attributes, resource: span.resource }, null, 2)}</pre>
      </details>
      {children.length > 0 && <ul>{children.map((child) => branch(child, spans, depth + 1))}</ul>}
    </li>
  )
}
