// The heart of the discrete-event core: a binary heap of (time, order of scheduling) with handlers. Events at the same instant run
// in the order they were scheduled, which makes a run a pure function of its seed.

/** What runs at an instant. One object per concern (an engine, the client, a fault) and a small number that says which. */
export interface EventHandler<P> {
  handle(now: number, kind: number, payload: P): void
}

export class EventQueue<P> {
  /** Virtual seconds since the run's start. */
  now = 0
  private times: number[] = []
  private orders: number[] = []
  private handlers: EventHandler<P>[] = []
  private kinds: number[] = []
  private payloads: P[] = []
  private scheduled = 0

  get size(): number {
    return this.times.length
  }

  /** Time of the next event, Infinity when there is none. */
  nextTime(): number {
    return this.times.length === 0 ? Number.POSITIVE_INFINITY : (this.times[0] as number)
  }

  schedule(time: number, handler: EventHandler<P>, kind: number, payload: P): void {
    if (!(time >= this.now)) throw new RangeError(`event at ${time} lies before now, ${this.now}`)
    let index = this.times.length
    const order = this.scheduled++
    const { times, orders, handlers, kinds, payloads } = this
    while (index > 0) {
      const parent = (index - 1) >> 1
      if ((times[parent] as number) <= time) break
      times[index] = times[parent] as number
      orders[index] = orders[parent] as number
      handlers[index] = handlers[parent] as EventHandler<P>
      kinds[index] = kinds[parent] as number
      payloads[index] = payloads[parent] as P
      index = parent
    }
    times[index] = time
    orders[index] = order
    handlers[index] = handler
    kinds[index] = kind
    payloads[index] = payload
  }

  /** Runs everything up to and including `until`. */
  run(until: number): void {
    while (this.times.length > 0 && (this.times[0] as number) <= until) this.step()
    if (until > this.now) this.now = until
  }

  private step(): void {
    const { times, orders, handlers, kinds, payloads } = this
    const time = times[0] as number
    const handler = handlers[0] as EventHandler<P>
    const kind = kinds[0] as number
    const payload = payloads[0] as P
    const lastTime = times.pop() as number
    const lastOrder = orders.pop() as number
    const lastHandler = handlers.pop() as EventHandler<P>
    const lastKind = kinds.pop() as number
    const lastPayload = payloads.pop() as P
    const size = times.length
    if (size > 0) {
      let index = 0
      for (;;) {
        let child = 2 * index + 1
        if (child >= size) break
        const right = child + 1
        if (right < size && this.before(right, child)) child = right
        const childTime = times[child] as number
        if (childTime > lastTime || (childTime === lastTime && (orders[child] as number) > lastOrder)) break
        times[index] = childTime
        orders[index] = orders[child] as number
        handlers[index] = handlers[child] as EventHandler<P>
        kinds[index] = kinds[child] as number
        payloads[index] = payloads[child] as P
        index = child
      }
      times[index] = lastTime
      orders[index] = lastOrder
      handlers[index] = lastHandler
      kinds[index] = lastKind
      payloads[index] = lastPayload
    }
    this.now = time
    handler.handle(time, kind, payload)
  }

  private before(a: number, b: number): boolean {
    const left = this.times[a] as number
    const right = this.times[b] as number
    return left < right || (left === right && (this.orders[a] as number) < (this.orders[b] as number))
  }
}
