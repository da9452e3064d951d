// One simulated LLM request from the client's click to the last byte: what it asks for, where it is, and the seconds of every phase.
import { PHASE_IDS, PHASES, type PhaseId } from '@longpole/model/phase'
import type { Engine } from '../engine/engine.ts'
import type { PrefixBlocks } from '../engine/prefix-cache.ts'
import type { Rank } from '../engine/rank.ts'
import type { Gateway, Revision, ServedModel } from '../fleet/fleet.ts'
import type { ClientProfile, Tenant } from '../workload/tenant.ts'

/** Tokens of one block of the modelled prefix caches. */
export const BLOCK_TOKENS = 256

const PHASE_COUNT = PHASE_IDS.length
/** Copied for every request: an array of doubles is far cheaper to make and to collect than a typed array of this size. */
const NO_SECONDS: readonly number[] = PHASE_IDS.map(() => 0.5).fill(0)
const NOT_REACHED: readonly number[] = PHASE_IDS.map(() => 0)
const BEFORE_FIRST_TOKEN = PHASES.map((phase) => phase.beforeFirstToken)

/** Index of a phase in `SimRequest.phases`. */
export const PHASE = Object.fromEntries(PHASE_IDS.map((id, index) => [id, index])) as Record<PhaseId, number>

export type RequestState = 'sent' | 'waiting' | 'prefilling' | 'transferring' | 'decoding' | 'ended'
export type SimOutcome = 'ok' | 'error' | 'aborted' | 'timeout' | 'rejected' | 'open'

/** What the last attempt met on its way, for those who need single boundaries and not sums over attempts. */
export interface AttemptParts {
  connect: number
  upload: number
  gatewayQueue: number
  gatewayRoute: number
  sidecar: number
  tokenize: number
  queued: number
  scheduled: number
  transferStart: number
  transferEnd: number
}

/** An attempt that failed before the last one. */
export interface FailedTry {
  start: number
  end: number
  outcome: SimOutcome
  errorClass: string
  status: number | null
  engine: Engine | null
}

/** Somebody who waits for this request on a real socket. Called while the clock runs; must not take long. */
export interface StreamListener {
  /** The API server has tokenized the prompt and handed it to the core. */
  accepted(): void
  /** So many tokens exist by now, from 1. */
  progress(tokens: number): void
  ended(request: SimRequest): void
}

/** Where a request came from that reached an engine over a real socket. */
export interface ExternalOrigin {
  traceId: string
  parentSpanId: string
  requestId: string
}

export class SimRequest implements PrefixBlocks {
  /** Order of creation in this run. */
  readonly index: number
  /** Names the call: the same in every run of one seed. */
  readonly key: number
  /** All draws of this request come from here. */
  readonly seed: number
  readonly tenant: Tenant
  readonly client: ClientProfile
  readonly model: ServedModel

  startedAt = 0
  promptTokens = 0
  outputTokens = 0
  reasoningTokens = 0
  maxTokens = 0
  outputMode = 'text'
  route = ''
  adapter: string | null = null
  session = -1
  /** Prefix identity: `systemBlocks` leading blocks are shared by all prompts with the same `systemKey`, the rest by the session. */
  systemKey = 0
  systemBlocks = 0
  contentKey = 0
  /** Explicit block ids of a trace, instead of the two keys. */
  blocks: readonly number[] | null = null

  gateway: Gateway | null = null
  engine: Engine | null = null
  prefillEngine: Engine | null = null
  rank: Rank | null = null
  /** The rank that decoded it, kept after it has left. */
  servedRank: Rank | null = null
  revision: Revision | null = null

  stream: StreamListener | null = null
  external: ExternalOrigin | null = null

  state: RequestState = 'sent'
  outcome: SimOutcome = 'open'
  errorClass: string | null = null
  httpStatus: number | null = null
  attempts = 1
  /** Counts up with every attempt, so that events of an older one are recognised as stale. */
  epoch = 0

  readonly last: AttemptParts = {
    connect: 0,
    upload: 0,
    gatewayQueue: 0,
    gatewayRoute: 0,
    sidecar: 0,
    tokenize: 0,
    queued: Number.NaN,
    scheduled: Number.NaN,
    transferStart: Number.NaN,
    transferEnd: Number.NaN,
  }
  failedTries: FailedTry[] | null = null

  /** Seconds by phase. */
  readonly phases: number[] = NO_SECONDS.slice()
  /** 1 for each phase that something was booked to. */
  readonly reached: number[] = NOT_REACHED.slice()
  /** Sum of all phases, and of those until the first token (NaN: none came); set by `settle`. */
  totalSeconds = 0
  firstTokenSeconds = Number.NaN

  // Stamps in virtual seconds, of the current attempt.
  attemptAt = 0
  arrivedAt = 0
  queuedAt = 0
  scheduledAt = 0
  prefilledAt = Number.NaN
  firstTokenAt = Number.NaN
  endedAt = Number.NaN
  firstSeenAt = Number.NaN

  // Engine's bookkeeping.
  cachedTokens = 0
  /** Prompt tokens whose KV came from a lower cache tier. */
  loadedTokens = 0
  computedTokens = 0
  generatedTokens = 0
  tokensPerStep = 1
  startStep = 0
  finishStep = 0
  chunk = 0
  preemptions = 0
  preemptedAt = Number.NaN
  preemptedSeconds = 0
  longestGap = 0
  /** The prefill side still keeps its KV. */
  holdsPrefill = false
  prefillRank: Rank | null = null
  rtt = 0
  lossRate = 0
  drafted = 0
  accepted = 0
  kvBytes = 0
  adapterLoaded = false

  // State of the replica at arrival.
  running = 0
  waiting = 0
  kvUsage = 0
  replicaAge = 0
  cold = false

  constructor(index: number, key: number, seed: number, tenant: Tenant, client: ClientProfile, model: ServedModel) {
    this.index = index
    this.key = key
    this.seed = seed
    this.tenant = tenant
    this.client = client
    this.model = model
  }

  get blockCount(): number {
    return this.blocks === null ? Math.floor(this.promptTokens / BLOCK_TOKENS) : this.blocks.length
  }

  blockId(index: number): number {
    if (this.blocks !== null) return this.blocks[index] as number
    return index < this.systemBlocks ? this.systemKey + index : this.contentKey + index
  }

  /** Forgets what the last attempt had come to; phases stay booked. */
  beginAttempt(now: number): void {
    this.attemptAt = now
    this.epoch++
    this.state = 'sent'
    this.engine = null
    this.prefillEngine = null
    this.rank = null
    this.prefilledAt = Number.NaN
    this.firstTokenAt = Number.NaN
    this.preemptedAt = Number.NaN
    this.loadedTokens = 0
    this.computedTokens = 0
    this.generatedTokens = 0
  }

  /** Adds up the phases when nothing more will be booked. */
  settle(): void {
    let before = 0
    let after = 0
    for (let phase = 0; phase < PHASE_COUNT; phase++) {
      const seconds = this.phases[phase] as number
      if (BEFORE_FIRST_TOKEN[phase]) before += seconds
      else after += seconds
    }
    this.totalSeconds = before + after
    this.firstTokenSeconds = Number.isNaN(this.firstTokenAt) ? Number.NaN : before
  }

  /** Adds seconds to a phase. */
  spend(phase: number, seconds: number): void {
    this.phases[phase] = (this.phases[phase] as number) + Math.max(0, seconds)
    this.reached[phase] = 1
  }
}
