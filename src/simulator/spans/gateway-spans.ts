// What the gateways send: llm-d's endpoint picker in front of vLLM pools (part of the request's trace), SGLang's router in front of the
// disaggregated pools (a trace of its own, joined by request id; no span of queue or routing).
import type { SimRequest } from '../core/request.ts'
import type { RequestIds } from './request-ids.ts'
import type { Senders } from './senders.ts'
import { Kind, type SimSpan } from './span.ts'
import type { Timeline } from './timeline.ts'

export function gatewaySpans(request: SimRequest, ids: RequestIds, time: Timeline, senders: Senders): SimSpan[] {
  const name = request.gateway?.name
  if (name === undefined) return []
  const end = Math.max(time.gatewaySent, request.outcome === 'ok' ? time.lastTokenOut : request.endedAt)
  return request.model.kind === 'sglang'
    ? routerSpans(request, ids, time, senders, name, end)
    : pickerSpans(request, ids, time, senders, name, end)
}

function pickerSpans(request: SimRequest, ids: RequestIds, time: Timeline, senders: Senders, name: string, end: number): SimSpan[] {
  const base = { traceId: ids.traceId, failed: false, kind: Kind.server }
  return [
    {
      ...base,
      sender: senders.picker(name),
      spanId: ids.gatewaySpan(0),
      parentSpanId: ids.attemptSpan(request.attempts - 1),
      name: 'gateway.request',
      start: time.gatewayReceived,
      end,
      attributes: {},
    },
    {
      ...base,
      sender: senders.pickerControl(name),
      spanId: ids.gatewaySpan(1),
      parentSpanId: ids.gatewaySpan(0),
      name: 'gateway.request_orchestration',
      start: time.gatewayReceived,
      end: time.gatewaySent,
      attributes: { target_model: request.model.name, request_prio: 0, 'gen_ai.request.id': ids.requestId },
    },
  ]
}

function routerSpans(request: SimRequest, ids: RequestIds, time: Timeline, senders: Senders, name: string, end: number): SimSpan[] {
  const headers = Number.isNaN(time.firstTokenOut) ? end : time.firstTokenOut
  return [
    {
      sender: senders.router(name),
      traceId: ids.gatewaySpan(2) + ids.gatewaySpan(3),
      spanId: ids.gatewaySpan(0),
      parentSpanId: '',
      name: 'http_request',
      kind: Kind.internal,
      start: time.gatewayReceived,
      end,
      attributes: {
        'code.namespace': 'smg::middleware',
        method: 'POST',
        uri: request.route,
        version: 'HTTP/1.1',
        module: 'smg',
        request_id: request.attempts === 1 ? ids.requestId : `${ids.requestId}-${request.attempts}`,
        status_code: String(request.httpStatus ?? 200),
        latency: String(Math.round((headers - time.gatewayReceived) * 1e6)),
      },
      failed: false,
    },
  ]
}
