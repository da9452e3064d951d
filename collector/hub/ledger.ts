// Where every span that arrived went: received = stored + dropped{reason} + rejected{reason} + in flight, exactly. A span counts as
// received each time it arrives, and gets exactly one of the other words; while its insert is under way it is in flight.
import type { HubMetricKey } from '@longpole/model/conventions/metrics'
import type { MetricRegistry } from '../exporters/prometheus/registry.ts'

/** `duplicate`: it is in the store already, its sender is told so. `malformed`: no valid ids. */
export type DropReason = 'duplicate' | 'malformed'
/** The sender was told to come again. */
export type RejectReason = 'store_unavailable' | 'overloaded'

export interface Ledger {
  received(spans: number): void
  stored(spans: number): void
  dropped(reason: DropReason, spans: number): void
  rejected(reason: RejectReason, spans: number): void
  inFlight(): number
}

export function createLedger(registry: Pick<MetricRegistry<HubMetricKey>, 'increment' | 'set'>): Ledger {
  let inFlight = 0

  function move(difference: number): void {
    inFlight += difference
    registry.set('spansInFlight', {}, inFlight)
  }

  return {
    received(spans) {
      registry.increment('spansReceivedTotal', {}, spans)
      move(spans)
    },
    stored(spans) {
      if (spans === 0) return
      registry.increment('spansStoredTotal', {}, spans)
      move(-spans)
    },
    dropped(reason, spans) {
      if (spans === 0) return
      registry.increment('spansDroppedTotal', { reason }, spans)
      move(-spans)
    },
    rejected(reason, spans) {
      if (spans === 0) return
      registry.increment('spansRejectedTotal', { reason }, spans)
      move(-spans)
    },
    inFlight: () => inFlight,
  }
}
