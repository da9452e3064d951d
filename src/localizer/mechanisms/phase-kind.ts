// Groups phases into the kinds that mechanisms ask about. Columns of other tables are placed by the words in their names.
import { isPhaseId, PHASE_IDS, phaseColumn } from '@longpole/model/phase'

export type PhaseKind =
  | 'backoff'
  | 'network'
  | 'gateway'
  | 'sidecar'
  | 'tokenize'
  | 'queue'
  | 'kv_wait'
  | 'kv_load'
  | 'kv_transfer'
  | 'prefill'
  | 'emit'
  | 'decode'
  | 'consume'
  | 'unknown'

const KNOWN: Record<string, PhaseKind> = {
  'client.backoff': 'backoff',
  'client.connect': 'network',
  'client.upload': 'network',
  'gateway.queue': 'gateway',
  'gateway.route': 'gateway',
  sidecar: 'sidecar',
  'engine.tokenize': 'tokenize',
  'engine.admit': 'queue',
  'engine.queue': 'queue',
  'engine.queue_or_kv': 'kv_wait',
  'kv.load': 'kv_load',
  'kv.transfer': 'kv_transfer',
  'engine.prefill': 'prefill',
  'engine.emit': 'emit',
  'stream.network': 'network',
  'engine.decode': 'decode',
  'stream.drain': 'network',
  'client.consume': 'consume',
}

const WORDS: readonly (readonly [RegExp, PhaseKind])[] = [
  [/backoff|retry/i, 'backoff'],
  [/consum/i, 'consume'],
  [/detoken|emit/i, 'emit'],
  [/token/i, 'tokenize'],
  [/transfer|kv/i, 'kv_transfer'],
  [/prefill/i, 'prefill'],
  [/decode|generat/i, 'decode'],
  [/gateway|router?|proxy/i, 'gateway'],
  [/queue|wait|admit/i, 'queue'],
  [/net|upload|connect|dns|tls|tcp|download/i, 'network'],
]

const COLUMNS = new Map(PHASE_IDS.map((id) => [phaseColumn(id), id]))

export function phaseKind(name: string): PhaseKind {
  const id = isPhaseId(name) ? name : COLUMNS.get(name)
  if (id !== undefined) return KNOWN[id] ?? 'unknown'
  return WORDS.find(([pattern]) => pattern.test(name))?.[1] ?? 'unknown'
}
