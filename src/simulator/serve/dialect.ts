// How engines differ towards their clients: when headers leave, what a chunk, an answer and an error look like. As recorded.
import type { SimRequest } from '../core/request.ts'
import type { ChatPrompt } from './prompt.ts'

export interface Answer {
  id: string
  model: string
  createdUnixSeconds: number
  isChat: boolean
}

export interface EngineDialect {
  /** Response headers of a stream leave when the prompt is tokenized (vLLM), else with the first chunk (SGLang). */
  headersBeforeQueue: boolean
  /** Sends `x-request-id` back. */
  echoesRequestId: boolean
  /** Refuses a model that it does not serve. */
  checksModel: boolean
  answerId(requestId: string, isChat: boolean): string
  /** First chunk of a chat: the role, no content. */
  roleChunk(answer: Answer): object | null
  chunk(answer: Answer, text: string, finish: string | null): object
  usageChunk(answer: Answer, request: SimRequest): object
  whole(answer: Answer, request: SimRequest, text: string, finish: string): object
  error(status: number, type: string, message: string, param: string | null): object
  models(model: string, createdUnixSeconds: number): object
}

function usage(request: SimRequest): object {
  return {
    prompt_tokens: request.promptTokens,
    total_tokens: request.promptTokens + request.outputTokens,
    completion_tokens: request.outputTokens,
    prompt_tokens_details: { cached_tokens: request.cachedTokens },
    completion_tokens_details: null,
  }
}

function frame(answer: Answer, object: string, choices: object[], rest: object = {}): object {
  return { id: answer.id, object, created: answer.createdUnixSeconds, model: answer.model, choices, ...rest }
}

function chunkObject(answer: Answer): string {
  return answer.isChat ? 'chat.completion.chunk' : 'text_completion'
}

export const vllmDialect: EngineDialect = {
  headersBeforeQueue: true,
  echoesRequestId: true,
  checksModel: true,
  answerId: (requestId, isChat) => `${isChat ? 'chatcmpl' : 'cmpl'}-${requestId}`,
  roleChunk: (answer) =>
    answer.isChat
      ? frame(answer, chunkObject(answer), [{ index: 0, delta: { role: 'assistant', content: '' }, logprobs: null, finish_reason: null }])
      : null,
  chunk(answer, text, finish) {
    const stop = finish === null ? {} : { stop_reason: null }
    const choice = answer.isChat
      ? { index: 0, delta: { content: text }, logprobs: null, finish_reason: finish, ...stop, token_ids: null }
      : { index: 0, text, logprobs: null, finish_reason: finish, stop_reason: null, token_ids: null }
    return frame(answer, chunkObject(answer), [choice])
  },
  usageChunk: (answer, request) => frame(answer, chunkObject(answer), [], { usage: usage(request) }),
  whole(answer, request, text, finish) {
    const message = { role: 'assistant', content: text, refusal: null, reasoning: null, tool_calls: [] }
    const choice = answer.isChat
      ? { index: 0, message, logprobs: null, finish_reason: finish, stop_reason: null }
      : { index: 0, text, logprobs: null, finish_reason: finish, stop_reason: null }
    return frame(answer, answer.isChat ? 'chat.completion' : 'text_completion', [choice], { usage: usage(request) })
  },
  error: (status, type, message, param) => ({ error: { message, type, param, code: status } }),
  models: (model, created) => ({
    object: 'list',
    data: [{ id: model, object: 'model', created, owned_by: 'vllm', root: model, parent: null, max_model_len: 131072 }],
  }),
}

export const sglangDialect: EngineDialect = {
  headersBeforeQueue: false,
  echoesRequestId: false,
  checksModel: false,
  answerId: (requestId) => requestId.replaceAll('-', '').padEnd(32, '0').slice(0, 32),
  roleChunk: (answer) =>
    answer.isChat
      ? frame(answer, chunkObject(answer), [
          {
            index: 0,
            delta: { reasoning_content: null, role: 'assistant', content: '' },
            logprobs: null,
            finish_reason: null,
            matched_stop: null,
          },
        ])
      : null,
  chunk(answer, text, finish) {
    // The last chunk carries the reason and no content.
    const delta = text === '' ? { reasoning_content: null } : { reasoning_content: null, content: text }
    const choice = answer.isChat
      ? { index: 0, delta, logprobs: null, finish_reason: finish, matched_stop: null }
      : { index: 0, text, logprobs: null, finish_reason: finish, matched_stop: null }
    return frame(answer, chunkObject(answer), [choice])
  },
  usageChunk: (answer, request) => frame(answer, chunkObject(answer), [], { usage: { ...usage(request), reasoning_tokens: 0 } }),
  whole(answer, request, text, finish) {
    const message = { role: 'assistant', content: text, reasoning_content: null, tool_calls: null }
    const choice = answer.isChat
      ? { index: 0, message, logprobs: null, finish_reason: finish, matched_stop: null }
      : { index: 0, text, logprobs: null, finish_reason: finish, matched_stop: null }
    return frame(answer, answer.isChat ? 'chat.completion' : 'text_completion', [choice], { usage: usage(request) })
  },
  error: (status, type, message, param) => ({ object: 'error', message, type, param, code: status }),
  models: (model, created) => ({
    object: 'list',
    data: [{ id: model, object: 'model', created, owned_by: 'sglang', root: model, parent: null, max_model_len: 131072 }],
  }),
}

/** Why the answer ends: at its limit, or because it was said. */
export function finishReason(request: SimRequest, prompt: ChatPrompt): string {
  return request.outputTokens >= prompt.maxTokens ? 'length' : 'stop'
}
