// Where a joined record's phases come from and how exact they are, by engine: what a client SDK, a gateway, a sidecar and that engine's
// own spans can tell (the engines' own names, as recorded from them).
import type { Exactness, PhaseId } from '@longpole/model/phase'
import type { EngineKind } from '../fleet/fleet.ts'

export interface PhaseSource {
  source: string
  exactness: Exactness
}

const OUTSIDE: Partial<Record<PhaseId, PhaseSource>> = {
  'client.backoff': { source: 'sdk attempts', exactness: 'measured' },
  'client.connect': { source: 'sdk connect', exactness: 'measured' },
  'client.upload': { source: 'sdk connect → gateway received', exactness: 'upper_bound' },
  'gateway.queue': { source: 'gateway flow control span', exactness: 'measured' },
  'gateway.route': { source: 'gateway routing span', exactness: 'measured' },
  sidecar: { source: 'sidecar', exactness: 'measured' },
  'kv.load': { source: 'kv offload span', exactness: 'measured' },
  'stream.network': { source: 'sidecar first token → sdk first token', exactness: 'upper_bound' },
  'stream.drain': { source: 'engine last token → sdk last chunk', exactness: 'residual' },
  'client.consume': { source: 'sdk iterator', exactness: 'measured' },
  unattributed: { source: 'e2e − sum of phases', exactness: 'residual' },
}

const VLLM: Partial<Record<PhaseId, PhaseSource>> = {
  'engine.tokenize': { source: 'sidecar headers time', exactness: 'measured' },
  'engine.admit': { source: 'vllm llm_request gen_ai.latency.time_to_first_token − parts', exactness: 'residual' },
  'engine.queue': { source: 'vllm llm_request gen_ai.latency.time_in_queue', exactness: 'measured' },
  'engine.queue_or_kv': { source: 'vllm decode llm_request gen_ai.latency.time_in_queue', exactness: 'measured' },
  'kv.transfer': { source: 'vllm prefill end → decode scheduled', exactness: 'upper_bound' },
  'engine.prefill': { source: 'vllm llm_request gen_ai.latency.time_in_model_prefill', exactness: 'measured' },
  'engine.emit': { source: 'vllm first token → sidecar first byte', exactness: 'residual' },
  'engine.decode': { source: 'vllm llm_request gen_ai.latency.time_in_model_decode', exactness: 'measured' },
}

const SGLANG: Partial<Record<PhaseId, PhaseSource>> = {
  'engine.tokenize': { source: 'sglang Tokenize', exactness: 'measured' },
  'engine.admit': { source: 'sglang dispatch', exactness: 'measured' },
  'engine.queue': { source: 'sglang Prefill waiting', exactness: 'measured' },
  'engine.queue_or_kv': { source: 'sglang Decode prealloc and waiting', exactness: 'measured' },
  'kv.transfer': { source: 'sglang Decode transferred', exactness: 'upper_bound' },
  'engine.prefill': { source: 'sglang Prefill forward', exactness: 'measured' },
  'engine.emit': { source: 'sglang first token → sidecar first byte', exactness: 'residual' },
  'engine.decode': { source: 'sglang decode loop', exactness: 'measured' },
}

const BY_ENGINE: Record<EngineKind, Partial<Record<PhaseId, PhaseSource>>> = {
  vllm: { ...OUTSIDE, ...VLLM },
  sglang: { ...OUTSIDE, ...SGLANG },
  dynamo: { ...OUTSIDE, ...VLLM },
}

export function phaseSource(kind: EngineKind, phase: PhaseId): PhaseSource {
  return BY_ENGINE[kind][phase] as PhaseSource
}
