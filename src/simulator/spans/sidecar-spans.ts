// What our sidecar beside a replica sends of a request that passed it.
import { GenAi, Longpole, Otel } from '@longpole/model/conventions/attributes'
import type { SimRequest } from '../core/request.ts'
import { finishReason } from '../output/record-columns.ts'
import { chunksSeen, phaseAttributes } from './client-spans.ts'
import type { RequestIds } from './request-ids.ts'
import { Kind, type Sender, type SimSpan, type SpanAttributes } from './span.ts'
import type { Timeline } from './timeline.ts'

/** Share of the sidecar's own time that lies on the way in. */
const INWARD = 0.6

export function sidecarSpans(request: SimRequest, ids: RequestIds, time: Timeline, sender: Sender): SimSpan[] {
  const attempt = request.attempts - 1
  const start = time.sidecarReceived
  const inside = request.last.sidecar
  const streamed = !Number.isNaN(request.firstTokenAt)
  const end = streamed && request.outcome === 'ok' ? time.lastTokenOut : Math.max(start + inside, request.endedAt)
  const base = { sender, traceId: ids.traceId, failed: false }
  return [
    {
      ...base,
      spanId: ids.sidecarSpan(attempt),
      parentSpanId: ids.attemptSpan(attempt),
      name: `POST ${request.route}`,
      kind: Kind.server,
      start,
      end,
      attributes: {
        [Longpole.vantage]: 'sidecar',
        [Longpole.role]: 'attempt',
        [Longpole.requestId]: attempt === 0 ? ids.requestId : `${ids.requestId}-${attempt + 1}`,
        [GenAi.operationName]: request.route === '/v1/completions' ? 'text_completion' : 'chat',
        [GenAi.requestModel]: request.model.name,
        [GenAi.requestStream]: true,
        [GenAi.requestMaxTokens]: request.maxTokens,
        [Otel.httpMethod]: 'POST',
        [Otel.urlPath]: request.route,
        [Longpole.reused]: true,
        [Longpole.outcome]: request.outcome,
        [Longpole.receivedAt]: 0,
        [Longpole.sentAt]: inside * INWARD,
        [Longpole.sidecarRequestSeconds]: inside * INWARD,
        [Longpole.sidecarResponseSeconds]: inside * (1 - INWARD),
        ...(request.httpStatus === null ? {} : { [Otel.httpStatus]: request.httpStatus }),
        ...(request.errorClass === null ? {} : { [Longpole.errorClass]: request.errorClass, [Otel.errorType]: request.errorClass }),
        ...(streamed ? streamAttributes(request, time, start) : {}),
      },
      failed: request.outcome === 'error',
    },
    {
      ...base,
      spanId: ids.sidecarSpan(100 + attempt),
      parentSpanId: ids.sidecarSpan(attempt),
      name: 'sidecar',
      kind: Kind.internal,
      start,
      end: start + inside,
      attributes: { ...phaseAttributes('sidecar', 'sidecar proxy'), [Longpole.synthesized]: true },
    },
  ]
}

function streamAttributes(request: SimRequest, time: Timeline, start: number): SpanAttributes {
  const first = time.firstTokenOut - start
  const inside = request.last.sidecar * (1 - INWARD)
  const done = request.outcome === 'ok'
  return {
    // vLLM's headers leave when the prompt is tokenized, before its queue; SGLang's with the first chunk.
    [Longpole.headersAt]: request.model.kind === 'vllm' ? time.tokenized - start : Math.max(0, first - inside),
    [Longpole.firstByteAt]: Math.max(0, first - inside),
    [Longpole.firstTokenAt]: Math.max(0, first - inside),
    [Longpole.firstTokenOutAt]: first,
    [Longpole.lastTokenAt]: (done ? time.lastTokenOut : Math.max(time.firstTokenOut, request.endedAt - 0.002)) - start,
    [Longpole.chunks]: chunksSeen(request),
    ...(done
      ? {
          [Longpole.gapMax]: request.longestGap,
          [GenAi.usageInputTokens]: request.promptTokens,
          [GenAi.usageOutputTokens]: request.outputTokens,
          [GenAi.usageCacheReadInputTokens]: request.cachedTokens,
          [GenAi.responseModel]: request.model.name,
          [GenAi.responseFinishReasons]: [finishReason(request)],
        }
      : {}),
  }
}
