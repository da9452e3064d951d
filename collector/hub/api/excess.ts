// How much longer a replica takes than the other replicas of its model would for the same requests: a replica that gets the long
// prompts is slow and not at fault, so it is compared class by class.

export interface ClassRow {
  cluster: string | null
  model: string | null
  replica: string
  prompt_class: string | null
  /** Requests with a first token, and the sum of their TTFT. */
  first_tokens: number
  first_token_seconds: number | null
  /** Output tokens of requests with a TPOT, and the sum of TPOT × tokens. */
  tokens: number | null
  token_seconds: number | null
}

interface Work {
  firstTokens: number
  firstTokenSeconds: number
  tokens: number
  tokenSeconds: number
}

/** Fewer requests than this say nothing about a replica. */
const MIN_REQUESTS = 5

/**
 * Observed seconds over expected seconds, minus 1; null with too few requests or no peers. Expected is the replica's own number of first
 * tokens and tokens at the mean of its peers, by input-length class (indirect standardization, as in epidemiology's standardized ratio).
 */
export function createExcess(rows: readonly ClassRow[]): (replica: { cluster: string | null; replica: string }) => number | null {
  const ofReplica = new Map<string, { model: string | null; promptClass: string | null; work: Work }[]>()
  const ofClass = new Map<string, Work>()
  for (const row of rows) {
    const work: Work = {
      firstTokens: row.first_tokens,
      firstTokenSeconds: row.first_token_seconds ?? 0,
      tokens: row.tokens ?? 0,
      tokenSeconds: row.token_seconds ?? 0,
    }
    const key = JSON.stringify([row.cluster, row.replica])
    ofReplica.set(key, [...(ofReplica.get(key) ?? []), { model: row.model, promptClass: row.prompt_class, work }])
    const classKey = JSON.stringify([row.model, row.prompt_class])
    ofClass.set(classKey, add(ofClass.get(classKey), work, 1))
  }

  return ({ cluster, replica }) => {
    let observed = 0
    let expected = 0
    let requests = 0
    for (const { model, promptClass, work } of ofReplica.get(JSON.stringify([cluster, replica])) ?? []) {
      const peers = add(ofClass.get(JSON.stringify([model, promptClass])), work, -1)
      if (peers.firstTokens > 0 && work.firstTokens > 0) {
        observed += work.firstTokenSeconds
        expected += (peers.firstTokenSeconds / peers.firstTokens) * work.firstTokens
        requests += work.firstTokens
      }
      if (peers.tokens > 0 && work.tokens > 0) {
        observed += work.tokenSeconds
        expected += (peers.tokenSeconds / peers.tokens) * work.tokens
      }
    }
    return requests < MIN_REQUESTS || expected <= 0 ? null : observed / expected - 1
  }
}

function add(sum: Work | undefined, work: Work, sign: 1 | -1): Work {
  return {
    firstTokens: (sum?.firstTokens ?? 0) + sign * work.firstTokens,
    firstTokenSeconds: (sum?.firstTokenSeconds ?? 0) + sign * work.firstTokenSeconds,
    tokens: (sum?.tokens ?? 0) + sign * work.tokens,
    tokenSeconds: (sum?.tokenSeconds ?? 0) + sign * work.tokenSeconds,
  }
}
