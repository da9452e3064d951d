// Turns "this tenant calls now" into a request: model, route, client, lengths, conversation. All draws depend on the run's seed, the
// tenant and the number of the call only, never on the state of the fleet, so that a run and its counterfactual see the same requests.
import { logNormal, uniform } from '../core/random.ts'
import { BLOCK_TOKENS, SimRequest } from '../core/request.ts'
import type { Tenant } from './tenant.ts'

/** Above this a conversation starts anew. */
const LONGEST_CONVERSATION = 24_000
const LONGEST_PROMPT = 64_000
/** Conversations of one tenant that may still go on. */
const OPEN_CONVERSATIONS = 48
/** Room for block ids of one prompt; keys are multiples of it. */
const KEY_STRIDE = 4096
const CONTENT_BASE = 2 ** 36

export interface Conversation {
  number: number
  tokens: number
}

/** Draw purposes: the second argument of the random functions. */
const DRAW = {
  model: 1,
  route: 2,
  client: 3,
  mode: 4,
  template: 5,
  prompt: 6,
  output: 7,
  continues: 8,
  which: 9,
  adapter: 10,
  reasoning: 11,
}

export class RequestDrawer {
  private requests = 0
  private readonly conversations = new Map<Tenant, number>()
  private readonly open = new Map<Tenant, Conversation[]>()

  /** `key` names the call in every run of one seed; `given` continues exactly that conversation (agents). */
  draw(tenant: Tenant, key: number, seed: number, given?: Conversation): SimRequest {
    const model = pick(tenant.models, uniform(seed, DRAW.model)).model
    const client = pick(tenant.clients, uniform(seed, DRAW.client)).client
    const request = new SimRequest(this.requests++, key, seed, tenant, client, model)
    request.route = pick(tenant.routes, uniform(seed, DRAW.route)).route
    request.outputMode = model.reasoning ? 'reasoning' : pick(tenant.outputModes, uniform(seed, DRAW.mode)).mode
    if (model.adapters.length > 0 && tenant.adapters.length > 0 && uniform(seed, DRAW.adapter) < 0.8) {
      request.adapter = tenant.adapters[Math.floor(uniform(seed, DRAW.adapter, 1) ** 2 * tenant.adapters.length)] as string
    }
    this.drawLengths(request, given)
    return request
  }

  newConversation(tenant: Tenant): Conversation {
    const count = this.conversations.get(tenant) ?? 0
    this.conversations.set(tenant, count + 1)
    return { number: tenant.index * 2 ** 20 + count, tokens: 0 }
  }

  private drawLengths(request: SimRequest, given: Conversation | undefined): void {
    const { tenant, seed, model } = request
    const conversation = given ?? this.conversationOf(tenant, seed)
    const template = Math.floor(uniform(seed, DRAW.template) ** 2 * tenant.templates)
    const added = logNormal(tenant.promptMedian, tenant.promptSigma, seed, DRAW.prompt) * tenant.promptScale.value
    const system = tenant.systemTokens
    request.promptTokens = Math.min(LONGEST_PROMPT, Math.max(8, Math.round(system + conversation.tokens + added)))
    const median = tenant.outputMedian * (model.reasoning ? 3.2 : 1) * tenant.outputScale.value
    request.maxTokens = model.reasoning ? 8192 : 2048
    request.outputTokens = Math.max(1, Math.min(request.maxTokens, Math.round(logNormal(median, tenant.outputSigma, seed, DRAW.output))))
    if (model.reasoning) request.reasoningTokens = Math.round(request.outputTokens * (0.55 + 0.3 * uniform(seed, DRAW.reasoning)))
    request.session = conversation.number
    request.systemBlocks = Math.floor(system / BLOCK_TOKENS)
    request.systemKey = (tenant.index * 16 + template + 1) * KEY_STRIDE
    request.contentKey = CONTENT_BASE + conversation.number * KEY_STRIDE
    // Thinking is not part of the next prompt.
    conversation.tokens += Math.round(added) + request.outputTokens - request.reasoningTokens
  }

  private conversationOf(tenant: Tenant, seed: number): Conversation {
    let open = this.open.get(tenant)
    if (open === undefined) {
      open = []
      this.open.set(tenant, open)
    }
    if (open.length > 0 && uniform(seed, DRAW.continues) < tenant.continues) {
      const conversation = open[Math.floor(uniform(seed, DRAW.which) * open.length)] as Conversation
      if (conversation.tokens < LONGEST_CONVERSATION) return conversation
    }
    const conversation = this.newConversation(tenant)
    open.push(conversation)
    if (open.length > OPEN_CONVERSATIONS) open.shift()
    return conversation
  }
}

/** An entry by weight. */
function pick<T extends { weight: number }>(entries: readonly T[], draw: number): T {
  let total = 0
  for (const entry of entries) total += entry.weight
  let left = draw * total
  for (const entry of entries) {
    left -= entry.weight
    if (left < 0) return entry
  }
  return entries[entries.length - 1] as T
}
