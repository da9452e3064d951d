// Metrics about requests, counted once, when the record settles.
import { LATENCY_SECONDS, REPLICA_SECONDS, TOKEN_SECONDS, TRANSFER_BYTES } from '../buckets.ts'
import { counter, gauge, histogram } from './definition.ts'

const FLEET = ['cluster', 'region', 'model', 'pool', 'prompt_class', 'tenant_class'] as const

export const REQUEST_METRICS = {
  requestSeconds: histogram(
    'longpole_request_seconds',
    'End-to-end duration of requests at their outermost vantage.',
    FLEET,
    LATENCY_SECONDS,
  ),
  ttftSeconds: histogram('longpole_ttft_seconds', 'Time to the first non-empty delta.', FLEET, LATENCY_SECONDS),
  tpotSeconds: histogram('longpole_tpot_seconds', 'Time per output token after the first.', FLEET, TOKEN_SECONDS),
  itlMaxSeconds: histogram('longpole_itl_max_seconds', 'Longest gap between two chunks of a request.', FLEET, LATENCY_SECONDS),
  itlSeconds: histogram(
    'longpole_itl_seconds',
    "Every gap between two chunks of a stream (the record's `itl` sketch), so that its tail can be set against its median.",
    ['cluster', 'model', 'pool'],
    TOKEN_SECONDS,
  ),
  phaseSeconds: histogram(
    'longpole_phase_seconds',
    'Duration of one phase of a request; the phases of a request add up.',
    ['cluster', 'region', 'model', 'pool', 'phase'],
    LATENCY_SECONDS,
  ),
  replicaPhaseSeconds: histogram(
    'longpole_replica_phase_seconds',
    'Duration of one phase by replica.',
    ['cluster', 'model', 'pool', 'replica', 'phase'],
    REPLICA_SECONDS,
  ),
  classPhaseSecondsSum: counter(
    'longpole_class_phase_seconds_sum',
    'Seconds spent in a phase, by request class and whether the request met its objectives.',
    ['cluster', 'model', 'prompt_class', 'tenant_class', 'slo_result', 'phase'],
  ),
  classPhaseSecondsCount: counter('longpole_class_phase_seconds_count', 'Requests behind longpole_class_phase_seconds_sum.', [
    'cluster',
    'model',
    'prompt_class',
    'tenant_class',
    'slo_result',
    'phase',
  ]),
  requestsTotal: counter('longpole_requests_total', 'Settled requests by outcome.', [
    'cluster',
    'region',
    'model',
    'outcome',
    'error_class',
  ]),
  replicaRequestsTotal: counter('longpole_replica_requests_total', 'Settled requests by replica and outcome.', [
    'cluster',
    'model',
    'replica',
    'outcome',
  ]),
  requestsOpen: gauge('longpole_requests_open', 'Requests in flight by the phase they are in.', ['cluster', 'model', 'replica', 'phase']),
  requestOpenAgeSecondsMax: gauge('longpole_request_open_age_seconds_max', 'Age of the oldest request in flight.', [
    'cluster',
    'model',
    'replica',
    'phase',
  ]),
  sloRequestsTotal: counter(
    'longpole_slo_requests_total',
    'Requests by whether they met an objective; bad from the moment the deadline passes.',
    ['cluster', 'model', 'slo', 'prompt_class', 'vantage', 'result'],
  ),
  sloObjective: gauge('longpole_slo_objective', 'Promised share of good requests.', ['model', 'slo']),
  sloThresholdSeconds: gauge('longpole_slo_threshold_seconds', 'Limit of an objective by input-length class.', [
    'model',
    'slo',
    'prompt_class',
  ]),
  tokensTotal: counter('longpole_tokens_total', 'Tokens of settled requests: prompt, cached, output, reasoning, drafted, accepted.', [
    'cluster',
    'model',
    'kind',
  ]),
  cachedTokensTotal: counter('longpole_cached_tokens_total', 'Prompt tokens served from a cache, by tier.', ['cluster', 'model', 'tier']),
  kvTransferSeconds: histogram(
    'longpole_kv_transfer_seconds',
    'KV transfer from prefill to decode side.',
    ['source', 'destination', 'transport'],
    LATENCY_SECONDS,
  ),
  kvTransferBytes: histogram(
    'longpole_kv_transfer_bytes',
    'Bytes of a KV transfer.',
    ['source', 'destination', 'transport'],
    TRANSFER_BYTES,
  ),
  kvTransfersTotal: counter('longpole_kv_transfers_total', 'KV transfers by outcome.', ['cluster', 'model', 'result']),
  connectSeconds: histogram(
    'longpole_connect_seconds',
    'Parts of connecting at the client: dns, tcp, tls.',
    ['client_region', 'sdk', 'part'],
    LATENCY_SECONDS,
  ),
  clientTtftSeconds: histogram(
    'longpole_client_ttft_seconds',
    'TTFT as the client saw it.',
    ['client_region', 'sdk', 'model'],
    LATENCY_SECONDS,
  ),
  serverTtftSeconds: histogram(
    'longpole_server_ttft_seconds',
    'TTFT of the same requests as the sidecar or engine saw it.',
    ['client_region', 'sdk', 'model'],
    LATENCY_SECONDS,
  ),
  streamStallsTotal: counter('longpole_stream_stalls_total', 'Streams with a gap above ten times the TPOT objective.', [
    'cluster',
    'model',
    'replica',
  ]),
  coldRequestsTotal: counter('longpole_cold_requests_total', 'Requests that met a cold replica or had to load an adapter.', [
    'cluster',
    'model',
    'kind',
  ]),
} as const
