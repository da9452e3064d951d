// One LLM call as the caller meant it, as one row. This table is the only place where a column is declared: the TypeScript
// type, the ClickHouse DDL, the Arrow schema, the JSON Schema and docs/record.md derive from it. Unknown is null, never 0.

/**
 * `dictionary`: a string of low cardinality (a dimension). `text`: any string. `count`: a whole number. `seconds` and `ratio`: doubles.
 * `instant`: nanoseconds since the Unix epoch (bigint in memory, string in JSON). `names`: a list of short strings. `counts`: string →
 * whole number. `labels`: string → string.
 */
export type ColumnKind =
  | 'text'
  | 'dictionary'
  | 'count'
  | 'seconds'
  | 'ratio'
  | 'number'
  | 'flag'
  | 'instant'
  | 'names'
  | 'counts'
  | 'labels'

export type ColumnUnit = 'seconds' | 'tokens' | 'bytes' | 'ratio' | 'requests'

export interface ColumnDefinition {
  readonly name: string
  readonly kind: ColumnKind
  /** False where every record has it. */
  readonly nullable: boolean
  readonly description: string
  readonly unit?: ColumnUnit | undefined
}

function required<const N extends string, const K extends ColumnKind>(name: N, kind: K, description: string, unit?: ColumnUnit) {
  return { name, kind, nullable: false as const, description, unit }
}
function optional<const N extends string, const K extends ColumnKind>(name: N, kind: K, description: string, unit?: ColumnUnit) {
  return { name, kind, nullable: true as const, description, unit }
}

/** The columns by group; a group is a section of docs/record.md. */
export const COLUMN_GROUPS = {
  identity: [
    required('trace_id', 'text', 'W3C trace id, 32 hexadecimal digits.'),
    required('record_id', 'text', 'Identity of the record: trace id and the span id of the logical request.'),
    optional('request_id', 'text', '`x-request-id` as sent to the engine.'),
    required('start_unix_ns', 'instant', "Start at the outermost vantage, that vantage's clock."),
    required('vantage', 'dictionary', 'Outermost vantage seen: client, gateway, sidecar or engine.'),
    required(
      'received_unix_ns',
      'instant',
      "When the hub first received a part of it, the hub's clock: with `record_id` the sorting key, fixed at the first write.",
    ),
    required('version', 'count', 'Number of distinct spans the record was made from; readers take the newest.'),
    required('joined', 'names', 'Which of client, gateway, sidecar, engine were seen.'),
    required('weight', 'number', '1 ÷ sampling probability, from the tracestate `th` value.'),
  ],
  where: [
    optional('cluster', 'dictionary', 'Cluster that served it.'),
    optional('region', 'dictionary', 'Region that served it.'),
    optional('zone', 'dictionary', 'Availability zone.'),
    optional('node', 'dictionary', 'Host.'),
    optional('pool', 'dictionary', 'prefill, decode or both.'),
    optional('replica', 'dictionary', 'The inference server that produced the tokens.'),
    optional('prefill_replica', 'dictionary', 'Prefill side of a disaggregated request.'),
    optional('decode_replica', 'dictionary', 'Decode side of a disaggregated request.'),
    optional('ep_group', 'dictionary', 'Expert-parallel group.'),
    optional('rank', 'dictionary', 'Data-parallel or expert-parallel rank.'),
    optional('gpu_type', 'dictionary', 'Accelerator type.'),
    optional('gateway', 'dictionary', 'Gateway or router instance.'),
  ],
  what: [
    optional('model', 'dictionary', 'Model as requested.'),
    optional('revision', 'dictionary', 'Revision of the deployment.'),
    optional('engine', 'dictionary', 'vllm, sglang, …'),
    optional('engine_version', 'dictionary', "The engine's own version."),
    optional('quantization', 'dictionary', 'Quantization of the weights.'),
    optional('flags_hash', 'dictionary', "Hash of the engine's start flags."),
    optional('adapter', 'dictionary', 'LoRA adapter.'),
    optional('output_mode', 'dictionary', 'text, json, tool or reasoning.'),
  ],
  who: [
    optional('tenant', 'dictionary', 'Keyed hash of the tenant.'),
    optional('tenant_class', 'dictionary', 'Configured class of the tenant, at most 8.'),
    optional('route', 'dictionary', 'HTTP route.'),
    optional('session', 'text', 'Conversation or agent session (hashed).'),
    optional('sdk', 'dictionary', 'Client library that sent it.'),
    optional('sdk_version', 'dictionary', 'Version of that library.'),
    optional('client_region', 'dictionary', 'Region of the client.'),
  ],
  size: [
    optional('prompt_tokens', 'count', 'Input tokens, cached ones included.', 'tokens'),
    optional('cached_tokens', 'count', 'Input tokens served from a prefix cache, all tiers.', 'tokens'),
    optional('cached_tokens_by_tier', 'counts', 'The same by tier: device, host, disk, remote.', 'tokens'),
    optional('output_tokens', 'count', 'Output tokens, reasoning included.', 'tokens'),
    optional('reasoning_tokens', 'count', 'Output tokens spent on reasoning.', 'tokens'),
    optional('max_tokens', 'count', 'Limit asked for.', 'tokens'),
    optional('prompt_class', 'dictionary', 'Input-length class: 1k, 8k, 32k, inf.'),
  ],
  state: [
    optional('running', 'count', 'Requests running on the replica at arrival.', 'requests'),
    optional('waiting', 'count', 'Requests waiting on the replica at arrival.', 'requests'),
    optional('kv_usage', 'ratio', 'KV cache usage of the replica at arrival, 0 to 1.', 'ratio'),
    optional('replica_age', 'seconds', 'Age of the replica at arrival.', 'seconds'),
    optional('cold', 'flag', 'The replica had just started.'),
  ],
  events: [
    optional('preemptions', 'count', 'Times it was preempted or retracted.'),
    optional('drafted', 'count', 'Speculative tokens drafted.', 'tokens'),
    optional('accepted', 'count', 'Speculative tokens accepted.', 'tokens'),
    optional('kv_bytes', 'count', 'KV bytes moved from prefill to decode.', 'bytes'),
    optional('attempts', 'count', 'Tries of the logical request.'),
    optional('adapter_loaded', 'flag', 'A LoRA adapter had to be loaded for it.'),
    optional('response_cache', 'flag', 'Answered from a response cache.'),
  ],
  time: [
    optional('e2e', 'seconds', 'Whole duration at the outermost vantage; null while open.', 'seconds'),
    optional('ttft', 'seconds', 'Until the first non-empty delta: text, reasoning or tool call.', 'seconds'),
    optional('ttfr', 'seconds', 'Until the first reasoning delta.', 'seconds'),
    optional('ttfa', 'seconds', 'Until the first answer or tool-call delta.', 'seconds'),
    optional('tpot', 'seconds', 'Time per output token after the first.', 'seconds'),
    optional('itl_max', 'seconds', 'Longest gap between two chunks.', 'seconds'),
    optional('itl', 'counts', 'Gaps between chunks as a base-2 exponential histogram, scale 3: bucket index → count.'),
    optional('chunks', 'count', 'Chunks received; not tokens.'),
  ],
  outcome: [
    required('outcome', 'dictionary', 'ok, error, aborted, timeout, rejected or open.'),
    optional('error_class', 'dictionary', 'Class of the error, never its message.'),
    optional('http_status', 'count', 'HTTP status.'),
    optional('finish_reason', 'dictionary', 'stop, length, tool_calls, …'),
    optional('synthetic', 'flag', 'Sent by `longpole probe`: kept out of objectives, findings and baselines.'),
  ],
  free: [optional('dimensions', 'labels', "The user's own dimensions, a bounded map.")],
} as const satisfies Record<string, readonly ColumnDefinition[]>

type Column = (typeof COLUMN_GROUPS)[keyof typeof COLUMN_GROUPS][number]
export type ColumnName = Column['name']

export const REQUEST_COLUMNS: readonly Column[] = Object.values(COLUMN_GROUPS).flat()

type ValueOf<K extends ColumnKind> = K extends 'text' | 'dictionary'
  ? string
  : K extends 'count' | 'seconds' | 'ratio' | 'number'
    ? number
    : K extends 'flag'
      ? boolean
      : K extends 'instant'
        ? bigint
        : K extends 'names'
          ? string[]
          : K extends 'counts'
            ? Record<string, number>
            : Record<string, string>

/** The flat part of a record: one property a column, snake_case as in the store and the API. */
export type RequestColumns = {
  -readonly [C in Column as C['name']]: C['nullable'] extends true ? ValueOf<C['kind']> | null : ValueOf<C['kind']>
}

/** A record with every nullable column null. */
export function emptyColumns(): RequestColumns {
  const columns: Record<string, unknown> = {}
  for (const column of REQUEST_COLUMNS) columns[column.name] = null
  return Object.assign(columns as unknown as RequestColumns, {
    joined: [],
    weight: 1,
    version: 0,
    received_unix_ns: 0n,
    outcome: 'open' as const,
  })
}
