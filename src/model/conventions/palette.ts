// Colours with a meaning, the same on every board and in the console: one hue family an owner, so that engine, network, gateway and client
// can be told apart, also by people who do not see red and green (from the Okabe-Ito set: blue, orange, vermilion, teal, purple, grey).
import type { PhaseId } from '../phase.ts'

export const PHASE_COLOURS: Record<PhaseId, string> = {
  'client.backoff': '#3F4757',
  'client.connect': '#8B5CF6',
  'client.upload': '#A78BFA',
  'gateway.queue': '#0E7490',
  'gateway.route': '#22B8CF',
  sidecar: '#7D8699',
  'engine.tokenize': '#FDE68A',
  'engine.admit': '#FBBF24',
  'engine.queue': '#E69F00',
  'engine.queue_or_kv': '#7A4B00',
  'kv.load': '#EE8FC4',
  'kv.transfer': '#8F1A60',
  'engine.prefill': '#D55E00',
  'engine.emit': '#F59E7A',
  'stream.network': '#4C1D95',
  'engine.decode': '#0072B2',
  'stream.drain': '#9BD5FA',
  'client.consume': '#14A372',
  unattributed: '#D1D5DB',
}

export const OUTCOME_COLOURS: Record<string, string> = {
  ok: '#56B4E9',
  error: '#D55E00',
  timeout: '#F57CAF',
  rejected: '#E69F00',
  aborted: '#675A90',
}

export const QUANTILE_COLOURS: Record<string, string> = { p50: '#56B4E9', p95: '#0072B2', p99: '#D55E00' }
