// Every attribute, span, event and header name that Longpole writes or reads under its own or OpenTelemetry's conventions.
// Engines' own names live in src/engines/<engine>. GenAI names are those of semantic-conventions-genai.

/** OpenTelemetry GenAI conventions. */
export const GenAi = {
  operationName: 'gen_ai.operation.name',
  providerName: 'gen_ai.provider.name',
  conversationId: 'gen_ai.conversation.id',
  requestModel: 'gen_ai.request.model',
  requestStream: 'gen_ai.request.stream',
  requestMaxTokens: 'gen_ai.request.max_tokens',
  responseModel: 'gen_ai.response.model',
  responseId: 'gen_ai.response.id',
  responseFinishReasons: 'gen_ai.response.finish_reasons',
  responseTimeToFirstChunk: 'gen_ai.response.time_to_first_chunk',
  usageInputTokens: 'gen_ai.usage.input_tokens',
  usageOutputTokens: 'gen_ai.usage.output_tokens',
  usageCacheReadInputTokens: 'gen_ai.usage.cache_read.input_tokens',
  usageReasoningOutputTokens: 'gen_ai.usage.reasoning.output_tokens',
} as const

/** Other OpenTelemetry conventions. */
export const Otel = {
  serviceName: 'service.name',
  serviceVersion: 'service.version',
  serviceInstanceId: 'service.instance.id',
  hostName: 'host.name',
  processPid: 'process.pid',
  cloudRegion: 'cloud.region',
  cloudAvailabilityZone: 'cloud.availability_zone',
  k8sClusterName: 'k8s.cluster.name',
  k8sNodeName: 'k8s.node.name',
  k8sPodName: 'k8s.pod.name',
  serverAddress: 'server.address',
  serverPort: 'server.port',
  errorType: 'error.type',
  httpMethod: 'http.request.method',
  httpRoute: 'http.route',
  httpStatus: 'http.response.status_code',
  httpResendCount: 'http.request.resend_count',
  urlPath: 'url.path',
  telemetrySdkName: 'telemetry.sdk.name',
  telemetrySdkLanguage: 'telemetry.sdk.language',
  /** Of the OpenAI conventions: what an OpenAI-compatible server says of its version and settings. */
  systemFingerprint: 'openai.response.system_fingerprint',
} as const

/** Our own. On phase spans: the first three. */
export const Longpole = {
  phase: 'longpole.phase',
  source: 'longpole.source',
  exactness: 'longpole.exactness',
  errorSeconds: 'longpole.error_seconds',
  /** The span was cut out of an attribute of another span. */
  synthesized: 'longpole.synthesized',
  /** client | gateway | sidecar | engine. */
  vantage: 'longpole.vantage',
  /** request | attempt | phase, and wait: a span beside the phases, never in a sum. */
  role: 'longpole.role',
  /** How far down the client saw the bytes: socket | body | iterator. */
  seen: 'longpole.seen',
  /** Client library and its version. */
  sdk: 'longpole.sdk',
  sdkVersion: 'longpole.sdk_version',
  /** Tries of the logical request. */
  attempts: 'longpole.attempts',
  requestId: 'longpole.request_id',
  outcome: 'longpole.outcome',
  errorClass: 'longpole.error_class',
  outputMode: 'longpole.output_mode',
  reused: 'longpole.connection.reused',
  partDns: 'longpole.connect.dns',
  partTcp: 'longpole.connect.tcp',
  partTls: 'longpole.connect.tls',
  /** Seconds from the span's start, doubles; same clock as the span. */
  receivedAt: 'longpole.at.received',
  headersAt: 'longpole.at.headers',
  firstByteAt: 'longpole.at.first_byte',
  firstTokenAt: 'longpole.at.first_token',
  firstReasoningAt: 'longpole.at.first_reasoning',
  firstAnswerAt: 'longpole.at.first_answer',
  lastTokenAt: 'longpole.at.last_token',
  /** Sidecar: connection to the engine usable (absent on a reused one); request given to the kernel whole; first token written on. */
  connectedAt: 'longpole.at.connected',
  sentAt: 'longpole.at.sent',
  firstTokenOutAt: 'longpole.at.first_token_out',
  /** Seconds inside the sidecar on the way to the engine, and back (first token, or the whole response where there is none). */
  sidecarRequestSeconds: 'longpole.sidecar.request_seconds',
  sidecarResponseSeconds: 'longpole.sidecar.response_seconds',
  /** Gaps between chunks: base-2 exponential histogram, scale 3, as `index:count` strings. */
  gapHistogram: 'longpole.gaps.histogram',
  gapMax: 'longpole.gaps.max',
  /** The worst gaps, at most 8, as `at:seconds` from the span's start. */
  gapWorst: 'longpole.gaps.worst',
  chunks: 'longpole.chunks',
  requestBytes: 'longpole.request.bytes',
  responseBytes: 'longpole.response.bytes',
  kvCachedTokens: 'longpole.kv.cached_tokens',
  kvHitRatio: 'longpole.kv.hit_ratio',
  kvTier: 'longpole.kv.tier',
  kvSource: 'longpole.kv.source',
  kvDestination: 'longpole.kv.destination',
  kvBytes: 'longpole.kv.bytes',
  kvTransport: 'longpole.kv.transport',
  synthetic: 'longpole.synthetic',
  tenant: 'longpole.tenant',
  tenantClass: 'longpole.tenant_class',
  session: 'longpole.session',
  clientRegion: 'longpole.client_region',
  adapter: 'longpole.adapter',
  /** Where the request went: replica, pool, engine (on resources of sidecars and engines). */
  replica: 'longpole.replica',
  pool: 'longpole.pool',
  model: 'longpole.model',
  engine: 'longpole.engine',
  engineVersion: 'longpole.engine_version',
  region: 'longpole.region',
  zone: 'longpole.zone',
  cluster: 'longpole.cluster',
  node: 'longpole.node',
  revision: 'longpole.revision',
  gpuType: 'longpole.gpu_type',
  epGroup: 'longpole.ep_group',
  rank: 'longpole.rank',
  /** Prefix of the user's own dimensions: `longpole.dimension.team` → dimension `team`. */
  dimensionPrefix: 'longpole.dimension.',
} as const

/** OTLP log events from sidecars. */
export const Events = {
  /** A request in flight: log record with trace and span id, attributes as on the sidecar's span plus these. */
  requestOpen: 'longpole.request.open',
  openAge: 'longpole.open.age',
  openPhase: 'longpole.open.phase',
  openStart: 'longpole.open.start_unix_ns',
} as const

/** OTLP gauge that carries one number of one EngineSample; data point attributes name the field and the replica. */
export const SampleMetric = {
  name: 'longpole.engine.sample',
  field: 'longpole.sample.field',
} as const

export const Headers = {
  traceparent: 'traceparent',
  tracestate: 'tracestate',
  requestId: 'x-request-id',
  /** Hashed with the installation's key before anything is kept. */
  tenant: 'x-longpole-tenant',
  session: 'x-longpole-session',
  synthetic: 'x-longpole-synthetic',
} as const

/** Spans of our own that are no phase. */
export const SpanName = {
  /** Request sent until the first token, as the client sees it. */
  firstTokenWait: 'first_token.wait',
} as const

export const ScopeName = {
  sdk: '@longpole/sdk',
  sidecar: '@longpole/sidecar',
  hub: 'longpole/hub',
} as const
