// SGLang's span trees as recorded from 0.5.23 with prefill and decode servers: a root on each server, its tokenizer and scheduler threads
// below, and slices below those. The decode server's `decode_transferred` contains the whole wait for the prefill side.
import { hash } from '../core/random.ts'
import type { SimRequest } from '../core/request.ts'
import type { Engine } from '../engine/engine.ts'
import type { RequestIds } from './request-ids.ts'
import type { Senders } from './senders.ts'
import { Kind, type SimSpan, type SpanAttributes } from './span.ts'
import type { Timeline } from './timeline.ts'

interface Slice {
  name: string
  start: number
  end: number
}

export function sglangSpans(request: SimRequest, ids: RequestIds, time: Timeline, senders: Senders): SimSpan[] {
  const prefill = request.prefillEngine
  const decode = request.engine
  if (request.outcome !== 'ok' || decode === null) return []
  if (prefill === null) return unifiedSpans(request, ids, time, senders, decode)
  const room = `0x${hash(request.seed, 71).toString(16)}${hash(request.seed, 72).toString(16)}`
  const dispatched = time.tokenized - 0.4 * request.last.tokenize
  return [
    ...serverSpans({
      request,
      ids,
      senders,
      engine: prefill,
      side: 'Prefill',
      room,
      first: 0,
      start: time.sidecarSent,
      end: request.last.transferEnd,
      firstOutput: request.last.transferEnd,
      tokenizer: [
        { name: 'tokenize', start: time.sidecarSent, end: dispatched },
        { name: 'api_server_dispatch', start: dispatched, end: time.tokenized },
      ],
      scheduler: [
        { name: 'prefill_bootstrap', start: request.last.queued, end: request.last.queued },
        { name: 'prefill_waiting', start: request.last.queued, end: time.scheduled },
        { name: 'prefill_forward', start: time.scheduled, end: time.prefilled },
        { name: 'prefill_transfer_kv_cache', start: time.prefilled, end: request.last.transferEnd },
      ],
    }),
    ...serverSpans({
      request,
      ids,
      senders,
      engine: decode,
      side: 'Decode',
      room,
      first: 20,
      start: time.sidecarSent,
      end: time.lastToken + 0.0005,
      firstOutput: time.firstToken,
      tokenizer: [
        { name: 'tokenize', start: time.sidecarSent, end: dispatched },
        { name: 'api_server_dispatch', start: dispatched, end: time.tokenized },
      ],
      scheduler: [
        { name: 'decode_bootstrap', start: time.tokenized, end: time.tokenized + 0.0004 },
        { name: 'decode_transferred', start: time.tokenized + 0.0004, end: request.last.transferEnd },
        { name: 'decode_waiting', start: request.last.transferEnd, end: time.firstToken },
        { name: 'decode_forward', start: time.firstToken, end: time.lastToken },
      ],
    }),
  ]
}

/** One server for both phases: names without a side, `request_process` before the queue. */
function unifiedSpans(request: SimRequest, ids: RequestIds, time: Timeline, senders: Senders, engine: Engine): SimSpan[] {
  const dispatched = time.tokenized - 0.4 * request.last.tokenize
  return serverSpans({
    request,
    ids,
    senders,
    engine,
    side: '',
    room: null,
    first: 0,
    start: time.sidecarSent,
    end: time.lastToken + 0.0005,
    firstOutput: time.firstToken,
    tokenizer: [
      { name: 'tokenize', start: time.sidecarSent, end: dispatched },
      { name: 'api_server_dispatch', start: dispatched, end: time.tokenized },
    ],
    scheduler: [
      { name: 'request_process', start: request.last.queued, end: request.last.queued },
      { name: 'prefill_waiting', start: request.last.queued, end: time.scheduled },
      { name: 'prefill_forward', start: time.scheduled, end: time.firstToken },
      { name: 'decode_waiting', start: time.firstToken, end: time.firstToken },
      { name: 'decode_forward', start: time.firstToken, end: time.lastToken },
    ],
  })
}

interface ServerPart {
  request: SimRequest
  ids: RequestIds
  senders: Senders
  engine: Engine
  side: 'Prefill' | 'Decode' | ''
  /** Joins the two sides. */
  room: string | null
  /** Number of the first of this server's spans. */
  first: number
  start: number
  end: number
  firstOutput: number
  tokenizer: Slice[]
  scheduler: Slice[]
}

function serverSpans(part: ServerPart): SimSpan[] {
  const { request, ids, senders, engine, side, first } = part
  const host = hash(engine.seed, 73).toString(16).padStart(8, '0')
  const rid = ids.engineSpan(first) + ids.engineSpan(first + 1)
  const base = { traceId: ids.traceId, kind: Kind.internal, failed: false }
  const tokenizer = { ...base, sender: senders.sglang(engine, 'tokenizer') }
  const scheduler = { ...base, sender: senders.sglang(engine, 'scheduler') }
  const thread = (label: string, pid: number): SpanAttributes => ({ host_id: `${host}${host}`, pid: String(pid), thread_label: label })
  const pid = 20_000 + (engine.seed % 10_000)
  const slices = (list: readonly Slice[], parent: number, offset: number, process: typeof tokenizer): SimSpan[] =>
    list.map(({ name, start, end }, index) => ({
      ...process,
      spanId: ids.engineSpan(first + offset + index),
      parentSpanId: ids.engineSpan(first + parent),
      name,
      start,
      end: Math.max(start, end),
      attributes: {},
    }))
  const span = (
    index: number,
    parent: string,
    name: string,
    from: Slice[],
    attributes: SpanAttributes,
    process: typeof tokenizer,
  ): SimSpan => ({
    ...process,
    spanId: ids.engineSpan(first + index),
    parentSpanId: parent,
    name,
    start: (from[0] as Slice).start,
    end: (from.at(-1) as Slice).end,
    attributes,
  })
  const root: SimSpan = {
    ...tokenizer,
    spanId: ids.engineSpan(first + 2),
    parentSpanId: ids.sidecarSpan(request.attempts - 1),
    name: `${side.toLowerCase()} Req ${rid.slice(0, 8)}`,
    start: part.start,
    end: part.end,
    attributes: rootAttributes(part, rid),
  }
  return [
    root,
    span(3, root.spanId, `${side}Tokenizer(host:${host} | pid:${pid})`, part.tokenizer, thread(`${side}Tokenizer`, pid), tokenizer),
    span(
      4,
      root.spanId,
      `${`${side} Scheduler`.trim()} [TP 0]  [PP 0] (host:${host} | pid:${pid + 1})`,
      part.scheduler,
      thread(`${side} Scheduler`.trim(), pid + 1),
      scheduler,
    ),
    ...slices(part.tokenizer, 3, 5, tokenizer),
    ...slices(part.scheduler, 4, 8, scheduler),
  ]
}

function rootAttributes(part: ServerPart, rid: string): SpanAttributes {
  const { request, side, room, start, end, firstOutput } = part
  const tokens = side === 'Prefill' ? 1 : request.outputTokens
  return {
    rid,
    module: 'sglang::request',
    ...(room === null ? {} : { bootstrap_room: room }),
    'gen_ai.usage.completion_tokens': tokens,
    'gen_ai.usage.prompt_tokens': request.promptTokens,
    'gen_ai.usage.cached_tokens': side === 'Decode' ? 0 : request.cachedTokens,
    'gen_ai.request.id': rid,
    'gen_ai.request.max_tokens': request.maxTokens,
    'gen_ai.request.top_p': 1,
    'gen_ai.request.temperature': 1,
    'gen_ai.request.top_k': -1,
    'gen_ai.request.n': 1,
    'gen_ai.response.model': request.model.name,
    'gen_ai.response.finish_reasons': '["stop"]',
    'gen_ai.latency.time_to_first_token': firstOutput - start,
    'gen_ai.latency.e2e': end - start,
  }
}
