// The spans that bench/ingest.ts sends: one request as client, sidecar and vLLM tell it, 15 attributes each, ids of its own.
import { randomBytes } from 'node:crypto'
import type { Attributes, Span } from '@longpole/model/span'

const RESOURCES: Attributes[] = Array.from({ length: 8 }, (_, index) => ({
  'service.name': ['app', 'longpole-sidecar', 'vllm'][index % 3] as string,
  'host.name': `host-${index}`,
  'longpole.replica': `replica-${index}`,
  'longpole.cluster': 'bench',
}))
const id = (bytes: number) => randomBytes(bytes).toString('hex')

/** A request that began two seconds before `nowMs`, Unix milliseconds. */
export function makeRequest(nowMs = Date.now()): Span[] {
  const traceId = id(16)
  const [client, sidecar, engine] = [id(8), id(8), id(8)]
  const requestId = id(16)
  const start = BigInt(Math.round(nowMs)) * 1_000_000n - 2_000_000_000n
  const pick = Math.floor(Math.random() * RESOURCES.length)
  const common = {
    traceId,
    traceState: '',
    flags: 1,
    events: [],
    links: [],
    statusCode: 0,
    statusMessage: '',
    scopeVersion: '0.1.0',
    resource: RESOURCES[pick] as Attributes,
  }
  const times = (from: number, to: number) => ({ startUnixNano: start + BigInt(from * 1e6), endUnixNano: start + BigInt(to * 1e6) })
  return [
    {
      ...common,
      ...times(0, 1_000),
      spanId: client,
      parentSpanId: '',
      name: 'chat bench',
      kind: 3,
      scopeName: '@longpole/sdk',
      attributes: clientAttributes(requestId),
    },
    {
      ...common,
      ...times(4, 996),
      spanId: sidecar,
      parentSpanId: client,
      name: 'POST /v1/chat/completions',
      kind: 2,
      scopeName: '@longpole/sidecar',
      attributes: sidecarAttributes(requestId),
    },
    {
      ...common,
      ...times(6, 990),
      spanId: engine,
      parentSpanId: sidecar,
      name: 'llm_request',
      kind: 2,
      scopeName: 'vllm.tracing.otel',
      attributes: engineAttributes(requestId),
    },
  ]
}

function clientAttributes(requestId: string): Attributes {
  return {
    'longpole.role': 'request',
    'longpole.vantage': 'client',
    'longpole.request_id': requestId,
    'longpole.outcome': 'ok',
    'longpole.output_mode': 'text',
    'longpole.at.headers': 0.05,
    'longpole.at.first_token': 0.4 + Math.random() / 100,
    'longpole.at.last_token': 0.99,
    'longpole.chunks': 64,
    'longpole.gaps.max': 0.03,
    'gen_ai.operation.name': 'chat',
    'gen_ai.request.model': 'bench-model',
    'gen_ai.usage.input_tokens': 512,
    'gen_ai.usage.output_tokens': 64,
    'http.response.status_code': 200,
  }
}

function sidecarAttributes(requestId: string): Attributes {
  return {
    'longpole.role': 'attempt',
    'longpole.vantage': 'sidecar',
    'longpole.request_id': requestId,
    'longpole.outcome': 'ok',
    'longpole.at.received': 0,
    'longpole.at.sent': 0.0002,
    'longpole.at.headers': 0.01,
    'longpole.at.first_token': 0.39,
    'longpole.at.first_token_out': 0.3901,
    'longpole.at.last_token': 0.985,
    'gen_ai.operation.name': 'chat',
    'gen_ai.request.model': 'bench-model',
    'url.path': '/v1/chat/completions',
    'http.request.method': 'POST',
    'http.response.status_code': 200,
  }
}

function engineAttributes(requestId: string): Attributes {
  return {
    'gen_ai.request.id': `chatcmpl-${requestId}`,
    'gen_ai.latency.time_to_first_token': 0.38,
    'gen_ai.latency.e2e': 0.98,
    'gen_ai.latency.time_in_queue': Math.random() / 10,
    'gen_ai.latency.time_in_model_prefill': 0.25,
    'gen_ai.latency.time_in_model_decode': 0.595,
    'gen_ai.latency.time_in_model_inference': 0.845,
    'gen_ai.usage.prompt_tokens': 512,
    'gen_ai.usage.completion_tokens': 64,
    'gen_ai.request.top_p': 1,
    'gen_ai.request.max_tokens': 64,
    'gen_ai.request.temperature': 0.7,
    'gen_ai.request.n': 1,
    'gen_ai.response.model': 'bench-model',
    'longpole.rank': '0',
  }
}
