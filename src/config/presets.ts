// Objectives that are published elsewhere, by name, so that a fleet can be held against a known yardstick with one line.
import type { PromptClass } from '@longpole/model/request-record'
import type { Objective, SloName } from '@longpole/model/slo'

export type PresetObjective = Omit<Objective, 'model'>

/**
 * A published TTFT limit is for the prompts of its own data set, which are short. Longer prompts must be prefilled longer, so
 * the limit grows with the input-length class; without this every long-context tenant would be "bad".
 */
const TTFT_SCALE: Record<PromptClass, number> = { '1k': 1, '8k': 2, '32k': 5, inf: 15 }

function limits(slo: SloName, objective: number, seconds: number): PresetObjective {
  const scale = (factor: (promptClass: PromptClass) => number) => ({
    '1k': round(seconds * factor('1k')),
    '8k': round(seconds * factor('8k')),
    '32k': round(seconds * factor('32k')),
    inf: round(seconds * factor('inf')),
  })
  return { slo, objective, thresholdSeconds: scale(slo === 'ttft' ? (promptClass) => TTFT_SCALE[promptClass] : () => 1) }
}

function round(seconds: number): number {
  return Number(seconds.toPrecision(6))
}

/** TTFT and TPOT at the 99th percentile, a stall limit of ten times the TPOT, and the two that need no limit. */
function served(ttftSeconds: number, tpotSeconds: number): PresetObjective[] {
  return [
    limits('ttft', 0.99, ttftSeconds),
    limits('tpot', 0.99, tpotSeconds),
    limits('stall', 0.99, Math.max(1, 10 * tpotSeconds)),
    { slo: 'goodput', objective: 0.97 },
    { slo: 'availability', objective: 0.999 },
  ]
}

/**
 * MLPerf: mlcommons/inference_policies, inference_rules.adoc, benchmark table (server and interactive scenarios, 99th percentile).
 * GuideLLM: vllm-project/guidellm, docs/guides/service_level_objectives.md.
 */
export const PRESETS = {
  default: [...served(2, 0.2), limits('e2e', 0.99, 120)],
  'mlperf-deepseek-r1-server': served(2, 0.08),
  'mlperf-deepseek-r1-interactive': served(1.5, 0.015),
  'mlperf-llama31-405b-server': served(6, 0.175),
  'mlperf-llama31-405b-interactive': served(4.5, 0.08),
  'mlperf-gpt-oss-120b-server': served(3, 0.08),
  'mlperf-gpt-oss-120b-interactive': served(2, 0.02),
  'guidellm-chat': served(0.2, 0.05),
  'guidellm-rag': [...served(0.3, 0.1), limits('e2e', 0.99, 3)],
  'guidellm-code': [...served(0.5, 0.15), limits('e2e', 0.99, 2)],
} as const satisfies Record<string, readonly PresetObjective[]>

export type PresetName = keyof typeof PRESETS
export const PRESET_NAMES = Object.keys(PRESETS) as [PresetName, ...PresetName[]]
