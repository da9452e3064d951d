// What an engine counts about itself, cumulative since it started, as its /metrics page would: per rank, and per process.

export class RankCounters {
  promptTokens = 0
  cachedTokens = 0
  computedTokens = 0
  outputTokens = 0
  requests = 0
  preemptions = 0
  drafted = 0
  accepted = 0
}

export class EngineCounters {
  steps = 0
  stepSeconds = 0
  transferredBytes = 0
  adapterLoads = 0
}
