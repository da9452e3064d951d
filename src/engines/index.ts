// The adapters there are. Adding an engine is a folder beside this file and a line here; the first that claims a span gets it.
import type { EngineAdapter } from './adapter.ts'
import { dynamo } from './dynamo/adapter.ts'
import { genericGenAi } from './generic-genai/adapter.ts'
import { litellm } from './litellm/adapter.ts'
import { llamaCpp } from './llama-cpp/adapter.ts'
import { llmD } from './llm-d/adapter.ts'
import { longpoleSdk, longpoleSidecar } from './longpole/adapter.ts'
import { openaiCompatible } from './openai-compatible/adapter.ts'
import { sglang } from './sglang/adapter.ts'
import { sglangRouter } from './sglang-router/adapter.ts'
import { vllm } from './vllm/adapter.ts'
import { vllmRouter } from './vllm-router/adapter.ts'

export const ADAPTERS: readonly EngineAdapter[] = [
  longpoleSdk,
  longpoleSidecar,
  vllm,
  sglang,
  llamaCpp,
  dynamo,
  sglangRouter,
  vllmRouter,
  litellm,
  llmD,
  // Claims by conventions only, so it comes last of those that claim.
  genericGenAi,
  openaiCompatible,
]

/** The adapter of an engine by the value of the `engine` column; a server of which nothing is known otherwise. */
export function adapterOf(engine: string | null | undefined): EngineAdapter {
  return ADAPTERS.find((adapter) => adapter.name === engine) ?? openaiCompatible
}
