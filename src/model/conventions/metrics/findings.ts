// Findings, change events and synthetic probes.
import { counter, gauge } from './definition.ts'

const FINDING = ['cluster', 'model', 'slo', 'rank'] as const

export const FINDING_METRICS = {
  findingInfo: gauge('longpole_finding_info', '1; the open findings, best first.', [
    'cluster',
    'model',
    'slo',
    'rank',
    'finding',
    'verdict',
    'phase',
    'slice',
    'mechanism',
    'confidence',
    'change',
  ]),
  findingShare: gauge('longpole_finding_share', 'Share of the regression that the finding explains.', FINDING),
  findingOnset: gauge('longpole_finding_onset_timestamp_seconds', 'When it began.', FINDING),
  findingBadRequests: gauge('longpole_finding_bad_requests', 'Requests made bad by it.', FINDING),
  findingEvaluated: gauge('longpole_finding_evaluated_timestamp_seconds', 'When the localizer last looked.', FINDING),
  changeTimestamp: gauge(
    'longpole_change_timestamp_seconds',
    'Time of recent change events; `source` is `derived` where nobody announced it.',
    ['cluster', 'kind', 'source', 'event'],
  ),
  probeUp: gauge('longpole_probe_up', '1 if the last synthetic request was good.', ['cluster', 'model']),
  probeSeconds: gauge('longpole_probe_ttft_seconds', 'TTFT of the last synthetic request.', ['cluster', 'model']),
  probeRequestsTotal: counter('longpole_probe_requests_total', 'Synthetic requests by result.', ['cluster', 'model', 'result']),
} as const
