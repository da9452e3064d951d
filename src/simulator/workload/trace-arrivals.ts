// Sends a trace's requests into the fleet: times and lengths are the trace's, everything else (tenant, client, model) is drawn.
import type { EventHandler, EventQueue } from '../core/event-queue.ts'
import { hash, uniform } from '../core/random.ts'
import { BLOCK_TOKENS, type SimRequest } from '../core/request.ts'
import type { RequestDrawer } from './draw-request.ts'
import type { Tenant } from './tenant.ts'
import type { TraceRow } from './trace.ts'

export interface TraceArrivalOptions {
  seed: number
  queue: EventQueue<SimRequest | null>
  drawer: RequestDrawer
  tenants: readonly Tenant[]
  rows: readonly TraceRow[]
  submit(request: SimRequest, now: number): void
}

export class TraceArrivals implements EventHandler<SimRequest | null> {
  private readonly options: TraceArrivalOptions
  private next = 0

  constructor(options: TraceArrivalOptions) {
    this.options = options
    this.schedule()
  }

  handle(now: number): void {
    const { seed, drawer, tenants, rows, submit } = this.options
    const number = this.next++
    const row = rows[number] as TraceRow
    this.schedule()
    const tenant = pickTenant(tenants, uniform(seed, number, 8))
    // A silenced or surging tenant keeps the trace's times: shifts of rate do not apply to a recording.
    const request = drawer.draw(tenant, number, hash(seed, number, 9))
    request.promptTokens = Math.max(1, Math.round(row.promptTokens * tenant.promptScale.value))
    request.outputTokens = Math.max(1, Math.round(row.outputTokens * tenant.outputScale.value))
    request.maxTokens = Math.max(request.maxTokens, request.outputTokens)
    request.reasoningTokens = request.model.reasoning ? Math.round(0.7 * request.outputTokens) : 0
    // At most half of the prompt is the tenant's own.
    request.systemBlocks = Math.min(request.systemBlocks, Math.floor(request.promptTokens / (2 * BLOCK_TOKENS)))
    if (row.blocks !== null) request.blocks = row.blocks
    submit(request, now)
  }

  private schedule(): void {
    const row = this.options.rows[this.next]
    if (row !== undefined) this.options.queue.schedule(row.at, this, 0, null)
  }
}

function pickTenant(tenants: readonly Tenant[], draw: number): Tenant {
  let left = draw
  for (const tenant of tenants) {
    left -= tenant.share
    if (left < 0) return tenant
  }
  return tenants[0] as Tenant
}
