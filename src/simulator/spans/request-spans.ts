// All spans that a request leaves in the fleet, from every process that sends some.
import type { SimRequest } from '../core/request.ts'
import { clientSpans } from './client-spans.ts'
import { gatewaySpans } from './gateway-spans.ts'
import { idsOf, type RequestIds } from './request-ids.ts'
import type { Senders } from './senders.ts'
import { sglangSpans } from './sglang-spans.ts'
import { sidecarSpans } from './sidecar-spans.ts'
import type { SimSpan } from './span.ts'
import { type Timeline, timelineOf } from './timeline.ts'
import { vllmSpans } from './vllm-spans.ts'

export function requestSpans(request: SimRequest, seed: number, senders: Senders): SimSpan[] {
  const ids = idsOf(request, seed)
  const time = timelineOf(request)
  // Client, gateway and sidecar of a request from a socket are real and send their own.
  if (request.external !== null) return engineSpans(request, ids, time, senders)
  const spans = [...clientSpans(request, ids, time, senders.client(request)), ...gatewaySpans(request, ids, time, senders)]
  const engine = request.engine
  if (engine === null) return spans
  spans.push(...sidecarSpans(request, ids, time, senders.sidecar(engine)))
  spans.push(...engineSpans(request, ids, time, senders))
  return spans
}

function engineSpans(request: SimRequest, ids: RequestIds, time: Timeline, senders: Senders): SimSpan[] {
  if (request.engine === null) return []
  if (request.model.kind === 'sglang') return sglangSpans(request, ids, time, senders)
  return vllmSpans(request, ids, time, senders.vllm(request.engine))
}
