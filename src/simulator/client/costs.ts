// What the host side of an engine costs a request: tokenizing, adapter loads, moving KV.
import { logNormal } from '../core/random.ts'
import { PHASE, type SimRequest } from '../core/request.ts'
import type { Engine } from '../engine/engine.ts'

/** Tokens a second of one Hugging Face tokenizer thread (0.6 to 0.9 M measured from Python). */
const TOKENIZER_RATE = 0.7e6
const CHAT_TEMPLATE_SECONDS = 0.0015
/** Per stream and token on the API server's event loop (fitted to vLLM on H100 by inference-sim). */
const EMIT_SECONDS = 46e-6
/** One 400G NIC: start-up of a transfer, beside bytes ÷ bandwidth. */
const TRANSFER_START_SECONDS = 0.002
const ADAPTER_LOAD_SECONDS = 0.18

/** Holds the tokenizer thread of the API server. */
export function tokenizeSeconds(engine: Engine, request: SimRequest): number {
  return (CHAT_TEMPLATE_SECONDS + request.promptTokens / TOKENIZER_RATE) * engine.tokenizerScale.value
}

export function transferSeconds(source: Engine, destination: Engine, bytes: number): number {
  const slowest = Math.max(source.transferScale.value, destination.receiveScale.value)
  return TRANSFER_START_SECONDS + (bytes / source.spec.linkBytesPerSecond) * slowest
}

/** Puts what the host tier knows of the prompt onto the GPU; seconds that this takes, 0 where there is nothing to load. */
function loadFromHost(engine: Engine, request: SimRequest): number {
  const rank = engine.ranks[0]
  if (engine.hostTier === null || rank === undefined || request.loadedTokens > 0) return 0
  const tokens = Math.min(engine.hostTier.load(request, rank), request.promptTokens - 1)
  if (tokens <= 0) return 0
  request.loadedTokens = tokens
  return engine.hostTier.seconds(tokens, engine.spec.kvBytesPerToken) * engine.loadScale.value
}

/** Seconds until the first token has left the server: detokenize, serialise, behind the other streams of the process. */
export function emitSeconds(engine: Engine, request: SimRequest): number {
  const load = engine.running * EMIT_SECONDS * engine.emitScale.value
  return logNormal(0.0012, 0.3, request.seed, 31) * engine.emitScale.value + load
}

/** Seconds by which the stream falls behind the core where the API server cannot keep up with all its streams. */
export function streamLagSeconds(engine: Engine, meanGap: number, chunks: number): number {
  const demand = engine.running * EMIT_SECONDS * engine.emitScale.value
  return demand > meanGap ? (demand - meanGap) * chunks : 0
}

/** Makes the adapter resident, throwing out the one used longest ago. Returns the seconds the request waits for its weights. */
function acquireAdapter(engine: Engine, request: SimRequest): number {
  const name = request.adapter
  if (name === null || engine.spec.adapterSlots === 0) return 0
  const { adapters } = engine
  const resident = adapters.delete(name) && !(engine.brokenAdapters.has(name) && !request.adapterLoaded)
  adapters.set(name, true)
  if (resident) return 0
  const slots = Math.max(1, Math.floor(engine.spec.adapterSlots * engine.adapterSlotScale.value))
  for (const oldest of adapters.keys()) {
    if (adapters.size <= slots) break
    adapters.delete(oldest)
  }
  request.adapterLoaded = true
  return logNormal(ADAPTER_LOAD_SECONDS, 0.4, request.seed, 32) * engine.adapterScale.value
}

/** Books and returns what a request waits for before the core may have it: its adapter's weights, KV from a lower tier. */
export function waitForWeights(engine: Engine, request: SimRequest): number {
  const adapter = acquireAdapter(engine, request)
  if (adapter > 0) {
    engine.counters.adapterLoads++
    request.spend(PHASE['engine.queue'], adapter)
    return adapter
  }
  const loading = loadFromHost(engine, request)
  if (loading > 0) request.spend(PHASE['kv.load'], loading)
  return loading
}
