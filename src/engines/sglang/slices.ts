// One SGLang request on one server: its root span and the slices of its API server and scheduler below it, read into stamps
// (python/sglang/srt/observability/{trace,req_time_stats}.py). All processes of a server convert one host's monotonic clock.
import type { Span } from '@longpole/model/span'
import { countOf, firstTextOf, secondsOf, textOf } from '../attributes.ts'
import { earliest, latest, nanos } from '../durations.ts'
import type { SpanTree } from '../span-tree.ts'

export const Attribute = {
  requestId: 'gen_ai.request.id',
  rid: 'rid',
  module: 'module',
  bootstrapRoom: 'bootstrap_room',
  hostId: 'host_id',
  pid: 'pid',
  timeToFirstToken: 'gen_ai.latency.time_to_first_token',
  promptTokens: 'gen_ai.usage.prompt_tokens',
  completionTokens: 'gen_ai.usage.completion_tokens',
  cachedTokens: 'gen_ai.usage.cached_tokens',
  finishReasons: 'gen_ai.response.finish_reasons',
} as const

const REQUEST_MODULE = 'sglang::request'
/** `/health` runs a real one-token request under such an id. */
const HEALTH_CHECK = 'HEALTH_CHECK_'

export type ServerRole = 'unified' | 'prefill' | 'decode'

export interface ServedRequest {
  root: Span
  /** The root and all below it. */
  spans: Span[]
  role: ServerRole
  rid: string | null
  bootstrapRoom: string | null
  hostId: string | null
  pid: string | null
  outputTokens: number | null
  finishReason: string | null
  /** First output at the API server, from the root's attribute. */
  firstOutput: bigint | null
  slice(name: string): Span | null
  slices(name: string): readonly Span[]
  /** Start of the first and end of the last of the named slices. */
  extent(...names: string[]): { start: bigint; end: bigint } | null
}

export function isRoot(span: Span): boolean {
  return span.attributes[Attribute.module] === REQUEST_MODULE
}

export function isHealthCheck(span: Span): boolean {
  return [Attribute.requestId, Attribute.rid].some((key) => textOf(span.attributes, key)?.startsWith(HEALTH_CHECK))
}

export function readServed(root: Span, tree: SpanTree): ServedRequest {
  const spans = tree.subtree(root)
  const byName = new Map<string, Span[]>()
  for (const span of spans) {
    const same = byName.get(span.name)
    if (same) same.push(span)
    else byName.set(span.name, [span])
  }
  const thread = spans.find((span) => Attribute.hostId in span.attributes)
  const timeToFirstToken = secondsOf(root.attributes, Attribute.timeToFirstToken)
  const slices = (name: string) => byName.get(name) ?? []
  return {
    root,
    spans,
    role: roleOf(root),
    rid: ridOf(root),
    bootstrapRoom: roomOf(root),
    hostId: thread ? textOf(thread.attributes, Attribute.hostId) : null,
    pid: thread ? plainText(thread, Attribute.pid) : null,
    outputTokens: countOf(root.attributes, Attribute.completionTokens),
    finishReason: firstTextOf(root.attributes, Attribute.finishReasons),
    firstOutput: timeToFirstToken === null ? null : root.startUnixNano + nanos(timeToFirstToken),
    slices,
    slice: (name) => slices(name)[0] ?? null,
    extent(...names) {
      const found = names.flatMap((name) => slices(name))
      if (found.length === 0) return null
      return {
        start: earliest(found.map((span) => span.startUnixNano)) ?? 0n,
        end: latest(found.map((span) => span.endUnixNano)) ?? 0n,
      }
    },
  }
}

/** The root is called `<role> Req <rid[:8]>`, with an empty role on a unified server. */
function roleOf(root: Span): ServerRole {
  if (root.name.startsWith('prefill ')) return 'prefill'
  return root.name.startsWith('decode ') ? 'decode' : 'unified'
}

export function ridOf(root: Span): string | null {
  return textOf(root.attributes, Attribute.rid) ?? textOf(root.attributes, Attribute.requestId)
}

export function roomOf(root: Span): string | null {
  return plainText(root, Attribute.bootstrapRoom)
}

function plainText(span: Span, key: string): string | null {
  const value = span.attributes[key]
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : textOf(span.attributes, key)
}
