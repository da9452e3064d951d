// Requests as a program would send them, through the openai client with our SDK around it, and what that program saw of each.
import { type instrumentOpenAI, overhead } from '@longpole/sdk'
import type OpenAI from 'openai'
import { APIError } from 'openai'
import type { ChatCompletionChunk, ChatCompletionCreateParamsStreaming } from 'openai/resources/chat/completions'

export { overhead }

export const GROUPS = ['short', 'long', 'prefix', 'burst', 'aborted', 'rejected', 'n2', 'tool'] as const
export type Group = (typeof GROUPS)[number]

export interface Planned {
  id: string
  group: Group
  parameters: ChatCompletionCreateParamsStreaming
  /** Chunks after which the caller leaves. */
  leaveAfter?: number
}

/** What the program saw, by its own means: none of it comes from the SDK. */
export interface ClientTruth {
  id: string
  group: Group
  outcome: 'ok' | 'aborted' | 'rejected' | 'error'
  status: number | null
  finishReasons: string[]
  usage: { prompt: number; output: number; cached: number | null } | null
  startMs: number
  endMs: number
}

export interface Sizes {
  sequential: Partial<Record<Exclude<Group, 'burst'>, number>>
  burst: number
}

const WORDS =
  'import return value index decode queue prefill tokens cache model string buffer yield class async window parse latency'.split(' ')

/** Seeded, so that a run can be had again; mulberry32. */
function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const TOOL = {
  type: 'function' as const,
  function: {
    name: 'get_weather',
    parameters: { type: 'object', properties: { city: { type: 'string', enum: ['Paris', 'Rome', 'Oslo'] } }, required: ['city'] },
  },
}

export function planRequests(run: string, model: string, sizes: Sizes, seed: number): { sequential: Planned[]; burst: Planned[] } {
  const next = random(seed)
  const text = (words: number) => Array.from({ length: words }, () => WORDS[Math.floor(next() * WORDS.length)]).join(' ')
  const shared = text(700)
  let count = 0
  const plan = (group: Group): Planned => {
    const id = `${run}-${group}-${count++}`
    const words =
      group === 'long' ? 900 + Math.floor(next() * 900) : group === 'burst' ? 20 + Math.floor(next() * 400) : 10 + Math.floor(next() * 40)
    const prompt = group === 'prefix' ? `${shared} ${text(12)}` : text(words)
    const tokens = group === 'long' ? 8 : 8 + Math.floor(next() * 12)
    const parameters: ChatCompletionCreateParamsStreaming = {
      model,
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: group === 'aborted' ? 2_000 : group === 'rejected' ? 1_000_000 : group === 'tool' ? 48 : tokens,
      messages: [{ role: 'user', content: `${count} ${prompt}` }],
      ...(group === 'n2' ? { n: 2 } : {}),
      ...(group === 'tool' ? { tools: [TOOL], tool_choice: { type: 'function', function: { name: TOOL.function.name } } } : {}),
    }
    return { id, group, parameters, ...(group === 'aborted' ? { leaveAfter: 3 + Math.floor(next() * 6) } : {}) }
  }
  // The shared prefix stands first, so that all but its first request can hit the cache.
  const sequential = Object.entries(sizes.sequential).flatMap(([group, size]) => Array.from({ length: size }, () => plan(group as Group)))
  for (const entry of sequential) {
    if (entry.group === 'prefix') entry.parameters.messages = [{ role: 'user', content: `${shared} ${entry.id}` }]
  }
  return { sequential, burst: Array.from({ length: sizes.burst }, () => plan('burst')) }
}

type Client = ReturnType<typeof instrumentOpenAI<OpenAI>>

export async function send(client: Client, { id, group, parameters, leaveAfter }: Planned): Promise<ClientTruth> {
  const leave = new AbortController()
  const truth: ClientTruth = { id, group, outcome: 'ok', status: 200, finishReasons: [], usage: null, startMs: Date.now(), endMs: 0 }
  let deltas = 0
  try {
    const stream = await client.chat.completions.create(parameters, { headers: { 'x-request-id': id }, signal: leave.signal })
    for await (const chunk of stream) {
      read(chunk, truth)
      if (leaveAfter !== undefined && ++deltas >= leaveAfter) leave.abort()
    }
    if (leave.signal.aborted) truth.outcome = 'aborted'
  } catch (error) {
    if (leave.signal.aborted) truth.outcome = 'aborted'
    else if (error instanceof APIError && error.status !== undefined)
      Object.assign(truth, { outcome: error.status < 500 ? 'rejected' : 'error', status: error.status })
    else Object.assign(truth, { outcome: 'error', status: null })
  }
  truth.endMs = Date.now()
  return truth
}

function read(chunk: ChatCompletionChunk, truth: ClientTruth): void {
  for (const choice of chunk.choices) if (choice.finish_reason) truth.finishReasons.push(choice.finish_reason)
  if (!chunk.usage) return
  const { prompt_tokens: prompt, completion_tokens: output, prompt_tokens_details: details } = chunk.usage
  truth.usage = { prompt, output, cached: details?.cached_tokens ?? truth.usage?.cached ?? null }
}

/** A few at a time, then the burst all at once. */
export async function run(client: Client, plan: { sequential: Planned[]; burst: Planned[] }, concurrency: number): Promise<ClientTruth[]> {
  const results: ClientTruth[] = []
  let at = 0
  const worker = async (): Promise<void> => {
    while (at < plan.sequential.length) results.push(await send(client, plan.sequential[at++] as Planned))
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  results.push(...(await Promise.all(plan.burst.map((planned) => send(client, planned)))))
  return results
}
