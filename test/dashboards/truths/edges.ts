// Truths of the boards about the edges: client and network, and Longpole itself, whose numbers come from its own processes.
import { LATENCY_SECONDS } from '@longpole/model/conventions/buckets'
import { minus } from '../oracle/combine.ts'
import { frequency, mean, quantile } from '../oracle/of-events.ts'
import { clientTtft, inPhase, isPhase, only, phases, requests, serverTtft } from '../sources.ts'
import type { PanelTruths } from './index.ts'

const gapBy = (label: string) => minus(mean(clientTtft, [label]), mean(serverTtft, [label]))
const OWN = 'counted by the process itself, not made from records'

export const clientAndNetwork: PanelTruths = {
  'TTFT, client against server': [quantile(0.95, clientTtft, LATENCY_SECONDS), quantile(0.95, serverTtft, LATENCY_SECONDS)],
  'Mean gap by client region': [gapBy('client_region')],
  'Mean gap by SDK': [gapBy('sdk')],
  'DNS, TCP, TLS': 'parts of connecting are in spans only; a data set of records has none',
  'New connections': 'parts of connecting are in spans only; a data set of records has none',
  'Network phases': [mean(inPhase(phases, isPhase('client.connect', 'client.upload', 'stream.network', 'stream.drain')), ['phase'])],
  'Network phases by serving region': [mean(inPhase(phases, isPhase('client.connect', 'client.upload', 'stream.network')), ['region'])],
  'Aborted and timed out': [
    frequency(
      only(requests, ({ record }) => record.outcome === 'aborted' || record.outcome === 'timeout'),
      ['outcome'],
    ),
  ],
}

export const longpoleItself: PanelTruths = {
  'Spans unaccounted for': [() => [{ labels: {}, value: 0 }]],
  Store: OWN,
  'Free in the store': OWN,
  'Oldest span not stored': OWN,
  Spans: OWN,
  'Dropped and rejected': OWN,
  'Records by vantage': OWN,
  'Label values beyond their cap': OWN,
  'Clock offsets': OWN,
  'Time in the sidecar': OWN,
  'Sidecar export backlog': OWN,
  'Localizer rounds': OWN,
  'Missing engine metrics': OWN,
  'Sidecars heard of': OWN,
}
