// The checks of `longpole doctor`: each looks at the facts and says in one sentence what it saw, and in another how to fix what is
// missing. In the order a request goes.
import { METRICS, type MetricKey } from '@longpole/model/conventions/metrics'
import type { Facts, RecentRecord } from './facts.ts'
import { MAX_RECORDS, WINDOW_SECONDS } from './facts.ts'

export type Status = 'ok' | 'warn' | 'fail'

export interface CheckResult {
  check: string
  status: Status
  message: string
  /** How to fix it; empty where nothing is to be done. */
  fix: string
}

type Check = (facts: Facts) => Omit<CheckResult, 'check'> | null

const ok = (message: string) => ({ status: 'ok' as const, message, fix: '' })
const warn = (message: string, fix: string) => ({ status: 'warn' as const, message, fix })
const fail = (message: string, fix: string) => ({ status: 'fail' as const, message, fix })

/** Sum of a metric's series with these labels; null where it has none. */
function sumOf({ metrics }: Facts, key: MetricKey, labels: Record<string, string> = {}): number | null {
  const { name } = METRICS[key]
  const found = metrics.filter(
    (sample) => sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  )
  return found.length === 0 ? null : found.reduce((sum, sample) => sum + sample.value, 0)
}

const percent = (share: number) => `${(share * 100).toFixed(share > 0 && share < 0.01 ? 2 : 0)} %`
const minutes = `${WINDOW_SECONDS / 60} minutes`

/** Fewer records than this say nothing about shares. */
const FEW = 5

const hub: Check = ({ unreachable, version, hub: address }) =>
  unreachable === null ? ok(`hub ${version ?? ''} answers at ${address}`) : fail(unreachable, 'Start it: longpole hub --data DIR.')

const store: Check = (facts) => {
  const trouble = facts.troubles.find((text) => text.includes('store'))
  if (trouble !== undefined)
    return fail(
      `the store does not answer: ${trouble}`,
      'Look at the log of the hub; a full disk and a data directory in use are the usual causes.',
    )
  const freeRatio = sumOf(facts, 'storeFreeRatio')
  if (freeRatio !== null && freeRatio < 0.1 && (sumOf(facts, 'storeBytes') ?? 0) > 0) {
    return warn(
      `the store has ${percent(freeRatio)} of its room left`,
      'Raise store.retentionBytes, free disk space, or keep fewer days (store.retentionDays).',
    )
  }
  return ok('the store answers')
}

const spans: Check = (facts) => {
  const received = sumOf(facts, 'spansReceivedTotal') ?? 0
  if (received === 0) {
    return fail(
      'no span has arrived since the hub started',
      'Send OTLP to it: OTEL_EXPORTER_OTLP_ENDPOINT=http://HUB:4318, or longpole sidecar --hub http://HUB:4318.',
    )
  }
  const rejected = sumOf(facts, 'spansRejectedTotal') ?? 0
  const dropped = sumOf(facts, 'spansDroppedTotal') ?? 0
  if (dropped / received > 0.01) {
    return warn(`${percent(dropped / received)} of ${received} spans were dropped`, `See ${METRICS.spansDroppedTotal.name} by reason.`)
  }
  if (rejected > 0)
    return warn(
      `${rejected} spans were sent back to their senders, who send them again`,
      'If it goes on, the store is too slow: see its disk and memory.',
    )
  return ok(`${received} spans arrived`)
}

const auth: Check = (facts) => {
  const failures = sumOf(facts, 'authFailuresTotal') ?? 0
  return failures === 0
    ? null
    : warn(
        `${failures} requests came without a valid token`,
        'Give senders the token: OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer%20TOKEN", or LONGPOLE_HUB_TOKEN for ours.',
      )
}

const records: Check = (facts) => {
  const { records: all, newestStart, open } = facts
  if (newestStart !== null) {
    return warn(
      `no request started in the last ${minutes}; the newest did at ${newestStart}`,
      'The checks below look at older requests. Send one through the sidecar or with an instrumented client.',
    )
  }
  if (all.length > 0) return ok(`${all.length}${all.length >= MAX_RECORDS ? ' or more' : ''} requests settled in the last ${minutes}`)
  if (open.length > 0)
    return warn(
      `${open.length} requests are in flight, none has settled`,
      'If they grow old, the engine hangs: see the oldest on the first page.',
    )
  return fail(
    'no request has settled',
    'Send one through the sidecar or with an instrumented client; spans that are not about LLM requests make no record.',
  )
}

function seenBy(vantage: string, missing: string, fix: string): Check {
  return ({ records: all }) => {
    if (all.length === 0) return null
    const share = all.filter((record) => record.joined.includes(vantage)).length / all.length
    if (share === 0) return warn(`no ${vantage} span in ${all.length} requests: ${missing}`, fix)
    return ok(`${vantage} spans in ${percent(share)} of requests`)
  }
}

const client = seenBy(
  'client',
  'connect, upload and return path are unknown',
  'Instrument the client (@longpole/sdk, or any OpenTelemetry GenAI instrumentation) and let it send to this hub.',
)
const sidecar = seenBy(
  'sidecar',
  'requests in flight and the network around the engine are unknown',
  'Put a sidecar before each engine: longpole sidecar --upstream http://ENGINE --listen HOST:PORT --hub http://HUB:4318.',
)
const engine = seenBy(
  'engine',
  'queue, prefill and decode cannot be told apart',
  'Switch on tracing in the engine and point it at the sidecar or the hub, for example vllm serve --otlp-traces-endpoint.',
)

/** Where two vantages are seen at all, they should meet in the same records. */
const joined: Check = ({ records: all }) => {
  const vantages = ['client', 'sidecar', 'engine'].filter((vantage) => all.some((record) => record.joined.includes(vantage)))
  if (all.length < FEW || vantages.length < 2) return null
  const whole = all.filter((record) => vantages.every((vantage) => record.joined.includes(vantage))).length / all.length
  if (whole >= 0.95) return ok(`${percent(whole)} of requests are joined across ${vantages.join(', ')}`)
  return warn(
    `only ${percent(whole)} of requests are joined across ${vantages.join(', ')}`,
    'Let traceparent through every hop, or at least x-request-id, and send all spans of a trace to the same hub.',
  )
}

const unattributed: Check = ({ records: all }) => {
  const shares = all.filter(hasWhole).map((record) => record.phase_unattributed / record.e2e)
  if (shares.length < FEW) return null
  const median = shares.sort((a, b) => a - b)[Math.floor(shares.length / 2)] as number
  if (median <= 0.1) return ok(`${percent(median)} of the time of a usual request is unattributed`)
  return warn(`${percent(median)} of the time of a usual request is unattributed`, 'A vantage is missing on the way: see the checks above.')
}

function hasWhole(record: RecentRecord): record is RecentRecord & { e2e: number; phase_unattributed: number } {
  return record.e2e !== null && record.e2e > 0 && record.phase_unattributed !== null
}

const clocks: Check = (facts) => {
  const { name } = METRICS.clockOffsetSeconds
  const offsets = facts.metrics.filter((sample) => sample.name === name)
  const worst = offsets.reduce((most, sample) => (Math.abs(sample.value) > Math.abs(most?.value ?? 0) ? sample : most), offsets[0])
  if (worst === undefined) return null
  const text = `the clock of ${worst.labels.replica} is off by ${worst.value.toFixed(3)} s`
  if (Math.abs(worst.value) < 0.1) return ok(`clocks agree: ${text} at most`)
  return warn(`${text}: durations are right all the same, windows by start time are not`, 'Run a time service (chrony, ntpd) on that host.')
}

const samples: Check = ({ fleet, samples: all }) => {
  if (all.length === 0) {
    return warn(
      'no engine is sampled: load and KV cache at arrival are unknown',
      "Let the sidecar reach the engine's /metrics page (for SGLang start it with --enable-metrics).",
    )
  }
  const down = fleet.replicas.filter((replica) => !replica.up && replica.running === null).map((replica) => replica.replica)
  if (down.length > 0)
    return warn(`${down.length} of ${fleet.replicas.length} replicas are not up: ${listOf(down)}`, 'Look at the engine and at its sidecar.')
  return ok(`${new Set(all.map((sample) => sample.replica)).size} replicas are sampled`)
}

const WANTED = ['running', 'waiting', 'kv_usage', 'prompt_tokens_per_second', 'output_tokens_per_second'] as const

/** A rate is null in the first sample of a replica only, so all samples of the last minute are looked at. */
const engineMetrics: Check = ({ samples: all }) => {
  const replicas = new Set(all.filter((sample) => sample.up).map((sample) => sample.replica))
  const missing = [...replicas].flatMap((replica) => {
    const own = all.filter((sample) => sample.replica === replica && sample.up)
    if (own.length < 2) return []
    const fields = WANTED.filter((field) => own.every((sample) => sample[field] === null))
    return fields.length === 0 ? [] : [`${replica} lacks ${fields.join(', ')}`]
  })
  if (replicas.size === 0) return null
  if (missing.length === 0) return ok('engines tell load, KV cache and token rates')
  return warn(listOf(missing), 'The engine is too old, or starts without its metrics; docs/engines tells which flag it needs.')
}

const localizer: Check = (facts) => {
  const last = sumOf(facts, 'localizerLastSuccess') ?? 0
  if (last === 0) return null
  const age = Date.now() / 1_000 - last
  return age < 300
    ? ok(`the localizer looked ${age.toFixed(0)} s ago`)
    : warn(`the localizer last looked ${(age / 60).toFixed(0)} minutes ago`, 'Look at the log of the hub that has the role localize.')
}

function listOf(names: readonly string[]): string {
  return names.length <= 3 ? names.join('; ') : `${names.slice(0, 3).join('; ')} and ${names.length - 3} more`
}

const CHECKS: Record<string, Check> = {
  hub,
  store,
  spans,
  auth,
  requests: records,
  client,
  sidecar,
  engine,
  joined,
  unattributed,
  clocks,
  samples,
  engineMetrics,
  localizer,
}

/** All checks that have something to say. Without a hub there is only that to be said. */
export function runChecks(facts: Facts): CheckResult[] {
  const names = facts.unreachable === null ? Object.keys(CHECKS) : ['hub']
  return names.flatMap((name) => {
    const result = (CHECKS[name] as Check)(facts)
    return result === null ? [] : [{ check: name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`), ...result }]
  })
}
