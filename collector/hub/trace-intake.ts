// One body of spans on its way: counted, redacted, into the store, and only then acknowledged. Where the store is away or behind, its
// sender comes again.
import type { HubMetricKey } from '@longpole/model/conventions/metrics'
import type { DecodedTraces } from '../../src/wire/otlp/decode.ts'
import type { MetricRegistry } from '../exporters/prometheus/registry.ts'
import type { Redactor } from '../processors/redact/redact.ts'
import { comeAgain, taken, type Verdict } from '../receivers/otlp/verdict.ts'
import type { Ledger } from './ledger.ts'
import type { SpanIntake } from './span-intake.ts'

export interface TraceIntakeSettings {
  ledger: Ledger
  registry: Pick<MetricRegistry<HubMetricKey>, 'increment'>
  redactor: Redactor
  intake: SpanIntake
  /** So many records wait for the store that no more spans should be taken. */
  isBehind(): boolean
  onTrouble(message: string): void
}

export function createTraceIntake({ ledger, registry, redactor, intake, isBehind, onTrouble }: TraceIntakeSettings) {
  return async ({ spans, malformed, truncated }: DecodedTraces): Promise<Verdict> => {
    ledger.received(spans.length + malformed)
    ledger.dropped('malformed', malformed)
    if (truncated > 0) registry.increment('attributesDroppedTotal', { reason: 'limit' }, truncated)
    if (isBehind()) {
      ledger.rejected('store_unavailable', spans.length)
      return comeAgain('the store is behind')
    }
    try {
      await intake.take(spans.map(redactor.span))
    } catch (error) {
      onTrouble((error as Error).message)
      return comeAgain('the store is not available')
    }
    return malformed === 0 ? taken() : taken(malformed, `${malformed} spans without a valid trace id, span id or time`)
  }
}
