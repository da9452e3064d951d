// The way of a request through the fleet: client network, gateway, router, API server, engine(s), and back; with retries, time-outs and
// callers who give up. Engines report to it; every second is booked to a phase at the moment it is over.
import type { EventHandler } from '../core/event-queue.ts'
import { logNormal, uniform } from '../core/random.ts'
import { PHASE, type SimOutcome, type SimRequest } from '../core/request.ts'
import type { Engine } from '../engine/engine.ts'
import type { EngineListener, SimQueue } from '../engine/listener.ts'
import type { Fleet } from '../fleet/fleet.ts'
import { Router } from '../router/router.ts'
import { tokenizeSeconds, transferSeconds, waitForWeights } from './costs.ts'
import { Geography } from './geography.ts'
import { bookDrain, bookReturn } from './network.ts'
import { bookOpenPhase, observeState } from './open-phase.ts'

/** What may be due for a request. */
const Due = { route: 1, enqueue: 2, transferred: 3, deadline: 4, giveUp: 5, retry: 6, refuse: 7, serverError: 8 } as const
const KINDS = 16

type Failure = [outcome: SimOutcome, errorClass: string, status: number | null]
const FAILURES: Record<number, Failure> = {
  [Due.deadline]: ['timeout', 'timeout', null],
  [Due.refuse]: ['rejected', 'rate_limited', 429],
  [Due.serverError]: ['error', 'server_error', 500],
}

/** Waiting requests a replica may have before the gateway refuses more. */
const GATEWAY_LIMIT = 400

export interface JourneyOptions {
  queue: SimQueue
  ended(request: SimRequest, now: number): void
}

export class Journey implements EventHandler<SimRequest | null>, EngineListener {
  readonly inFlight = new Set<SimRequest>()
  private readonly options: JourneyOptions
  private readonly router = new Router()
  private readonly geography: Geography

  constructor(options: JourneyOptions) {
    this.options = options
    this.geography = new Geography()
  }

  /** Region whose traffic goes to another one. */
  get failover(): Map<string, string> {
    return this.geography.failover
  }

  attach(fleet: Fleet): void {
    this.geography.attach(fleet)
  }

  submit(request: SimRequest, now: number): void {
    request.startedAt = now
    this.inFlight.add(request)
    this.attempt(request, now)
    const { tenant, seed } = request
    if (uniform(seed, 21) < tenant.abortShare) this.at(now + logNormal(8, 1, seed, 22), Due.giveUp, request, true)
  }

  /** A request that reached an engine's API server over a real socket: neither network nor gateway are modelled. */
  receive(request: SimRequest, engine: Engine, now: number): void {
    request.startedAt = now
    request.attemptAt = now
    request.epoch = 1
    this.inFlight.add(request)
    this.accept(request, engine, now, 0)
  }

  /** Its caller has closed the socket. */
  leave(request: SimRequest, now: number): void {
    if (request.state !== 'ended') this.finish(request, now, 'aborted')
  }

  handle(now: number, kind: number, payload: SimRequest | null): void {
    const request = payload as SimRequest
    if (request.state === 'ended') return
    const epoch = Math.floor(kind / KINDS)
    if (epoch !== 0 && epoch !== request.epoch) return
    switch (kind % KINDS) {
      case Due.route:
        this.route(request, now)
        break
      case Due.enqueue:
        this.enqueue(request, now)
        break
      case Due.transferred:
        this.transferred(request, now)
        break
      case Due.giveUp:
        this.finish(request, now, 'aborted')
        break
      case Due.retry:
        this.attempt(request, now)
        break
      default:
        this.failAttempt(request, now, ...(FAILURES[kind % KINDS] as Failure))
    }
  }

  prefilled(engine: Engine, request: SimRequest, now: number): void {
    if (engine.spec.role === 'decode') {
      request.spend(PHASE['engine.queue_or_kv'], now - request.arrivedAt)
    } else {
      request.spend(PHASE['engine.prefill'], now - request.scheduledAt)
      request.prefilledAt = now
      if (engine.spec.role === 'prefill') {
        this.toDecode(request, now)
        return
      }
    }
    request.firstTokenAt = now
    request.stream?.progress(1)
    bookReturn(request, engine)
  }

  roomFound(engine: Engine, request: SimRequest, now: number): void {
    const source = request.prefillEngine as Engine
    request.kvBytes = request.promptTokens * source.spec.kvBytesPerToken
    const seconds = transferSeconds(source, engine, request.kvBytes)
    const start = Math.max(now, source.linkFreeAt)
    source.linkFreeAt = start + seconds
    source.counters.transferredBytes += request.kvBytes
    request.scheduledAt = now
    request.last.transferStart = start
    this.at(start + seconds + source.transferDelay.value, Due.transferred, request)
  }

  finished(engine: Engine, request: SimRequest, now: number): void {
    request.spend(PHASE['engine.decode'], now - request.firstTokenAt)
    bookDrain(request, engine)
    this.finish(request, now, 'ok')
  }

  failed(engine: Engine, request: SimRequest, now: number, errorClass: string, status: number | null): void {
    if (request.prefillEngine !== null && request.prefillEngine !== engine) this.releasePrefill(request)
    request.engine = null
    this.failAttempt(request, now, 'error', errorClass, status)
  }

  /** Whatever has not ended: rows that are still open. */
  drainOpen(now: number): SimRequest[] {
    const open = [...this.inFlight].sort((a, b) => a.index - b.index)
    for (const request of open) {
      bookOpenPhase(request, now)
      request.settle()
    }
    return open
  }

  private attempt(request: SimRequest, now: number): void {
    request.beginAttempt(now)
    const seconds = this.geography.enter(request)
    this.at(now + seconds, Due.route, request)
    const usual = request.model.reasoning ? Math.max(600, request.client.timeoutSeconds) : request.client.timeoutSeconds
    const patience = usual * request.tenant.timeoutScale.value
    this.at(now + patience, Due.deadline, request)
  }

  private route(request: SimRequest, now: number): void {
    const pool = this.geography.poolOf(request)
    const engine = this.router.pick(pool, pool.prefillEngines.length > 0 ? pool.prefillEngines : pool.engines, request, now)
    if (engine === null) {
      this.failAttempt(request, now, 'error', 'no_healthy_upstream', 503)
      return
    }
    if (engine.waiting > GATEWAY_LIMIT) {
      request.engine = engine
      this.at(now + 0.002, Due.refuse, request)
      return
    }
    const sidecar = logNormal(0.00025, 0.4, request.seed, 24) + engine.sidecarDelay.value
    request.spend(PHASE.sidecar, sidecar)
    request.last.sidecar = sidecar
    this.accept(request, engine, now, sidecar)
  }

  /** The API server of an engine has the request. */
  private accept(request: SimRequest, engine: Engine, now: number, sidecar: number): void {
    request.engine = engine
    request.prefillEngine = engine.spec.role === 'prefill' ? engine : null
    request.revision = engine.spec.revision
    observeState(request, engine, now)
    const tokenized = Math.max(now + sidecar, engine.tokenizerFreeAt) + tokenizeSeconds(engine, request)
    engine.tokenizerFreeAt = tokenized
    if (uniform(request.seed, 25, request.attempts) < engine.errorRate.value) {
      this.at(tokenized, Due.serverError, request)
      return
    }
    // The API server's own work beside the tokenizer does not hold others up.
    const done = tokenized + logNormal(0.008, 0.3, request.seed, 26)
    request.last.tokenize = done - now - sidecar
    request.spend(PHASE['engine.tokenize'], request.last.tokenize)
    this.at(done, Due.enqueue, request)
  }

  private enqueue(request: SimRequest, now: number): void {
    const engine = request.engine as Engine
    if (!engine.up) {
      this.failAttempt(request, now, 'error', 'connection_refused', 503)
      return
    }
    request.stream?.accepted()
    request.arrivedAt = now
    request.state = 'waiting'
    const wait = waitForWeights(engine, request)
    if (wait > 0) {
      // Looked at again when the weights or the KV are there.
      request.state = 'sent'
      this.at(now + wait, Due.enqueue, request)
      return
    }
    engine.enqueue(request, now)
  }

  private toDecode(request: SimRequest, now: number): void {
    const pool = this.geography.poolOf(request)
    const engine = this.router.pick(pool, pool.engines, request, now)
    if (engine === null) {
      this.failAttempt(request, now, 'error', 'no_healthy_upstream', 503)
      return
    }
    request.engine = engine
    request.arrivedAt = now
    request.queuedAt = now
    request.state = 'waiting'
    request.computedTokens = 0
    engine.enqueue(request, now)
  }

  private transferred(request: SimRequest, now: number): void {
    request.spend(PHASE['kv.transfer'], now - request.scheduledAt)
    request.last.transferEnd = now
    this.releasePrefill(request)
    request.arrivedAt = now
    ;(request.engine as Engine).kvArrived(request, now)
  }

  private releasePrefill(request: SimRequest): void {
    const source = request.prefillEngine
    if (source === null || !request.holdsPrefill) return
    request.holdsPrefill = false
    source.release(request)
  }

  private failAttempt(request: SimRequest, now: number, outcome: SimOutcome, errorClass: string, status: number | null): void {
    request.errorClass = errorClass
    request.httpStatus = status
    this.leaveEngines(request, now)
    bookOpenPhase(request, now)
    const retries = request.tenant.retriesOverride ?? request.client.retries
    const streamed = !Number.isNaN(request.firstTokenAt)
    if (request.attempts > retries || (streamed && request.tenant.retriesOverride === null)) {
      this.finish(request, now, outcome)
      return
    }
    request.failedTries ??= []
    request.failedTries.push({ start: request.attemptAt, end: now, outcome, errorClass, status, engine: request.engine })
    const backoff = 0.5 * 2 ** (request.attempts - 1) * (0.75 + 0.5 * uniform(request.seed, 27, request.attempts))
    request.attempts++
    request.spend(PHASE['client.backoff'], backoff)
    request.state = 'sent'
    request.epoch++
    this.at(now + backoff, Due.retry, request)
  }

  private finish(request: SimRequest, now: number, outcome: SimOutcome): void {
    if (outcome !== 'ok') {
      this.leaveEngines(request, now)
      bookOpenPhase(request, now)
    } else {
      request.errorClass = null
      request.httpStatus = 200
    }
    request.state = 'ended'
    request.outcome = outcome
    request.endedAt = now
    request.settle()
    this.inFlight.delete(request)
    request.stream?.ended(request)
    this.options.ended(request, now)
  }

  private leaveEngines(request: SimRequest, now: number): void {
    this.releasePrefill(request)
    if (request.engine !== null && request.rank !== null) request.engine.cancel(request, now)
    else if (request.engine !== null && request.state === 'waiting') request.engine.cancel(request, now)
  }

  private at(time: number, kind: number, request: SimRequest, anyAttempt = false): void {
    this.options.queue.schedule(time, this, kind + (anyAttempt ? 0 : request.epoch * KINDS), request)
  }
}
