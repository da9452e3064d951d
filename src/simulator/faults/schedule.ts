// When a fault is on: step (on at once), ramp (grows for a few minutes), intermittent (short turns), recurring (long turns, long pauses).
import type { EventHandler } from '../core/event-queue.ts'
import type { SimRequest } from '../core/request.ts'
import { instantOf, type World } from '../world.ts'
import type { Injection, Shape } from './fault.ts'

export const RAMP_SECONDS = 300
const RAMP_STEPS = 30
const INTERMITTENT = { on: 20, off: 40 }
const RECURRING = { on: 180, off: 420 }

export interface FaultTimes {
  start: number
  end: number
  shape: Shape
}

/** Intensity changes of a fault as (second, intensity), in order; turns of one without an end are drawn `until` the run's. */
export function intensities({ start, end, shape }: FaultTimes, until = end): { at: number; intensity: number }[] {
  if (shape === 'step') return [{ at: start, intensity: 1 }, ...healed(end)]
  if (shape === 'ramp') {
    const steps = Array.from({ length: RAMP_STEPS }, (_, index) => ({
      at: start + (index * RAMP_SECONDS) / RAMP_STEPS,
      intensity: (index + 1) / RAMP_STEPS,
    }))
    return [...steps.filter((step) => step.at < end), ...healed(end)]
  }
  const { on, off } = shape === 'intermittent' ? INTERMITTENT : RECURRING
  const changes: { at: number; intensity: number }[] = []
  for (let at = start; at < Math.min(end, until); at += on + off) {
    changes.push({ at, intensity: 1 })
    if (at + on < end) changes.push({ at: at + on, intensity: 0 })
  }
  return [...changes, ...healed(end)]
}

function healed(end: number): { at: number; intensity: number }[] {
  return Number.isFinite(end) ? [{ at: end, intensity: 0 }] : []
}

export interface ScheduledInjection {
  /** Takes it back for good, before its end. */
  heal(now: number): void
}

/** Puts an injection on the world's clock. */
export function scheduleInjection(world: World, injection: Injection, times: FaultTimes, eventId: string): ScheduledInjection {
  const changes = intensities(times, world.until)
  let intensity = 0
  let isHealed = false
  const repeat: EventHandler<SimRequest | null> = {
    handle(now) {
      if (intensity > 0) injection.repeat?.act(now)
      const next = now + (injection.repeat?.everySeconds ?? 0)
      if (!isHealed && next < Math.min(times.end, world.until)) world.queue.schedule(next, repeat, 0, null)
    },
  }
  const handler: EventHandler<SimRequest | null> = {
    handle(now, kind) {
      if (isHealed) return
      intensity = changes[kind]?.intensity ?? 0
      injection.apply(intensity, now)
    },
  }
  changes.forEach(({ at }, index) => {
    if (at <= world.until) world.queue.schedule(at, handler, index, null)
  })
  if (injection.repeat !== undefined && times.start < world.until) world.queue.schedule(times.start, repeat, 0, null)
  announceChange(world, injection, times.start, eventId)
  return {
    heal(now) {
      if (intensity > 0) injection.apply(0, now)
      intensity = 0
      isHealed = true
    },
  }
}

function announceChange(world: World, injection: Injection, start: number, id: string): void {
  const { change } = injection
  if (change === undefined) return
  const announce: EventHandler<SimRequest | null> = {
    handle: () =>
      world.announce({
        id,
        kind: change.kind,
        unix_ns: instantOf(world, start),
        scope: change.scope,
        title: change.title,
        source: 'argo',
        from_value: change.from ?? null,
        to_value: change.to ?? null,
      }),
  }
  if (start <= world.until) world.queue.schedule(start, announce, 0, null)
}
