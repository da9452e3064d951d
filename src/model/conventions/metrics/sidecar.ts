// Sidecars about themselves. received = exported + dropped + in flight, exactly; rejected counts tries.
import { counter, gauge, histogram } from './definition.ts'

export const SIDECAR_METRICS = {
  sidecarRequestsTotal: counter('longpole_sidecar_requests_total', 'Proxied requests by outcome.', ['outcome']),
  sidecarRequestsOpen: gauge('longpole_sidecar_requests_open', 'Proxied requests in flight.', []),
  sidecarOverheadSeconds: histogram(
    'longpole_sidecar_overhead_seconds',
    'Time a request spent in the sidecar, both ways.',
    [],
    [0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.1, 1],
  ),
  sidecarObservationsDroppedTotal: counter(
    'longpole_sidecar_observations_dropped_total',
    'Finished requests that could not be handed to the telemetry thread, by reason.',
    ['reason'],
  ),
  sidecarSpansReceivedTotal: counter('longpole_sidecar_spans_received_total', 'Spans made here or received from the engine.', []),
  sidecarSpansExportedTotal: counter('longpole_sidecar_spans_exported_total', 'Spans the hub acknowledged.', []),
  sidecarSpansDroppedTotal: counter('longpole_sidecar_spans_dropped_total', 'Spans given up, by reason.', ['reason']),
  sidecarSpansRejectedTotal: counter('longpole_sidecar_spans_rejected_total', 'Spans refused with a retryable status, by reason.', [
    'reason',
  ]),
  sidecarOpenReportsDroppedTotal: counter(
    'longpole_sidecar_open_reports_dropped_total',
    'Reports of requests in flight that the hub did not get, by reason.',
    ['reason'],
  ),
  sidecarSamplesDroppedTotal: counter(
    'longpole_sidecar_samples_dropped_total',
    'Samples of engine metrics that the hub did not get, by reason.',
    ['reason'],
  ),
  sidecarSpansInFlight: gauge('longpole_sidecar_spans_in_flight', 'Spans queued or being sent.', []),
  sidecarExportOldestSeconds: gauge('longpole_sidecar_export_oldest_seconds', 'Age of the oldest span not yet exported.', []),
  sidecarScrapesTotal: counter('longpole_sidecar_scrapes_total', "Scrapes of the engine's /metrics by result.", ['result']),
  sidecarBypass: gauge('longpole_sidecar_bypass', '1 while bytes pass without being observed.', []),
  sidecarBuildInfo: gauge('longpole_sidecar_build_info', '1; version of this sidecar.', ['version']),
} as const
