// One simulated fleet that keeps pace with the wall clock and sends the hub what its clients, gateways, sidecars and engines would.
import type { ChangeEvent } from '@longpole/model/change-event'
import type { EngineSample } from '@longpole/model/engine-sample'
import type { SimRequest } from '../../simulator/core/request.ts'
import { type Injected, injectFault, PlanError, parseFault } from '../../simulator/faults/plan.ts'
import { Simulation } from '../../simulator/simulation.ts'
import { encodeSpans } from '../../simulator/spans/encode.ts'
import { openRequestLogs } from '../../simulator/spans/open-logs.ts'
import { requestSpans } from '../../simulator/spans/request-spans.ts'
import { sampleMetrics } from '../../simulator/spans/sample-metrics.ts'
import { Senders } from '../../simulator/spans/senders.ts'
import type { SimSpan } from '../../simulator/spans/span.ts'
import { squeeze } from '../../simulator/spans/squeeze.ts'
import type { FleetSettings, FromFleet } from './messages.ts'
import { createOtlpClient, type OtlpClient } from './otlp-client.ts'
import { SocketFleet } from './socket-fleet.ts'

/** Fine enough for single tokens on sockets. */
const PACE_MS = 4
const SEND_EVERY_MS = 250
const OPEN_EVERY_SECONDS = 5
/** Spans leave when so many requests have ended or so long after the first. */
const SPAN_BATCH_REQUESTS = 50
/** A day: nobody looks at a demo for longer. */
const RUN_SECONDS = 86_400

export class Fleet {
  private readonly settings: FleetSettings
  private readonly send: (message: FromFleet) => void
  private readonly simulation: Simulation
  private readonly senders: Senders
  private readonly otlp: OtlpClient
  private readonly startUnixNano: bigint
  private samples: EngineSample[] = []
  private ended: SimRequest[] = []
  private timer: NodeJS.Timeout | null = null
  private nextOpen = 0
  private injected: Injected | null = null
  private injections = 0
  private readonly sockets: SocketFleet
  private nextSendMs = 0

  constructor(settings: FleetSettings, send: (message: FromFleet) => void) {
    this.settings = settings
    this.send = send
    this.startUnixNano = BigInt(settings.liveFromMs) * 1_000_000n
    this.senders = new Senders(settings.seed)
    this.otlp = createOtlpClient(settings.otlp, (message) => send({ type: 'trouble', message }))
    this.simulation = new Simulation({
      seed: settings.seed,
      seconds: RUN_SECONDS,
      rate: settings.rate,
      agents: 12,
      startUnixNano: this.startUnixNano,
      // Else every engine would seem to have been restarted when the history ended.
      runningSeconds: settings.historySeconds,
      onEnded: (request) => {
        this.ended.push(request)
        this.sockets.observe(request)
      },
      onSample: (sample) => this.takeSample(sample),
      onEvent: (event) => this.postEvent(event),
    })
    this.sockets = new SocketFleet(this.simulation.world)
  }

  inject(flag: '--fault' | '--shift', text: string): void {
    try {
      const now = this.simulation.now
      const defaults = { seconds: RUN_SECONDS, seed: this.settings.seed, shape: 'step', duration: Number.POSITIVE_INFINITY } as const
      const planned = parseFault(text, flag, defaults)
      this.heal()
      const times = { ...planned.times, start: now, end: Number.POSITIVE_INFINITY }
      this.injected = injectFault(this.simulation.world, { ...planned, times }, this.injections++)
      const { definition, injection } = this.injected
      const where = Object.entries(injection.truth.slice).map(([name, values]) => `${name}=${values.join('|')}`)
      this.send({
        type: 'injected',
        id: definition.id,
        title: definition.title,
        where: where.join(', ') || 'the whole fleet',
        mechanism: injection.truth.mechanism,
        phases: [...injection.truth.phases],
      })
    } catch (error) {
      if (!(error instanceof PlanError)) throw error
      this.send({ type: 'refused', message: error.message })
    }
  }

  heal(): void {
    if (this.injected === null) return
    this.injected.scheduled.heal(this.simulation.now)
    this.injected = null
    this.send({ type: 'healed' })
  }

  async stop(): Promise<void> {
    if (this.timer !== null) clearInterval(this.timer)
    this.sockets.stop()
    await this.otlp.flush()
  }

  /** Catches up with the clock (the fleet fills before its second 0) and keeps pace from then on. */
  async goLive(): Promise<void> {
    this.advance()
    this.timer = setInterval(() => this.advance(), PACE_MS)
    const { world } = this.simulation
    this.send({ type: 'live', replicas: world.fleet.engines.length })
    const count = await this.sockets.start({
      otlp: this.settings.otlp,
      unixSeconds: () => Date.now() / 1e3,
      catchUp: () => this.catchUp(),
      onTrouble: (message) => this.send({ type: 'trouble', message }),
    })
    this.send({ type: 'sockets', count })
  }

  /** Brings the virtual clock to the wall clock and returns it. */
  private catchUp(): number {
    this.simulation.run(((Date.now() - this.settings.liveFromMs) / 1e3) * this.settings.speed)
    return this.simulation.now
  }

  private advance(): void {
    const now = this.catchUp()
    const nowMs = performance.now()
    if (nowMs < this.nextSendMs) return
    this.nextSendMs = nowMs + SEND_EVERY_MS
    this.sendSpans()
    if (this.samples.length > 0) {
      const unixNano = this.instant(now)
      this.otlp.metrics(sampleMetrics(this.samples.map((sample) => ({ ...sample, unix_ns: unixNano }))))
      this.samples = []
    }
    if (now >= this.nextOpen) {
      this.nextOpen = now + OPEN_EVERY_SECONDS
      this.sendOpen(now)
    }
  }

  /** Replicas on sockets are scraped by their real sidecars. */
  private takeSample(sample: EngineSample): void {
    if (!this.sockets.has(sample.replica)) this.samples.push(sample)
  }

  private spansOf(request: SimRequest): SimSpan[] {
    const { seed, speed } = this.settings
    return requestSpans(request, seed, this.senders).map((span) => squeeze(span, speed))
  }

  private sendSpans(): void {
    const modelled = this.ended.filter((request) => request.external === null)
    for (const request of this.ended) {
      const spans = request.external === null ? [] : this.spansOf(request)
      if (spans.length > 0) this.sockets.spansOf(request)?.traces(encodeSpans(spans, this.instant))
    }
    for (let from = 0; from < modelled.length; from += SPAN_BATCH_REQUESTS) {
      const spans = modelled.slice(from, from + SPAN_BATCH_REQUESTS).flatMap((request) => this.spansOf(request))
      this.otlp.traces(encodeSpans(spans, this.instant))
    }
    this.ended = []
  }

  /** Requests from sockets are reported by their real sidecars. */
  private modelledInFlight(): SimRequest[] {
    return [...this.simulation.world.journey.inFlight].filter((request) => request.external === null)
  }

  private sendOpen(now: number): void {
    const logs = openRequestLogs(this.modelledInFlight(), now, this.settings.seed, this.senders, this.instant)
    if (logs !== null) this.otlp.logs(logs)
  }

  /** Wall time of a virtual second: with a speed factor time is squeezed, and all durations with it. */
  private readonly instant = (seconds: number): bigint => this.startUnixNano + BigInt(Math.round((seconds / this.settings.speed) * 1e9))

  private postEvent(event: ChangeEvent): void {
    const { kind, title, scope, source, from_value, to_value } = event
    const body = JSON.stringify({
      id: event.id,
      kind,
      title,
      scope,
      source,
      from_value,
      to_value,
      unix_ns: String(this.instant(this.simulation.now)),
    })
    fetch(`${this.settings.api}/api/v1/events`, { method: 'POST', headers: { 'content-type': 'application/json' }, body }).catch(
      (error: Error) => this.send({ type: 'trouble', message: `the hub did not take a change event: ${error.message}` }),
    )
  }
}
