// Who runs in the next step, as vLLM V1 decides it: running sequences first; a rank without room preempts from the tail (last admitted)
// and then admits nothing in that step; otherwise the head of the waiting line is admitted first come, first served, while the token
// budget, sequence slots and KV memory last. Prompts longer than the budget are computed in chunks.

import { normal } from '../core/random.ts'
import { PHASE, type SimRequest } from '../core/request.ts'
import { leaveDecoding } from './decoding.ts'
import type { Engine } from './engine.ts'
import type { Rank } from './rank.ts'

/** Returns the ranks (as bits) that preempted and so admit nothing now. */
export function preemptWhereFull(engine: Engine, now: number): number {
  let blocked = 0
  for (const rank of engine.ranks) {
    while (rank.running.length > 1 && rank.usedTokens + rank.growth > rank.capacity) {
      blocked |= 1 << rank.index
      preempt(engine, rank, rank.running[rank.running.length - 1] as SimRequest, now)
    }
  }
  return blocked
}

function preempt(engine: Engine, rank: Rank, request: SimRequest, now: number): void {
  leaveDecoding(engine, rank, request)
  request.generatedTokens = Math.floor(request.generatedTokens)
  request.state = 'waiting'
  request.rank = rank
  request.preemptions++
  request.preemptedAt = now
  request.computedTokens = 0
  rank.counters.preemptions++
  rank.waiting.unshift(request)
}

/** Fills the next step. Returns whether there is anything to do. */
export function admitAndChunk(engine: Engine, now: number, blocked: number): boolean {
  let busy = false
  for (const rank of engine.ranks) {
    let budget = engine.spec.maxBatchedTokens * engine.batchedTokensScale.value - rank.running.length
    for (const request of rank.prefilling) budget -= giveChunk(request, budget)
    if ((blocked & (1 << rank.index)) === 0) budget = admit(engine, rank, budget, now)
    if (rank.running.length > 0) busy = true
    else if (!busy) for (const request of rank.prefilling) busy ||= request.state === 'prefilling'
  }
  return busy
}

function giveChunk(request: SimRequest, budget: number): number {
  if (request.state !== 'prefilling') return 0
  const left = request.promptTokens + request.generatedTokens - request.computedTokens
  request.chunk = Math.max(0, Math.min(left, Math.floor(budget)))
  return request.chunk
}

function admit(engine: Engine, rank: Rank, tokens: number, now: number): number {
  const { spec } = engine
  let budget = tokens
  const slots = spec.maxSequences * engine.sequencesScale.value
  while (rank.waiting.length > 0 && budget >= 1) {
    if (rank.running.length + rank.prefilling.length >= slots) break
    const request = rank.waiting[0] as SimRequest
    const needed = request.promptTokens + request.generatedTokens
    const reserve = spec.reserveOutputShare * Math.min(4096, request.maxTokens - request.generatedTokens)
    const empty = rank.running.length + rank.prefilling.length === 0
    if (!empty && rank.usedTokens + needed + reserve > rank.capacity) break
    rank.waiting.shift()
    rank.prefilling.push(request)
    rank.reservedTokens += needed
    if (spec.role === 'decode' && Number.isNaN(request.preemptedAt)) {
      // Room for the whole prompt; nothing to compute until its KV has come.
      request.state = 'transferring'
      request.computedTokens = needed
      request.spend(PHASE['engine.queue_or_kv'], now - request.queuedAt)
      rank.counters.requests++
      setPace(engine, rank, request)
      engine.listener.roomFound(engine, request, now)
      continue
    }
    startPrompt(engine, rank, request, now)
    budget -= giveChunk(request, budget)
  }
  return budget
}

function startPrompt(engine: Engine, rank: Rank, request: SimRequest, now: number): void {
  const first = Number.isNaN(request.preemptedAt)
  const blocks = rank.cache.match(request)
  const matched = Math.max(0, Math.min(blocks * rank.cache.blockTokens, request.promptTokens - 1))
  request.state = 'prefilling'
  request.computedTokens = matched
  if (!first) return
  request.scheduledAt = now
  request.last.queued = request.queuedAt
  request.last.scheduled = now
  request.cachedTokens = matched
  request.spend(PHASE['engine.queue'], now - request.queuedAt)
  rank.counters.promptTokens += request.promptTokens
  rank.counters.cachedTokens += matched
  rank.counters.requests++
  if (engine.spec.role === 'both') setPace(engine, rank, request)
}

/** Tokens a step: 1 + Σ aⁱ over the drafts, a being this request's acceptance (chat, code and reasoning differ a little). */
function setPace(engine: Engine, rank: Rank, request: SimRequest): void {
  const speculation = engine.spec.speculation
  if (speculation === null) {
    request.tokensPerStep = 1
    return
  }
  const spread = 1 + 0.06 * normal(request.seed, 41)
  const wanted = speculation.acceptance * spread * request.tenant.acceptScale.value * engine.acceptScale.value
  const acceptance = Math.min(0.98, Math.max(0.01, wanted))
  let pace = 1
  let power = 1
  for (let draft = 0; draft < speculation.drafts; draft++) {
    power *= acceptance
    pace += power
  }
  request.tokensPerStep = pace
  const steps = Math.ceil(Math.max(0, request.outputTokens - 1) / pace)
  request.drafted = steps * speculation.drafts
  request.accepted = Math.max(0, request.outputTokens - 1 - steps)
  rank.counters.drafted += request.drafted
  rank.counters.accepted += request.accepted
}
