// What a simulated engine can say of itself, under the names of vLLM's and SGLang's own pages.
import { PHASE, type SimRequest } from '../core/request.ts'
import type { Engine } from '../engine/engine.ts'
import type { ExpositionPage, PageValues } from './exposition.ts'

type Sum = 'promptTokens' | 'cachedTokens' | 'computedTokens' | 'outputTokens' | 'requests' | 'preemptions' | 'drafted' | 'accepted'

function total(engine: Engine, key: Sum): number {
  let sum = 0
  for (const rank of engine.ranks) sum += rank.counters[key]
  return Math.floor(sum)
}

export function vllmValues(engine: Engine): PageValues {
  const cached = () => total(engine, 'cachedTokens')
  const computed = () => total(engine, 'promptTokens') - cached()
  return {
    'vllm:num_requests_running': () => engine.running,
    'vllm:num_requests_waiting': () => engine.waiting,
    'vllm:num_requests_waiting_by_reason': ({ reason }) => (reason === 'capacity' ? engine.waiting : 0),
    'vllm:kv_cache_usage_perc': () => engine.usage,
    'vllm:prefix_cache_queries_total': () => total(engine, 'promptTokens'),
    'vllm:prefix_cache_hits_total': cached,
    'vllm:num_preemptions_total': () => total(engine, 'preemptions'),
    'vllm:prompt_tokens_total': () => total(engine, 'promptTokens'),
    'vllm:prompt_tokens_by_source_total': ({ source }) =>
      source === 'local_compute' ? computed() : source === 'local_cache_hit' ? cached() : 0,
    'vllm:prompt_tokens_cached_total': cached,
    'vllm:prompt_tokens_cached_by_source_total': ({ source }) => (source === 'device' ? cached() : 0),
    'vllm:generation_tokens_total': () => total(engine, 'outputTokens'),
    'vllm:request_success_total': ({ finished_reason }) => (finished_reason === 'stop' ? total(engine, 'requests') - engine.running : 0),
    'vllm:iteration_tokens_total_sum': () => total(engine, 'computedTokens') + total(engine, 'outputTokens'),
    'vllm:iteration_tokens_total_count': () => engine.counters.steps,
  }
}

export function sglangValues(engine: Engine): PageValues {
  const cached = () => total(engine, 'cachedTokens')
  const prompt = () => total(engine, 'promptTokens')
  const used = () => engine.ranks.reduce((sum, rank) => sum + rank.usedTokens, 0)
  const capacity = () => engine.ranks.reduce((sum, rank) => sum + rank.capacity, 0)
  return {
    'sglang:num_running_reqs': () => engine.running,
    'sglang:num_queue_reqs': () => engine.waiting,
    'sglang:token_usage': () => engine.usage,
    'sglang:full_token_usage': () => engine.usage,
    'sglang:num_used_tokens': used,
    'sglang:kv_used_tokens': used,
    'sglang:kv_available_tokens': () => capacity() - used(),
    'sglang:max_total_num_tokens': capacity,
    'sglang:cache_hit_rate': () => (prompt() === 0 ? 0 : cached() / prompt()),
    'sglang:num_retracted_reqs': () => total(engine, 'preemptions'),
    'sglang:prompt_tokens_total': prompt,
    'sglang:cached_tokens_total': cached,
    'sglang:generation_tokens_total': () => total(engine, 'outputTokens'),
    'sglang:num_requests_total': () => total(engine, 'requests') - engine.running,
    'sglang:spec_accept_rate': () => (total(engine, 'drafted') === 0 ? 0 : total(engine, 'accepted') / total(engine, 'drafted')),
    'sglang:realtime_tokens_total': ({ mode }) =>
      mode === 'decode' ? total(engine, 'outputTokens') : mode === 'prefill_cache' ? cached() : prompt() - cached(),
    'sglang:prefill_effective_tokens_total': ({ mode }) => (mode === 'input' ? prompt() - cached() : mode === 'device_hit' ? cached() : 0),
  }
}

/** Adds a finished request to the page's histograms, under both engines' names: a page takes those it has. */
export function observeRequest(page: ExpositionPage, request: SimRequest): void {
  const phase = (id: keyof typeof PHASE) => request.phases[PHASE[id]] as number
  const queue = phase('engine.queue')
  const prefill = phase('engine.prefill')
  const decode = phase('engine.decode')
  const first = phase('engine.tokenize') + phase('engine.admit') + queue + prefill
  const gaps = Math.max(1, request.outputTokens - 1)
  for (const prefix of ['vllm:', 'sglang:']) {
    page.observe(`${prefix}time_to_first_token_seconds`, first)
    page.observe(`${prefix}inter_token_latency_seconds`, decode / gaps, gaps)
    page.observe(`${prefix}request_time_per_output_token_seconds`, decode / gaps)
    page.observe(`${prefix}e2e_request_latency_seconds`, first + decode)
  }
  page.observe('vllm:request_queue_time_seconds', queue)
  page.observe('vllm:request_prefill_time_seconds', prefill)
  page.observe('vllm:request_decode_time_seconds', decode)
  page.observe('vllm:request_inference_time_seconds', prefill + decode)
  page.observe('vllm:request_prompt_tokens', request.promptTokens)
  page.observe('vllm:request_generation_tokens', request.outputTokens)
  page.observe('vllm:request_max_num_generation_tokens', request.outputTokens)
  page.observe('vllm:request_params_max_tokens', request.maxTokens)
  page.observe('vllm:request_params_n', 1)
  page.observe('vllm:request_num_preemptions', request.preemptions)
  page.observe('vllm:request_prefill_kv_computed_tokens', request.promptTokens - request.cachedTokens)
  page.observe('sglang:queue_time_seconds', queue)
  page.observe('sglang:prompt_tokens_histogram', request.promptTokens)
  page.observe('sglang:uncached_prompt_tokens_histogram', request.promptTokens - request.cachedTokens)
  page.observe('sglang:generation_tokens_histogram', request.outputTokens)
}
