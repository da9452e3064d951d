// All spans that a request leaves in the fleet, from every process that sends some.
import type { SimRequest } from '../core/request.ts'
import { clientSpans } from './client-spans.ts'
import { gatewaySpans } from './gateway-spans.ts'
import { idsOf } from './request-ids.ts'
import type { Senders } from './senders.ts'
import { sglangSpans } from './sglang-spans.ts'
import { sidecarSpans } from './sidecar-spans.ts'
import type { SimSpan } from './span.ts'
import { timelineOf } from './timeline.ts'
import { vllmSpans } from './vllm-spans.ts'

export function requestSpans(request: SimRequest, seed: number, senders: Senders): SimSpan[] {
  const ids = idsOf(request, seed)
  const time = timelineOf(request)
  const spans = [...clientSpans(request, ids, time, senders.client(request)), ...gatewaySpans(request, ids, time, senders)]
  const engine = request.engine
  if (engine === null) return spans
  spans.push(...sidecarSpans(request, ids, time, senders.sidecar(engine)))
  if (request.model.kind === 'sglang') spans.push(...sglangSpans(request, ids, time, senders))
  else spans.push(...vllmSpans(request, ids, time, senders.vllm(engine)))
  return spans
}
