// One replica: an inference server whose ranks step together, with continuous batching and chunked prefill. While nothing is being
// prefilled, steps until the next sequence ends are taken as one leap and cut short by an arrival, so the work is per finished request
// and not per token. Scheduling rules are in schedule.ts, step time in step-time.ts.

import type { EventHandler } from '../core/event-queue.ts'
import { PHASE, type SimRequest } from '../core/request.ts'
import type { EngineSpec } from '../fleet/fleet.ts'
import { assignRank } from './balancer.ts'
import { EngineCounters, RankCounters } from './counters.ts'
import { leaveDecoding, remove, startDecoding } from './decoding.ts'
import { FinishHeap } from './finish-heap.ts'
import { GapRecord } from './gap-record.ts'
import { HostTier } from './host-tier.ts'
import { EngineKnobs } from './knobs.ts'
import type { EngineListener, SimQueue } from './listener.ts'
import { Rank } from './rank.ts'
import { admitAndChunk, preemptWhereFull } from './schedule.ts'
import { leapSeconds, stepsWithin } from './step-time.ts'

/** Weight of one scheduling round in the running means. */
const TYPICAL_WEIGHT = 0.002

export class Engine extends EngineKnobs implements EventHandler<SimRequest | null> {
  readonly spec: EngineSpec
  readonly queue: SimQueue
  readonly listener: EngineListener
  readonly ranks: Rank[]
  readonly finishes = new FinishHeap()
  readonly gaps = new GapRecord()
  counters = new EngineCounters()
  /** LoRA adapters in the GPU pool, oldest first. */
  readonly adapters = new Map<string, true>()
  /** KV of prompts in host memory, where the engine has such a tier. */
  readonly hostTier: HostTier | null
  readonly seed: number

  up = true
  hung = false
  /** What usually runs, over the last half minute or so. */
  typicalRunning = 0
  startedAt: number
  /** Until then the engine counts as cold: kernels compile lazily, connections form. */
  coldUntil = 0
  stepIndex = 0
  /** Never take leaps: somebody listens to single tokens. */
  everyStep = false
  tokenizerFreeAt = Number.NEGATIVE_INFINITY
  linkFreeAt = Number.NEGATIVE_INFINITY

  private stepping = false
  private version = 0
  private pendingSteps = 0
  private stepStartedAt = 0
  private readonly inbox: SimRequest[] = []

  constructor(spec: EngineSpec, queue: SimQueue, listener: EngineListener, seed: number, startedAt: number) {
    super()
    this.spec = spec
    this.queue = queue
    this.listener = listener
    this.seed = seed
    this.startedAt = startedAt
    this.hostTier = spec.hostTierTokens > 0 ? new HostTier(spec.hostTierTokens) : null
    this.ranks = spec.rankNames.map((name, index) => new Rank(name, index, spec.kvTokens))
  }

  get running(): number {
    let count = 0
    for (const rank of this.ranks) count += rank.running.length + rank.prefilling.length
    return count
  }

  get waiting(): number {
    let count = this.inbox.length
    for (const rank of this.ranks) count += rank.waiting.length
    return count
  }

  get usage(): number {
    let usage = 0
    for (const rank of this.ranks) usage += rank.usage
    return usage / this.ranks.length
  }

  /** The core receives a request; it is looked at when the running step ends. */
  enqueue(request: SimRequest, now: number): void {
    this.inbox.push(request)
    this.wake(now)
  }

  /** The KV of a request has arrived: it decodes from the next step on. */
  kvArrived(request: SimRequest, now: number): void {
    request.state = 'prefilling'
    this.wake(now)
  }

  /** Takes a request out, whatever it is doing. */
  cancel(request: SimRequest, now: number): void {
    const rank = request.rank
    if (rank !== null) {
      if (request.state === 'decoding') leaveDecoding(this, rank, request)
      else if (request.state === 'prefilling' || request.state === 'transferring') {
        remove(rank.prefilling, request)
        rank.reservedTokens -= request.promptTokens + request.generatedTokens
      } else remove(rank.waiting, request)
    }
    remove(this.inbox, request)
    request.rank = null
    this.wake(now)
  }

  /** Everything running fails and memory is lost; nothing is accepted until `start`. */
  crash(now: number, errorClass: string): void {
    const victims = [...this.inbox]
    for (const rank of this.ranks) {
      victims.push(...rank.waiting, ...rank.prefilling, ...rank.running)
      rank.clear()
    }
    this.inbox.length = 0
    this.finishes.clear()
    this.adapters.clear()
    this.up = false
    this.stepping = false
    this.version++
    for (const request of victims) {
      request.rank = null
      this.listener.failed(this, request, now, errorClass, null)
    }
  }

  start(now: number, coldSeconds: number): void {
    this.up = true
    this.startedAt = now
    this.coldUntil = now + coldSeconds
    this.tokenizerFreeAt = now
    this.linkFreeAt = now
    // A restarted process counts from zero.
    this.counters = new EngineCounters()
    for (const rank of this.ranks) rank.counters = new RankCounters()
  }

  /** A hung engine accepts and answers nothing, though its health check stays green. */
  hang(hung: boolean, now: number): void {
    this.hung = hung
    if (hung) {
      this.version++
      return
    }
    this.stepping = false
    this.begin(now)
  }

  handle(now: number, kind: number): void {
    if (kind !== this.version || !this.up || this.hung) return
    this.endSteps(now)
    this.begin(now)
  }

  private wake(now: number): void {
    if (!this.up || this.hung) return
    if (!this.stepping) this.begin(now)
    else if (this.pendingSteps > 1) this.cutLeap(now)
  }

  /** Ends a leap with the step that is running now. */
  private cutLeap(now: number): void {
    const steps = stepsWithin(this, this.stepStartedAt, this.pendingSteps, now - this.stepStartedAt)
    if (steps >= this.pendingSteps) return
    this.pendingSteps = steps
    this.version++
    const end = this.stepStartedAt + leapSeconds(this, this.stepStartedAt, steps)
    this.queue.schedule(Math.max(end, now), this, this.version, null)
  }

  private endSteps(now: number): void {
    const steps = this.pendingSteps
    if (steps === 0) return
    this.pendingSteps = 0
    this.stepIndex += steps
    this.gaps.push(this.stepIndex, (now - this.stepStartedAt) / steps)
    this.counters.steps += steps
    this.counters.stepSeconds += now - this.stepStartedAt
    for (const rank of this.ranks) {
      if (rank.running.length === 0) continue
      rank.contextTokens += rank.growth * steps
      rank.counters.outputTokens += rank.growth * steps
    }
    if (this.everyStep) this.tellStreams()
    for (let request = this.finishes.take(this.stepIndex); request !== undefined; request = this.finishes.take(this.stepIndex)) {
      leaveDecoding(this, request.rank as Rank, request)
      request.rank = null
      this.listener.finished(this, request, now)
    }
    for (const rank of this.ranks) if (rank.prefilling.length > 0) this.endChunks(rank, now)
  }

  private tellStreams(): void {
    for (const rank of this.ranks) {
      for (const request of rank.running) {
        const produced = request.generatedTokens + (this.stepIndex - request.startStep) * request.tokensPerStep
        request.stream?.progress(Math.min(request.outputTokens, Math.floor(produced + 1e-6)))
      }
    }
  }

  private endChunks(rank: Rank, now: number): void {
    let kept = 0
    const { prefilling } = rank
    const done: SimRequest[] = []
    for (const request of prefilling) {
      request.computedTokens += request.chunk
      rank.counters.computedTokens += request.chunk
      request.chunk = 0
      const whole = request.computedTokens >= request.promptTokens + request.generatedTokens
      if (request.state === 'prefilling' && whole) done.push(request)
      else prefilling[kept++] = request
    }
    prefilling.length = kept
    for (const request of done) this.promptDone(rank, request, now)
  }

  private promptDone(rank: Rank, request: SimRequest, now: number): void {
    if (this.spec.role !== 'decode') {
      rank.cache.insert(request)
      this.hostTier?.keep(request)
    }
    if (Number.isNaN(request.preemptedAt)) {
      if (this.spec.role === 'prefill') {
        // The KV stays until the transfer has ended: release() frees it.
        request.state = 'transferring'
        request.prefillRank = rank
        request.rank = null
        request.holdsPrefill = true
        this.listener.prefilled(this, request, now)
        return
      }
      request.generatedTokens = 1
      rank.reservedTokens += 1
      rank.counters.outputTokens++
      this.listener.prefilled(this, request, now)
    } else {
      request.preemptedSeconds += now - request.preemptedAt
      const stall = now - request.preemptedAt
      if (stall > request.longestGap) request.longestGap = stall
      request.preemptedAt = Number.NaN
    }
    startDecoding(this, rank, request)
    rank.trimCache()
  }

  /** The prefill side lets go of a prompt whose KV has been moved. */
  release(request: SimRequest): void {
    const rank = request.prefillRank as Rank
    rank.reservedTokens -= request.promptTokens
    rank.trimCache()
    this.wake(this.queue.now)
  }

  private begin(now: number): void {
    if (!this.up || this.hung) return
    for (const request of this.inbox) {
      request.spend(this.spec.role === 'decode' ? PHASE['engine.queue_or_kv'] : PHASE['engine.admit'], now - request.arrivedAt)
      request.queuedAt = now
      assignRank(this.ranks, request).waiting.push(request)
    }
    this.inbox.length = 0
    this.typicalRunning += (this.running - this.typicalRunning) * TYPICAL_WEIGHT
    for (const rank of this.ranks) rank.typicalTokens += (rank.usedTokens - rank.typicalTokens) * TYPICAL_WEIGHT
    const blocked = preemptWhereFull(this, now)
    const busy = admitAndChunk(this, now, blocked)
    if (!busy) {
      this.stepping = false
      return
    }
    this.stepping = true
    this.stepStartedAt = now
    this.pendingSteps = this.stepsAhead()
    this.version++
    this.queue.schedule(now + leapSeconds(this, now, this.pendingSteps), this, this.version, null)
  }

  /** Steps that can be taken at once: until a sequence ends or a rank's memory is full, one while prompts are computed. */
  private stepsAhead(): number {
    if (this.everyStep) return 1
    let steps = this.finishes.nextStep() - this.stepIndex
    for (const rank of this.ranks) {
      for (const request of rank.prefilling) if (request.state === 'prefilling') return 1
      if (rank.growth > 0) steps = Math.min(steps, Math.floor((rank.capacity - rank.usedTokens) / rank.growth))
    }
    if (this.hostStall.value > 0) steps = Math.min(steps, 8)
    return Math.max(1, Math.min(steps, 4096))
  }
}
