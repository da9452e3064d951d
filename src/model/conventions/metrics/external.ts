// Metrics of others that rules read beside Longpole's own, under the names that their exporters give them. Prometheus must scrape them.
import { gauge } from './definition.ts'

export const EXTERNAL_METRICS = {
  /** NVIDIA dcgm-exporter, `DCGM_EXP_XID_ERRORS_COUNT` in its counters file; `pod` where it runs with `--kubernetes`. */
  dcgmXidErrors: gauge('DCGM_EXP_XID_ERRORS_COUNT', 'XID errors in a window of some minutes.', ['gpu', 'UUID', 'Hostname', 'pod', 'xid']),
} as const
