// One run: a fleet, its tenants, faults and shifts on one virtual clock. Rows, samples and change events come out through callbacks.
import type { ChangeEvent } from '@longpole/model/change-event'
import type { EngineSample } from '@longpole/model/engine-sample'
import { Journey } from './client/journey.ts'
import { EventQueue } from './core/event-queue.ts'
import { hashText, RandomStream } from './core/random.ts'
import type { SimRequest } from './core/request.ts'
import { Engine } from './engine/engine.ts'
import { buildFleet } from './fleet/build.ts'
import { announceInnocentChanges } from './fleet/changes.ts'
import { nearestRegion } from './fleet/distances.ts'
import { DEFAULT_FLEET, type FleetPlan } from './fleet/plan.ts'
import { Sampler } from './output/samples.ts'
import { Arrivals } from './workload/arrivals.ts'
import { RequestDrawer } from './workload/draw-request.ts'
import { drawTenants } from './workload/tenant.ts'
import { scheduleTrace, type TraceRow } from './workload/trace.ts'
import { TraceArrivals } from './workload/trace-arrivals.ts'
import type { World } from './world.ts'

/** Virtual seconds before second 0 in which the fleet fills and nothing is recorded. */
const WARM_UP_SECONDS = 240

export interface SimulationOptions {
  seed: number
  /** What the fleet is drawn from, where it is not the usual one. */
  fleet?: FleetPlan
  /** Seed of arrivals and lengths, where the same fleet is to meet other traffic. */
  trafficSeed?: number
  /** Length of the recorded run. */
  seconds: number
  /** Open-loop requests a second. */
  rate: number
  agents: number
  /** A recorded trace instead of the generator's open-loop arrivals. */
  trace?: readonly TraceRow[]
  startUnixNano: bigint
  /** How long the fleet has run before the first second, where this run goes on behind another one of the same fleet; 0 otherwise. */
  runningSeconds?: number
  /** Turns knobs before the clock starts: faults and shifts. */
  inject?: readonly ((world: World) => void)[]
  onEnded?(request: SimRequest): void
  onSample?(sample: EngineSample): void
  onEvent?(event: ChangeEvent): void
}

export class Simulation {
  readonly world: World
  private readonly options: SimulationOptions
  private readonly journey: Journey

  constructor(options: SimulationOptions) {
    this.options = options
    const queue = new EventQueue<SimRequest | null>()
    queue.now = -WARM_UP_SECONDS
    this.journey = new Journey({
      queue,
      ended: (request, now) => {
        arrivals.ended(request, now)
        if (request.startedAt >= 0) options.onEnded?.(request)
      },
    })
    const fleet = buildFleet({
      seed: options.seed,
      plan: options.fleet ?? DEFAULT_FLEET,
      queue,
      listener: this.journey,
      startedBefore: -(options.runningSeconds ?? 0),
    })
    this.journey.attach(fleet)
    const tenants = drawTenants(options.seed, fleet.models, fleet.regions)
    const seed = hashText(options.trafficSeed ?? options.seed, 'arrivals')
    const drawer = new RequestDrawer()
    const submit = (request: SimRequest, now: number) => this.journey.submit(request, now)
    if (options.trace !== undefined) {
      const rows = scheduleTrace(options.trace, options.rate, -WARM_UP_SECONDS, WARM_UP_SECONDS + options.seconds, seed)
      new TraceArrivals({ seed, queue, drawer, tenants: tenants.filter(({ closedLoop }) => !closedLoop), rows, submit })
    }
    const arrivals = new Arrivals({
      seed,
      queue,
      drawer,
      tenants,
      rate: options.trace === undefined ? options.rate : 0,
      agents: options.agents,
      diurnal: 0.25,
      until: options.seconds,
      submit,
    })
    this.world = {
      seed: options.seed,
      queue,
      fleet,
      tenants,
      journey: this.journey,
      arrivals,
      until: options.seconds,
      startUnixNano: options.startUnixNano,
      random: (purpose) => new RandomStream(options.seed, purpose),
      later: (seconds, act) => queue.schedule(seconds, { handle: act }, 0, null),
      addEngine: (pool, spec) => {
        const engine = new Engine(spec, queue, this.journey, hashText(options.seed, spec.name), queue.now)
        if (spec.role === 'prefill') pool.prefillEngines.push(engine)
        else pool.engines.push(engine)
        fleet.engines.push(engine)
        return engine
      },
      nearestRegion: (clientRegion) => nearestRegion(clientRegion, fleet.regions),
      announce: (event) => options.onEvent?.(event),
    }
    announceInnocentChanges(this.world)
    for (const inject of options.inject ?? []) inject(this.world)
    if (options.onSample !== undefined) {
      new Sampler({ queue, engines: fleet.engines, startUnixNano: options.startUnixNano, until: options.seconds, take: options.onSample })
    }
  }

  /** Virtual seconds that have passed since second 0. */
  get now(): number {
    return this.world.queue.now
  }

  run(until: number = this.options.seconds): void {
    this.world.queue.run(Math.min(until, this.options.seconds))
  }

  /** Requests that have not ended, with their present phase booked up to now. Ends the run. */
  takeOpen(): SimRequest[] {
    return this.journey.drainOpen(this.now).filter((request) => request.startedAt >= 0)
  }
}
