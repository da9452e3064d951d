// The way of a request through the fleet: client network, gateway, router, API server, engine(s), and back; with retries, time-outs and
// callers who give up. Engines report to it; every second is booked to a phase at the moment it is over.
import type { EventHandler } from '../core/event-queue.ts'
import { hash, logNormal, uniform } from '../core/random.ts'
import { PHASE, type SimOutcome, type SimRequest } from '../core/request.ts'
import type { Engine, EngineListener, SimQueue } from '../engine/engine.ts'
import { nearestRegion } from '../fleet/distances.ts'
import type { Fleet, Pool } from '../fleet/fleet.ts'
import { Router } from '../router/router.ts'
import { acquireAdapter, loadFromHost, tokenizeSeconds, transferSeconds } from './costs.ts'
import { bookArrival, bookDrain, bookReturn } from './network.ts'

const ROUTE = 1
const ENQUEUE = 2
const TRANSFERRED = 3
const DEADLINE = 4
const GIVE_UP = 5
const RETRY = 6
const REFUSE = 7
const SERVER_ERROR = 8
const KINDS = 16

/** Waiting requests a replica may have before the gateway refuses more. */
const GATEWAY_LIMIT = 400

export interface JourneyOptions {
  queue: SimQueue
  ended(request: SimRequest, now: number): void
}

export class Journey implements EventHandler<SimRequest | null>, EngineListener {
  readonly inFlight = new Set<SimRequest>()
  /** Region whose traffic goes to another one: failover. */
  readonly failover = new Map<string, string>()
  private readonly options: JourneyOptions
  private readonly router = new Router()
  private readonly pools = new Map<string, Pool>()
  private readonly near = new Map<string, string>()
  private fleet: Fleet | null = null

  constructor(options: JourneyOptions) {
    this.options = options
  }

  attach(fleet: Fleet): void {
    this.fleet = fleet
    for (const client of fleet.clientRegions) this.near.set(client, nearestRegion(client, fleet.regions))
    for (const pool of fleet.pools) this.pools.set(`${pool.model.name}\n${pool.region}`, pool)
  }

  submit(request: SimRequest, now: number): void {
    request.startedAt = now
    this.inFlight.add(request)
    this.attempt(request, now)
    const { tenant, seed } = request
    if (uniform(seed, 21) < tenant.abortShare) this.at(now + logNormal(8, 1, seed, 22), GIVE_UP, request, true)
  }

  handle(now: number, kind: number, payload: SimRequest | null): void {
    const request = payload as SimRequest
    if (request.state === 'ended') return
    const epoch = Math.floor(kind / KINDS)
    if (epoch !== 0 && epoch !== request.epoch) return
    switch (kind % KINDS) {
      case ROUTE:
        this.route(request, now)
        break
      case ENQUEUE:
        this.enqueue(request, now)
        break
      case TRANSFERRED:
        this.transferred(request, now)
        break
      case DEADLINE:
        this.failAttempt(request, now, 'timeout', 'timeout', null)
        break
      case GIVE_UP:
        this.finish(request, now, 'aborted')
        break
      case RETRY:
        this.attempt(request, now)
        break
      case REFUSE:
        this.failAttempt(request, now, 'rejected', 'rate_limited', 429)
        break
      case SERVER_ERROR:
        this.failAttempt(request, now, 'error', 'server_error', 500)
        break
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
    this.at(start + seconds + source.transferDelay.value, TRANSFERRED, request)
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
      this.bookOpenPhase(request, now)
      request.settle()
    }
    return open
  }

  private attempt(request: SimRequest, now: number): void {
    request.attemptAt = now
    request.epoch++
    request.state = 'sent'
    request.engine = null
    request.prefillEngine = null
    request.rank = null
    request.prefilledAt = Number.NaN
    request.firstTokenAt = Number.NaN
    request.loadedTokens = 0
    request.preemptedAt = Number.NaN
    request.computedTokens = 0
    request.generatedTokens = 0
    const fleet = this.fleet as Fleet
    const near = this.near.get(request.client.region) as string
    const region = this.failover.get(near) ?? near
    const gateways = fleet.gateways.filter((gateway) => gateway.region === region)
    request.gateway = gateways[hash(request.seed, 23) % gateways.length] ?? null
    const seconds = bookArrival(request, fleet, region)
    this.at(now + seconds, ROUTE, request)
    const usual = request.model.reasoning ? Math.max(600, request.client.timeoutSeconds) : request.client.timeoutSeconds
    const patience = usual * request.tenant.timeoutScale.value
    this.at(now + patience, DEADLINE, request)
  }

  private route(request: SimRequest, now: number): void {
    const pool = this.poolOf(request)
    const engine = this.router.pick(pool, pool.prefillEngines.length > 0 ? pool.prefillEngines : pool.engines, request, now)
    if (engine === null) {
      this.failAttempt(request, now, 'error', 'no_healthy_upstream', 503)
      return
    }
    request.engine = engine
    request.prefillEngine = engine.spec.role === 'prefill' ? engine : null
    request.revision = engine.spec.revision
    if (engine.waiting > GATEWAY_LIMIT) {
      this.at(now + 0.002, REFUSE, request)
      return
    }
    observeState(request, engine, now)
    const sidecar = logNormal(0.00025, 0.4, request.seed, 24) + engine.sidecarDelay.value
    request.spend(PHASE.sidecar, sidecar)
    request.last.sidecar = sidecar
    const tokenized = Math.max(now + sidecar, engine.tokenizerFreeAt) + tokenizeSeconds(engine, request)
    engine.tokenizerFreeAt = tokenized
    if (uniform(request.seed, 25, request.attempts) < engine.errorRate.value) {
      this.at(tokenized, SERVER_ERROR, request)
      return
    }
    // The API server's own work beside the tokenizer does not hold others up.
    const done = tokenized + logNormal(0.008, 0.3, request.seed, 26)
    request.last.tokenize = done - now - sidecar
    request.spend(PHASE['engine.tokenize'], request.last.tokenize)
    this.at(done, ENQUEUE, request)
  }

  private enqueue(request: SimRequest, now: number): void {
    const engine = request.engine as Engine
    if (!engine.up) {
      this.failAttempt(request, now, 'error', 'connection_refused', 503)
      return
    }
    request.arrivedAt = now
    request.state = 'waiting'
    const load = acquireAdapter(engine, request)
    if (load > 0) {
      engine.counters.adapterLoads++
      request.spend(PHASE['engine.queue'], load)
      request.arrivedAt = now + load
      request.state = 'sent'
      // Looked up again when the weights are there.
      this.at(now + load, ENQUEUE, request)
      return
    }
    const loading = loadFromHost(engine, request)
    if (loading > 0) {
      request.spend(PHASE['kv.load'], loading)
      request.state = 'sent'
      this.at(now + loading, ENQUEUE, request)
      return
    }
    engine.enqueue(request, now)
  }

  private toDecode(request: SimRequest, now: number): void {
    const pool = this.poolOf(request)
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

  private poolOf(request: SimRequest): Pool {
    const region = (request.gateway as { region: string }).region
    const pool = this.pools.get(`${request.model.name}\n${region}`)
    if (pool === undefined) throw new Error(`no pool of ${request.model.name} in ${region}`)
    return pool
  }

  private failAttempt(request: SimRequest, now: number, outcome: SimOutcome, errorClass: string, status: number | null): void {
    request.errorClass = errorClass
    request.httpStatus = status
    this.leaveEngines(request, now)
    this.bookOpenPhase(request, now)
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
    this.at(now + backoff, RETRY, request)
  }

  private finish(request: SimRequest, now: number, outcome: SimOutcome): void {
    if (outcome !== 'ok') {
      this.leaveEngines(request, now)
      this.bookOpenPhase(request, now)
    } else {
      request.errorClass = null
      request.httpStatus = 200
    }
    request.state = 'ended'
    request.outcome = outcome
    request.endedAt = now
    request.settle()
    this.inFlight.delete(request)
    this.options.ended(request, now)
  }

  private leaveEngines(request: SimRequest, now: number): void {
    this.releasePrefill(request)
    if (request.engine !== null && request.rank !== null) request.engine.cancel(request, now)
    else if (request.engine !== null && request.state === 'waiting') request.engine.cancel(request, now)
  }

  /** Books the seconds since the last boundary to the phase the request is in. */
  private bookOpenPhase(request: SimRequest, now: number): void {
    let booked = 0
    for (const seconds of request.phases) booked += seconds
    const left = now - request.startedAt - booked
    if (left > 0) request.spend(openPhase(request), left)
  }

  private at(time: number, kind: number, request: SimRequest, anyAttempt = false): void {
    this.options.queue.schedule(time, this, kind + (anyAttempt ? 0 : request.epoch * KINDS), request)
  }
}

function openPhase(request: SimRequest): number {
  if (!Number.isNaN(request.firstTokenAt)) return PHASE['engine.decode']
  if (!Number.isNaN(request.prefilledAt)) return request.state === 'transferring' ? PHASE['kv.transfer'] : PHASE['engine.queue_or_kv']
  if (request.state === 'prefilling') return PHASE['engine.prefill']
  if (request.state === 'waiting') return PHASE['engine.queue']
  return request.engine === null ? PHASE['client.upload'] : PHASE['engine.tokenize']
}

function observeState(request: SimRequest, engine: Engine, now: number): void {
  request.running = engine.running
  request.waiting = engine.waiting
  request.kvUsage = engine.usage
  request.replicaAge = now - engine.startedAt
  request.cold = now < engine.coldUntil
}
