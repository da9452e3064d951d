// The hub about itself. received = stored + dropped + rejected + in flight, exactly.
import { LATENCY_SECONDS } from '../buckets.ts'
import { counter, gauge, histogram } from './definition.ts'

export const HUB_METRICS = {
  spansReceivedTotal: counter('longpole_spans_received_total', 'Spans that arrived.', []),
  spansStoredTotal: counter('longpole_spans_stored_total', 'Spans that are in the store.', []),
  spansDroppedTotal: counter(
    'longpole_spans_dropped_total',
    'Spans acknowledged or refused for good that are not in the store, by reason.',
    ['reason'],
  ),
  spansRejectedTotal: counter('longpole_spans_rejected_total', 'Spans that the sender was told to send again, by reason.', ['reason']),
  spansInFlight: gauge('longpole_spans_in_flight', 'Spans received and not yet decided on.', []),
  attributesDroppedTotal: counter('longpole_attributes_dropped_total', 'Attributes, events and texts kept out of the store, by reason.', [
    'reason',
  ]),
  logRecordsTotal: counter('longpole_log_records_total', 'OTLP log records by what became of them.', ['result']),
  dataPointsTotal: counter('longpole_data_points_total', 'OTLP metric data points by what became of them.', ['result']),
  payloadsRejectedTotal: counter('longpole_payloads_rejected_total', 'Whole OTLP bodies refused, by reason.', ['reason']),
  forwardedSpansTotal: counter(
    'longpole_forwarded_spans_total',
    'Spans of settled requests towards the OTLP endpoint, by what became of them.',
    ['result'],
  ),
  recordsTotal: counter('longpole_records_total', 'Records settled or amended.', ['event']),
  recordsJoinedTotal: counter('longpole_records_joined_total', 'Settled records by the vantages joined.', ['vantage']),
  unsettledRequests: gauge('longpole_unsettled_requests', 'Records waiting to settle.', []),
  unsettledLagSeconds: gauge('longpole_unsettled_lag_seconds', 'Age of the oldest span that is in no written record yet.', []),
  negativeResidualsTotal: counter('longpole_negative_residuals_total', 'Residual phases that came out negative and were clamped.', [
    'phase',
  ]),
  clockOffsetSeconds: gauge('longpole_clock_offset_seconds', 'Largest estimated offset of a replica clock against its peers.', ['replica']),
  seriesOverflowTotal: counter('longpole_series_overflow_total', 'Label values beyond their cap, counted under `other`.', [
    'metric',
    'label',
  ]),
  storeBytes: gauge('longpole_store_bytes', 'Bytes on disk.', []),
  storeFreeRatio: gauge('longpole_store_free_ratio', 'Free part of the size limit or the disk, the smaller.', []),
  storeUp: gauge('longpole_store_up', 'The store answers.', []),
  storeLagSeconds: gauge('longpole_store_lag_seconds', 'Age of the oldest span not yet in the store.', []),
  localizerLastSuccess: gauge('longpole_localizer_last_success_timestamp_seconds', 'When the localizer last finished a round.', []),
  localizerSeconds: histogram('longpole_localizer_seconds', 'Duration of one localizer round.', [], LATENCY_SECONDS),
  configReloadSuccess: gauge('longpole_config_reload_success', '1 if the configuration was last loaded without error.', []),
  authFailuresTotal: counter('longpole_auth_failures_total', 'Requests refused for a missing or wrong token.', ['component']),
  sidecarSeen: gauge('longpole_sidecar_seen_timestamp_seconds', 'When a sidecar was last heard of.', ['cluster', 'replica', 'version']),
  buildInfo: gauge('longpole_build_info', '1; version of this process.', ['version', 'component']),
} as const
