// The seam between the thread that moves bytes and the one that thinks: what crosses it, once for each request that ended and every
// few seconds for the open ones. Any byte path that fills these records may stand behind it.

/** How an exchange ended. Status and error events inside the stream are told apart from this by the telemetry side. */
export type Ending =
  | 'complete'
  /** The client left before the end. */
  | 'client_aborted'
  /** No connection to the engine. */
  | 'upstream_unreachable'
  /** The engine closed or answered rubbish before any response header. */
  | 'upstream_reset'
  /** The engine broke off after its headers. */
  | 'upstream_truncated'
  /** Refused by us: never sent on. */
  | 'refused'

/** Milliseconds since the request's start, one monotonic clock; null where it did not happen or was not seen. */
export interface Stamps {
  /** Request complete here. */
  received: number | null
  /** Connection to the engine usable; null on a reused one. */
  connected: number | null
  /** Request given to the kernel, whole. */
  sent: number | null
  headers: number | null
  firstByte: number | null
  firstToken: number | null
  firstReasoning: number | null
  firstAnswer: number | null
  lastToken: number | null
}

/** Read from the top level of the request's JSON; null where absent or beyond the parts that are looked at. */
export interface RequestFields {
  model: string | null
  stream: boolean | null
  maxTokens: number | null
  n: number | null
  /** Tools were offered. */
  tools: boolean
  /** A JSON answer was asked for. */
  jsonOutput: boolean
}

export interface RequestIdentity {
  traceId: string
  spanId: string
  /** Empty for a root. */
  parentSpanId: string
  traceFlags: number
  traceState: string
  requestId: string
  startUnixNano: bigint
  method: string
  /** Path without query, at most 256 characters. */
  path: string
  synthetic: boolean
  /** As the request's headers name them, at most 128 characters; the hub keeps only keyed hashes. */
  tenant: string | null
  session: string | null
}

/** One request that ended. Plain data: it is cloned across threads. Holds no content but `head` and `tail`, which end in the worker. */
export interface FinishedRequest extends RequestIdentity {
  ending: Ending
  /** Status that the client saw; null where it saw none. */
  status: number | null
  endMs: number
  at: Stamps
  /** Connection to the engine; null where there was none. */
  reused: boolean | null
  /** Milliseconds from the first token (else the first body byte) received until it was written to the client. */
  returnMs: number | null
  fields: RequestFields
  requestBytes: number
  responseBytes: number
  /** The response was an event stream. */
  eventStream: boolean
  /** Bits of Delta seen. */
  deltas: number
  chunks: number
  /** Gaps between tokens: index of the exponential bucket (GAP_SCALE) → count. */
  gaps: Map<number, number>
  /** At most 8, longest first: milliseconds since start of its end, and its length. */
  worstGaps: [number, number][]
  /** First bytes of a response that is no stream, for the id and model in it. */
  head: Uint8Array | null
  /** Last bytes of the response (at most TAIL_BYTES), for usage, finish reason and error. */
  tail: Uint8Array | null
}

/** One look at a request in flight. */
export interface OpenExchange extends RequestIdentity {
  ageMs: number
  at: Stamps
  fields: RequestFields
  /** Body bytes so far. */
  requestBytes: number
  status: number | null
}

/** Takes finished requests; must not throw and must not wait. */
export interface ObservationSink {
  finished(request: FinishedRequest): void
}
