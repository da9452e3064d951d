// An engine that answers, hangs or refuses on command: a few tokens in the OpenAI dialect and the gauges that vLLM's page has.
import type { ServerResponse } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { startTestEngine } from '../../collector/sidecar/test-hub.ts'

export interface FakeEngine {
  url: string
  /** Takes connections and answers nothing, its own page included. */
  hang(): void
  /** Its port is closed. */
  refuse(): Promise<void>
  close(): Promise<void>
}

const TOKENS = 20
const FIRST_TOKEN_MS = 120
const TOKEN_MS = 15

export async function startFakeEngine(model: string): Promise<FakeEngine> {
  let isHung = false
  let running = 0
  let prompts = 0
  let outputs = 0
  const { url, close } = await startTestEngine((request, response) => {
    request.resume()
    if (isHung) return
    if (request.url === '/metrics') response.end(page(model, { running, prompts, outputs }))
    else if (request.url === '/v1/chat/completions') void answer(response)
    else response.end('{}')
  })
  async function answer(response: ServerResponse): Promise<void> {
    running++
    prompts += 6
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    await pause(FIRST_TOKEN_MS)
    for (let index = 0; index < TOKENS && !isHung; index++) {
      outputs++
      response.write(`data: ${JSON.stringify(chunk(model, index === 0 ? 'once' : ' more'))}\n\n`)
      await pause(TOKEN_MS)
    }
    if (isHung) return
    running--
    const usage = { prompt_tokens: 6, completion_tokens: TOKENS, total_tokens: TOKENS + 6 }
    response.write(
      `data: ${JSON.stringify({ ...chunk(model, ''), choices: [{ index: 0, delta: {}, finish_reason: 'length' }], usage })}\n\n`,
    )
    response.end('data: [DONE]\n\n')
  }
  return {
    url,
    hang: () => {
      isHung = true
    },
    refuse: close,
    close,
  }
}

function chunk(model: string, content: string) {
  return {
    id: 'drill',
    object: 'chat.completion.chunk',
    created: 0,
    model,
    choices: [{ index: 0, delta: { content }, finish_reason: null }],
  }
}

function page(model: string, { running, prompts, outputs }: { running: number; prompts: number; outputs: number }): string {
  const labels = `{engine="0",model_name="${model}"}`
  return [
    `vllm:num_requests_running${labels} ${running}`,
    `vllm:num_requests_waiting${labels} 0`,
    `vllm:kv_cache_usage_perc${labels} 0.1`,
    `vllm:prompt_tokens_total${labels} ${prompts}`,
    `vllm:generation_tokens_total${labels} ${outputs}`,
    '',
  ].join('\n')
}
