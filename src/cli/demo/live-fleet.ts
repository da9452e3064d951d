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
import type { FleetSettings, FromFleet } from './messages.ts'
import { createOtlpClient, type OtlpClient } from './otlp-client.ts'

const PACE_MS = 50
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
      onEnded: (request) => this.ended.push(request),
      onSample: (sample) => this.samples.push(sample),
      onEvent: (event) => this.postEvent(event),
    })
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
    await this.otlp.flush()
  }

  /** Catches up with the clock (the fleet fills before its second 0) and keeps pace from then on. */
  goLive(): void {
    this.advance()
    this.timer = setInterval(() => this.advance(), PACE_MS)
    this.send({ type: 'live', replicas: this.simulation.world.fleet.engines.map((engine) => engine.spec.name) })
  }

  private advance(): void {
    const until = ((Date.now() - this.settings.liveFromMs) / 1e3) * this.settings.speed
    this.simulation.run(until)
    this.sendSpans()
    if (this.samples.length > 0) {
      const unixNano = this.instant(until)
      this.otlp.metrics(sampleMetrics(this.samples.map((sample) => ({ ...sample, unix_ns: unixNano }))))
      this.samples = []
    }
    if (until >= this.nextOpen) {
      this.nextOpen = until + OPEN_EVERY_SECONDS
      this.sendOpen(until)
    }
  }

  private sendSpans(): void {
    for (let from = 0; from < this.ended.length; from += SPAN_BATCH_REQUESTS) {
      const spans = this.ended
        .slice(from, from + SPAN_BATCH_REQUESTS)
        .flatMap((request) => requestSpans(request, this.settings.seed, this.senders))
      this.otlp.traces(encodeSpans(spans, this.instant))
    }
    this.ended = []
  }

  private sendOpen(now: number): void {
    const logs = openRequestLogs(this.simulation.world.journey.inFlight, now, this.settings.seed, this.senders, this.instant)
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
