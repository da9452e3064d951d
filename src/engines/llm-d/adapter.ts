// llm-d: the endpoint picker (EPP), which an Envoy asks where to send a request, and the P/D sidecar, which sends it to a prefill and
// then to a decode server. Both are gateways; a request that passes both has both observations.
import { Otel } from '@longpole/model/conventions/attributes'
import type { Observation } from '@longpole/model/observation'
import type { PhaseDuration } from '@longpole/model/phase'
import { type Span, SpanKind } from '@longpole/model/span'
import type { EngineAdapter } from '../adapter.ts'
import { countOf, textOf } from '../attributes.ts'
import { between, phase, spanSeconds } from '../durations.ts'
import { gatewayObservation, isModelRoute, outcomeOf } from '../gateway.ts'
import { byStart, spanTree } from '../span-tree.ts'
import { LLM_D_METRICS } from './metrics.ts'

export const LLM_D = 'llm-d'
const PICKED = 'gateway.request'
const ORCHESTRATION = 'gateway.request_orchestration'
const FORWARD = 'forward_request'
const PREFILL = 'prefill'

const Source = {
  orchestration: `llm-d span ${ORCHESTRATION}`,
  forward: 'llm-d sidecar request received to first upstream call',
  /** The prefill server's queue is inside. */
  prefill: `llm-d sidecar span ${PREFILL}`,
} as const

function observe(spans: readonly Span[]): Observation[] {
  const tree = spanTree(spans)
  return spans.flatMap((span) => {
    if (span.name === PICKED) return [observePicker(span, tree.subtree(span))]
    const path = textOf(span.attributes, Otel.urlPath)
    const isProxy = span.kind === SpanKind.server && isModelRoute(path) && tree.childrenOf(span).some(({ name }) => name === FORWARD)
    return isProxy ? [observeSidecar(span, tree.subtree(span))] : []
  })
}

const pickedIdOf = ({ attributes }: Span): string | null => textOf(attributes, 'gen_ai.request.id')
const proxiedIdOf = ({ attributes }: Span): string | null => textOf(attributes, 'llm_d.pd_proxy.request_id')

function observePicker(root: Span, spans: readonly Span[]): Observation {
  const orchestration = spans.find(({ name }) => name === ORCHESTRATION)
  return gatewayObservation({
    root,
    spans,
    requestIds: spans.map(pickedIdOf),
    // The flow-control queue is inside; the picker has no span of it.
    phases: phase('gateway.route', orchestration ? spanSeconds(orchestration) : null, Source.orchestration, 'upper_bound'),
    columns: {
      gateway: textOf(root.resource, Otel.serviceName),
      model: orchestration ? textOf(orchestration.attributes, 'target_model') : null,
    },
  })
}

function observeSidecar(root: Span, spans: readonly Span[]): Observation {
  const calls = spans.filter(({ kind }) => kind === SpanKind.client).sort(byStart)
  const prefill = spans.find(({ name }) => name === PREFILL)
  const phases: PhaseDuration[] = [
    ...phase('gateway.route', between(root.startUnixNano, calls[0]?.startUnixNano), Source.forward, 'residual'),
    ...phase('engine.prefill', prefill && calls[0] ? spanSeconds(calls[0]) : null, Source.prefill, 'upper_bound'),
  ]
  return gatewayObservation({
    root,
    spans,
    requestIds: spans.map(proxiedIdOf),
    phases,
    columns: {
      gateway: textOf(root.resource, Otel.serviceName),
      prefill_replica: prefill ? textOf(prefill.attributes, 'llm_d.pd_proxy.prefill_target') : null,
      ...outcomeOf(countOf(root.attributes, Otel.httpStatus)),
    },
  })
}

export const llmD: EngineAdapter = {
  name: LLM_D,
  title: 'llm-d endpoint picker and P/D sidecar',
  vantage: 'gateway',
  seenVersions: ['ebab6879'],
  claims: ({ scopeName, resource }) =>
    scopeName.startsWith('llm-d-router/') || String(resource[Otel.serviceName] ?? '').startsWith('llm-d-'),
  observe,
  requestIds: (span) => [pickedIdOf(span), proxiedIdOf(span)],
  exposition: LLM_D_METRICS,
  response: { streamHeaders: 'unknown' },
  produces: [
    { phase: 'gateway.route', from: 'B', to: 'C', source: Source.orchestration, exactness: 'upper_bound' },
    { phase: 'gateway.route', from: 'B', to: 'C', source: Source.forward, exactness: 'residual' },
    { phase: 'engine.prefill', from: 'C', to: 'G', source: Source.prefill, exactness: 'upper_bound' },
  ],
  unobservable: [
    { what: 'KV transfer', instead: 'inside the decode server: engine.queue_or_kv' },
    { what: 'first token', instead: 'the sidecar or the SDK: true_ttft_ms ends when decode is dispatched' },
    { what: 'flow-control queue of one request', instead: 'inside gateway.route' },
  ],
}
