// SGLang's span trees as observations: one for a unified server; one `hop` each for the prefill and the decode server of a
// disaggregated request, whose phases lie one after the other on the way of the first token, so that together they add up.
import type { Observation } from '@longpole/model/observation'
import type { PhaseDuration } from '@longpole/model/phase'
import type { RequestColumns } from '@longpole/model/request-columns'
import type { Span } from '@longpole/model/span'
import { clockOf, countOf, placeOf, textOf } from '../attributes.ts'
import { between, latest, nanos, phase } from '../durations.ts'
import { spanTree } from '../span-tree.ts'
import { kvTransfer, SglangSource } from './phases.ts'
import { Attribute, isHealthCheck, isRoot, readServed, ridOf, roomOf, type ServedRequest } from './slices.ts'

export const SGLANG = 'sglang'

/** All spans of an SGLang server come from the tracer `sglang server`; its Rust router has its own (`smg`). */
export function claims(span: Span): boolean {
  return span.scopeName.startsWith('sglang')
}

/**
 * Left out: health checks, slices whose root has not come (yet), and what a rejected request leaves: an `auto closed` tokenizer
 * thread below a root that is never sent.
 */
export function observe(spans: readonly Span[]): Observation[] {
  const tree = spanTree(spans)
  const served = spans.filter((span) => isRoot(span) && !isHealthCheck(span)).map((root) => readServed(root, tree))
  const decodeByRoom = new Map(served.filter(({ role }) => role === 'decode').map((request) => [request.bootstrapRoom, request]))
  const prefillByRoom = new Map(served.filter(({ role }) => role === 'prefill').map((request) => [request.bootstrapRoom, request]))
  return groupSequences(served).map((sequences) => {
    const [first] = sequences as [ServedRequest]
    if (first.role === 'unified') return observeUnified(sequences)
    const peer = (first.role === 'prefill' ? decodeByRoom : prefillByRoom).get(first.bootstrapRoom)
    return observeHop(first, first.bootstrapRoom === null ? undefined : peer)
  })
}

export function requestIds(span: Span): (string | null)[] {
  if (!isRoot(span) || isHealthCheck(span)) return []
  const room = roomOf(span)
  return [ridOf(span), room === null ? null : roomId(room)]
}

/** Both servers of a disaggregated request know it by the same room. */
function roomId(bootstrapRoom: string): string {
  return `bootstrap_room:${bootstrapRoom}`
}

/** `n` > 1 makes a root a sequence, a parent without tokens and a prefix-warming one: same caller, same created time, same process. */
function groupSequences(served: readonly ServedRequest[]): ServedRequest[][] {
  const groups = new Map<string, ServedRequest[]>()
  for (const request of served) {
    const { root } = request
    const alone = request.role !== 'unified' || root.parentSpanId === ''
    const key = alone ? root.spanId : `${root.parentSpanId}\n${root.startUnixNano}\n${clockOf(root)}`
    const group = groups.get(key)
    if (group) group.push(request)
    else groups.set(key, [request])
  }
  return [...groups.values()]
}

/** Queue and prefill of the earliest first token, decode until the last token of any sequence. */
function observeUnified(sequences: readonly ServedRequest[]): Observation {
  const speaking = sequences.filter((request) => (request.outputTokens ?? 0) > 0 && request.firstOutput !== null)
  const candidates = speaking.length > 0 ? speaking : sequences
  const first = candidates.reduce((best, next) => ((next.firstOutput ?? 0n) < (best.firstOutput ?? 0n) ? next : best))
  const firstTokenInCore = first.slice('prefill_forward')?.endUnixNano ?? null
  const lastToken = latest(candidates.map((request) => request.extent('decode_waiting', 'decode_forward')?.end ?? null))
  const decode = between(firstTokenInCore, lastToken)
  const endUnixNano = latest(sequences.map((request) => request.root.endUnixNano))
  // The way out of the first token overlaps decode: it counts as far as the last token was as late out.
  const emit = smaller(between(firstTokenInCore, first.firstOutput), between(lastToken ?? firstTokenInCore, endUnixNano))
  const firstToken = firstTokenInCore === null || emit === null ? first.firstOutput : firstTokenInCore + nanos(Math.max(0, emit))
  const phases = [
    ...untilFirstToken(first),
    ...phase('engine.emit', emit, SglangSource.emit, 'residual'),
    ...phase('engine.decode', decode, SglangSource.decode, 'measured'),
  ]
  return {
    ...common(first, sequences, phases),
    role: 'attempt',
    boundaries: { received: first.root.startUnixNano, firstToken: firstToken ?? undefined, lastToken: lastToken ?? undefined },
    columns: {
      ...columnsOf(first),
      pool: placeOf(first.root.resource).pool ?? 'both',
      output_tokens: speaking.length === 0 ? first.outputTokens : speaking.reduce((sum, request) => sum + (request.outputTokens ?? 0), 0),
      cached_tokens: countOf(first.root.attributes, Attribute.cachedTokens),
    },
  }
}

/** The decode server tokenizes and waits for room while the prefill server does the same: only the prefill side is on the path. */
function observeHop(request: ServedRequest, peer: ServedRequest | undefined): Observation {
  const replica = placeOf(request.root.resource).replica ?? `${request.hostId?.slice(0, 8) ?? ''}:${request.pid ?? ''}`
  const rooms = request.bootstrapRoom === null ? [] : [roomId(request.bootstrapRoom)]
  const hop = { role: 'hop' as const }
  if (request.role === 'prefill') {
    const shared = common(request, [request], untilFirstToken(request))
    return {
      ...shared,
      ...hop,
      requestIds: [...shared.requestIds, ...rooms],
      boundaries: { received: request.root.startUnixNano },
      columns: {
        ...columnsOf(request),
        pool: 'prefill',
        replica,
        prefill_replica: replica,
        cached_tokens: countOf(request.root.attributes, Attribute.cachedTokens),
      },
    }
  }
  const decode = request.extent('decode_waiting', 'decode_forward')
  const alone = peer === undefined ? untilTransfer(request) : []
  const phases = [
    ...alone,
    ...kvTransfer(request, peer),
    ...phase('engine.decode', decode && between(decode.start, decode.end), SglangSource.decodeHop, 'measured'),
  ]
  const shared = common(request, [request], phases)
  return {
    ...shared,
    ...hop,
    requestIds: [...shared.requestIds, ...rooms],
    boundaries: {
      received: request.root.startUnixNano,
      firstToken: request.firstOutput ?? undefined,
      lastToken: decode?.end,
    },
    columns: { ...columnsOf(request), pool: 'decode', replica, decode_replica: replica, output_tokens: request.outputTokens },
  }
}

/** C → G on a server that prefills. */
function untilFirstToken(request: ServedRequest): PhaseDuration[] {
  const tokenize = request.slice('tokenize')
  const enqueued = request.extent('prefill_bootstrap', 'prefill_waiting')?.start ?? null
  const bootstrap = sliceSeconds(request.slice('prefill_bootstrap'))
  const waiting = sliceSeconds(request.slice('prefill_waiting'))
  const queue = bootstrap === null && waiting === null ? null : (bootstrap ?? 0) + (waiting ?? 0)
  const queuePhase = phase('engine.queue', queue, bootstrap === null ? SglangSource.queue : SglangSource.queueWithBootstrap, 'measured')
  if (bootstrap !== null && queuePhase[0]) queuePhase[0].parts = { bootstrap, waiting: waiting ?? 0 }
  return [
    ...phase('engine.tokenize', sliceSeconds(tokenize), SglangSource.tokenize, 'measured'),
    ...phase('engine.admit', between(tokenize?.endUnixNano ?? null, enqueued), SglangSource.admit, 'residual'),
    ...queuePhase,
    ...phase('engine.prefill', sliceSeconds(request.slice('prefill_forward')), SglangSource.prefill, 'measured'),
  ]
}

/** What a decode server knows of the path while its prefill peer has not been seen. */
function untilTransfer(request: ServedRequest): PhaseDuration[] {
  const tokenize = request.slice('tokenize')
  const bootstrap = request.slice('decode_bootstrap')
  return [
    ...phase('engine.tokenize', sliceSeconds(tokenize), SglangSource.tokenize, 'measured'),
    ...phase(
      'engine.admit',
      between(tokenize?.endUnixNano ?? null, bootstrap?.startUnixNano ?? null),
      SglangSource.admitDecode,
      'residual',
    ),
    ...phase('engine.queue', sliceSeconds(bootstrap), SglangSource.queueDecode, 'measured'),
  ]
}

function common(first: ServedRequest, all: readonly ServedRequest[], phases: PhaseDuration[]) {
  const { root } = first
  return {
    vantage: 'engine' as const,
    traceId: root.traceId,
    spanId: root.spanId,
    parentSpanId: root.parentSpanId,
    spanIds: all.flatMap((request) => request.spans.map((span) => span.spanId)),
    requestIds: [...new Set(all.flatMap((request) => (request.rid === null ? [] : [request.rid])))],
    startUnixNano: root.startUnixNano,
    endUnixNano: latest(all.map((request) => request.root.endUnixNano)) ?? root.endUnixNano,
    clock: first.hostId === null ? clockOf(root) : `host:${first.hostId}`,
    phases,
    overlays: [],
  }
}

function columnsOf(request: ServedRequest): Partial<RequestColumns> {
  const { attributes, resource } = request.root
  const retractions = request.spans.reduce((sum, span) => sum + span.events.filter(({ name }) => name === 'retract').length, 0)
  return {
    ...placeOf(resource),
    engine: SGLANG,
    model: textOf(attributes, 'gen_ai.response.model'),
    prompt_tokens: countOf(attributes, Attribute.promptTokens),
    max_tokens: countOf(attributes, 'gen_ai.request.max_tokens'),
    ...(retractions > 0 ? { preemptions: retractions } : {}),
    ...(request.role === 'prefill' || request.finishReason === null ? {} : { finish_reason: request.finishReason }),
    ...(request.finishReason === 'abort' ? { outcome: 'aborted' } : {}),
  }
}

function smaller(left: number | null, right: number | null): number | null {
  return left === null || right === null ? null : Math.min(left, right)
}

function sliceSeconds(span: Span | null): number | null {
  return span === null ? null : between(span.startUnixNano, span.endUnixNano)
}
