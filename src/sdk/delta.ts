// What one event of a stream brings: reasoning, answer text, a tool call, or nothing a user would see. Knows the shapes of
// OpenAI's chat completions, completions and responses APIs, and of Anthropic's messages, which inference servers speak too.

/** Bits, since one event may bring several. */
export const Delta = { none: 0, reasoning: 1, text: 2, tool: 4 } as const

/** Never throws: any JSON value may come. An empty string, a role, a usage or a finish reason alone is nothing. */
export function deltaOf(event: unknown): number {
  if (!isObject(event)) return Delta.none
  if (Array.isArray(event.choices)) return event.choices.reduce((bits: number, choice) => bits | ofChoice(choice), Delta.none)
  if (typeof event.type === 'string') return ofTypedEvent(event.type, event)
  // Native streams: SGLang's `text`, llama.cpp's `content`, TGI's `token.text`.
  return filled(event.text) || filled(event.content) || (isObject(event.token) && filled(event.token.text)) ? Delta.text : Delta.none
}

function ofChoice(choice: unknown): number {
  if (!isObject(choice)) return Delta.none
  let bits: number = filled(choice.text) ? Delta.text : Delta.none
  const delta = choice.delta
  if (!isObject(delta)) return bits
  if (filled(delta.content) || filled(delta.refusal)) bits |= Delta.text
  if (filled(delta.reasoning_content) || filled(delta.reasoning)) bits |= Delta.reasoning
  if (Array.isArray(delta.tool_calls) && delta.tool_calls.some(isFilledCall)) bits |= Delta.tool
  if (isObject(delta.function_call) && isFilledFunction(delta.function_call)) bits |= Delta.tool
  if (isObject(delta.audio) && (filled(delta.audio.data) || filled(delta.audio.transcript))) bits |= Delta.text
  return bits
}

function ofTypedEvent(type: string, event: Record<string, unknown>): number {
  switch (type) {
    case 'response.output_text.delta':
    case 'response.refusal.delta':
    case 'response.audio.delta':
    case 'response.audio.transcript.delta':
      return filled(event.delta) ? Delta.text : Delta.none
    case 'response.reasoning.delta':
    case 'response.reasoning_text.delta':
    case 'response.reasoning_summary_text.delta':
      return filled(event.delta) ? Delta.reasoning : Delta.none
    case 'response.function_call_arguments.delta':
    case 'response.custom_tool_call_input.delta':
    case 'response.mcp_call_arguments.delta':
      return filled(event.delta) ? Delta.tool : Delta.none
    case 'response.output_item.added':
      return isObject(event.item) && filled(event.item.name) ? Delta.tool : Delta.none
    case 'content_block_start':
      return isObject(event.content_block) && filled(event.content_block.name) ? Delta.tool : Delta.none
    case 'content_block_delta':
      return ofContentBlock(event.delta)
    default:
      return Delta.none
  }
}

function ofContentBlock(delta: unknown): number {
  if (!isObject(delta)) return Delta.none
  if (filled(delta.text)) return Delta.text
  if (filled(delta.thinking)) return Delta.reasoning
  return filled(delta.partial_json) ? Delta.tool : Delta.none
}

function isFilledCall(call: unknown): boolean {
  return isObject(call) && (isFilledFunction(call.function) || isFilledFunction(call.custom))
}

function isFilledFunction(call: unknown): boolean {
  return isObject(call) && (filled(call.name) || filled(call.arguments) || filled(call.input))
}

function filled(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
