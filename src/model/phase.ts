// The phases of one LLM request, in path order. Their durations add up: for the outermost vantage seen,
// sum(phases) + unattributed = e2e. Everything that stores, draws or alerts on a phase takes its id from here.

/** How well a duration is known. `upper_bound` contains something else too; `residual` is what is left between two measured points of one clock. */
export const EXACTNESSES = ['measured', 'upper_bound', 'residual'] as const
export type Exactness = (typeof EXACTNESSES)[number]

/**
 * Boundaries of a request: A client sends, B gateway receives, C engine's HTTP server receives, D tokenized, E the engine core has it,
 * F first scheduled, G first token in the core, H first token leaves the HTTP server, I client sees it, J last token.
 */
export type Boundary = 'A' | 'B' | 'C' | 'D' | 'E' | 'F' | 'G' | 'H' | 'I' | 'J'

export interface PhaseDefinition {
  readonly id: string
  /** One sentence for a person who reads it on a board. */
  readonly title: string
  readonly description: string
  /** Who can be at fault when it grows. */
  readonly owner: 'client' | 'network' | 'gateway' | 'sidecar' | 'engine'
  /** Part of the way to the first token, so of `ttft`. */
  readonly beforeFirstToken: boolean
}

/** Path order. `unattributed` is last and always shown. */
export const PHASES = [
  {
    id: 'client.backoff',
    title: 'Client backoff',
    owner: 'client',
    beforeFirstToken: true,
    description: 'End of a failed attempt until the next attempt begins; logical requests with retries or hedges only.',
  },
  {
    id: 'client.connect',
    title: 'Connect',
    owner: 'network',
    beforeFirstToken: true,
    description: 'Client sends until a connection is usable: DNS, TCP, TLS. Zero on a reused connection.',
  },
  {
    id: 'client.upload',
    title: 'Upload',
    owner: 'network',
    beforeFirstToken: true,
    description: 'Connection usable until the next hop has received the request. Contains one-way network delay.',
  },
  {
    id: 'gateway.queue',
    title: 'Gateway queue',
    owner: 'gateway',
    beforeFirstToken: true,
    description: 'Received by the gateway until admitted: flow control, rate limits.',
  },
  {
    id: 'gateway.route',
    title: 'Gateway route',
    owner: 'gateway',
    beforeFirstToken: true,
    description: 'Admitted until sent on: scheduling decision, body processing, without the queue.',
  },
  {
    id: 'sidecar',
    title: 'Sidecar',
    owner: 'sidecar',
    beforeFirstToken: true,
    description: 'Time inside our own sidecar, both ways, so that it never hides in another phase.',
  },
  {
    id: 'engine.tokenize',
    title: 'Tokenize',
    owner: 'engine',
    beforeFirstToken: true,
    description: 'HTTP server has the request until it is tokenized: chat template, tokenizer.',
  },
  {
    id: 'engine.admit',
    title: 'Admit',
    owner: 'engine',
    beforeFirstToken: true,
    description: 'Tokenized until the engine core has the request; contains the wait for the running step to end.',
  },
  {
    id: 'engine.queue',
    title: 'Queue',
    owner: 'engine',
    beforeFirstToken: true,
    description: 'The core has the request until it is first scheduled.',
  },
  {
    id: 'engine.queue_or_kv',
    title: 'Queue or KV',
    owner: 'engine',
    beforeFirstToken: true,
    description: 'Waiting to be scheduled where the engine cannot tell queueing from the arrival of KV blocks.',
  },
  {
    id: 'kv.load',
    title: 'KV load',
    owner: 'engine',
    beforeFirstToken: true,
    description: 'KV blocks from a cache tier (host memory, disk, remote store) into the GPU.',
  },
  {
    id: 'kv.transfer',
    title: 'KV transfer',
    owner: 'network',
    beforeFirstToken: true,
    description: 'KV blocks from the prefill to the decode side.',
  },
  {
    id: 'engine.prefill',
    title: 'Prefill',
    owner: 'engine',
    beforeFirstToken: true,
    description: 'First scheduled until the first token exists in the core.',
  },
  {
    id: 'engine.emit',
    title: 'Emit',
    owner: 'engine',
    beforeFirstToken: true,
    description: 'First token in the core until its bytes leave the server: detokenize, serialise.',
  },
  {
    id: 'stream.network',
    title: 'Return path',
    owner: 'network',
    beforeFirstToken: true,
    description: 'First token leaves the server until the client sees it.',
  },
  {
    id: 'engine.decode',
    title: 'Decode',
    owner: 'engine',
    beforeFirstToken: false,
    description: 'First token in the core until the last token.',
  },
  {
    id: 'stream.drain',
    title: 'Drain',
    owner: 'network',
    beforeFirstToken: false,
    description: 'Last token in the core until the last byte is at the client.',
  },
  {
    id: 'client.consume',
    title: 'Client consume',
    owner: 'client',
    beforeFirstToken: false,
    description: "The caller's own time between reads; in the sum only where the SDK sees the iterator and not the socket.",
  },
  {
    id: 'unattributed',
    title: 'Unattributed',
    owner: 'client',
    beforeFirstToken: false,
    description: 'What is left of e2e when all known phases are taken away. Always shown, never hidden.',
  },
] as const satisfies readonly PhaseDefinition[]

export type PhaseId = (typeof PHASES)[number]['id']
/** Phases that a source can measure: all but the remainder. */
export type MeasuredPhaseId = Exclude<PhaseId, 'unattributed'>

export const PHASE_IDS = PHASES.map((phase) => phase.id) as readonly PhaseId[]

const ORDER = new Map<string, number>(PHASE_IDS.map((id, index) => [id, index]))

/** Position of a phase on the path, from 0. */
export function phaseOrder(id: PhaseId): number {
  return ORDER.get(id) as number
}

export function isPhaseId(value: string): value is PhaseId {
  return ORDER.has(value)
}

/** Column of a phase in tables: `engine.queue` → `phase_engine_queue`, in seconds. */
export function phaseColumn(id: PhaseId): string {
  return `phase_${id.replaceAll('.', '_')}`
}

/** One phase of one request. */
export interface PhaseDuration {
  phase: PhaseId
  /** Seconds, never negative: a negative residual is clamped to 0 and counted. */
  seconds: number
  /** Which span, header, body field, metric or derivation it came from, for example `vllm llm_request gen_ai.latency.time_in_queue`. */
  source: string
  exactness: Exactness
  /** Half-width of the error from clock offsets; absent where no two clocks were compared. */
  errorSeconds?: number
  /** Named parts, in seconds: `dns`, `tcp`, `tls` of `client.connect`; `destination`… of a transfer are attributes, not parts. */
  parts?: Record<string, number>
}

/** Shown beside the phases, never in the sum. */
export const OVERLAYS = ['stream.stall', 'engine.preempted'] as const
export type OverlayId = (typeof OVERLAYS)[number]
export interface OverlayDuration {
  overlay: OverlayId
  seconds: number
  source: string
}
