// Which data-parallel rank of an engine takes a request. vLLM's internal balancer: waiting counts four times running, blind to tokens
// and cache.
import type { SimRequest } from '../core/request.ts'
import type { Rank } from './rank.ts'

export function assignRank(ranks: readonly Rank[], request: SimRequest): Rank {
  let best = ranks[0] as Rank
  let bestScore = Number.POSITIVE_INFINITY
  const offset = ranks.length === 1 ? 0 : Math.abs(request.index) % ranks.length
  for (let step = 0; step < ranks.length; step++) {
    const rank = ranks[(step + offset) % ranks.length] as Rank
    const score = (rank.waiting.length * 4 + rank.running.length + rank.prefilling.length + 1) * rank.bias.value
    if (score < bestScore) {
      bestScore = score
      best = rank
    }
  }
  request.rank = best
  request.servedRank = best
  return best
}
