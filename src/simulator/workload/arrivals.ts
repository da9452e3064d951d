// When tenants call: open-loop arrivals with bursts and a daily wave, and closed-loop agents whose next call waits for the last one.
import type { EventHandler, EventQueue } from '../core/event-queue.ts'
import { hash, logNormal, normal, uniform } from '../core/random.ts'
import type { SimRequest } from '../core/request.ts'
import type { Conversation, RequestDrawer } from './draw-request.ts'
import type { Tenant } from './tenant.ts'

/** Mean of a Weibull distribution with scale 1, by shape: Γ(1 + 1/shape). */
const WEIBULL_MEAN: Record<number, number> = { 1: 1, 0.7: 1.2658, 0.5: 2 }

/** Above this an agent's context is cleared. */
const LONGEST_AGENT_CONTEXT = 40_000
const DAY_SECONDS = 86_400

export interface ArrivalOptions {
  seed: number
  queue: EventQueue<SimRequest | null>
  drawer: RequestDrawer
  tenants: readonly Tenant[]
  /** Open-loop requests a second of all tenants. */
  rate: number
  /** Agents that call in a loop. */
  agents: number
  /** Amplitude of the daily wave, 0 to 1. */
  diurnal: number
  /** Virtual second after which nobody calls any more. */
  until: number
  submit(request: SimRequest, now: number): void
}

interface Agent {
  tenant: Tenant
  conversation: Conversation
  calls: number
}

export class Arrivals implements EventHandler<SimRequest | null> {
  private readonly options: ArrivalOptions
  private readonly calls: number[]
  private readonly agents: Agent[] = []
  private readonly agentOf = new Map<SimRequest, number>()

  constructor(options: ArrivalOptions) {
    this.options = options
    this.calls = options.tenants.map(() => 0)
    options.tenants.forEach((tenant, index) => {
      if (tenant.closedLoop) this.startAgents(tenant, options.agents)
      else if (options.rate > 0) this.scheduleNext(index, options.queue.now)
    })
  }

  handle(now: number, kind: number): void {
    if (kind >= this.calls.length) this.agentCalls(kind - this.calls.length, now)
    else {
      const tenant = this.options.tenants[kind] as Tenant
      const call = this.calls[kind] as number
      this.calls[kind] = call + 1
      this.scheduleNext(kind, now)
      const key = kind * 2 ** 32 + call
      this.options.submit(this.options.drawer.draw(tenant, key, hash(this.options.seed, key, 1)), now)
    }
  }

  /** A request of an agent has ended: it thinks and calls again. */
  ended(request: SimRequest, now: number): void {
    const index = this.agentOf.get(request)
    if (index === undefined) return
    this.agentOf.delete(request)
    this.agentThinks(index, now)
  }

  private scheduleNext(index: number, now: number): void {
    const { seed, tenants, queue, until } = this.options
    const tenant = tenants[index] as Tenant
    const call = this.calls[index] as number
    const draw = -Math.log(uniform(seed, index * 2 ** 32 + call, 2))
    const shape = tenant.arrivalShape
    const interval = (shape === 1 ? draw : Math.exp(Math.log(draw) / shape)) / (WEIBULL_MEAN[shape] ?? 1)
    const rate = this.options.rate * tenant.share * this.wave(index, now) * tenant.rateScale.value
    // A silenced tenant looks again in a minute.
    const next = now + (rate > 1e-6 ? Math.min(interval / rate, 600) : 60)
    if (next < until) queue.schedule(next, this, index, null)
  }

  /** Daily wave, and the ups and downs of five minutes that every real tenant has. */
  private wave(index: number, now: number): number {
    const { seed, diurnal } = this.options
    const day = triangleWave(now / DAY_SECONDS + 0.2)
    return (1 + diurnal * day) * Math.exp(0.07 * normal(seed, index, 1000 + Math.floor(now / 300)))
  }

  private startAgents(tenant: Tenant, count: number): void {
    for (let agent = 0; agent < count; agent++) {
      const index = this.agents.length
      this.agents.push({ tenant, conversation: this.options.drawer.newConversation(tenant), calls: 0 })
      this.options.queue.schedule(this.options.queue.now + 30 * uniform(this.options.seed, index, 3), this, this.calls.length + index, null)
    }
  }

  private agentCalls(index: number, now: number): void {
    const agent = this.agents[index] as Agent
    if (now >= this.options.until) return
    if (agent.tenant.rateScale.value < uniform(this.options.seed, index, 4)) {
      this.agentThinks(index, now)
      return
    }
    if (agent.conversation.tokens > LONGEST_AGENT_CONTEXT) agent.conversation = this.options.drawer.newConversation(agent.tenant)
    const key = (index + 1000) * 2 ** 32 + agent.calls
    agent.calls++
    const request = this.options.drawer.draw(agent.tenant, key, hash(this.options.seed, key, 5), agent.conversation)
    this.agentOf.set(request, index)
    this.options.submit(request, now)
  }

  private agentThinks(index: number, now: number): void {
    const agent = this.agents[index] as Agent
    const pause = Math.min(120, logNormal(6, 1, this.options.seed, index * 2 ** 32 + agent.calls, 6))
    this.options.queue.schedule(now + pause, this, this.calls.length + index, null)
  }
}

/** Between −1 and 1, period 1, smooth enough for a day (a parabola each half). */
function triangleWave(turns: number): number {
  const phase = turns - Math.floor(turns)
  const half = phase < 0.5 ? phase * 2 : (phase - 0.5) * 2
  const hump = 4 * half * (1 - half)
  return phase < 0.5 ? hump : -hump
}
