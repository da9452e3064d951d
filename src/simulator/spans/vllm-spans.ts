// vLLM's one retrospective span a request, `llm_request`, as recorded from 0.32.0: latencies are attributes, queue, prefill and decode
// by the core's monotonic clock, time to first token by the API server's.
import type { SimRequest } from '../core/request.ts'
import type { RequestIds } from './request-ids.ts'
import { Kind, type Sender, type SimSpan } from './span.ts'
import type { Timeline } from './timeline.ts'

export function vllmSpans(request: SimRequest, ids: RequestIds, time: Timeline, sender: Sender): SimSpan[] {
  // An aborted or failed request leaves no span in vLLM.
  if (request.outcome !== 'ok') return []
  const start = time.sidecarSent
  const end = time.lastToken + 0.0005
  const decode = time.lastToken - time.firstToken
  const prefill = time.firstToken - time.scheduled
  return [
    {
      sender,
      traceId: ids.traceId,
      spanId: ids.engineSpan(0),
      parentSpanId: ids.sidecarSpan(request.attempts - 1),
      name: 'llm_request',
      kind: Kind.server,
      start,
      end,
      attributes: {
        'gen_ai.latency.time_to_first_token': time.firstToken - start,
        'gen_ai.latency.e2e': end - start,
        'gen_ai.latency.time_in_queue': Math.max(0, time.scheduled - request.last.queued),
        'gen_ai.usage.prompt_tokens': request.promptTokens,
        'gen_ai.usage.completion_tokens': request.outputTokens,
        'gen_ai.latency.time_in_model_prefill': prefill,
        'gen_ai.latency.time_in_model_decode': decode,
        'gen_ai.latency.time_in_model_inference': prefill + decode,
        'gen_ai.request.id': `chatcmpl-${request.attempts === 1 ? ids.requestId : `${ids.requestId}-${request.attempts}`}`,
        'gen_ai.request.top_p': 1,
        'gen_ai.request.max_tokens': request.maxTokens,
        'gen_ai.request.temperature': 1,
        'gen_ai.request.n': 1,
      },
      failed: false,
    },
  ]
}
