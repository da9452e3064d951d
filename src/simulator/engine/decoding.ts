// A sequence enters and leaves the decode batch of a rank, with its tokens.
import type { SimRequest } from '../core/request.ts'
import type { Engine } from './engine.ts'
import type { Rank } from './rank.ts'

/** Prefill of a request has ended (or its KV has come): it decodes from here. */
export function startDecoding(engine: Engine, rank: Rank, request: SimRequest): void {
  const tokensLeft = request.outputTokens - request.generatedTokens
  const pace = request.tokensPerStep
  const steps = Math.ceil(tokensLeft / pace)
  const context = request.promptTokens + request.generatedTokens
  rank.reservedTokens -= context
  if (steps <= 0) {
    engine.listener.finished(engine, request, engine.queue.now)
    return
  }
  request.tokensPerStep = tokensLeft / steps
  request.state = 'decoding'
  request.startStep = engine.stepIndex
  request.finishStep = engine.stepIndex + steps
  rank.running.push(request)
  rank.contextTokens += context
  rank.growth += request.tokensPerStep
  rank.sharedTokens += request.blockCount * rank.cache.blockTokens
  engine.finishes.push(request)
}

/** Takes a decoding request out of the batch, with the tokens it has so far. */
export function leaveDecoding(engine: Engine, rank: Rank, request: SimRequest): void {
  const produced = (engine.stepIndex - request.startStep) * request.tokensPerStep
  rank.contextTokens -= request.promptTokens + request.generatedTokens + produced
  rank.growth -= request.tokensPerStep
  rank.sharedTokens -= request.blockCount * rank.cache.blockTokens
  request.generatedTokens += produced
  remove(rank.running, request)
  if (rank.running.length === 0) {
    rank.contextTokens = 0
    rank.growth = 0
    rank.sharedTokens = 0
  }
  const gap = engine.gaps.longestAfter(request.startStep)
  if (gap > request.longestGap) request.longestGap = gap
}

export function remove(list: SimRequest[], request: SimRequest): void {
  const index = list.indexOf(request)
  if (index >= 0) list.splice(index, 1)
}
