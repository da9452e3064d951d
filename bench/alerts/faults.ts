// `npm run bench:alert-faults [-- F7 F31:high …]`: does every cause rule fire on its simulated fault, and what else fires? Each case is a
// simulated hour through the hub's own registry, evaluated in a real Prometheus.
import { parseArgs } from 'node:util'
import { findTool } from '../../test/tools.ts'
import { type FaultCase, runCase } from './fault-case.ts'

/** A fault and one alert at least of these that must fire after it began; none for what is no fault. */
const CASES: readonly { fault: string | null; isShift?: boolean; expected: readonly string[] }[] = [
  { fault: 'F1:high', expected: ['LLMGPUThrottled'] },
  { fault: 'F2:high', expected: ['LLMReplicaOutlier', 'LLMDecodeSlow', 'LLMGPUThrottled', 'LLMPhaseRegression'] },
  { fault: 'F3:high', expected: ['LLMPrefillSlow', 'LLMPhaseRegression'] },
  { fault: 'F7:high', expected: ['LLMPrefixCacheCollapse'] },
  { fault: 'F9:high', expected: ['LLMPrefixCacheCollapse', 'LLMPhaseRegression'] },
  { fault: 'F10:high', expected: ['LLMKVPressure', 'LLMStreamStall'] },
  { fault: 'F11:high', expected: ['LLMQueueGrowth', 'LLMQueueTimeBudget', 'LLMClusterSaturated', 'LLMEngineDown'] },
  { fault: 'F12:high', expected: ['LLMDecodeInterference', 'LLMStreamStall'] },
  { fault: 'F13:high', expected: ['LLMLoadSkew', 'LLMReplicaOutlier'] },
  { fault: 'F14:high', expected: ['LLMReplicaOutlier', 'LLMPhaseRegression'] },
  { fault: 'F16:high', expected: ['LLMDecodeInterference', 'LLMStreamStall'] },
  { fault: 'F17:high', expected: ['LLMKVTransferSlow'] },
  { fault: 'F18:high', expected: ['LLMPrefillDecodeImbalance', 'LLMQueueTimeBudget', 'LLMPhaseRegression', 'LLMQueueGrowth'] },
  { fault: 'F19:high', expected: ['LLMDecodeSlow', 'LLMPhaseRegression'] },
  { fault: 'F21:high', expected: ['LLMNetworkPhase'] },
  { fault: 'F22:high', expected: ['LLMClientAbortSpike', 'LLMQueueTimeBudget', 'LLMQueueGrowth'] },
  { fault: 'F23:high', expected: ['LLMTrafficDropped', 'LLMNetworkPhase'] },
  { fault: 'F31', expected: ['LLMSLOCliff', 'LLMSLOFastBurn'] },
  { fault: 'F32:high', expected: ['LLMUpstreamErrors', 'LLMEngineDown'] },
  { fault: 'F33:high', expected: ['LLMUpstreamErrors', 'LLMSLOFastBurn'] },
  { fault: 'W4', isShift: true, expected: [] },
  { fault: 'W7', isShift: true, expected: [] },
  { fault: null, expected: [] },
]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string', default: '5' }, rate: { type: 'string', default: '10' }, json: { type: 'boolean', default: false } },
})

function need(tool: 'promtool' | 'prometheus'): string {
  const { path, missing } = findTool(tool)
  if (path === null) throw new Error(missing)
  return path
}

const tools = { promtool: need('promtool'), prometheus: need('prometheus') }
let missed = 0
for (const { fault, isShift, expected } of CASES) {
  const name = fault ?? 'healthy'
  if (positionals.length > 0 && !positionals.includes(name) && !positionals.includes(name.split(':')[0] ?? '')) continue
  const settings: FaultCase = { fault, isShift, seed: Number(values.seed), rate: Number(values.rate), minutes: 45, startMinute: 20 }
  const { firings, faultAt, requests } = await runCase(settings, tools)
  const own = firings.filter(({ alert }) => /^LLM/.test(alert))
  const before = own.filter(({ from }) => from < faultAt)
  const after = own.filter(({ from }) => from >= faultAt)
  const names = [...new Set(after.map(({ alert }) => alert))]
  const hit = expected.find((alert) => names.includes(alert))
  const isMissed = expected.length > 0 && hit === undefined
  if (isMissed) missed++
  const pages = [
    ...new Set(
      after
        .filter(({ channel }) => channel === 'page')
        .map(({ alert, labels }) => `${alert}(${labels.cluster} ${labels.model} ${labels.slo ?? ''})`),
    ),
  ]
  const first = after.filter(({ channel }) => channel === 'page').sort((a, b) => a.from - b.from)[0]
  console.log(
    JSON.stringify({
      case: name,
      requests,
      expected: expected.length === 0 ? 'nothing' : expected,
      verdict: expected.length === 0 ? (pages.length === 0 ? 'silent' : 'paged') : isMissed ? 'missed' : 'seen',
      fired: names,
      pages,
      firstPageMinutes: first === undefined ? null : Math.round((first.from - faultAt) / 6) / 10,
      firedBefore: [...new Set(before.map(({ alert }) => alert))],
    }),
  )
}
if (missed > 0) process.exitCode = 1
